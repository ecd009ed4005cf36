"""dashboard.py URL PICTURE -- optuna-dashboard on the loopback serves the studies; Chromium, where there is one, takes a
picture of the last of them."""
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

url, picture = sys.argv[1:3]
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
command = [sys.executable, "-c", "from optuna_dashboard._cli import main; main()", url, "--host", "127.0.0.1", "--port",
           str(port)]
server = subprocess.Popen(command)


def get(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return json.load(answer)


try:
    for _ in range(150):
        try:
            studies = get("/api/studies")["study_summaries"]
            break
        except OSError:
            time.sleep(0.2)
    print(studies)
    ours = next(s for s in studies if s["study_name"] == "ours")
    detail = get(f"/api/studies/{ours['study_id']}?after=0")
    assert len(detail["trials"]) == 40, len(detail["trials"])
    assert {t["state"] for t in detail["trials"]} == {"Complete", "Pruned", "Fail"}
    assert "x" in {p["name"] for p in detail["union_search_space"]}
    browser = shutil.which("chromium")
    if browser:
        subprocess.run([browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                        "--window-size=1400,1600", "--virtual-time-budget=20000", f"--screenshot={picture}",
                        f"http://127.0.0.1:{port}/dashboard/studies/{ours['study_id']}"], timeout=120, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert os.path.getsize(picture) > 10000
finally:
    server.terminate()
    server.wait()
