"""stamps.py FOLDER -- Optuna 3.1 wants another stamp in the database: it refuses ours, and we refuse its."""
import os
import subprocess
import sys

import optuna

folder = sys.argv[1]
ours, theirs = (f"sqlite:///{folder}/{name}.db" for name in ("stamp_ours", "stamp_theirs"))


def perilune(code):
    done = subprocess.run(["lua5.4", "-e", code], capture_output=True, text=True, env=os.environ)
    return done.returncode, done.stderr


assert perilune(f'require("perilune").study.create {{ storage = "{ours}" }}')[0] == 0
try:
    optuna.load_study(study_name="study", storage=ours)
    raise SystemExit("Optuna 3.1 took a database with a later stamp")
except RuntimeError as refusal:
    print(refusal)
optuna.create_study(storage=theirs)
code, message = perilune(f'require("perilune").study.load {{ storage = "{theirs}" }}')
assert code == 1 and "optuna storage upgrade" in message, message
