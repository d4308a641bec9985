"""Two models on the same labelled articles: how their F1 differs, overall and by topic, and which articles they file otherwise."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.counts import counted
from train.evaluate import Evaluation, f1_resampled, micro_f1_resampled

SHOWN_CHANGES = 20


@dataclass(frozen=True)
class Difference:
    """An F1 of two models on the same articles, with the 95% interval of its difference (paired bootstrap over articles:
    Efron & Tibshirani 1993)."""

    before: float
    after: float
    low: float
    high: float
    worse: float
    """The share of the resamples in which the second model does worse."""

    @classmethod
    def of(cls, before: float, after: float, differences: NDArray[np.float64]) -> "Difference":
        """From the differences in all resamples."""
        low, high = np.percentile(differences, [2.5, 97.5])
        return cls(before, after, float(low), float(high), float((differences < 0).mean()))

    def __str__(self) -> str:
        return f"{self.after - self.before:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True)
class Change:
    """An article that the two file otherwise."""

    id: str
    truth: list[str]
    before: list[str]
    after: list[str]


@dataclass(frozen=True)
class Comparison:
    """What two models make of the same articles, each evaluated on all of its topics."""

    before: Evaluation
    after: Evaluation

    @cached_property
    def shared(self) -> list[str]:
        """The topics of both, in the order of the second."""
        return [topic for topic in self.after.topics if topic in self.before.topics]

    @cached_property
    def overall(self) -> Difference:
        """Of micro-F1 over the topics of both."""
        return micro_f1_difference(self.before.of_topics(self.shared), self.after.of_topics(self.shared))

    @cached_property
    def per_topic(self) -> dict[str, Difference]:
        """Of the F1 of each topic of both."""
        before, after = (evaluation.of_topics(self.shared) for evaluation in (self.before, self.after))
        differences = f1_resampled(after) - f1_resampled(before)
        return {
            topic: Difference.of(before.per_topic[topic]["f1"], after.per_topic[topic]["f1"], differences[:, j])
            for j, topic in enumerate(self.shared)
        }

    @cached_property
    def changes(self) -> list[Change]:
        """The articles that are not filed under the same topics, in their order."""
        found = []
        for i, article in enumerate(self.after.ids):
            before, after = _topics(self.before, self.before.assigned, i), _topics(self.after, self.after.assigned, i)
            if set(before) != set(after):
                truth = [*_topics(self.after, self.after.truth, i), *_topics(self.before, self.before.truth, i)]
                found.append(Change(article, list(dict.fromkeys(truth)), before, after))
        return found

    def summary(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "n": len(self.after.ids),
            "micro_f1": asdict(self.overall) if self.shared else None,
            "per_topic": {topic: asdict(difference) for topic, difference in self.per_topic.items()},
            "only_before": {topic: self.before.per_topic[topic] for topic in self._alone(self.before)},
            "only_after": {topic: self.after.per_topic[topic] for topic in self._alone(self.after)},
            "changes": [asdict(change) for change in self.changes],
        }

    def table(self) -> str:
        """The differences and the first of the changed articles as lines of text, for a terminal."""
        lines = [
            f"{counted(len(self.after.ids), 'article')}, {counted(len(self.shared), 'topic')} in both models; "
            "after - before, with 95% bootstrap intervals",
            "",
            f"{'F1':<24}{'articles':>9}{'before':>9}{'after':>9}  difference",
        ]
        if self.shared:
            lines.append(_line("all of both (micro)", "", self.overall))
        positives = self.after.truth.sum(axis=0)
        for topic, held in zip(self.after.topics, positives, strict=True):
            if topic in self.per_topic and not held:
                lines.append(f"{topic:<24}{held:>9}{'-':>9}{'-':>9}  -")
            elif topic in self.per_topic:
                lines.append(_line(topic, held, self.per_topic[topic]))
            else:
                lines.append(f"{topic:<24}{held:>9}{'-':>9}{self.after.per_topic[topic]['f1']:>9.3f}  only after")
        for topic in self._alone(self.before):
            row = self.before.per_topic[topic]
            lines.append(f"{topic:<24}{row['positives']:>9}{row['f1']:>9.3f}{'-':>9}  only before")
        lines.append(f"\n{counted(len(self.changes), 'article is', 'articles are')} filed otherwise")
        for change in self.changes[:SHOWN_CHANGES]:
            before, after, truth = (" ".join(topics) or "-" for topics in (change.before, change.after, change.truth))
            lines.append(f"  {change.id}: {before} -> {after} (labelled {truth})")
        if len(self.changes) > SHOWN_CHANGES:
            lines.append(f"  ... and {len(self.changes) - SHOWN_CHANGES} more; --json lists all")
        return "\n".join(lines)

    def _alone(self, evaluation: Evaluation) -> list[str]:
        """The topics that only this one of the two has."""
        return [topic for topic in evaluation.topics if topic not in self.shared]


def micro_f1_difference(before: Evaluation, after: Evaluation) -> Difference:
    """How micro-F1 differs. Raises ValueError unless both are of the same articles in the same order."""
    if before.ids != after.ids:
        raise ValueError("two models are compared on the same articles in the same order")
    differences = micro_f1_resampled(after) - micro_f1_resampled(before)
    return Difference.of(before.figures["micro_f1"], after.figures["micro_f1"], differences)


def _line(name: str, articles: object, difference: Difference) -> str:
    return f"{name:<24}{articles:>9}{difference.before:>9.3f}{difference.after:>9.3f}  {difference}"


def _topics(evaluation: Evaluation, given: NDArray[np.bool_], article: int) -> list[str]:
    return [evaluation.topics[j] for j in np.flatnonzero(given[article])]
