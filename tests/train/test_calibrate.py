import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from train.calibrate import f1_thresholds, platt, temperature


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def test_platt_finds_the_probabilities_that_made_the_labels(generator):
    scores = generator.normal(size=(20_000, 2))
    truth = generator.random((20_000, 2)) < 1 / (1 + np.exp(-(scores * [2.0, 4.0] + [-1.0, 0.5])))
    np.testing.assert_allclose(platt(scores, truth), [[2.0, 4.0], [-1.0, 0.5]], atol=0.15)


def test_platt_is_where_logistic_regression_ends(generator):
    scores = generator.normal(size=(500, 3)) * [0.2, 1.0, 5.0]
    truth = generator.random((500, 3)) < 1 / (1 + np.exp(-(scores * [9.0, 2.0, 1.0] - [3.0, 0.0, -2.0])))
    for j in range(3):
        theirs = LogisticRegression(C=1e6, tol=1e-12, max_iter=10_000).fit(scores[:, [j]], truth[:, j])
        expected = [theirs.coef_[0, 0], theirs.intercept_[0]]
        np.testing.assert_allclose(platt(scores, truth)[:, j], expected, rtol=1e-5)


def test_platt_has_figures_for_scores_that_tell_all_apart_or_nothing():
    scores = np.array([[-2.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [3.0, 1.0]])
    slope, intercept = platt(scores, np.array([[False, False], [False, False], [True, False], [True, False]]))
    assert np.isfinite([slope, intercept]).all()
    assert slope[0] > 1
    assert (1 / (1 + np.exp(-(scores[:, 1] * slope[1] + intercept[1]))) < 0.001).all()


def test_temperature_finds_the_scale(generator):
    scores = generator.normal(size=(20_000, 4))
    odds = np.exp(3 * scores)
    drawn = (odds.cumsum(axis=1) / odds.sum(axis=1, keepdims=True) > generator.random((20_000, 1))).argmax(axis=1)
    a, b = temperature(scores, np.eye(4, dtype=bool)[drawn])
    np.testing.assert_allclose(a, 3.0, atol=0.15)
    assert (b == 0).all()


def test_thresholds_reach_the_highest_f1_of_calibrated_probabilities(generator):
    probabilities = generator.random((50_000, 1))
    truth = generator.random((50_000, 1)) < probabilities

    def f1(threshold: float) -> float:
        assigned = probabilities >= threshold
        return 2 * (truth & assigned).sum() / (truth.sum() + assigned.sum())

    (threshold,) = f1_thresholds(probabilities, truth)
    assert f1(threshold) == pytest.approx(max(f1(t) for t in np.linspace(0.05, 0.95, 91)), abs=1e-3)


def test_a_rare_topic_goes_by_the_common_threshold(generator):
    common = generator.random(5000)
    probabilities = np.stack([common, np.where(np.arange(5000) < 3, 0.11, 0.05)], axis=1)
    truth = np.stack([generator.random(5000) < common, np.arange(5000) < 3], axis=1)
    frequent, rare = f1_thresholds(probabilities, truth)
    assert rare == pytest.approx(frequent, abs=0.02)
