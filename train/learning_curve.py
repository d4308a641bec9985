"""How the figures grow with the corpus: trainings on parts of it, measured on the same articles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serve.model import TopicModel
from serve.topics import Topic
from train.corpus import label_matrix, split_corpus
from train.evaluate import Evaluation, evaluate
from train.fit import Settings, choose_taxonomy, fit

Fit = Callable[[pd.DataFrame, dict[str, Topic], Settings], TopicModel]


@dataclass(frozen=True)
class Point:
    """What a training on so many articles reaches."""

    articles: int
    evaluation: Evaluation
    """Over all topics of the taxonomy, those with too few articles to be learnt included."""


def learning_curve(
    corpus: pd.DataFrame,
    taxonomy: dict[str, Topic],
    settings: Settings,
    sizes: Sequence[int],
    fit: Fit = fit,
    *,
    testing: pd.DataFrame | None = None,
) -> list[Point]:
    """Trainings on `sizes` articles of the corpus, each part inside the next, measured on `testing`, or else on the part
    of the corpus that is set aside for testing. Raises InputError for a size with fewer than two topics to learn."""
    training, testing = split_corpus(corpus, settings.seed) if testing is None else (corpus, testing)
    order = np.random.default_rng(settings.seed).permutation(len(training))
    points = []
    for size in sorted({min(size, len(training)) for size in sizes}):
        part = training.iloc[np.sort(order[:size])].reset_index(drop=True)
        learnt = choose_taxonomy(part, taxonomy, drop_rare=True)
        # An article all of whose topics are too rare yet would teach that it has none.
        kept = [not topics or any(topic in learnt for topic in topics) for topics in part["topics"]]
        model = fit(part[kept].reset_index(drop=True), learnt, settings)
        points.append(Point(size, _over_all_topics(evaluate(model, testing), testing, taxonomy)))
    return points


def _over_all_topics(found: Evaluation, testing: pd.DataFrame, taxonomy: dict[str, Topic]) -> Evaluation:
    """The evaluation with the topics that the model does not know, which it never gives."""
    names = list(taxonomy)
    columns = [names.index(topic) for topic in found.topics]
    shape = (len(testing), len(names))
    assigned, probabilities = np.zeros(shape, bool), np.zeros(shape)
    assigned[:, columns], probabilities[:, columns] = found.assigned, found.probabilities
    return Evaluation(
        names, found.ids, label_matrix(testing["topics"], names), assigned, probabilities, found.single_label
    )
