"""How well a model files a set of labelled articles: the figures, their bootstrap intervals, and a table to read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from serve.counts import counted
from serve.model import TopicModel
from train.corpus import label_matrix
from train.reliability import reliability

# Below this many positive test articles a topic's F1 is mostly chance; macro-F1 leaves it out.
MIN_POSITIVES = 5
RESAMPLES = 1000
# Probabilities are taken to be this far from 0 and 1, where log-odds would be infinite.
TINY = 1e-12


@dataclass(frozen=True)
class Evaluation:
    """Truth and decisions on the same n articles and k topics, and the figures that follow from them."""

    topics: list[str]
    ids: list[str]
    truth: np.ndarray
    """(n, k) bool: the topics that annotators gave."""
    assigned: np.ndarray
    """(n, k) bool: the topics that the model gave."""
    probabilities: np.ndarray
    """(n, k) float."""
    single_label: bool = False
    thresholds: np.ndarray | None = None
    """(k,): the probabilities from which the model gives each topic; None: 0.5 for all."""

    @cached_property
    def figures(self) -> dict[str, float]:
        """The overall figures without intervals, which is quick; macro-F1 is NaN where no topic has enough articles."""
        exact = self._exact()
        hits, given, positives = (part.sum(axis=0) for part in self._counts())
        return _rates(hits, given, positives, counted=self._counted, exact=float(exact.mean()) if len(exact) else 0.0)

    @cached_property
    def metrics(self) -> dict[str, object]:
        """All figures as one JSON object: `micro_f1`, `macro_f1`, `precision`, `recall`, `subset_accuracy`, `accuracy`
        (single-label data), `calibration_error` (expected, over all decisions, ten bins), `precision_at_90_coverage`,
        `per_topic`, `n`, and `intervals` (95%, percentile bootstrap over articles); None for a macro-F1 and its interval
        where no topic has enough articles."""
        figures = self.figures
        low, high = np.percentile(self._bootstrap(), [2.5, 97.5], axis=0)
        result: dict[str, object] = {name: _or_none(value) for name, value in figures.items()}
        if self.single_label:
            result["accuracy"] = figures["subset_accuracy"]
        result["calibration_error"] = reliability(self.probabilities, self.truth).error
        result["precision_at_90_coverage"] = self.precision_at_coverage(0.9)
        result["n"] = len(self.truth)
        result["intervals"] = {name: [_or_none(low[i]), _or_none(high[i])] for i, name in enumerate(figures)}
        result["per_topic"] = self.per_topic
        return result

    @cached_property
    def per_topic(self) -> dict[str, dict[str, float]]:
        """Precision, recall, F1 and the number of positive articles of each topic, and, where there are any, its
        average precision: how well its probabilities put articles in order, whatever the threshold."""
        true_positives, given, positives = (part.sum(axis=0) for part in self._counts())
        rows: dict[str, dict[str, float]] = {}
        for j, topic in enumerate(self.topics):
            rows[topic] = {
                "precision": _ratio(true_positives[j], given[j]),
                "recall": _ratio(true_positives[j], positives[j]),
                "f1": _ratio(2 * true_positives[j], given[j] + positives[j]),
                "positives": int(positives[j]),
            }
            if positives[j]:
                rows[topic]["average_precision"] = float(
                    average_precision_score(self.truth[:, j], self.probabilities[:, j])
                )
        return rows

    @cached_property
    def margins(self) -> NDArray[np.float64]:
        """(n, k): how far each topic is from the decision that would be the opposite one, in log-odds: logit(probability)
        - logit(threshold); for single-label data log(probability) - log(the best other topic's). Positive where
        the probability speaks for the topic."""
        if not self.single_label:
            thresholds = np.full(len(self.topics), 0.5) if self.thresholds is None else self.thresholds
            return _logit(self.probabilities) - _logit(thresholds)
        logs = np.log(np.maximum(self.probabilities, TINY))
        ordered = np.sort(logs, axis=1)
        return logs - np.where(logs == ordered[:, -1:], ordered[:, -2:-1], ordered[:, -1:])

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """(n,): how sure the model is of all that it says of an article: its smallest distance from another decision."""
        return np.abs(self.margins).min(axis=1, initial=np.inf)

    def surest(self, share: float) -> "Evaluation":
        """The evaluation of this share of the articles, at least one, those that the model is surest of."""
        order = np.argsort(-self.confidence, kind="stable")
        return self.part(order[: max(1, round(share * len(order)))])

    def precision_at_coverage(self, share: float) -> float:
        """The precision on this share of the articles, when the least certain ones are left to a person."""
        return self.surest(share).figures["precision"]

    def part(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Evaluation":
        """The evaluation of some of the articles, by their places or a mask (n,)."""
        return replace(
            self,
            ids=list(np.array(self.ids, dtype=object)[rows]),
            truth=self.truth[rows],
            assigned=self.assigned[rows],
            probabilities=self.probabilities[rows],
        )

    def of_topics(self, names: Sequence[str]) -> "Evaluation":
        """The evaluation of some of the topics, in the order of `names`."""
        columns = [self.topics.index(name) for name in names]
        return replace(
            self,
            topics=list(names),
            truth=self.truth[:, columns],
            assigned=self.assigned[:, columns],
            probabilities=self.probabilities[:, columns],
            thresholds=None if self.thresholds is None else self.thresholds[columns],
        )

    def table(self) -> str:
        """The figures as lines of text, for a terminal."""
        intervals: dict[str, list[float]] = self.metrics["intervals"]  # type: ignore[assignment]
        names = {"micro_f1": "micro-F1", "macro_f1": f"macro-F1 (topics with {MIN_POSITIVES} or more)",
                 "precision": "precision", "recall": "recall", "subset_accuracy": "all topics right"}  # fmt: skip
        n, k = self.truth.shape
        lines = [f"{counted(n, 'article')}, {counted(k, 'topic')}; 95% bootstrap intervals"]
        for name, label in names.items():
            low, high = intervals[name]
            if self.metrics[name] is not None:
                lines.append(f"  {label:<34} {self.metrics[name]:.3f}  [{low:.3f}, {high:.3f}]")
        lines.append(f"  {'expected calibration error':<34} {self.metrics['calibration_error']:.3f}")
        lines.append(f"  {'precision at 90% coverage':<34} {self.metrics['precision_at_90_coverage']:.3f}")
        lines.append(f"\n{'topic':<24}{'articles':>9}{'precision':>11}{'recall':>8}{'F1':>8}")
        for (topic, row), (precision, recall, f1) in zip(self.per_topic.items(), self.shown_rates(), strict=True):
            lines.append(f"{topic:<24}{row['positives']:>9}{precision:>11}{recall:>8}{f1:>8}")
        return "\n".join(lines)

    def shown_rates(self) -> Iterator[tuple[str, str, str]]:
        """Each topic's precision, recall and F1 as they are printed: "-" for a precision where the topic was given to no
        article, and for a recall and an F1 where no article has it, which `per_topic` has as 0."""
        for given, row in zip(self.assigned.sum(axis=0).tolist(), self.per_topic.values(), strict=True):
            there = {"precision": given, "recall": row["positives"], "f1": row["positives"]}
            precision, recall, f1 = (f"{row[name]:.3f}" if exists else "-" for name, exists in there.items())
            yield precision, recall, f1

    def _counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.truth & self.assigned, self.assigned, self.truth

    @cached_property
    def _counted(self) -> np.ndarray:
        """(k,) bool: the topics that macro-F1 is over."""
        counted: np.ndarray = self.truth.sum(axis=0) >= MIN_POSITIVES
        return counted

    def _exact(self) -> np.ndarray:
        return (self.truth == self.assigned).all(axis=1)

    def _bootstrap(self) -> np.ndarray:
        """(RESAMPLES, 5): the figures on resampled articles, seeded so that a report is the same twice."""
        n = len(self.truth)
        draws = resamples(n)
        counts = np.stack([part.astype(np.float64) for part in self._counts()])
        exact = self._exact().astype(np.float64)
        # A resample is a weight an article, so its counts are one matrix product.
        summed = np.einsum("bn,pnk->bpk", draws, counts, optimize=True)
        # Macro-F1 is over the same topics in each: of others it would be another figure.
        rates = (
            _rates(*sums, counted=self._counted, exact=float(draw @ exact) / max(n, 1))
            for sums, draw in zip(summed, draws, strict=True)
        )
        return np.array([list(figures.values()) for figures in rates])


def evaluate(model: TopicModel, corpus: pd.DataFrame) -> Evaluation:
    """How the model files the labelled articles of a corpus. A label that is no topic of the model counts for
    nothing, so recall is over the model's topics; `train.check.unknown_labels` tells of such labels."""
    truth = label_matrix(corpus["topics"], model.topics)
    filed = model.file(list(corpus["text"]), list(corpus["title"]))
    return Evaluation(
        model.topics,
        list(corpus["id"]),
        truth,
        filed.assigned,
        filed.probabilities,
        model.single_label,
        model.thresholds,
    )


def resamples(n: int) -> np.ndarray:
    """(RESAMPLES, n) float: how often each of n articles is drawn in each bootstrap resample; the same at every call."""
    generator = np.random.default_rng(0)
    return (
        generator.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.float64)
        if n
        else np.zeros((RESAMPLES, 0))
    )


