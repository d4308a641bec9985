"""Articles that may be about a new topic, found from a few words and examples, and further words that point to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from serve.errors import InputError
from serve.model import TITLE_WEIGHT, compose_all
from serve.vectorizer import Documents, TfidfVectorizer, Vocabulary
from train.background import Background
from train.duplicates import near_duplicates
from train.features import Features, learn_features
from train.fit import Settings
from train.lexicon import TOKEN, lexicon_pairs
from workbench.telling_words import TellingWord, telling_words

# How many of the candidates are to hold none of the seed words: a search would miss these.
WORDLESS_SHARE = 0.2
# How much the company that the seed words keep in the crawl counts beside the words and the examples themselves.
COMPANY = 0.5
# So many times as many articles as are wanted are looked at, since copies fall away.
LOOKED_AT = 10
SUGGESTED = 20


@dataclass(frozen=True)
class Candidate:
    """An article that a person should look at."""

    row: int
    """Its place among the articles."""
    likeness: float
    words: list[str]
    """The seed words that it holds."""

    @property
    def reason(self) -> str:
        """Why it was picked, in words."""
        return f"likeness {self.likeness:.2f}, {', '.join(self.words) or 'none of the seed words'}"


@dataclass(frozen=True)
class Found:
    """What was found in a set of articles."""

    candidates: list[Candidate]
    """The likest first."""
    seed_words: dict[str, int]
    """How many articles hold each seed word."""
    suggested: list[TellingWord]
    """Further words that may belong to the topic, the most telling first."""


def find_candidates(
    articles: pd.DataFrame,
    words: Sequence[str],
    examples: pd.DataFrame,
    number: int,
    *,
    background: Background | None = None,
) -> Found:
    """The articles that a person should look at for a new topic, `number` of them or fewer; columns title and text.

    Copies of one another count once, those of an example not at all. Raises InputError where there is nothing to go by.
    """
    seeds = list(dict.fromkeys(filter(None, (" ".join(TOKEN.findall(word.lower())) for word in words))))
    documents, known = (compose_all(frame["text"], frame["title"], TITLE_WEIGHT) for frame in (articles, examples))
    like = likeness(documents, seeds, known, background)
    if not like.any():
        raise InputError(
            "No article holds any of the seed words, and nothing else tells what the topic is about; "
            "give other words (--words), or articles of the topic (--examples)."
        )
    held = _held(documents, seeds)
    likely, wordless = _chosen(like, np.diff(held.indptr) == 0, number, articles, examples)
    candidates = [
        Candidate(i, float(like[i]), [seeds[j] for j in held[i].indices])
        for i in sorted(likely + wordless, key=lambda i: (-like[i], i))
    ]
    frequencies = np.bincount(held.indices, minlength=len(seeds)).tolist()
    suggested = telling_words(documents, likely, SUGGESTED, without=seeds)
    return Found(candidates, dict(zip(seeds, frequencies, strict=True)), suggested)


def likeness(
    documents: Documents, seeds: Sequence[str], examples: Documents, background: Background | None
) -> NDArray[np.float64]:
    """(n,): how like the seed words, as a vectoriser spells them, and the examples n composed documents are.

    The sum of two cosines. One is with the words themselves, in TF-IDF rows: it finds names that no background knows. The
    other is, in the space of the background's word vectors, with the mean of the words, the examples, and the documents
    that hold the words (relevance feedback: Rocchio 1971): it finds what is told in other words. Without a background
    this one is taken in TF-IDF rows too.
    """
    settings = Settings()
    tokens = {token for seed in seeds for token in seed.split()}
    features = learn_features(
        documents,
        ngram_max=1,
        min_df=settings.min_df,
        max_df=settings.max_df,
        background=background,
        phrases={*tokens, *lexicon_pairs({"": list(seeds)}, [""])},
    )
    rows, places = _placed(features, documents)
    words_row, words_place = _placed(features, Documents.of([" ".join(seeds)]))
    _, examples_places = _placed(features, examples)

    of_words = (rows @ words_row.T).toarray()[:, 0].astype(np.float64)
    given = _direction(words_place, np.ones(1)) + _direction(examples_places, np.ones(len(examples)))
    return of_words + places @ _unit(_unit(given) + COMPANY * _direction(places, of_words**2))


def _held(documents: Documents, seeds: Sequence[str]) -> csr_matrix:
    """(n, w): how often each document holds each of the seed words."""
    longest = max((seed.count(" ") + 1 for seed in seeds), default=1)
    vectorizer = TfidfVectorizer.of_vocabulary(
        Vocabulary.of(seeds), np.ones(len(seeds)), ngram_range=(1, longest), norm=None
    )
    return vectorizer.transform(documents)


def _chosen(
    like: NDArray[np.float64],
    holds_none: NDArray[np.bool_],
    number: int,
    articles: pd.DataFrame,
    examples: pd.DataFrame,
) -> tuple[list[int], list[int]]:
    """The places of at most `number` candidates: the likest, and the likest of the others that hold none of the words."""
    places = [
        np.argsort(-values, kind="stable")[: LOOKED_AT * number] for values in (like, np.where(holds_none, like, 0))
    ]
    pool = np.union1d(*places)
    pool = pool[like[pool] > 0]
    kept = _without_copies(pool[np.argsort(-like[pool], kind="stable")], articles, examples)
    likely = kept[: number - round(WORDLESS_SHARE * number)]
    return likely, [i for i in kept[len(likely) :] if holds_none[i]][: number - len(likely)]


def _without_copies(places: NDArray[np.int64], articles: pd.DataFrame, examples: pd.DataFrame) -> list[int]:
    """The places, in their order, of articles that are no copies of an example or of one before."""
    columns = ["title", "text"]
    groups = near_duplicates(pd.concat([examples[columns], articles[columns].iloc[places]], ignore_index=True))
    seen, kept = set(groups[: len(examples)]), []
    for i, group in zip(places.tolist(), groups[len(examples) :], strict=True):
        if group not in seen:
            seen.add(group)
            kept.append(i)
    return kept


def _placed(features: Features, documents: Documents) -> tuple[csr_matrix, Any]:
    """The documents' TF-IDF rows, and their places of length 1: latent rows, or the rows again where words have no vectors."""
    rows, latent = features.rows(documents)
    if not latent.shape[1]:
        return rows, rows
    latent /= np.maximum(np.linalg.norm(latent, axis=1, keepdims=True), 1e-9)
    return rows, latent


def _direction(places: Any, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,): the weighted mean of places (n, d), at length 1."""
    return _unit(np.asarray(places.T @ weights, np.float64))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
