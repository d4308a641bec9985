"""Labels that look wrong: articles whose topics differ from what models say that did not learn from them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from serve.errors import InputError
from serve.model import TopicModel
from serve.topics import Topic
from train.background import Background
from train.corpus import label_matrix
from train.experiment import without_profiles
from train.fit import Settings, cross_fit
from train.lexicon import Lexicon
from workbench.decisions import SuggestedTopics

SHOWN_WORDS = 8
# An article without a title is called by so many characters of its text.
TITLE_LENGTH = 80


@dataclass(frozen=True)
class Doubt:
    """A topic that an article has and should not have, or the other way round."""

    topic: str
    given: bool
    probability: float
    """That the article has it, by a model that did not learn from the article."""
    words: list[tuple[str, float]]
    """What the strongest words add to that model's score."""


@dataclass(frozen=True)
class Finding:
    """An article whose topics look wrong."""

    suggestion: SuggestedTopics
    text: str
    doubts: list[Doubt]


@dataclass(frozen=True)
class Audit:
    """What looks wrong in a corpus."""

    articles: int
    """How many were looked at."""
    doubted: int
    """How many look wrong."""
    findings: list[Finding]
    """Of these the likeliest to be wrong, those first."""


def audit(
    corpus: pd.DataFrame,
    taxonomy: dict[str, Topic],
    settings: Settings = Settings(),
    *,
    background: Background | None = None,
    lexicon: Lexicon | None = None,
    number: int = 100,
) -> Audit:
    """The articles of a corpus whose topics look wrong, up to `number` of them.

    Each article is judged by a model of the other folds. Self-training is left out: with it as many errors are found
    (`python -m benchmarks.audit`), in three times the time.
    """
    background = without_profiles(background)
    fitted = cross_fit(corpus, taxonomy, settings, background=background, lexicon=lexicon, every_fold=True)
    probabilities = fitted.probabilities()
    given = label_matrix(corpus["topics"], list(taxonomy))
    scores, proposed = label_issues(given, probabilities, single_label=fitted.model.single_label)
    doubted = np.flatnonzero((proposed != given).any(axis=1))
    shown = doubted[np.argsort(scores[doubted], kind="stable")][:number]
    findings = {}
    for held_out, model in fitted.fold_models():
        for i in np.intersect1d(held_out, shown).tolist():
            findings[i] = _finding(corpus.iloc[i], probabilities[i], given[i], proposed[i], scores[i], model)
    return Audit(len(corpus), len(doubted), [findings[i] for i in shown.tolist()])


def label_issues(
    given: NDArray[np.bool_], probabilities: NDArray[np.float64], *, single_label: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Of n articles: how likely their topics are right (n,), and the topics that they should have (n, k).

    An article is as likely right as its least likely decision, for or against a topic. Which decisions are wrong is told
    by confident learning, a topic at a time (Northcutt, Jiang & Chuang 2021, "Confident learning: estimating
    uncertainty in dataset labels"). Raises InputError where cleanlab is missing.
    """
    try:
        from cleanlab.multilabel_classification import get_label_quality_scores
        from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class
    except ModuleNotFoundError as error:
        raise InputError(f"'{error.name}' is needed: run `pip install 'kanal[workbench]'`.") from None

    labels = [np.flatnonzero(row).tolist() for row in given]
    scores = get_label_quality_scores(
        labels, probabilities, method="self_confidence", aggregator_kwargs={"method": np.min}
    )
    issues = find_multilabel_issues_per_class(labels, probabilities, n_jobs=1)
    if not single_label:
        return scores, given ^ issues
    likeliest = np.arange(given.shape[1]) == probabilities.argmax(axis=1)[:, None]
    return scores, np.where(issues.any(axis=1)[:, None], likeliest, given)


def _finding(
    article: Any,
    probabilities: NDArray[np.float64],
    given: NDArray[np.bool_],
    proposed: NDArray[np.bool_],
    score: float,
    model: TopicModel,
) -> Finding:
    likeliest_first = np.argsort(-probabilities, kind="stable")
    added = [model.topics[j] for j in likeliest_first if proposed[j] and not given[j]]
    dropped = [model.topics[j] for j in likeliest_first if given[j] and not proposed[j]]
    # The main topic stands first: those that stay keep their places.
    kept = [topic for topic in article["topics"] if topic not in dropped]
    explained = {
        found.topic: found for found in model.explain(article["text"], article["title"], added + dropped).topics
    }
    doubts = [
        Doubt(
            topic,
            topic in dropped,
            float(probabilities[model.topics.index(topic)]),
            [(word.term, word.value) for word in explained[topic].contributions[:SHOWN_WORDS]],
        )
        for topic in added + dropped
    ]
    suggestion = SuggestedTopics(
        article["id"],
        article["file"],
        int(article["line"]),
        title_of(article),
        tuple(article["topics"]),
        tuple(kept + added),
        f"{score:.4f}",
    )
    return Finding(suggestion, article["text"], doubts)


def title_of(article: Any) -> str:
    """An article's title, or how its text begins, on one line."""
    title = " ".join(article["title"].split())
    return title or " ".join(article["text"].split())[:TITLE_LENGTH]
