"""Writes study/pruners.json: what Optuna's pruners decide at each report of a made-up history.

    python spec/reference/pruners.py

events: [trial, step, value] a report, of which every pruner is asked whether the trial should end (what it says changes
nothing); [trial, state, value] the trial's end.  Trials run side by side, and begin at their first event.  NaN is null,
an infinity a string.  decisions: for each pruner and direction a string with 0 or 1 for each report.
"""

import json
import math
import pathlib

import numpy
import optuna
from optuna import pruners

random = numpy.random.default_rng(3)
TRIALS, AT_ONCE, STEPS = 60, 4, 28
DIRECTIONS = ("minimize", "maximize")
PRUNERS = {
    "nop": pruners.NopPruner,
    "median": pruners.MedianPruner,
    "median later": lambda: pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=3, interval_steps=4, n_min_trials=6),
    "percentile": lambda: pruners.PercentilePruner(25.0, n_startup_trials=0),
    "halving": pruners.SuccessiveHalvingPruner,
    "halving 3": lambda: pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=3, min_early_stopping_rate=1),
    "halving bootstrap": lambda: pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2, bootstrap_count=5),
    "hyperband": pruners.HyperbandPruner,
    "hyperband 27": lambda: pruners.HyperbandPruner(min_resource=1, max_resource=27, reduction_factor=3),
    "hyperband 2": lambda: pruners.HyperbandPruner(min_resource=2, max_resource=20, reduction_factor=2, bootstrap_count=2),
    "threshold": lambda: pruners.ThresholdPruner(lower=-0.5, upper=1.5, n_warmup_steps=2, interval_steps=3),
    "patient": lambda: pruners.PatientPruner(None, patience=2),
    "patient median": lambda: pruners.PatientPruner(pruners.MedianPruner(), patience=1, min_delta=0.05),
}


def curve():
    """A noisy decay; few steps are left out, few values are NaN or infinite."""
    level, speed = random.uniform(0, 1), random.uniform(0.02, 0.3)
    for step in range(int(random.integers(1, STEPS))):
        value = round(level + math.exp(-speed * step) + 0.15 * random.normal(), 3)
        kind = random.uniform()
        if kind > 0.1:
            yield step, math.nan if kind > 0.98 else math.inf if kind > 0.97 else value


def made_events():
    events, running, begun = [], {}, 0
    while begun < TRIALS or running:
        while len(running) < AT_ONCE and begun < TRIALS:
            running[begun] = curve()
            begun += 1
        number = list(running)[random.integers(len(running))]
        report = next(running[number], None)
        if report is not None:
            events.append((number, *report))
        else:
            del running[number]
            state = "PRUNED" if random.uniform() < 0.2 else "FAIL" if random.uniform() < 0.1 else "COMPLETE"
            events.append((number, state, round(random.uniform(0, 2), 3)))
    return events


def decided(events, make_pruner, direction):
    study = optuna.create_study(study_name="pruners", pruner=make_pruner(), direction=direction)
    trials, decisions = [], ""
    for number, what, value in events:
        while len(trials) <= number:
            trials.append(study.ask())
        if isinstance(what, str):
            state = optuna.trial.TrialState[what]
            study.tell(trials[number], value if what == "COMPLETE" else None, state=state)
        else:
            trials[number].report(value, what)
            decisions += str(int(trials[number].should_prune()))
    return decisions


def plain(value):
    return None if math.isnan(value) else "inf" if math.isinf(value) else value


optuna.logging.set_verbosity(optuna.logging.ERROR)
events = made_events()
found = {
    "optuna": optuna.__version__,
    "events": [[number, what, plain(value)] for number, what, value in events],
    "decisions": {name: {direction: decided(events, make, direction) for direction in DIRECTIONS}
                  for name, make in PRUNERS.items()},
}
path = pathlib.Path(__file__).parent / "study" / "pruners.json"
path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
