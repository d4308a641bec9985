"""What comes together."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import chi2_contingency

from workbench.pairs import pairs


def rows(*counted: tuple[int, str]) -> csr_matrix:
    """Articles by the topics, of "abc", that they have."""
    return csr_matrix(
        np.array([[letter in topics for letter in "abc"] for n, topics in counted for _ in range(n)], np.int64)
    )


def test_lift_and_surprise():
    (pair,) = pairs(["a", "b", "c"], rows((20, "ab"), (10, "a"), (5, "b"), (65, "c")))
    assert pair.topics == ("a", "b")
    assert pair.support == 20
    assert pair.lift == pytest.approx(20 * 100 / (30 * 25))
    g2 = chi2_contingency([[20, 10], [5, 65]], correction=False, lambda_="log-likelihood").statistic
    assert pair.surprise == pytest.approx(g2)


def test_what_chance_brings_together_is_left_out():
    # Twice in a hundred is too little; as often as chance would have it, or less often, nothing to tell.
    assert pairs(["a", "b", "c"], rows((2, "ab"), (98, ""))) == []
    assert pairs(["a", "b", "c"], rows((25, "ab"), (25, "a"), (25, "b"), (25, ""))) == []
    assert pairs(["a", "b", "c"], rows((5, "ab"), (45, "a"), (45, "b"), (5, ""))) == []


def test_the_most_surprising_first():
    found = pairs(["a", "b", "c"], rows((30, "ab"), (5, "bc"), (5, "c"), (60, "")))
    assert [pair.topics for pair in found] == [("a", "b")]
    found = pairs(["a", "b", "c"], rows((10, "ab"), (40, "c"), (8, "ac"), (300, "")))
    assert [pair.topics for pair in found] == [("a", "b"), ("a", "c")]


def test_articles_without_topics():
    assert pairs([], csr_matrix((5, 0), dtype=np.int64)) == []
