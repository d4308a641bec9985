"""Settings that suit a corpus, found by cross-validation."""

from collections.abc import Callable
from dataclasses import replace

from serve.model import TopicModel
from train.fit import Settings

TRIALS = 24
# A search on a large corpus ends with the trial that passes this; on a few thousand articles all trials fit in.
SECONDS = 60.0


def tune(fit: Callable[[Settings], TopicModel], settings: Settings) -> tuple[Settings, list[tuple[Settings, float]]]:
    """The settings of the highest out-of-fold micro-F1 (which is accuracy where every article has one label), and all
    that were tried with theirs. `fit` trains with settings; the search starts from `settings` and is the same at each
    call as long as it is not cut short. Tree-structured Parzen estimator of Optuna (Akiba et al. 2019)."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    tried: list[tuple[Settings, float]] = []

    def objective(trial: optuna.Trial) -> float:
        candidate = replace(
            settings,
            cost=trial.suggest_float("cost", 0.1, 10.0, log=True),
            ngram_max=trial.suggest_int("ngram_max", 1, 2),
            min_df=trial.suggest_int("min_df", 1, 4),
            latent_scale=trial.suggest_float("latent_scale", 0.0, 2.0, step=0.5),
        )
        figure: float = fit(candidate).card["out_of_fold_micro_f1"]
        tried.append((candidate, figure))
        return figure

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=settings.seed))
    first = {name: getattr(settings, name) for name in ("cost", "ngram_max", "min_df", "latent_scale")}
    study.enqueue_trial(first)
    study.optimize(objective, n_trials=TRIALS, timeout=SECONDS)
    return max(tried, key=lambda pair: pair[1])[0], tried
