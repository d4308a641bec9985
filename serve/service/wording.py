"""What a model says of articles, as the API words it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from serve.answers import DECIMALS
from serve.article import NOTE_SEPARATOR, UNCERTAIN
from serve.model import Explanation, Filed, TopicExplanation
from serve.service.champion import Serving
from serve.service.schemas import Article


@dataclass(frozen=True)
class Wording:
    """Words the answers of one model; what is the same in every answer is made once."""

    serving: Serving
    model: dict[str, str | None] = field(init=False)
    topics: list[dict[str, Any]] = field(init=False)
    """What holds of each topic whatever the article, in the model's order."""
    thresholds: list[float] = field(init=False)

    def __post_init__(self) -> None:
        model = self.serving.model
        names = ("id", "name_id", "name_en", "iptc", "iab")
        facts = [{name: getattr(topic, name) for name in names} for topic in model.taxonomy.values()]
        object.__setattr__(self, "model", {"version": self.serving.version, "registry": self.serving.uri})
        object.__setattr__(self, "topics", facts)
        object.__setattr__(self, "thresholds", [round(float(t), DECIMALS) for t in model.thresholds])

    def _topic(self, j: int, probability: float, assigned: bool) -> dict[str, Any]:
        return {
            **self.topics[j],
            "probability": round(probability, DECIMALS),
            "threshold": self.thresholds[j],
            "assigned": assigned,
        }

    def filed(self, filed: Filed, i: int, all_topics: bool) -> list[dict[str, Any]]:
        """The topics of article i, likeliest first: those assigned, or all."""
        probabilities, assigned = filed.probabilities[i].tolist(), filed.assigned[i].tolist()
        order = sorted(range(len(probabilities)), key=lambda j: -probabilities[j])
        return [self._topic(j, probabilities[j], assigned[j]) for j in order if all_topics or assigned[j]]

    def prediction(self, articles: list[Article], filed: Filed, all_topics: bool) -> bytes:
        """The answer to /v1/predict."""
        # Article by article, as what makes JSON does not let go of the interpreter.
        parts = (to_json(answer) for answer in self._articles(articles, filed, all_topics))
        return b'{"model":%b,"articles":[%b]}' % (to_json(self.model), b",".join(parts))

    def _articles(self, articles: list[Article], filed: Filed, all_topics: bool) -> Iterator[dict[str, Any]]:
        for i, article in enumerate(articles):
            yield {"id": article.id, "topics": self.filed(filed, i, all_topics), **_noted(filed.notes[i])}

    def explanation(self, explanation: Explanation, spans: int) -> bytes:
        """The answer to /v1/explain, with so many places of words in it."""
        removed = [{"kind": part.kind, "start": part.start, "end": part.end} for part in explanation.removed]
        facts = to_json({"removed": removed, **_noted(explanation.note)})
        most = most_each([len(word.spans) for topic in explanation.topics for word in topic.contributions], spans)
        parts = (to_json(self._explained(topic, most)) for topic in explanation.topics)
        return b'{"model":%b,"terms":%d,"topics":[%b],%b' % (
            to_json(self.model), explanation.terms, b",".join(parts), facts[1:],
        )  # fmt: skip

    def _explained(self, topic: TopicExplanation, most: int) -> dict[str, Any]:
        """A topic and its words, each with `most` of its places."""
        return {
            **self._topic(self.serving.model.topics.index(topic.topic), topic.probability, topic.assigned),
            "score": round(topic.score, 6),
            "bias": round(topic.bias, 6),
            "words": [
                {
                    "term": word.term,
                    "value": round(word.value, 6),
                    "count": len(word.spans),
                    "spans": [
                        {"field": span.field, "start": span.start, "end": span.end} for span in word.spans[:most]
                    ],
                }
                for word in topic.contributions
            ],
        }

    def taxonomy(self) -> bytes:
        """The answer to /v1/topics."""
        names = ("id", "group", "name_id", "name_en", "iptc", "iab", "about", "not_about")
        topics = [
            {**{name: getattr(topic, name) for name in names}, "threshold": threshold}
            for topic, threshold in zip(self.serving.model.taxonomy.values(), self.thresholds, strict=True)
        ]
        return to_json({"model": self.model, "topics": topics})


def most_each(sizes: Sequence[int], room: int) -> int:
    """The largest number that, when none of `sizes` is larger, lets all of them fit into `room`."""
    left = room
    for i, size in enumerate(sorted(sizes)):
        if size * (len(sizes) - i) > left:
            return left // (len(sizes) - i)
        left -= size
    return max(sizes, default=0)


def _noted(note: str) -> dict[str, Any]:
    notes = note.split(NOTE_SEPARATOR) if note else []
    return {"uncertain": UNCERTAIN in notes, "notes": notes}
