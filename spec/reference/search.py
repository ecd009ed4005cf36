"""Writes study/search.json: what independent programs say of the parts of NSGA-II, CMA-ES and QMC.

    python spec/reference/search.py

elites: random populations, and whom Optuna's NSGA-II keeps.  cma: generations told to the package cmaes, and its mean,
step size and covariance after each.  halton: SciPy's points without scrambling.
"""

import json
import pathlib

import cmaes
import numpy
import optuna
from optuna.samplers.nsgaii._elite_population_selection_strategy import NSGAIIElitePopulationSelectionStrategy
from scipy.stats import qmc

random = numpy.random.default_rng(1)


def elite(directions, n, keep):
    study = optuna.create_study(directions=directions)
    values = random.normal(size=(n, len(directions))).round(3)
    values[3] = numpy.inf
    for row in values:
        study.add_trial(optuna.trial.create_trial(values=row.tolist()))
    chosen = NSGAIIElitePopulationSelectionStrategy(population_size=keep)(study, study.trials)
    named = [[None if not numpy.isfinite(v) else v for v in row] for row in values.tolist()]   # null: infinity
    return {"directions": directions, "values": named, "keep": keep, "numbers": sorted(t.number for t in chosen)}


def adapted(n, lambda_):
    """Steps are of the expected size: where they are far larger, cmaes stalls p_c by a count that is off by one."""
    optimizer = cmaes.CMA(mean=numpy.full(n, 0.5), sigma=0.2, population_size=lambda_, seed=1)
    generations = []
    for _ in range(6):
        points = numpy.array([optimizer.ask() for _ in range(lambda_)])
        order = numpy.argsort(((points - 1) ** 2).sum(axis=1))
        optimizer.tell([(points[k], float(rank)) for rank, k in enumerate(order)])
        generations.append({"points": points[order].tolist(), "mean": optimizer._mean.tolist(), "sigma": optimizer._sigma,
                            "C": optimizer._C.tolist()})
    return {"n": n, "lambda": lambda_, "generations": generations}


optuna.logging.set_verbosity(optuna.logging.ERROR)
found = {
    "elites": [elite(["minimize", "minimize"], 20, 7), elite(["maximize", "minimize"], 30, 12),
               elite(["minimize", "maximize", "minimize"], 25, 15), elite(["minimize"], 10, 4)],
    "cma": [adapted(2, 6), adapted(5, 8)],
    "halton": qmc.Halton(4, scramble=False).random(40).tolist(),
}
path = pathlib.Path(__file__).parent / "study" / "search.json"
path.write_text(json.dumps(found) + "\n")
