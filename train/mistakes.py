"""What a model gets wrong: which topics it takes for which, and the mistakes that it was surest of."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from serve.model import TopicModel
from train.evaluate import Evaluation

SHOWN_WORDS = 8


@dataclass(frozen=True)
class Confusion:
    """How one topic is mistaken. Lists of topics have the number of articles, most frequent first."""

    topic: str
    missed: int
    """Articles of the topic that were not given it."""
    instead: list[tuple[str, int]]
    """The topics that these were given wrongly."""
    given_nothing: int
    """How many of them were given no topic at all."""
    wrong: int
    """Articles that were given the topic and do not have it."""
    wrong_on: list[tuple[str, int]]
    """The topics that these do have."""


@dataclass(frozen=True)
class Mistake:
    """One wrong decision, and the words that spoke for it."""

    article: int
    """Its place in the evaluation."""
    topic: str
    missed: bool
    """True: the article has the topic and was not given it; False: the other way round."""
    probability: float
    threshold: float | None
    """None for single-label data, where the likeliest topic is given."""
    distance: float
    """How far from the right decision it was, in log-odds."""
    words: list[tuple[str, float]]
    """Words and word pairs and what they add to the topic's score: those that pulled the wrong way, strongest first."""


def confusions(evaluation: Evaluation) -> list[Confusion]:
    """How each topic is mistaken, in the order of the topics."""
    truth, assigned = evaluation.truth, evaluation.assigned
    missed, wrong = truth & ~assigned, assigned & ~truth
    nothing = ~assigned.any(axis=1)
    instead, wrong_on = _pairs(missed, wrong), _pairs(wrong, truth)
    return [
        Confusion(
            topic=topic,
            missed=int(missed[:, j].sum()),
            instead=_named(instead[j], evaluation.topics),
            given_nothing=int((missed[:, j] & nothing).sum()),
            wrong=int(wrong[:, j].sum()),
            wrong_on=_named(wrong_on[j], evaluation.topics),
        )
        for j, topic in enumerate(evaluation.topics)
    ]


def worst_mistakes(
    evaluation: Evaluation, articles: pd.DataFrame | None = None, model: TopicModel | None = None, count: int = 50
) -> list[Mistake]:
    """The wrong decisions that were furthest from right, worst first; their words where model and articles are known."""
    found = np.argwhere(evaluation.truth != evaluation.assigned)
    distances = np.abs(evaluation.margins[found[:, 0], found[:, 1]])
    mistakes = []
    for at in np.argsort(-distances, kind="stable")[:count]:
        i, j = (int(index) for index in found[at])
        known = evaluation.thresholds is not None and not evaluation.single_label
        missed = bool(evaluation.truth[i, j])
        words = []
        if articles is not None and model is not None:
            article = articles.iloc[i]
            words = _words(model, article["text"], article["title"], evaluation.topics[j], against=missed)
        mistakes.append(
            Mistake(
                article=i,
                topic=evaluation.topics[j],
                missed=missed,
                probability=float(evaluation.probabilities[i, j]),
                threshold=float(evaluation.thresholds[j]) if known else None,  # type: ignore[index]
                distance=float(distances[at]),
                words=words,
            )
        )
    return mistakes


def _pairs(rows: NDArray[np.bool_], columns: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(k, k): how many articles are in both row topic and column topic."""
    return rows.T.astype(np.int64) @ columns.astype(np.int64)


def _named(counts: NDArray[np.int64], topics: list[str]) -> list[tuple[str, int]]:
    order = np.argsort(-counts, kind="stable")
    return [(topics[j], int(counts[j])) for j in order if counts[j]]


def _words(model: TopicModel, text: str, title: str, topic: str, *, against: bool) -> list[tuple[str, float]]:
    """The strongest words for the topic, or those against it."""
    (explained,) = model.explain(text, title, [topic]).topics
    pulling = [(found.term, found.value) for found in explained.contributions if (found.value < 0) == against]
    return pulling[:SHOWN_WORDS]
