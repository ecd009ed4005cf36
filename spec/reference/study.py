"""Writes study/parzen.json: what Optuna 5's Parzen estimators say of given histories.

    python spec/reference/study.py

A case: the space, the observations, candidate points with their log densities.  Beside the cases,
the quantiles of Optuna's truncated normal.

Which of several equal observations gets which width Optuna leaves to NumPy's sort, which is not stable from 17 items
on and differs between processors.  Here it is made stable, as ours is: the older one stands first.
"""

import json
import pathlib

import numpy
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

unstable_argsort = numpy.argsort
numpy.argsort = lambda values, **options: unstable_argsort(values, **{"kind": "stable", **options})

SETTINGS = _ParzenEstimatorParameters(
    prior_weight=1.0, consider_magic_clip=True, consider_endpoints=False, weights=default_weights, multivariate=True)
SPACES = {
    "float": {"x": FloatDistribution(-1.0, 1.0)},
    "log": {"x": FloatDistribution(1e-5, 0.1, log=True)},
    "step": {"x": FloatDistribution(0.0, 1.0, step=0.25)},
    "int": {"x": IntDistribution(1, 10)},
    "int_log": {"x": IntDistribution(1, 200, log=True)},
    "category": {"x": CategoricalDistribution(["a", "b", "c"])},
}
SPACES["mixed"] = {name: next(iter(space.values())) for name, space in SPACES.items()}
COUNTS = {"mixed": (0, 1, 24, 25, 26, 40, 200)}


def described(distribution):
    if isinstance(distribution, CategoricalDistribution):
        return {"choices": len(distribution.choices)}
    return {"low": distribution.low, "high": distribution.high, "step": distribution.step or 0, "log": distribution.log}


def drawn(distribution, n, random):
    if isinstance(distribution, CategoricalDistribution):
        return random.integers(0, len(distribution.choices), n).astype(float)
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        values = numpy.exp(random.uniform(numpy.log(low), numpy.log(high), n))
    else:
        values = random.uniform(low, high, n)
    return numpy.clip(low + numpy.round((values - low) / step) * step, low, high) if step else values


def made(name, n, random):
    space = SPACES[name]
    observations = {key: drawn(distribution, n, random) for key, distribution in space.items()}
    points = {key: drawn(distribution, 6, random) for key, distribution in space.items()}
    estimator = _ParzenEstimator(observations, space, SETTINGS)
    rows = lambda table: numpy.stack(list(table.values()), axis=1).tolist()
    return {"name": f"{name} of {n}", "space": [described(d) for d in space.values()], "observations": rows(observations),
            "points": rows(points), "log_pdf": estimator.log_pdf(points).tolist()}


def quantiles():
    intervals = [(-1.0, 2.0), (-9.5, 9.5), (-30.0, -25.0), (3.0, 3.5), (40.0, 41.0), (0.0, 1.0), (-0.2, 30.0)]
    return [{"a": a, "b": b, "q": q, "x": float(_truncnorm.ppf(numpy.array([q]), a, b)[0])}
            for a, b in intervals for q in (1e-6, 0.3, 0.5, 0.999)]


random = numpy.random.default_rng(1)
cases = [made(name, n, random) for name in SPACES for n in COUNTS.get(name, (0, 1, 2, 12))]
path = pathlib.Path(__file__).parent / "study" / "parzen.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps({"optuna": optuna.__version__, "cases": cases, "quantiles": quantiles()}, indent=None) + "\n")
