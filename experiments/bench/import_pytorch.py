"""The peer of import.lua: how long `import torch` takes in a fresh process."""

import statistics
import subprocess
import sys

PROGRAM = "import time; t = time.perf_counter(); import torch; print(time.perf_counter() - t)"


def once():
    return float(subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True).stdout)


once()
print(f"import\t{statistics.median(once() for _ in range(3)) * 1e3:.1f}\tms")
