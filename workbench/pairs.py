"""Which topics come together: articles that have both, against what chance would have."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, triu

# Fewer articles that have both topics tell nothing.
LEAST_SUPPORT = 3
# Chance reaches this surprise for one pair in a hundred (chi-square, one degree of freedom).
LEAST_SURPRISE = 6.63


@dataclass(frozen=True)
class Pair:
    """Two topics that articles have together more often than chance would have it."""

    topics: tuple[str, str]
    support: int
    """The articles that have both."""
    lift: float
    """How many times as many as if the topics had nothing to do with each other (Brin, Motwani, Ullman & Tsur 1997)."""
    surprise: float
    """The log-likelihood ratio G2 (Dunning 1993, "Accurate methods for the statistics of surprise and coincidence")."""


def pairs(topics: Sequence[str], has: csr_matrix) -> list[Pair]:
    """The pairs of k topics that chance does not explain, the most surprising first, from which article has which topic
    (n, k), as 1 and 0."""
    n = has.shape[0]
    totals = has.sum(axis=0).A1.astype(np.int64)
    together = triu(has.T @ has, k=1).tocoo()
    kept = together.data >= LEAST_SUPPORT
    first, second, both = together.row[kept], together.col[kept], together.data[kept].astype(np.int64)
    lift = both * n / (totals[first] * totals[second])
    surprise = _log_likelihood_ratio(both, totals[first], totals[second], n)
    found = [
        Pair((topics[first[i]], topics[second[i]]), int(both[i]), float(lift[i]), float(surprise[i]))
        for i in np.flatnonzero((lift > 1) & (surprise >= LEAST_SURPRISE))
    ]
    return sorted(found, key=lambda pair: (-pair.surprise, pair.topics))


def _log_likelihood_ratio(
    both: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    """2 sum O ln(O / E) over the four cells of each pair's table."""
    observed = np.stack([both, first - both, second - both, n - first - second + both]).astype(float)
    rows, columns = np.stack([first, first, n - first, n - first]), np.stack([second, n - second, second, n - second])
    expected = np.maximum(rows * columns / n, 1e-12)
    # A cell of 0 adds nothing.
    terms = observed * np.log(np.maximum(observed, 1e-12) / expected)
    return np.asarray(2 * terms.sum(axis=0))
