"""The index is as its formula says, and what chance gives as theory says."""

import numpy as np
import pytest

from workbench.stability import categories, deciles, index, psi, topic_sets


def test_the_index_is_as_its_formula_says() -> None:
    p, q = np.array([50.5, 50.5]) / 101, np.array([80.5, 20.5]) / 101
    expected = (q[0] - p[0]) * np.log(q[0] / p[0]) + (q[1] - p[1]) * np.log(q[1] / p[1])
    assert psi(np.array([50, 50]), np.array([80, 20])) == pytest.approx(expected)
    assert psi(np.array([50, 50]), np.array([500, 500])) == pytest.approx(0, abs=1e-6)
    assert np.isfinite(psi(np.array([[100, 0], [1, 0]]), np.array([[0, 100], [0, 1]]))).all()


def test_chance_gives_what_theory_says() -> None:
    random = np.random.default_rng(0)
    found = [index(deciles(random.random(500), random.random(300))) for _ in range(100)]
    expected = 9 * (1 / 500 + 1 / 300)
    assert np.mean([chance for _, chance, _ in found]) == pytest.approx(expected, rel=0.1)
    assert np.mean([observed for observed, _, _ in found]) == pytest.approx(expected, rel=0.15)
    p = np.array([p for _, _, p in found])
    assert 0.3 < np.median(p) < 0.7 and (p < 0.01).mean() <= 0.04


def test_bins_hold_equal_parts_of_the_reference() -> None:
    reference = np.arange(1000.0)
    binned = deciles(reference, np.full(10, 5.0))
    before, after = binned.shares()
    np.testing.assert_allclose(before, 0.1, atol=0.01)
    assert after[0] == 1 and binned.bins[0] == "below 99.9" and binned.bins[-1] == "899 and more"
    assert index(deciles(np.ones(50), np.ones(50)))[2] == 1, "equal numbers are one bin"


def test_an_article_of_two_topics_counts_by_half_in_either() -> None:
    reference = np.array([[True, True, False], [False, False, False]])
    binned = topic_sets(reference, ~reference, ["a", "b", "c"])
    before, after = binned.shares()
    assert binned.bins == ["a", "b", "c", "none"]
    np.testing.assert_allclose(before, [0.25, 0.25, 0, 0.5])
    np.testing.assert_allclose(after, [1 / 6, 1 / 6, 1 / 2 + 1 / 6, 0])


def test_a_bin_for_each_value() -> None:
    binned = categories(np.array(["", "x"], object), np.array(["y"], object))
    assert binned.bins == ["", "x", "y"] and binned.shares()[1].tolist() == [0, 0, 1]
