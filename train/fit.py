"""The training, top to bottom: corpus, background and lexicon -> TopicModel."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from serve.counts import counted
from serve.errors import InputError
from serve.model import TITLE_WEIGHT, TopicModel, compose_all, probabilities
from serve.topics import Topic, load_topics, wrong_topics
from serve.vectorizer import Documents
from train.background import Background
from train.blas import on_one_thread
from train.calibrate import f1_thresholds, platt, temperature, uncertainty_limit
from train.check import MIN_ARTICLES
from train.corpus import Rows, fingerprint, group_folds, label_matrix, topic_counts, topics_found
from train.duplicates import near_duplicates
from train.features import Features, learn_features
from train.lexicon import Lexicon, lexicon_pairs, lexicon_pieces
from train.linear import Labelled, LinearWeights, fit_all


@dataclass(frozen=True)
class Settings:
    """What a training can be told; the defaults are what `make train` uses."""

    ngram_max: int = 1
    """Words, and runs of up to so many words, are the terms; the lexicon's pairs are terms in any case."""
    min_df: int = 2
    """A term that fewer training articles hold is left out, unless the background has it."""
    max_df: float = 0.3
    """A term that a larger share of the training articles holds is left out, unless the background has it."""
    cost: float = 1.0
    """What a training article on the wrong side of the margin costs (C)."""
    title_weight: int = TITLE_WEIGHT
    """How many times the title counts beside the text."""
    latent_scale: float = 1.0
    """How much an article's latent row counts beside its words."""
    piece_size: int = 3
    """How many of a topic's lexicon entries make one extra example."""
    piece_weight: float = 0.4
    """How much such an example counts beside an article; each entry is in two."""
    unlabelled_weight: float = 0.3
    """How much an article of a crawl, or a profile of the background, counts beside a labelled article."""
    folds: int = 4
    """The parts of the training articles that calibration and thresholds are learnt on, in turn; near-duplicates are in one."""
    seed: int = 0


@dataclass(frozen=True)
class CrossFit:
    """A model, and what its training articles are to models of the same kind that did not learn from them."""

    model: TopicModel
    scores: NDArray[np.float64]
    """(m, k): of the m articles that are in a fold, in their order; all n where every fold was wanted."""
    features: Features
    folds: list[tuple[Rows, LinearWeights]]
    """Articles held out, and what was learnt without them."""

    def probabilities(self) -> NDArray[np.float64]:
        """(m, k): of the same articles, by models that did not learn from them or their near-duplicates."""
        return self.model.probabilities(self.scores)

    def fold_models(self) -> Iterator[tuple[Rows, TopicModel]]:
        """The articles of each fold with the model that learnt from all others; calibration and thresholds are common."""
        for held_out, learnt in self.folds:
            weights = self.features.folded(learnt.sparse, learnt.dense)
            yield held_out, replace(self.model, weights=weights, bias=learnt.bias.astype(np.float32))


# So many articles held out, and so many of each topic's own among them, are enough for calibration and thresholds.
ENOUGH_ARTICLES, ENOUGH_POSITIVES = 20_000, 100

# What a first model says of unlabelled rows is left out where its probability is between these.
UNDECIDED = (0.3, 0.5)


@on_one_thread
def fit(
    corpus: pd.DataFrame,
    taxonomy: dict[str, Topic],
    settings: Settings = Settings(),
    *,
    background: Background | None = None,
    lexicon: Lexicon | None = None,
    crawl: Documents | None = None,
) -> TopicModel:
    """The model that the articles of a corpus make: columns title, text, topics (a list of ids of the taxonomy).

    A background brings words that the corpus does not hold and the company they keep, a lexicon what an editor would
    list under each topic. What is unlabelled, the background's profiles and the articles of `crawl` (composed), is given
    topics by a first model, and a second learns from all (self-training: Scudder 1965, Yarowsky 1995).

    Where every article has exactly one topic, the model answers with exactly one. The same input gives the same model,
    byte for byte, on any number of cores.
    """
    return cross_fit(corpus, taxonomy, settings, background=background, lexicon=lexicon, crawl=crawl).model


