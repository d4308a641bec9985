"""One linear classifier a topic, all on the same matrix: L2-regularised squared-hinge support vector machines.

Dual coordinate descent (Hsieh, Chang, Lin, Keerthi & Sundararajan 2008, "A dual coordinate descent method for large-scale
linear SVM", algorithm 3 with the shrinking of section 3.2): the method of liblinear, at the same optimum (tested), but on
one shared CSR matrix that is not copied for each topic, with further dense columns beside it where there are any.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from serve.native.compiler import prefetch

# Of the projected gradient, as in liblinear; its own default is 0.1, and 1e-4 in scikit-learn.
TOLERANCE = 1e-3
MAX_EPOCHS = 1000
# So many entries of a row stand in a line of the cache.
CACHE_LINE = 16


@dataclass(frozen=True)
class Labelled:
    """What k classifiers learn from, of the n rows of a matrix."""

    y: NDArray[np.bool_]
    """(n, k)."""
    sample_weight: NDArray[np.floating] | None = None
    """(n,), or (n, k) for a weight a topic; 0 leaves a row out. All 1 when None."""
    rows: NDArray[np.int64] | None = None
    """The rows to learn from; all when None."""

    def topic(self, j: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Of topic j: 1 or -1 a row (n,), the rows' weights (n,), and the numbers of those to learn from."""
        n = len(self.y)
        weight = np.ones(n) if self.sample_weight is None else self.sample_weight
        weight = np.asarray(weight if weight.ndim == 1 else weight[:, j], np.float64)
        rows = np.arange(n) if self.rows is None else self.rows
        return np.where(self.y[:, j], 1.0, -1.0), weight, rows[weight[rows] > 0]


@dataclass(frozen=True)
class LinearWeights:
    """The weights of k classifiers; an article's scores are x @ sparse + z @ dense + bias."""

    sparse: NDArray[np.float64]
    """(v, k)."""
    dense: NDArray[np.float64]
    """(d, k)."""
    bias: NDArray[np.float64]
    """(k,)."""


def fit_linear(
    x: csr_matrix,
    y: NDArray[np.bool_],
    *,
    z: NDArray[np.float32] | None = None,
    cost: float = 1.0,
    sample_weight: NDArray[np.floating] | None = None,
    rows: NDArray[np.int64] | None = None,
    tolerance: float = TOLERANCE,
    n_jobs: int = -1,
) -> LinearWeights:
    """The k classifiers of topics y (n, k), from rows x (n, v) and, beside them, dense rows z (n, d).

    Minimises for each topic |w|^2 / 2 + cost * sum_i sample_weight_i * max(0, 1 - y_i (w x_i + b))^2, b counted in |w|
    as in liblinear. sample_weight, rows: as in `Labelled`. The result is the same for any `n_jobs`.
    """
    return fit_all(x, [Labelled(y, sample_weight, rows)], z=z, cost=cost, tolerance=tolerance, n_jobs=n_jobs)[0]


def fit_all(
    x: csr_matrix,
    parts: Sequence[Labelled],
    *,
    z: NDArray[np.float32] | None = None,
    cost: float = 1.0,
    tolerance: float = TOLERANCE,
    n_jobs: int = -1,
) -> list[LinearWeights]:
    """What `fit_linear` finds from each of the parts of the rows; the topics of all parts in parallel."""
    n, v = x.shape
    z = np.zeros((n, 0), np.float32) if z is None else np.ascontiguousarray(z, np.float32)
    indptr, columns = x.indptr.astype(np.int64), np.asarray(x.indices, np.int32).view(np.uint32)
    norms = _squared_norms(indptr, x.data, z)
    solved = [np.zeros((part.y.shape[1], v + z.shape[1] + 1)) for part in parts]

    def solve(part: Labelled, topic: int, w: NDArray[np.float64]) -> None:
        signs, weight, rows = part.topic(topic)
        _solve(indptr, columns, x.data, z, signs, cost * weight, norms, rows, tolerance, MAX_EPOCHS, w)

    Parallel(n_jobs, prefer="threads")(
        delayed(solve)(part, topic, w)
        for part, all_w in zip(parts, solved, strict=True)
        for topic, w in enumerate(all_w)
    )
    return [LinearWeights(sparse=w[:, :v].T, dense=w[:, v:-1].T, bias=w[:, -1]) for w in solved]


@numba.njit(nogil=True, cache=True)
def _squared_norms(indptr, data, z):
    """(n,): of the rows, the bias's column of ones included; without a copy of the matrix."""
    norms = np.ones(len(z))
    for i in range(len(z)):
        for p in range(indptr[i], indptr[i + 1]):
            norms[i] += np.float64(data[p]) * np.float64(data[p])
        for j in range(z.shape[1]):
            norms[i] += np.float64(z[i, j]) * np.float64(z[i, j])
    return norms


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def _solve(indptr, columns, data, z, signs, costs, norms, rows, tolerance, max_epochs, solved):
    """Leaves in zeros (v + d + 1,) the weights of the sparse columns, of the dense ones, and the bias.

    columns: unsigned, so that no index has to be looked at for being negative.
    """
    d = z.shape[1]
    w = solved[: len(solved) - d - 1]
    u = solved[len(w) : len(w) + d]
    bias = 0.0
    alpha = np.zeros(len(signs))
    active = rows.copy()
    n_active = len(active)
    # Bounds of the projected gradient in the last epoch: beyond them an article at zero stays there for now.
    upper = np.inf
    state = np.uint64(0x9E3779B97F4A7C15)
    for _ in range(max_epochs):
        highest = -np.inf
        lowest = np.inf
        for s in range(n_active):
            # xorshift64* (Vigna 2016): the order of each epoch is random, and the same at every run.
            state ^= state >> np.uint64(12)
            state ^= state << np.uint64(25)
            state ^= state >> np.uint64(27)
            t = s + np.int64((state * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)) % (n_active - s)
            active[s], active[t] = active[t], active[s]
        s = 0
        while s < n_active:
            i = active[s]
            if s + 1 < n_active:
                following = active[s + 1]
                for p in range(indptr[following], indptr[following + 1], CACHE_LINE):
                    prefetch(columns, p)
                    prefetch(data, p)
            terms = columns[indptr[i] : indptr[i + 1]]
            values = data[indptr[i] : indptr[i + 1]]
            diagonal = 0.5 / costs[i]
            score = bias
            for p in range(len(terms)):
                score += w[terms[p]] * values[p]
            row = z[i]
            for j in range(d):
                score += u[j] * row[j]
            gradient = signs[i] * score - 1.0 + diagonal * alpha[i]
            projected = gradient
            if alpha[i] == 0.0:
                if gradient > upper:
                    n_active -= 1
                    active[s], active[n_active] = active[n_active], active[s]
                    continue
                projected = min(gradient, 0.0)
            highest = max(highest, projected)
            lowest = min(lowest, projected)
            if abs(projected) > 1e-12:
                before = alpha[i]
                alpha[i] = max(before - gradient / (norms[i] + diagonal), 0.0)
                step = (alpha[i] - before) * signs[i]
                for p in range(len(terms)):
                    w[terms[p]] += step * values[p]
                for j in range(d):
                    u[j] += step * row[j]
                bias += step
            s += 1
        if highest - lowest <= tolerance:
            if n_active == len(active):
                break
            # Converged on those that are left: look at all of them once more.
            n_active = len(active)
            upper = np.inf
            continue
        upper = highest if highest > 0.0 else np.inf
    solved[len(solved) - 1] = bias
