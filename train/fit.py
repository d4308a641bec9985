"""The training, top to bottom: corpus -> TopicModel."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.model_selection import KFold

from serve.errors import InputError
from serve.model import TopicModel, compose_all
from serve.topics import Topic, load_topics
from serve.vectorizer import TfidfVectorizer
from train.calibrate import f1_thresholds, platt, temperature
from train.check import MIN_ARTICLES
from train.corpus import fingerprint, label_matrix, topic_counts, topics_found
from train.linear import LinearWeights, fit_linear


@dataclass(frozen=True)
class Settings:
    """What a training can be told; the defaults are what `make train` uses."""

    ngram_max: int = 2
    """Words, and runs of up to so many words, are the terms."""
    min_df: int = 2
    """A term that fewer training articles hold is left out."""
    max_df: float = 0.3
    """A term that a larger share of the training articles holds is left out."""
    cost: float = 0.5
    """What a training article on the wrong side of the margin costs (C)."""
    title_weight: int = 2
    """How many times the title counts beside the text."""
    folds: int = 5
    """The parts of the training articles that calibration and thresholds are learnt on, in turn."""
    seed: int = 0


def fit(corpus: pd.DataFrame, taxonomy: dict[str, Topic], settings: Settings = Settings()) -> TopicModel:
    """The model that the articles of a corpus make: columns title, text, topics (a list of ids of the taxonomy).

    Where every article has exactly one topic, the model answers with exactly one. The same articles, taxonomy and
    settings give the same model, byte for byte, on any number of cores.
    """
    truth = label_matrix(corpus["topics"], list(taxonomy))
    vectorizer = TfidfVectorizer(
        ngram_range=(1, settings.ngram_max),
        min_df=min(settings.min_df, len(corpus)),
        max_df=max(settings.max_df, min(settings.min_df, len(corpus)) / len(corpus)),
        sublinear_tf=True,
        dtype=np.float32,
    )
    rows = vectorizer.fit_transform(compose_all(corpus["text"], corpus["title"], settings.title_weight))
    scores = out_of_fold_scores(rows, truth, settings)
    weights = fit_linear(rows, truth, cost=settings.cost)

    single_label = bool((truth.sum(axis=1) == 1).all())
    calibration = temperature(scores, truth) if single_label else platt(scores, truth)
    model = TopicModel(
        taxonomy=taxonomy,
        vectorizer=vectorizer,
        weights=np.ascontiguousarray(weights.sparse, np.float32),
        bias=weights.bias.astype(np.float32),
        calibration=calibration,
        thresholds=np.zeros(len(taxonomy)),
        title_weight=settings.title_weight,
        single_label=single_label,
        card={"settings": asdict(settings), "data": {"fingerprint": fingerprint(corpus), "articles": len(corpus)}},
    )
    if single_label:
        return model
    return model.with_thresholds(f1_thresholds(model.probabilities(scores), truth))


def out_of_fold_scores(rows: csr_matrix, truth: NDArray[np.bool_], settings: Settings) -> NDArray[np.float64]:
    """(n, k): the scores of each article by classifiers that have not seen its labels."""
    n_folds = min(settings.folds, len(truth))
    folds = list(KFold(n_folds, shuffle=True, random_state=settings.seed).split(truth))

    def learn(train: NDArray[np.int64]) -> LinearWeights:
        return fit_linear(rows, truth, cost=settings.cost, rows=train, n_jobs=1)

    scores = np.empty(truth.shape)
    for (_, held_out), weights in zip(
        folds, Parallel(-1, prefer="threads")(delayed(learn)(train) for train, _ in folds), strict=True
    ):
        scores[held_out] = rows[held_out] @ weights.sparse + weights.bias
    return scores


def choose_taxonomy(
    corpus: pd.DataFrame, given: dict[str, Topic] | None, *, drop_rare: bool = False
) -> dict[str, Topic]:
    """The topics to train: the given ones, or the labels that the corpus holds (named as in Kanal's own taxonomy where
    it has them). Raises InputError that names topics with too few articles to learn from, unless they may be left out."""
    known = load_topics()
    taxonomy = given if given is not None else {name: known.get(name, Topic(name)) for name in topics_found(corpus)}
    counts = topic_counts(corpus)
    rare = [name for name in taxonomy if counts[name] < MIN_ARTICLES]
    if rare and not drop_rare:
        listed = ", ".join(f"{name} ({counts[name]})" for name in rare)
        raise InputError(
            f"Topics with fewer than {MIN_ARTICLES} training articles: {listed}. "
            "Add articles, or leave these topics out with --drop-rare."
        )
    kept = {name: topic for name, topic in taxonomy.items() if name not in rare}
    if len(kept) < 2:
        raise InputError(
            f"Found {len(kept)} topics with at least {MIN_ARTICLES} training articles; a model needs two. "
            "Check the label column (--label-column) and its separator (--label-separator)."
        )
    return kept
