"""The population stability index of two samples of articles: how differently they fall into bins, and what chance gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

BINS = 10
# So many articles are added to each bin: an empty one would make the index infinite.
SMOOTHING = 0.5
SHUFFLES = 200


@dataclass(frozen=True)
class Binned:
    """A figure of the articles of reference (n,) and new crawl (m,): each is of one of so many kinds, and a kind's
    articles count in the bins with weights (kinds, bins) that add up to 1."""

    bins: list[str]
    weights: NDArray[np.float64]
    reference: NDArray[np.int64]
    new: NDArray[np.int64]

    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(bins,): the shares of the reference and of the new crawl."""
        first, second = (
            np.bincount(kinds, minlength=len(self.weights)) @ self.weights / len(kinds)
            for kinds in (self.reference, self.new)
        )
        return first, second


def deciles(reference: NDArray[Any], new: NDArray[Any]) -> Binned:
    """Numbers in BINS bins, each with as many of the reference's articles as equal numbers allow."""
    edges = np.unique(np.quantile(reference, np.arange(1, BINS) / BINS))
    shown = [f"{edge:,.0f}" if edge >= 100 else f"{edge:.3g}" for edge in edges]
    inner = [f"{low} to {high}" for low, high in pairwise(shown)]
    bins = [f"below {shown[0]}", *inner, f"{shown[-1]} and more"]
    kinds = (np.searchsorted(edges, values, side="right") for values in (reference, new))
    return Binned(bins, np.eye(len(bins)), *kinds)


def categories(reference: NDArray[Any], new: NDArray[Any]) -> Binned:
    """A bin for each value."""
    values, kinds = np.unique(np.concatenate([reference, new]), return_inverse=True)
    return Binned(list(map(str, values)), np.eye(len(values)), kinds[: len(reference)], kinds[len(reference) :])


def topic_sets(reference: NDArray[np.bool_], new: NDArray[np.bool_], topics: Sequence[str]) -> Binned:
    """A bin for each topic, and one for articles without; an article of two topics counts by half in either."""
    packed = np.packbits(np.vstack([reference, new]), axis=1)
    _, first, kinds = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    sets = np.vstack([reference, new])[first]
    weights = np.column_stack([sets, ~sets.any(axis=1)]).astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True)
    kinds = kinds.ravel()
    return Binned([*topics, "none"], weights, kinds[: len(reference)], kinds[len(reference) :])


def psi(reference: NDArray[Any], new: NDArray[Any]) -> NDArray[np.float64]:
    """(...): the population stability index of counts (..., bins): sum of (q - p) ln(q / p) over the bins, where p is a
    bin's share of the reference and q of the new articles, SMOOTHING articles added to each bin.

    It is Jeffreys' divergence (1946); by the name of PSI it comes from credit scoring, where below 0.1 is taken for no
    change and above 0.2 or 0.25 for one that asks for a new model (Siddiqi 2006, "Credit risk scorecards").
    """
    p, q = (
        (counts + SMOOTHING) / (counts + SMOOTHING).sum(axis=-1, keepdims=True)
        for counts in map(np.asarray, (reference, new))
    )
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def index(binned: Binned) -> tuple[float, float, float]:
    """The index, its mean where articles are dealt to the two sides by chance, and how often chance gives as high a one.

    Of two samples of n and m articles of the same source the index is about (1/n + 1/m) times a chi-squared variable with
    bins - 1 degrees of freedom (Yurdakul & Naranjo 2020, "Statistical properties of the population stability index"):
    for small crawls it is high for no reason. With few articles in a bin, or weights, that does not quite hold; so the
    articles of both are shuffled SHUFFLES times (a permutation test), and a gamma distribution, which a multiple of
    chi-squared is, with the mean and variance found tells how rare the index is.
    """
    kinds = len(binned.weights)
    before, after = (np.bincount(side, minlength=kinds) for side in (binned.reference, binned.new))
    together = before + after
    there = together > 0
    weights = binned.weights[there]
    weights = weights[:, weights.any(axis=0)]
    before, after, together = before[there], after[there], together[there]
    found = float(psi(before @ weights, after @ weights))
    generator = np.random.default_rng(0)
    dealt = generator.multivariate_hypergeometric(together, int(after.sum()), SHUFFLES, method="marginals")
    shuffled = psi((together - dealt) @ weights, dealt @ weights)
    mean, variance = float(shuffled.mean()), float(shuffled.var())
    if variance < np.finfo(float).tiny:  # all articles are of one kind
        return found, mean, 1.0
    return found, mean, float(stats.gamma.sf(found, mean**2 / variance, scale=variance / mean))