def cross_fit(
    corpus: pd.DataFrame,
    taxonomy: dict[str, Topic],
    settings: Settings = Settings(),
    *,
    background: Background | None = None,
    lexicon: Lexicon | None = None,
    crawl: Documents | None = None,
    every_fold: bool = False,
) -> CrossFit:
    """What `fit` learns, and what it learnt in the folds; of many articles only in the first folds, unless every fold is
    wanted. Terms and their idf are those of all articles: a fold's model knows an article's words, not its topics."""
    topics = list(taxonomy)
    truth = label_matrix(corpus["topics"], topics)
    n, k = truth.shape
    articles = compose_all(corpus["text"], corpus["title"], settings.title_weight)
    features = learn_features(
        articles,
        ngram_max=settings.ngram_max,
        min_df=settings.min_df,
        max_df=settings.max_df,
        background=background,
        latent_scale=settings.latent_scale,
        phrases=lexicon_pairs(lexicon or {}, topics),
    )

    # Rows: articles, pieces of the lexicon, and what is unlabelled.
    pieces = lexicon_pieces(lexicon or {}, topics, settings.piece_size)
    texts = [articles, Documents.of(text for text, _ in pieces), *([] if crawl is None else [crawl])]
    x, z = features.rows(*texts, others=[features.profiles])
    del articles, texts
    known = n + len(pieces)
    unlabelled = np.arange(known, x.shape[0])
    labelled, weight = np.zeros((x.shape[0], k), bool), np.zeros(x.shape[0])
    labelled[:known] = np.vstack([truth, label_matrix([[topic] for _, topic in pieces], topics)])
    weight[:known] = np.concatenate([np.ones(n), np.full(len(pieces), settings.piece_weight)])

    def labels(train: NDArray[np.int64], guesses: NDArray[np.float64] | None) -> Labelled:
        """Of articles `train`, all pieces, and what is unlabelled where a first model's guesses are decided."""
        rows = np.concatenate([train, np.arange(n, x.shape[0])])
        y, weights = labelled, weight
        if guesses is not None:
            decided = (guesses < UNDECIDED[0]) | (guesses >= UNDECIDED[1])
            y, weights = labelled.copy(), np.repeat(weight[:, None].astype(np.float32), k, axis=1)
            y[unlabelled] = guesses >= UNDECIDED[1]
            weights[unlabelled] = decided * np.float32(settings.unlabelled_weight)
        return Labelled(y, weights, rows)

    def score(weights: LinearWeights, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return x[rows] @ weights.sparse + z[rows] @ weights.dense + weights.bias

    single_label = bool((truth.sum(axis=1) == 1).all())
    calibrate = temperature if single_label else platt
    folds = group_folds(near_duplicates(corpus), settings.folds, settings.seed)
    folds = folds if every_fold else _enough(folds, truth)
    tested = np.sort(np.concatenate([held_out for _, held_out in folds]))
    # What a first model guesses, whole and without each fold; a fold's articles have no part in what is guessed for it.
    guesses: list[NDArray[np.float64] | None] = [None] * (len(folds) + 1)
    for stage in range(2 if len(unlabelled) else 1):
        trained_on = [np.arange(n), *(train for train, _ in folds)]
        parts = [labels(train, guess) for train, guess in zip(trained_on, guesses, strict=True)]
        whole, *learnt = fit_all(x, parts, z=z, cost=settings.cost)
        scores = np.empty((n, k))
        for (_, held_out), part in zip(folds, learnt, strict=True):
            scores[held_out] = score(part, held_out)
        scores = scores[tested]
        calibration = calibrate(scores, truth[tested])
        if stage == 0 and len(unlabelled):
            guesses = [probabilities(score(part, unlabelled), calibration, single_label) for part in (whole, *learnt)]

    model = TopicModel(
        taxonomy=taxonomy,
        vectorizer=features.vectorizer,
        weights=features.folded(whole.sparse, whole.dense),
        bias=whole.bias.astype(np.float32),
        calibration=calibration,
        thresholds=np.zeros(k),
        title_weight=settings.title_weight,
        single_label=single_label,
        card={
            "settings": asdict(settings),
            "data": {
                "fingerprint": fingerprint(corpus),
                "articles": n,
                "lexicon_pieces": len(pieces),
                "background_articles": background.n_documents if background else 0,
                "background_profiles": features.profiles.shape[0],
                "crawl_articles": len(crawl) if crawl else 0,
            },
        },
    )
    found, truth = model.probabilities(scores), truth[tested]
    if not single_label:
        model = model.with_thresholds(f1_thresholds(found, truth))
    model = replace(model, uncertain_below=uncertainty_limit(model.confidence(scores)))
    assigned = model.decide(found, scores)
    model = model.with_card(out_of_fold_micro_f1=float(2 * (assigned & truth).sum() / (assigned.sum() + truth.sum())))
    return CrossFit(model, scores, features, [(rows, part) for (_, rows), part in zip(folds, learnt, strict=True)])


def _enough(folds: list[tuple[Rows, Rows]], truth: NDArray[np.bool_]) -> list[tuple[Rows, Rows]]:
    """Of the folds (articles to learn from, articles held out) the first ones, so many that calibration and thresholds,
    a few figures a topic, can be told from the articles held out: a fit each is saved where articles are many."""
    held_out, positives = 0, np.zeros(truth.shape[1], np.int64)
    for i, (_, rows) in enumerate(folds, start=1):
        held_out += len(rows)
        positives += truth[rows].sum(axis=0)
        if held_out >= ENOUGH_ARTICLES and positives.min() >= ENOUGH_POSITIVES:
            return folds[:i]
    return folds


def choose_taxonomy(
    corpus: pd.DataFrame,
    given: dict[str, Topic] | None,
    *,
    drop_rare: bool = False,
    set_aside: pd.DataFrame | None = None,
) -> dict[str, Topic]:
    """The topics to train: the given ones, or the labels that the corpus holds, and the articles of it that were
    `set_aside` for a test (named as in Kanal's own taxonomy where it has them). Raises InputError that names topics with
    too few articles to learn from, unless they may be left out.
    """
    known = load_topics()
    found = topics_found(corpus if set_aside is None else pd.concat([corpus, set_aside]))
    taxonomy = given if given is not None else {name: known.get(name, Topic(name)) for name in found}
    counts, tested = topic_counts(corpus), topic_counts(set_aside) if set_aside is not None else Counter()
    rare = [name for name in taxonomy if counts[name] < MIN_ARTICLES]
    if rare and not drop_rare:
        more = {name: f", {tested[name]} more set aside for the test" for name in rare if tested[name]}
        listed = ", ".join(f"{name} ({counts[name]}{more.get(name, '')})" for name in rare)
        raise InputError(
            f"Topics with fewer than {MIN_ARTICLES} training articles: {listed}. "
            "Add articles, or leave these topics out with --drop-rare."
        )
    kept = {name: topic for name, topic in taxonomy.items() if name not in rare}
    if len(kept) < 2:
        raise InputError(
            f"Found {counted(len(kept), 'topic')} with at least {MIN_ARTICLES} training articles; a model needs two. "
            "Check the label column (--label-column) and its separator (--label-separator)."
        )
    if wrong := wrong_topics(kept):
        raise InputError(f"No model can be trained: {wrong}; change the labels.")
    return kept


def have_one_topic(corpus: pd.DataFrame) -> bool:
    """Whether every article has exactly one topic: the model then answers with exactly one."""
    return all(len(topics) == 1 for topics in corpus["topics"])


def without_dropped(corpus: pd.DataFrame, taxonomy: dict[str, Topic]) -> pd.DataFrame:
    """The articles of a corpus without those that have topics, but none of the taxonomy.

    To a model that answers with exactly one topic these can be no examples, and it can only be wrong about them.
    """
    kept = [not topics or any(topic in taxonomy for topic in topics) for topics in corpus["topics"]]
    return corpus[kept].reset_index(drop=True)
