"""Labels of axes by mizani's implementation of Talbot, Lin & Hanrahan 2010, for spec/plot/ticks_spec.lua.
    python spec/reference/ticks.py > spec/reference/ticks.json      (needs mizani; made with 0.14)
Each case: [low, high, wanted, inside, [places]].  Ranges are of every size, around zero and far from it."""
import json
import random

from mizani.breaks import breaks_extended

random.seed(1)
CASES = [(8.1, 14.1, 4), (0, 1, 5), (0, 9, 5), (0, 9, 6), (-7.7, 196.9, 3), (-1, 1, 5), (0, 100, 5), (1e6, 1e6 + 1, 5),
         (0, 1e-12, 5), (-1e12, 3e12, 7), (0.1, 0.11, 4), (1995, 2026, 6)]
for _ in range(40):
    size = 10 ** random.uniform(-6, 6)
    middle = random.choice([0, 1, 10]) * size * random.uniform(-1, 1)
    CASES.append((middle - size * random.random(), middle + size * random.random(), random.randint(2, 10)))

lines = []
for low, high, wanted in CASES:
    for inside in (False, True):
        places = [float(v) for v in breaks_extended(n=wanted, only_inside=inside)((low, high))]
        lines.append(json.dumps([low, high, wanted, inside, places]))
print("[\n" + ",\n".join(lines) + "\n]")
