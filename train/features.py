"""Articles -> rows: the terms that a model knows, how rare each is, and the articles' rows in words and in latent space."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from serve.errors import InputError
from serve.vectorizer import Documents, TfidfVectorizer, Vocabulary, count_terms, inverse_document_frequency
from train.background import Background, of_length_one

# Where rows end (n + 1,), their columns and their values: the arrays of a CSR matrix.
Rows: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]

# Latent rows are made for so many articles at once.
BLOCK = 10_000


@dataclass(frozen=True)
class Features:
    """Terms with their idf, and their vectors where a background has them."""

    vectorizer: TfidfVectorizer
    vectors: NDArray[np.float32]
    """(v, d): times the scale that latent rows have beside the words; d is 0 without a background."""
    profiles: csr_matrix
    """(g, v): the background's profiles in these terms."""

    def rows(self, *parts: Documents, others: Sequence[csr_matrix] = ()) -> tuple[csr_matrix, NDArray[np.float32]]:
        """The documents' TF-IDF rows, those of all parts, and other rows behind them: x (n, v); and beside them their
        latent rows z = x V (n, d)."""
        rows: list[Rows] = [self.vectorizer.rows(part) for part in parts]
        ends, columns, values = stacked(*rows, *((other.indptr, other.indices, other.data) for other in others))
        x = csr_matrix((values, columns, ends), shape=(len(ends) - 1, len(self.vectorizer.terms_)))
        z = np.empty((x.shape[0], self.vectors.shape[1]), np.float32)
        if self.vectors.shape[1]:
            for start in range(0, len(z), BLOCK):
                z[start : start + BLOCK] = x[start : start + BLOCK] @ self.vectors
        return x, z

    def folded(self, sparse: NDArray[np.float64], dense: NDArray[np.float64]) -> NDArray[np.float32]:
        """(v, k): one weight a term that says what the two of a classifier on x and z say together.

        x W_words + (x V) W_latent = x (W_words + V W_latent): plain algebra. A word that no labelled article holds
        gets its weight from the words that it keeps company with.
        """
        return np.ascontiguousarray(sparse + self.vectors @ dense, np.float32)


def stacked(first: Rows, *others: Rows) -> Rows:
    """The rows of all, in the arrays of the first, which are made longer where they stand: they may be very large."""
    ends, columns, values = first
    for more_ends, more_columns, more_values in others:
        filled = len(columns)
        for array, more in ((columns, more_columns), (values, more_values)):
            array.resize(filled + len(more), refcheck=False)
            array[filled:] = more
        ends = np.concatenate([ends, more_ends[1:].astype(np.int64) + filled])
    return ends, columns, values


def learn_features(
    documents: Documents,
    *,
    ngram_max: int,
    min_df: int,
    max_df: float,
    background: Background | None = None,
    latent_scale: float = 1.0,
    phrases: Collection[str] = (),
) -> Features:
    """The terms of the documents, of the background (its words) and of `phrases` (word pairs), with idf and vectors.

    A term is as rare as documents and background together say; a background's words are known though no document
    holds them. `min_df` and `max_df` are of the documents. Raises InputError where no word is left by these.
    """
    n = len(documents)
    try:
        counts = count_terms(documents, (1, ngram_max), min(min_df, n), max(max_df * n, min_df))
    except ValueError:
        raise InputError(
            f"No word is in {min_df} or more of the {n} articles, and in {max_df:.0%} of them at most; "
            "give more articles, or check the column of texts (--text-column)."
        ) from None
    names = set(counts.spelt.decode().split("\0")[:-1]) | set(phrases)
    if background is not None:
        names |= {term for term in background.terms if " " not in term}
    terms = Vocabulary.of(sorted(names))
    ngram_range = (1, 1 + max(name.count(" ") for name in names))
    parameters = {"ngram_range": ngram_range, "sublinear_tf": True, "dtype": np.float32}

    unweighed = TfidfVectorizer.of_vocabulary(terms, np.ones(len(terms)), **parameters)
    frequencies = unweighed.document_frequencies(documents)
    vectors = np.zeros((len(terms), background.codes.shape[1] if background else 0), np.float32)
    profiles = csr_matrix(np.zeros((0, len(terms)), np.float32))
    if background is not None:
        theirs = [i for i, term in enumerate(background.terms) if term in names]
        ours = [terms.indices[background.terms[i]] for i in theirs]
        frequencies[ours] += background.documents[theirs]
        n += background.n_documents
        vectors[ours] = background.vectors()[theirs] * latent_scale
        moved = csr_matrix((np.ones(len(ours), np.float32), (theirs, ours)), (len(background.terms), len(terms)))
        profiles = of_length_one(background.profiles @ moved)
    idf = inverse_document_frequency(frequencies, n)
    return Features(TfidfVectorizer.of_vocabulary(terms, idf, **parameters), vectors, profiles.tocsr())
