"""How far probabilities can be believed."""

import numpy as np
import pytest

from train.reliability import reliability


def test_probabilities_that_hold() -> None:
    found = reliability(np.array([[0.25, 0.25], [0.25, 0.25]]), np.array([[True, False], [False, False]]))
    assert found.counts.tolist() == [0, 0, 4, 0, 0, 0, 0, 0, 0, 0]
    assert (found.predicted[2], found.observed[2], found.error) == (0.25, 0.25, 0)
    assert np.isnan(found.predicted[0])


def test_bins_weigh_as_much_as_they_have_decisions() -> None:
    # Three decisions are off by 0.1, one by 0.5; a probability of 1 belongs to the last bin.
    found = reliability(np.array([[0.1, 0.1, 0.1, 0.5, 1.0]]), np.array([[False, False, False, True, True]]))
    assert found.error == pytest.approx((3 * 0.1 + 0.5 + 0) / 5)
    assert found.counts[-1] == 1


def test_nothing_is_off_by_nothing() -> None:
    assert reliability(np.zeros((0, 3)), np.zeros((0, 3), dtype=bool)).error == 0
