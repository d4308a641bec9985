"""The training, top to bottom: corpus, background and lexicon -> TopicModel."""

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import vstack
from sklearn.model_selection import KFold

from serve.errors import InputError
from serve.model import TopicModel, compose_all
from serve.topics import Topic, load_topics
from serve.vectorizer import Documents
from train.background import Background
from train.calibrate import f1_thresholds, platt, temperature, uncertainty_limit
from train.check import MIN_ARTICLES
from train.corpus import fingerprint, label_matrix, topic_counts, topics_found
from train.features import learn_features
from train.lexicon import Lexicon, lexicon_pairs, lexicon_pieces
from train.linear import LinearWeights, fit_linear


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
    title_weight: int = 2
    """How many times the title counts beside the text."""
    latent_scale: float = 1.0
    """How much an article's latent row counts beside its words."""
    piece_size: int = 3
    """How many of a topic's lexicon entries make one extra example."""
    piece_weight: float = 0.5
    """How much such an example counts beside an article."""
    crawl_weight: float = 0.3
    """How much an article counts whose topics an earlier model has given."""
    folds: int = 4
    """The parts of the training articles that calibration and thresholds are learnt on, in turn."""
    seed: int = 0


# An earlier model's decision on an unlabelled article is left out where its probability is between these.
UNDECIDED = (0.3, 0.5)


def fit(
    corpus: pd.DataFrame,
    taxonomy: dict[str, Topic],
    settings: Settings = Settings(),
    *,
    background: Background | None = None,
    lexicon: Lexicon | None = None,
    crawl: tuple[Documents, NDArray[np.float64]] | None = None,
) -> TopicModel:
    """The model that the articles of a corpus make: columns title, text, topics (a list of ids of the taxonomy).

    A background brings words that the corpus does not hold and the company they keep, a lexicon what an editor would
    list under each topic. crawl: unlabelled articles, composed, and the probability (n, k) that an earlier model gives
    each topic; they count as examples where it is decided (self-training: Scudder 1965, Yarowsky 1995).

    Where every article has exactly one topic, the model answers with exactly one. The same input gives the same model,
    byte for byte, on any number of cores.
    """
    topics = list(taxonomy)
    truth = label_matrix(corpus["topics"], topics)
    articles = Documents.of(compose_all(corpus["text"], corpus["title"], settings.title_weight))
    features = learn_features(
        articles,
        ngram_max=settings.ngram_max,
        min_df=settings.min_df,
        max_df=settings.max_df,
        background=background,
        latent_scale=settings.latent_scale,
        phrases=lexicon_pairs(lexicon or {}, topics),
    )

    # Articles first, then what is only learnt from: pieces of the lexicon, articles of the crawl.
    pieces = lexicon_pieces(lexicon or {}, topics, settings.piece_size)
    documents, labels = [articles, Documents.of(text for text, _ in pieces)], [truth]
    labels.append(label_matrix([[topic] for _, topic in pieces], topics))
    weight = [np.ones(truth.shape), np.full(labels[1].shape, settings.piece_weight)]
    if crawl is not None:
        unlabelled, probabilities = crawl
        documents.append(unlabelled)
        labels.append(probabilities >= UNDECIDED[1])
        decided = (probabilities < UNDECIDED[0]) | (probabilities >= UNDECIDED[1])
        weight.append(np.where(decided, settings.crawl_weight, 0.0))
    rows = [features.rows(part) for part in documents]
    x, z = vstack([x for x, _ in rows]).tocsr(), np.vstack([z for _, z in rows])
    y, weights = np.vstack(labels), np.vstack(weight)
    n = len(truth)

    def learn(train: NDArray[np.int64], n_jobs: int) -> LinearWeights:
        examples = np.concatenate([train, np.arange(n, len(y))])
        return fit_linear(x, y, z=z, cost=settings.cost, sample_weight=weights, rows=examples, n_jobs=n_jobs)

    # Scores of each article by classifiers that have not seen its labels.
    scores = np.empty(truth.shape)
    folds = list(KFold(min(settings.folds, n), shuffle=True, random_state=settings.seed).split(truth))
    learnt = Parallel(-1, prefer="threads")(delayed(learn)(train, 1) for train, _ in folds)
    for (_, held_out), part in zip(folds, learnt, strict=True):
        scores[held_out] = x[held_out] @ part.sparse + z[held_out] @ part.dense + part.bias

    whole = learn(np.arange(n), -1)
    single_label = bool((truth.sum(axis=1) == 1).all())
    model = TopicModel(
        taxonomy=taxonomy,
        vectorizer=features.vectorizer,
        weights=features.folded(whole.sparse, whole.dense),
        bias=whole.bias.astype(np.float32),
        calibration=temperature(scores, truth) if single_label else platt(scores, truth),
        thresholds=np.zeros(len(topics)),
        title_weight=settings.title_weight,
        single_label=single_label,
        card={
            "settings": asdict(settings),
            "data": {
                "fingerprint": fingerprint(corpus),
                "articles": n,
                "lexicon_pieces": len(pieces),
                "background_articles": background.n_documents if background else 0,
                "crawl_articles": len(crawl[0]) if crawl else 0,
            },
        },
    )
    probabilities = model.probabilities(scores)
    if not single_label:
        model = replace(model, thresholds=f1_thresholds(probabilities, truth))
    model = replace(model, uncertain_below=uncertainty_limit(model.confidence(scores)))
    assigned = model.decide(probabilities, scores)
    return model.with_card(out_of_fold_micro_f1=float(2 * (assigned & truth).sum() / (assigned.sum() + truth.sum())))


def choose_taxonomy(
    corpus: pd.DataFrame, given: dict[str, Topic] | None, *, drop_rare: bool = False
) -> dict[str, Topic]:
    """The topics to train: the given ones, or the labels that the corpus holds (named as in Kanal's own taxonomy where
    it has them). Raises InputError that names topics with too few articles to learn from, unless they may be left out.
    """
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
