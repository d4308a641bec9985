"""Scores -> probabilities -> decisions, learnt from scores of articles that a model has not seen (out of fold)."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

# A topic's own threshold is trusted as much as the common one when it has so many positive articles.
PRIOR_POSITIVES = 50
GRID = np.arange(0.05, 0.951, 0.01)


def platt(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2, k): A and B of 1 / (1 + exp(-(A s + B))) for each topic's scores (n, k), by maximum likelihood (Platt 1999)."""
    fitted = np.empty((2, scores.shape[1]))
    for j in range(scores.shape[1]):
        model = LogisticRegression(C=1e6).fit(scores[:, [j]], truth[:, j])
        fitted[:, j] = model.coef_[0, 0], model.intercept_[0]
    return fitted


def uncertainty_limit(confidence: NDArray[np.float64], share: float = 0.1) -> float:
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