def micro_f1_resampled(evaluation: Evaluation) -> np.ndarray:
    """(RESAMPLES,): micro-F1 on each resample; two evaluations of the same articles can be compared pair by pair."""
    draws = resamples(len(evaluation.truth))
    hits, given, positives = (draws @ part.sum(axis=1) for part in evaluation._counts())
    return 2 * hits / np.maximum(given + positives, 1)


def f1_resampled(evaluation: Evaluation) -> np.ndarray:
    """(RESAMPLES, k): each topic's F1 on each resample, as `micro_f1_resampled` is of all."""
    draws = resamples(len(evaluation.truth))
    hits, given, positives = (draws @ part for part in evaluation._counts())
    return 2 * hits / np.maximum(given + positives, 1)


def _rates(
    hits: np.ndarray, given: np.ndarray, positives: np.ndarray, *, counted: np.ndarray, exact: float
) -> dict[str, float]:
    """The overall figures of k topics' counts (k,); macro-F1 is over those of `counted`."""
    per_topic = 2 * hits[counted] / np.maximum(given[counted] + positives[counted], 1)
    return {
        "micro_f1": _ratio(2 * hits.sum(), given.sum() + positives.sum()),
        "macro_f1": float(per_topic.mean()) if counted.any() else float("nan"),
        "precision": _ratio(hits.sum(), given.sum()),
        "recall": _ratio(hits.sum(), positives.sum()),
        "subset_accuracy": exact,
    }


def _logit(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = np.clip(probabilities, TINY, 1 - TINY)
    return np.log(kept / (1 - kept))


def _or_none(value: float) -> float | None:
    """None for not-a-number, which JSON has no word for."""
    return None if np.isnan(value) else float(value)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
