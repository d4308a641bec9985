"""How well a model files a set of labelled articles: the figures, their bootstrap intervals, and a table to read."""

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from serve.model import TopicModel
from train.corpus import label_matrix

# Below this many positive test articles a topic's F1 is mostly chance; macro-F1 leaves it out.
MIN_POSITIVES = 5
RESAMPLES = 1000


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

    @cached_property
    def metrics(self) -> dict[str, object]:
        """All figures as one JSON object: `micro_f1`, `macro_f1`, `precision`, `recall`, `subset_accuracy`, `accuracy`
        (single-label data), `per_topic`, `n`, and `intervals` (95%, percentile bootstrap over articles); None for a macro-F1
        where no topic has enough articles."""
        figures = _figures(self._counts(), self._exact())
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN slice")
            low, high = np.nanpercentile(self._bootstrap(), [2.5, 97.5], axis=0)
        result: dict[str, object] = {name: _or_none(value) for name, value in figures.items()}
        if self.single_label:
            result["accuracy"] = figures["subset_accuracy"]
        result["n"] = len(self.truth)
        result["intervals"] = {name: [_or_none(low[i]), _or_none(high[i])] for i, name in enumerate(figures)}
        result["per_topic"] = self.per_topic
        return result

    @cached_property
    def per_topic(self) -> dict[str, dict[str, float]]:
        """Precision, recall, F1 and the number of positive articles of each topic."""
        true_positives, given, positives = (part.sum(axis=0) for part in self._counts())
        return {
            topic: {
                "precision": _ratio(true_positives[j], given[j]),
                "recall": _ratio(true_positives[j], positives[j]),
                "f1": _ratio(2 * true_positives[j], given[j] + positives[j]),
                "positives": int(positives[j]),
            }
            for j, topic in enumerate(self.topics)
        }

    def table(self) -> str:
        """The figures as lines of text, for a terminal."""
        intervals: dict[str, list[float]] = self.metrics["intervals"]  # type: ignore[assignment]
        names = {"micro_f1": "micro-F1", "macro_f1": f"macro-F1 (topics with {MIN_POSITIVES} or more)",
                 "precision": "precision", "recall": "recall", "subset_accuracy": "all topics right"}  # fmt: skip
        lines = [f"{len(self.truth)} articles, {len(self.topics)} topics; 95% bootstrap intervals"]
        for name, label in names.items():
            low, high = intervals[name]
            if self.metrics[name] is not None:
                lines.append(f"  {label:<34} {self.metrics[name]:.3f}  [{low:.3f}, {high:.3f}]")
        lines.append(f"\n{'topic':<24}{'articles':>9}{'precision':>11}{'recall':>8}{'F1':>8}")
        for topic, row in self.per_topic.items():
            lines.append(
                f"{topic:<24}{row['positives']:>9}{row['precision']:>11.3f}{row['recall']:>8.3f}{row['f1']:>8.3f}"
            )
        return "\n".join(lines)

    def _counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.truth & self.assigned, self.assigned, self.truth

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
        return np.array(
            [list(_rates(*summed[b], exact=float(draws[b] @ exact) / max(n, 1)).values()) for b in range(len(draws))]
        )


def evaluate(model: TopicModel, corpus: pd.DataFrame) -> Evaluation:
    """How the model files the labelled articles of a corpus. A label that is no topic of the model counts for nothing."""
    truth = label_matrix(corpus["topics"], model.topics)
    filed = model.file(list(corpus["text"]), list(corpus["title"]))
    return Evaluation(model.topics, list(corpus["id"]), truth, filed.assigned, filed.probabilities, model.single_label)


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


def _figures(counts: tuple[np.ndarray, np.ndarray, np.ndarray], exact: np.ndarray) -> dict[str, float]:
    return _rates(*(part.sum(axis=0) for part in counts), exact=float(exact.mean()) if len(exact) else 0.0)


def _rates(hits: np.ndarray, given: np.ndarray, positives: np.ndarray, *, exact: float) -> dict[str, float]:
    counted = positives >= MIN_POSITIVES
    per_topic = 2 * hits[counted] / np.maximum(given[counted] + positives[counted], 1)
    return {
        "micro_f1": _ratio(2 * hits.sum(), given.sum() + positives.sum()),
        "macro_f1": float(per_topic.mean()) if counted.any() else float("nan"),
        "precision": _ratio(hits.sum(), given.sum()),
        "recall": _ratio(hits.sum(), positives.sum()),
        "subset_accuracy": exact,
    }


def _or_none(value: float) -> float | None:
    """None for not-a-number, which JSON has no word for."""
    return None if np.isnan(value) else float(value)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
