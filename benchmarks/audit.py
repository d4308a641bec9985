"""Does an audit find wrong labels? Errors are planted in the embedded corpus, and looked for.

    python -m benchmarks.audit [--quick]

3% of the articles, drawn by seed, get a wrong label: one of their topics is taken away, one is added, or one is replaced,
each as often as the others (to an article without topics one can only be added). The wrong topic is drawn from all others,
or, as a slip would rather have it, from those of the same group (`data/topics.toml`) as one that the article has. The corpus
has errors and border cases of its own; they are not counted as found.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.measure import Table, show, spread
from serve.topics import load_topics
from train.background import Background
from train.corpus import label_matrix, load_corpus
from train.experiment import EMBEDDED_CORPUS, load_background, without_profiles
from train.fit import cross_fit
from train.lexicon import load_lexicon
from workbench.audit import label_issues

SHARE = 0.03
SEEDS = (0, 1, 2)
TOPICS = load_topics()
KINDS = ("taken away", "added", "replaced")

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]


@dataclass(frozen=True)
class Planted:
    """Topics with errors among them."""

    topics: list[list[str]]
    kinds: dict[int, str]
    """The kind of the error by the number of the article."""


@dataclass(frozen=True)
class Trial:
    """An audit of planted errors."""

    planted: Planted
    truth: Labels
    given: Labels
    probabilities: Scores

    def found(self, scores: Scores) -> list[int]:
        """Of as many articles as were planted, those of the lowest scores, the planted ones."""
        top = np.argsort(scores, kind="stable")[: len(self.planted.kinds)]
        return [i for i in top.tolist() if i in self.planted.kinds]

    def share(self, scores: Scores) -> float:
        """Precision and recall of the top of the list, which are the same for as many as were planted."""
        return len(self.found(scores)) / len(self.planted.kinds)


def plant(topics: Sequence[list[str]], seed: int, *, same_group: bool) -> Planted:
    generator = np.random.default_rng(seed)
    changed = [list(ids) for ids in topics]
    kinds = {}
    for i in generator.choice(len(topics), round(SHARE * len(topics)), replace=False).tolist():
        labels = changed[i]
        kinds[i] = str(generator.choice(KINDS)) if labels else "added"
        at = int(generator.integers(len(labels))) if labels else 0
        others = [topic for topic in TOPICS if topic not in labels]
        if same_group and labels:
            others = [topic for topic in others if TOPICS[topic].group == TOPICS[labels[at]].group] or others
        wrong = str(generator.choice(others))
        if kinds[i] == "taken away":
            del labels[at]
        elif kinds[i] == "added":
            labels.append(wrong)
        else:
            labels[at] = wrong
    return Planted(changed, kinds)


def trial(corpus: pd.DataFrame, seed: int, background: Background | None, *, same_group: bool) -> Trial:
    planted = plant(list(corpus["topics"]), seed, same_group=same_group)
    names = list(TOPICS)
    fitted = cross_fit(
        corpus.assign(topics=pd.Series(planted.topics, corpus.index)),
        TOPICS,
        background=background,
        lexicon=load_lexicon(),
        every_fold=True,
    )
    truth, given = label_matrix(corpus["topics"], names), label_matrix(planted.topics, names)
    return Trial(planted, truth, given, fitted.probabilities())


def found_table(trials: dict[str, list[Trial]]) -> Table:
    head = ["background", "wrong topics", "top of the list", "by chance", *KINDS, "proposal right", "doubted in all", "of these planted", "of the planted"]  # fmt: skip
    rows = []
    for name, runs in trials.items():
        by_kind: dict[str, list[float]] = {kind: [] for kind in KINDS}
        top, right, doubted, precision, recall = [], [], [], [], []
        for run in runs:
            kinds = run.planted.kinds
            scores, proposed = label_issues(run.given, run.probabilities)
            found = run.found(scores)
            top.append(run.share(scores))
            for kind in KINDS:
                by_kind[kind].append(Counter(kinds[i] for i in found)[kind] / Counter(kinds.values())[kind])
            right.append(float(np.mean([(proposed[i] == run.truth[i]).all() for i in found])))
            listed = set(np.flatnonzero((proposed != run.given).any(axis=1)).tolist())
            doubted.append(len(listed))
            precision.append(len(listed & kinds.keys()) / len(listed))
            recall.append(len(listed & kinds.keys()) / len(kinds))
        cells = [spread(values) for values in (top, *by_kind.values(), right)]
        cells.insert(1, format(SHARE, ".2f"))
        rows.append([*name.split("; "), *cells, spread(doubted, ".0f"), spread(precision), spread(recall)])
    runs = next(iter(trials.values()))
    planted = len(runs[0].planted.kinds)
    note = (
        f"{planted} errors planted in {len(runs[0].given)} articles, seeds: {len(runs)} (median, least and most). "
        f"Top of the list: of the first {planted}, the share that was planted (precision and recall are the same there), and the share of "
        "each kind that is in it. Proposal right: of those found, the proposed topics are exactly those before. The last three "
        "columns are of all articles that were doubted."
    )
    return Table("Planted label errors that an audit finds", note, head, rows)


def rankings() -> dict[str, Callable[[Trial], Scores]]:
    """Ways to rank articles: each gives scores, the lowest for the likeliest errors."""
    from cleanlab.multilabel_classification import get_label_quality_scores

    aggregators: dict[str, dict[str, Any]] = {
        "min": {"method": np.min},
        "softmin": {"method": "softmin"},
        "moving average 0.8": {"method": "exponential_moving_average", "alpha": 0.8},
    }

    def cleanlab(method: str, aggregator: dict[str, Any], adjusted: bool = False) -> Callable[[Trial], Scores]:
        def ranked(run: Trial) -> Scores:
            labels = [np.flatnonzero(row).tolist() for row in run.given]
            scores: Scores = get_label_quality_scores(
                labels, run.probabilities, method=method, adjust_pred_probs=adjusted, aggregator_kwargs=aggregator
            )
            return scores

        return ranked

    def log_odds(run: Trial) -> Scores:
        """Minus how far the decisions that are wrong are from right, in log-odds, added up."""
        p = np.clip(run.probabilities, 1e-9, 1 - 1e-9)
        wrong = np.where(run.given, -1, 1) * np.log(p / (1 - p))
        return -np.maximum(wrong, 0).sum(axis=1)

    def likelihood(run: Trial) -> Scores:
        return np.log(np.where(run.given, run.probabilities, 1 - run.probabilities) + 1e-12).sum(axis=1)

    return {
        **{
            f"{method}, {name}": cleanlab(method, aggregator)
            for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
            for name, aggregator in aggregators.items()
        },
        "self_confidence adjusted to the topic, min": cleanlab("self_confidence", aggregators["min"], adjusted=True),
        "log-odds of the wrong decisions": log_odds,
        "log-likelihood of all decisions": likelihood,
    }


def rankings_table(trials: dict[str, list[Trial]]) -> Table:
    rows = [[way, *(spread([run.share(rank(run)) for run in runs]) for runs in trials.values())] for way, rank in rankings().items()]  # fmt: skip
    note = "The share that was planted at the top of the list, as above, by how articles are ranked; cleanlab's names."
    return Table("Ways to rank articles by their labels", note, ["ranking", *trials], rows)


def measure(quick: bool) -> list[Table]:
    warnings.filterwarnings("ignore", category=UserWarning, module="cleanlab")
    corpus = load_corpus([EMBEDDED_CORPUS])
    corpus = corpus.iloc[:1000] if quick else corpus
    seeds = SEEDS[:1] if quick else SEEDS
    whole = load_background(None)
    backgrounds = {"none": None, "words": without_profiles(whole), "words and self-training": whole}
    trials = {
        f"{name}; {'of the same group' if same_group else 'any'}": [
            trial(corpus, seed, background, same_group=same_group) for seed in seeds
        ]
        for same_group in (False, True)
        for name, background in backgrounds.items()
        if not (quick and background is whole)
    }
    return [found_table(trials), rankings_table(trials)]


if __name__ == "__main__":
    show(measure, __doc__)
