"""Writes study/search.json: what independent programs say of the parts of NSGA-II, CMA-ES and QMC.

    python spec/reference/search.py

elites: random populations, and whom Optuna's NSGA-II keeps.  cma: generations told to the package cmaes, and its mean,
step size and covariance after each.  stopped: when it wants no more, on points made from the pool.  halton, sobol:
SciPy's points without scrambling; of sobol some points in 64 dimensions, as integers of 30 bits, so that all its
direction numbers of degree 9 and less count.
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


POOL = numpy.random.default_rng(7).normal(size=(97, 3)).round(3)
VALUES = {"flat": lambda x: 1.0, "sphere": lambda x: float((x * x).sum()), "slope": lambda x: float(x[0]),
          "cigar": lambda x: float(x[0] ** 2 + 1e6 * (x[1:] ** 2).sum())}


def stopped(name, n, lambda_):
    """The generation in which cmaes wants no more, on points that the pool gives; cases in which its count does not stall
    p_c (see adapted)."""
    optimizer = cmaes.CMA(mean=numpy.full(n, 0.5), sigma=0.2, population_size=lambda_, seed=1)
    while not optimizer.should_stop():
        B, D = optimizer._eigen_decomposition()
        root = B @ numpy.diag(D) @ B.T
        points = [optimizer._mean + optimizer._sigma * (root @ POOL[(optimizer.generation * lambda_ + k) % 97, :n])
                  for k in range(lambda_)]
        optimizer.tell([(x, VALUES[name](x)) for x in points])
    return {"value": name, "n": n, "lambda": lambda_, "generation": optimizer.generation}


def sobol(number):
    sequence = qmc.Sobol(64, scramble=False)
    if number > 0:
        sequence.fast_forward(number)
    return {"number": number, "point": (sequence.random(1)[0] * 2**30).astype(int).tolist()}


optuna.logging.set_verbosity(optuna.logging.ERROR)
found = {
    "elites": [elite(["minimize", "minimize"], 20, 7), elite(["maximize", "minimize"], 30, 12),
               elite(["minimize", "maximize", "minimize"], 25, 15), elite(["minimize"], 10, 4)],
    "cma": [adapted(2, 6), adapted(5, 8)],
    "pool": POOL.tolist(),
    "stopped": [stopped("flat", 2, 6), stopped("flat", 3, 20), stopped("sphere", 2, 6), stopped("sphere", 3, 12),
                stopped("slope", 2, 6), stopped("cigar", 3, 9)],
    "sobol": [sobol(number) for number in (0, 1, 2, 3, 6, 7, 682, 1000, 65535, 699050)],
    "halton": qmc.Halton(4, scramble=False).random(40).tolist(),
}
path = pathlib.Path(__file__).parent / "study" / "search.json"
path.write_text(json.dumps(found) + "\n")
