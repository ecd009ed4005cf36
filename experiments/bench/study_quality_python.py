"""The best values that Optuna's samplers reach on ten functions, for study_quality.lua to compare with.

    python experiments/bench/study_quality_python.py > experiments/bench/study_quality_optuna.csv

Each line: sampler, function, budget, and the best value within that many trials for each of 30 seeds.
"""

import math

import optuna

BUDGETS = (20, 50, 80)
SEEDS = range(30)


def ackley(x):
    n = len(x)
    near = math.exp(sum(math.cos(2 * math.pi * v) for v in x) / n)
    return -20 * math.exp(-0.2 * math.sqrt(sum(v * v for v in x) / n)) - near + 20 + math.e


def rastrigin(x):
    return sum(v * v - 10 * math.cos(2 * math.pi * v) + 10 for v in x)


def rosenbrock(x):
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def styblinski_tang(x):
    return sum(v**4 - 16 * v * v + 5 * v for v in x) / 2


HARTMANN_A = ((10, 3, 17, 3.5, 1.7, 8), (0.05, 10, 17, 0.1, 8, 14), (3, 3.5, 1.7, 10, 17, 8), (17, 8, 0.05, 10, 0.1, 14))
HARTMANN_P = ((0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886), (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
              (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650), (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381))


def hartmann(x):
    return -sum(height * math.exp(-sum(a * (v - p) ** 2 for a, p, v in zip(row, center, x)))
                for height, row, center in zip((1.0, 1.2, 3.0, 3.2), HARTMANN_A, HARTMANN_P))


def floats(t, n, low, high):
    return [t.suggest_float(f"x{i}", low, high) for i in range(1, n + 1)]


def integer_ackley(t):
    return ackley([t.suggest_int(f"x{i}", -20, 20) for i in range(1, 5)])


def stepped_rastrigin(t):
    x = [t.suggest_float("x1", -5.0, 5.0, step=0.25), t.suggest_float("x2", -5.0, 5.0, step=0.25)]
    return rastrigin(x + [t.suggest_int("x3", -5, 5), t.suggest_float("x4", -5.12, 5.12)])


def log_bowl(t):
    x = [t.suggest_float(f"x{i}", 1e-6, 1.0, log=True) for i in range(1, 4)]
    n = t.suggest_int("n", 1, 1000, log=True)
    goals = (-4, -2.5, -1)
    return sum((math.log10(v) - goal) ** 2 for v, goal in zip(x, goals)) + (math.log10(n) - 1.5) ** 2


SHIFTS = {"a": (0.0, 0.0), "b": (1.5, 20.0), "c": (-2.0, 5.0), "d": (3.0, 40.0), "e": (0.5, 10.0)}


def categorical_styblinski_tang(t):
    x = floats(t, 3, -5.0, 5.0)
    shift, penalty = SHIFTS[t.suggest_categorical("kind", list(SHIFTS))]
    x[0] += shift
    if not t.suggest_categorical("straight", [False, True]):
        x[1], penalty = 0.5 * x[1], penalty + 5
    return styblinski_tang(x) + penalty


def network(t):
    rate = math.log10(t.suggest_float("learning_rate", 1e-5, 1e-1, log=True))
    decay = math.log10(t.suggest_float("weight_decay", 1e-8, 1e-2, log=True))
    layers, width = t.suggest_int("layers", 1, 5), math.log2(t.suggest_int("width", 4, 512, log=True))
    optimizer = t.suggest_categorical("optimizer", ["Adam", "RMSprop", "SGD"])
    loss = 0.1 * (layers - 3) ** 2 + 0.05 * (width - 6) ** 2 + 0.02 * (decay + 5) ** 2
    if optimizer == "SGD":
        momentum = t.suggest_float("momentum", 0.0, 0.99)
        return loss + 0.3 * (rate + 1.5) ** 2 + 2 * (momentum - 0.9) ** 2
    return loss + 0.3 * (rate + 3) ** 2 + (0.1 if optimizer == "Adam" else 0.3)


FUNCTIONS = {
    "ackley_5": lambda t: ackley(floats(t, 5, -32.768, 32.768)),
    "hartmann_6": lambda t: hartmann(floats(t, 6, 0.0, 1.0)),
    "styblinski_tang_4": lambda t: styblinski_tang(floats(t, 4, -5.0, 5.0)),
    "rastrigin_3": lambda t: rastrigin(floats(t, 3, -5.12, 5.12)),
    "rosenbrock_3": lambda t: rosenbrock(floats(t, 3, -5.0, 10.0)),
    "integer_ackley_4": integer_ackley,
    "stepped_rastrigin_4": stepped_rastrigin,
    "log_bowl_4": log_bowl,
    "categorical_styblinski_tang_5": categorical_styblinski_tang,
    "network_6": network,
}


def best_values(make_sampler, function):
    best = {budget: [] for budget in BUDGETS}
    for seed in SEEDS:
        study = optuna.create_study(sampler=make_sampler(seed=seed))
        study.optimize(function, n_trials=max(BUDGETS))
        values = [trial.value for trial in study.trials]
        for budget in BUDGETS:
            best[budget].append(min(values[:budget]))
    return best


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"# Optuna {optuna.__version__}, {len(SEEDS)} seeds: sampler, function, budget, best values")
    for kind, make_sampler in (("random", optuna.samplers.RandomSampler), ("tpe", optuna.samplers.TPESampler)):
        for name, function in FUNCTIONS.items():
            for budget, values in best_values(make_sampler, function).items():
                print(kind, name, budget, *(f"{value:.6g}" for value in values), sep=",", flush=True)
