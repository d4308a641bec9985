"""What rises and falls."""

import numpy as np
import pytest

from workbench.changes import LEAST_Z, changes, dispersion


def test_a_log_odds_ratio_in_standard_errors():
    found = changes(["disaster", "sport"], np.array([[10, 30], [50, 20]]), np.array([100, 100]))
    assert [change.topic for change in found] == ["disaster", "sport"]
    rise = found[0]
    assert (rise.articles, rise.share, rise.share_before) == (30, 0.3, 0.1)
    assert rise.ratio == pytest.approx(30.5 / 10.5)
    variance = 1 / 30.5 + 1 / 70.5 + 1 / 10.5 + 1 / 90.5
    assert rise.z == pytest.approx((np.log(30.5 / 70.5) - np.log(10.5 / 90.5)) / np.sqrt(variance))
    assert rise.is_clear
    assert found[1].z < -LEAST_Z


def test_small_counts_are_not_made_much_of():
    # Two articles out of none before are a ratio of 35, and no news.
    (found,) = changes(["rare"], np.array([[0, 0, 0, 2]]), np.array([100, 100, 100, 100]))
    assert found.ratio > 10
    assert not found.is_clear


def test_a_topic_that_comes_in_waves_has_to_rise_higher():
    articles = np.full(8, 100)
    steady = changes(["a"], np.array([[20, 20, 20, 20, 20, 20, 20, 38]]), articles)[0]
    waves = changes(["a"], np.array([[2, 38, 2, 38, 2, 38, 20, 38]]), articles)[0]
    assert steady.is_clear
    assert not waves.is_clear


def test_dispersion_is_chi_square_over_its_degrees_of_freedom():
    counts, articles = np.array([[10, 20, 30]]), np.array([100, 100, 100])
    assert dispersion(counts, articles) == pytest.approx((100 + 0 + 100) / (100 * 0.2 * 0.8) / 2)
    assert dispersion(np.array([[20, 20, 20]]), articles) == 1
    assert dispersion(np.array([[0, 40]]), articles[:2]) == 1


@pytest.mark.parametrize("spread", [0, 0.3])
def test_few_topics_are_named_on_a_day_like_the_others(spread):
    random, named, days = np.random.default_rng(0), 0, 200
    shares = random.dirichlet(np.ones(38)) * 1.3
    for _ in range(days):
        articles = random.integers(300, 600, 8)
        daily = np.minimum(shares[:, None] * np.exp(spread * random.standard_normal((38, 8))), 1)
        named += sum(change.is_clear for change in changes([""] * 38, random.binomial(articles, daily), articles))
    assert named / days < 1


def test_days_without_articles():
    assert changes(["a"], np.array([[3]]), np.array([10])) == []
    (found,) = changes(["a"], np.array([[0, 0, 3]]), np.array([0, 0, 10]))
    assert np.isfinite(found.z)
    (found,) = changes(["a"], np.array([[10, 10, 10]]), np.array([10, 10, 10]))
    assert not found.is_clear
