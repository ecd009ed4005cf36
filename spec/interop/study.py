"""study.py make|continue|check URL FILE -- Optuna's side of the check; see study.lua."""
import json
import math
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
action, url, path = sys.argv[1:4]


def objective(trial):
    x = trial.suggest_float("x", -1, 1)
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    half = trial.suggest_float("half", 0, 1, step=0.25)
    n = trial.suggest_int("n'ü", 1, 9, step=2)
    kind = trial.suggest_categorical("kind", ["it's", True, 3, 1.5, None])
    if kind is True:
        trial.suggest_int("only", 1, 100, log=True)
    trial.report(float("nan"), 0)
    trial.report(float("inf"), 1)
    trial.report(x, 2)
    trial.set_user_attr("note \"'", [1, 2.5, {"deep": "ü"}])
    if trial.number % 7 == 3:
        raise optuna.TrialPruned()
    if trial.number % 7 == 4:
        raise ValueError("a trial that fails")
    return x * x + lr + half + n / 10


def moment(time):
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")


def contents(study):
    trials = []
    for t in study.trials:
        kinds = {k: json.loads(optuna.distributions.distribution_to_json(d)) for k, d in t.distributions.items()}
        trials.append({
            "number": t.number, "state": t.state.name, "values": t.values, "params": t.params, "distributions": kinds,
            "intermediate_values": {str(k): v for k, v in t.intermediate_values.items()}, "user_attrs": t.user_attrs,
            "start": moment(t.datetime_start), "complete": moment(t.datetime_complete)})
    return {"trials": trials, "best": study.best_trial.number, "user_attrs": study.user_attrs,
            "direction": study.direction.name.lower()}


def same(a, b):
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


if action == "make":
    study = optuna.create_study(study_name="theirs", storage=url)
else:
    names = [s.study_name for s in optuna.get_all_study_summaries(url)]
    study = optuna.load_study(study_name=names[-1], storage=url)
if action == "check":
    expected, found = json.load(open(path)), json.loads(json.dumps(contents(study)))
    for a, b in zip(expected["trials"], found["trials"]):
        for key in a:
            assert same(a[key], b[key]), (a["number"], key, a[key], b[key])
    assert len(expected["trials"]) == len(found["trials"])
    del expected["trials"], found["trials"]
    assert same(expected, found), (expected, found)
else:
    study.set_user_attr("author", {"name": "é'"})
    study.enqueue_trial({"x": 0.125, "kind": None})
    study.optimize(objective, n_trials=20, catch=(ValueError,))
    json.dump(contents(study), open(path, "w"))
