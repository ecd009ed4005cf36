"""Writes study/importance.json: a made-up history, and what Optuna's evaluators say of it.

    python spec/reference/importance.py

trials: parameters in the internal representation (a category is its 0-based index), "c" in a part of the trials only,
"r" with a range that changed on the way; value.  ped_anova: shares for some settings.  fanova: mean and standard
deviation of the shares over ten seeds of the forest, of "x", "lr", "n", "k" alone.
"""

import json
import math
import pathlib
import warnings

import numpy
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances

random = numpy.random.default_rng(5)
SPACE = {
    "x": FloatDistribution(-1.0, 1.0),
    "lr": FloatDistribution(1e-4, 1.0, log=True),
    "n": IntDistribution(1, 9, step=2),
    "m": IntDistribution(1, 300, log=True),
    "q": FloatDistribution(0.0, 1.0, step=0.25),
    "k": CategoricalDistribution(["a", "b", "c"]),
    "one": IntDistribution(4, 4),
}
SOME = {"c": FloatDistribution(0.0, 2.0)}
TRIALS = 120


def drawn():
    params = {"x": random.uniform(-1, 1), "lr": 10 ** random.uniform(-4, 0), "n": int(1 + 2 * random.integers(5)),
              "m": int(round(300 ** random.uniform())), "q": float(random.integers(5)) / 4, "k": str(random.choice(list("abc"))),
              "one": 4}
    space = dict(SPACE)
    if params["k"] == "b":
        params["c"], space["c"] = random.uniform(0, 2), SOME["c"]
    space["r"] = FloatDistribution(0.0, 1.0 if random.uniform() < 0.6 else 2.0)
    params["r"] = random.uniform(0, space["r"].high)
    value = (3 * params["x"] ** 2 + (math.log10(params["lr"]) + 2) ** 2 / 4 + 0.1 * params["n"] + 0.3 * params["q"]
             + {"a": 0, "b": 0.6, "c": 1}[params["k"]] + params.get("c", 0) / 2 + params["r"] / 5)
    return params, space, value


study = optuna.create_study()
for number in range(TRIALS):
    params, space, value = drawn()
    value = math.inf if number == 7 else value
    study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=value))

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
settings = {"default": {}, "quarter": {"target_quantile": 0.25, "region_quantile": 0.7},
            "global": {"target_quantile": 0.2, "evaluate_on_local": False}}
ped_anova = {name: get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(**options))
             for name, options in settings.items()}
upwards = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(), target=lambda t: -t.value)
names = ["x", "lr", "n", "k"]
forests = [get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=seed), params=names) for seed in range(10)]
fanova = {name: {"mean": float(numpy.mean([forest[name] for forest in forests])),
                 "deviation": float(numpy.std([forest[name] for forest in forests]))} for name in names}
trials = [{"params": {name: t.distributions[name].to_internal_repr(value) for name, value in t.params.items()},
           "r_high": t.distributions["r"].high, "value": "inf" if math.isinf(t.value) else t.value} for t in study.trials]
found = {"optuna": optuna.__version__, "trials": trials, "ped_anova": ped_anova, "upwards": upwards, "fanova": fanova}
path = pathlib.Path(__file__).parent / "study" / "importance.json"
path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
