import numpy as np
import pytest

from train.calibrate import f1_thresholds, platt, temperature


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def test_platt_finds_the_probabilities_that_made_the_labels(generator):
    scores = generator.normal(size=(20_000, 2))
    truth = generator.random((20_000, 2)) < 1 / (1 + np.exp(-(scores * [2.0, 4.0] + [-1.0, 0.5])))
    np.testing.assert_allclose(platt(scores, truth), [[2.0, 4.0], [-1.0, 0.5]], atol=0.15)


def test_temperature_finds_the_scale(generator):
    scores = generator.normal(size=(20_000, 4))
    odds = np.exp(3 * scores)
    drawn = (odds.cumsum(axis=1) / odds.sum(axis=1, keepdims=True) > generator.random((20_000, 1))).argmax(axis=1)
    a, b = temperature(scores, np.eye(4, dtype=bool)[drawn])
    np.testing.assert_allclose(a, 3.0, atol=0.15)
    assert (b == 0).all()


def test_a_common_topic_goes_by_its_own_threshold_and_a_rare_one_by_the_common(generator):
    # The frequent topic is best cut at 0.8, the rare one's few articles say 0.1.
    frequent = generator.random(5000)
    rare = np.where(np.arange(5000) < 3, 0.11, 0.05)
    truth = np.stack([frequent >= 0.8, np.arange(5000) < 3], axis=1)
    common, shrunk = f1_thresholds(np.stack([frequent, rare], axis=1), truth)
    assert common == pytest.approx(0.8, abs=0.02)
    assert shrunk == pytest.approx(0.8, abs=0.06)
