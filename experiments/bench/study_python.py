"""The peers of study.lua: what a TPE trial costs in Optuna and in Rustuna, in memory; median milliseconds.

    python experiments/bench/study_python.py [optuna] [rustuna]
"""

import random
import statistics
import sys
import time

import optuna
import rustuna

REPEATS = {1000: 100, 10000: 15}


def suggest(trial):
    x = trial.suggest_float("x", -5.0, 5.0)
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    n = trial.suggest_int("n", 1, 64)
    width = trial.suggest_int("width", 1, 1024, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b", "c", "d"])
    return (x - 1) ** 2 + abs(rate - 1e-3) + (n / 20 - 1) ** 2 + (width / 16 - 1) ** 2 / 100 + (kind != "c")


def optuna_trial(study):
    trial = study.ask()
    study.tell(trial, suggest(trial))


def rustuna_trial(study):
    trial = study.ask()
    study.tell(trial.number, suggest(trial))


def optuna_study(size):
    """A history drawn at random and added ready-made, since Optuna's own would take minutes."""
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    optuna_trial(study)
    distributions = study.trials[0].distributions
    for _ in range(size - 1):
        params = {"x": random.uniform(-5, 5), "rate": 10 ** random.uniform(-5, -1), "n": random.randint(1, 64),
                  "width": int(1024 ** random.random()), "kind": random.choice("abcd")}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions,
                                                  value=suggest(optuna.trial.FixedTrial(params))))
    return study


def rustuna_study(size):
    study = rustuna.create_study(sampler=rustuna.samplers.TPESampler(seed=1, n_startup_trials=size))
    for _ in range(size):
        rustuna_trial(study)
    return study


def report(name, make, one_trial):
    for size, repeats in REPEATS.items():
        study, seconds = make(size), []
        one_trial(study)
        for _ in range(repeats):
            start = time.perf_counter()
            one_trial(study)
            seconds.append(time.perf_counter() - start)
        print(f"{name}, {size} trials\t{statistics.median(seconds) * 1000:.4f}\tms", flush=True)


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    random.seed(1)
    wanted = sys.argv[1:] or ["optuna", "rustuna"]
    if "optuna" in wanted:
        report("Optuna", optuna_study, optuna_trial)
    if "rustuna" in wanted:
        report("Rustuna", rustuna_study, rustuna_trial)
