"""Words that set some articles apart from all others of a crawl."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from serve.vectorizer import Documents, TfidfVectorizer, Vocabulary, count_terms
from train.fit import Settings

# A word counts where so many of the articles, and such a share of them, hold it.
LEAST, LEAST_SHARE = 2, 0.1


@dataclass(frozen=True)
class TellingWord:
    """A word, or a pair of words, and how many articles hold it."""

    word: str
    chosen: int
    """Of those that are to be set apart."""
    articles: int
    """Of all."""


def telling_words(
    documents: Documents, chosen: Sequence[int], number: int, *, without: Collection[str] = ()
) -> list[TellingWord]:
    """At most `number` words and word pairs that the chosen documents hold more often than the others, none of those in
    `without`; the most telling first, by the log-likelihood ratio of the two shares (Dunning 1993)."""
    part = Documents.of([documents.text(i) for i in chosen])
    try:
        counts = count_terms(part, (1, 2), lowest=max(LEAST, LEAST_SHARE * len(part)))
    except ValueError:  # they have no word in common
        return []
    terms = Vocabulary.of_bytes(counts.spelt)
    vectorizer = TfidfVectorizer.of_vocabulary(terms, np.ones(len(terms)), ngram_range=(1, 2), dtype=np.float32)
    everywhere = vectorizer.document_frequencies(documents)
    ratios = log_likelihood(counts.documents, len(part), everywhere - counts.documents, len(documents) - len(part))
    common = {terms.names[i] for i in np.flatnonzero(everywhere > Settings().max_df * len(documents))}
    found: list[TellingWord] = []
    pair = np.array([" " in name for name in terms.names])
    for i in np.lexsort((~pair, -ratios)):
        word, held = terms.names[i], int(counts.documents[i])
        if ratios[i] <= 0 or len(found) == number:
            break
        plain = any(part in common or part.isdigit() for part in word.split())
        # "halim" says no more than "stasiun halim", which comes first, where hardly an article has it alone.
        repeated = any(set(word.split()) & set(other.word.split()) and held <= 1.1 * other.chosen for other in found)
        if word not in without and not plain and not repeated:
            found.append(TellingWord(word, held, int(everywhere[i])))
    return found


def log_likelihood(
    held: NDArray[np.int64], n: int, held_elsewhere: NDArray[np.int64], elsewhere: int
) -> NDArray[np.float64]:
    """(v,): Dunning's G^2 of terms that `held` of n documents and `held_elsewhere` of the others hold; negative for those
    that the n hold less often."""
    table = np.array([[held, n - held], [held_elsewhere, elsewhere - held_elsewhere]], np.float64)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(n + elsewhere, 1)
    ratio = 2 * xlogy(table, table / np.maximum(expected, 1e-12)).sum(axis=(0, 1))
    return np.where(table[0, 0] >= expected[0, 0], ratio, -ratio)
