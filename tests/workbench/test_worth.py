"""How articles are chosen, on figures made up for it."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from workbench.strategy import Strategy
from workbench.worth import READ_WORDS, choose, entropy, worth

NONE = np.zeros(2, np.int64)


def rows(*directions: int) -> csr_matrix:
    """Articles of one word each."""
    return csr_matrix(np.eye(max(directions) + 1)[list(directions)])


def worths(strategy: Strategy, probabilities: NDArray[np.float64], words: int = 100) -> NDArray[np.float64]:
    return worth(strategy, probabilities, np.full(len(probabilities), words), NONE, False)


def test_entropy_is_that_of_each_decision_or_of_the_one() -> None:
    p = np.array([[0.5, 0.5], [1.0, 0.0]])
    assert entropy(p, False) == pytest.approx([2 * np.log(2), 0], abs=1e-9)
    assert entropy(p, True) == pytest.approx([np.log(2), 0], abs=1e-9)


def test_a_longer_article_is_worth_more_up_to_what_is_read() -> None:
    p = np.full((3, 2), 0.5)
    found = worth(Strategy.uncertainty, p, np.array([50, READ_WORDS, 9 * READ_WORDS]), NONE, False)
    assert found[0] < found[1] == found[2]


def test_diverse_articles_are_unlike_each_other() -> None:
    p = np.array([[0.5, 0.5], [0.49, 0.5], [0.48, 0.5], [0.3, 0.3]])
    chosen = choose(Strategy.diverse, 2, p, worths(Strategy.diverse, p), rows(0, 0, 0, 1), NONE)
    assert chosen.tolist() == [0, 3]


def test_copies_alone_give_no_more_than_one_diverse_article() -> None:
    p = np.full((3, 2), 0.5)
    assert len(choose(Strategy.diverse, 3, p, worths(Strategy.diverse, p), rows(0, 0, 0), NONE)) == 1


def test_rare_topics_take_turns() -> None:
    """Two topics lack articles alike: after a likely one of the first, one of the second fills up more."""
    p = np.array([[0.6, 0.0], [0.61, 0.0], [0.0, 0.7]])
    chosen = choose(Strategy.rare_topic, 2, p, worths(Strategy.rare_topic, p), rows(0, 1, 2), NONE)
    assert sorted(chosen.tolist()) == [0, 2]


def test_what_is_sure_to_be_of_a_rare_topic_is_not_asked_for() -> None:
    p = np.array([[0.99, 0.0], [0.6, 0.0]])
    assert choose(Strategy.rare_topic, 1, p, worths(Strategy.rare_topic, p), rows(0, 1), NONE).tolist() == [1]


@pytest.mark.parametrize("strategy", Strategy)
def test_no_article_is_chosen_twice_and_no_more_than_there_are(strategy: Strategy) -> None:
    p = np.random.default_rng(0).random((30, 2))
    for n in (1, 10, 50):
        chosen = choose(strategy, n, p, worths(strategy, p), rows(*range(30)), NONE)
        assert len(set(chosen.tolist())) == len(chosen) == min(n, 30)
