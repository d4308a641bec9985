"""How far probabilities can be believed: what share of the decisions that were given a probability was true."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Reliability:
    """Decisions in bins of equal width of the predicted probability."""

    predicted: NDArray[np.float64]
    """(bins,) the mean probability of a bin's decisions; NaN for an empty bin."""
    observed: NDArray[np.float64]
    """(bins,) the share of them that were true; NaN for an empty bin."""
    counts: NDArray[np.int64]
    """(bins,) how many there are."""
    error: float
    """Expected calibration error: the mean of |predicted - observed|, weighted with the counts."""


def reliability(probabilities: NDArray[np.float64], truth: NDArray[np.bool_], bins: int = 10) -> Reliability:
    """The reliability of the decisions (articles times topics) of two arrays of the same shape."""
    place = np.minimum((probabilities.ravel() * bins).astype(np.intp), bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        predicted = np.bincount(place, weights=probabilities.ravel(), minlength=bins) / counts
        observed = np.bincount(place, weights=truth.ravel(), minlength=bins) / counts
    error = float(np.nansum(np.abs(predicted - observed) * counts) / max(counts.sum(), 1))
    return Reliability(predicted, observed, counts, error)
