"""Scores -> probabilities -> decisions, learnt from scores of articles that a model has not seen (out of fold)."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

# A topic's own threshold is trusted as much as the common one when it has so many positive articles.
PRIOR_POSITIVES = 50
# So many of the articles that a model has not seen are called uncertain.
UNCERTAIN_SHARE = 0.1
GRID = np.arange(0.05, 0.951, 0.01)
# Of Platt's parameters: so little that it only shows where scores tell a topic's articles without a mistake.
RIDGE = 1e-6
MAX_STEPS, SMALLEST_STEP = 100, 1e-8
# So many articles are looked at together.
BLOCK = 10_000


def platt(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2, k): A and B of 1 / (1 + exp(-(A s + B))) for each topic's scores (n, k), by maximum likelihood (Platt 1999).

    Newton's method on all topics at once, steps halved where they lead uphill (Lin, Lin & Weng 2007, "A note on Platt's
    probabilistic outputs for support vector machines").
    """
    fitted, step = np.zeros((2, 2, scores.shape[1]))
    lowest = np.full(scores.shape[1], np.inf)
    for _ in range(MAX_STEPS):
        loss, gradient, hessian = _log_loss(scores, truth, fitted + step)
        better = loss <= lowest
        fitted[:, better] += step[:, better]
        lowest[better] = loss[better]
        step = np.where(better, -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0].T, step / 2)
        if np.abs(step).max(initial=0) < SMALLEST_STEP:
            break
    return fitted


def _log_loss(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], parameters: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Loss (k,), gradient (k, 2) and Hessian (k, 2, 2) of Platt's parameters (2, k)."""
    k = scores.shape[1]
    loss = RIDGE / 2 * (parameters**2).sum(axis=0)
    gradient = RIDGE * parameters.T
    hessian = RIDGE * np.repeat(np.eye(2)[None], k, axis=0)
    for start in range(0, len(scores), BLOCK):
        s, y = scores[start : start + BLOCK], truth[start : start + BLOCK]
        logits = s * parameters[0] + parameters[1]
        odds = np.exp(-np.abs(logits))
        loss += (np.maximum(logits, 0) + np.log1p(odds) - y * logits).sum(axis=0)
        p = np.where(logits > 0, 1, odds) / (1 + odds)
        error, spread = p - y, p * (1 - p)
        gradient += np.stack([(error * s).sum(axis=0), error.sum(axis=0)], axis=1)
        mixed = (spread * s).sum(axis=0)
        hessian += np.array([[(spread * s * s).sum(axis=0), mixed], [mixed, spread.sum(axis=0)]]).transpose(2, 0, 1)
    return loss, gradient, hessian


def uncertainty_limit(confidence: NDArray[np.float64], share: float = UNCERTAIN_SHARE) -> float:
    """The confidence below which an article is called uncertain, so that about `share` of the articles are."""
    return float(np.quantile(confidence, share))


def temperature(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2, k): A and B of softmax(A s + B) for single-label data, one A for all topics and B = 0 so that the highest score
    stays the likeliest topic (Guo, Pleiss, Sun & Weinberger 2017, "On calibration of modern neural networks")."""

    def loss(log_scale: float) -> float:
        logits = np.exp(log_scale) * scores
        logits -= logits.max(axis=1, keepdims=True)
        return float((np.log(np.exp(logits).sum(axis=1)) - logits[truth]).mean())

    scale = np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x)
    return np.stack([np.full(scores.shape[1], scale), np.zeros(scores.shape[1])])


def f1_thresholds(probabilities: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(k,): for each topic the probability from which to assign it.

    With calibrated probabilities, half of the highest F1 that any threshold reaches is the threshold that reaches it
    (Lipton, Elkan & Naryanaswamy 2014, "Optimal thresholding of classifiers to maximize F1 measure"). The highest F1
    can be told from a few articles far better than where it is reached. A topic's own is moved toward that of all
    topics together (micro-F1), the more so the fewer positive articles it has.
    """
    hits = np.array([(truth & (probabilities >= t)).sum(axis=0) for t in GRID])
    given = np.array([(probabilities >= t).sum(axis=0) for t in GRID])
    positives = truth.sum(axis=0)
    common = (2 * hits.sum(axis=1) / (given + positives).sum(axis=1)).max() / 2
    own = (2 * hits / np.maximum(given + positives, 1)).max(axis=0) / 2
    return (positives * own + PRIOR_POSITIVES * common) / (positives + PRIOR_POSITIVES)
