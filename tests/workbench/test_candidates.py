"""Candidates for a new topic: found by its words and in other words, copies once, and further words for it."""

import numpy as np
import pandas as pd
import pytest

from serve.errors import InputError
from serve.model import compose_all
from serve.vectorizer import Documents
from train.background import Background, build_background
from workbench.candidates import Found, find_candidates, likeness
from workbench.telling_words import TellingWord, log_likelihood, telling_words

KITCHEN = (
    "wajan tungku bumbu santan sambal nasi dapur rempah kunyit serai lengkuas jahe cabai bawang garam kelapa "
    "daging kuah panci sendok piring kukus goreng rebus"
).split()
HARBOUR = (
    "kapal dermaga jangkar nakhoda muatan pelabuhan tongkang syahbandar palka haluan buritan kelasi ombak mercusuar "
    "pandu tambat peti derek galangan feri layar lambung suar teluk"
).split()
# The places of the articles below.
RENDANG, KITCHEN_ONES = set(range(40, 44)), set(range(40, 52))


def sentences(words: list[str], number: int, seed: int) -> list[str]:
    """So many articles of eight words each, drawn by chance."""
    generator = np.random.default_rng(seed)
    return [" ".join(generator.choice(words, 8, replace=False)) for _ in range(number)]


def frame(texts: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"a{i}" for i in range(len(texts))], "title": "", "text": texts})


def rows(found: Found) -> set[int]:
    return {candidate.row for candidate in found.candidates}


@pytest.fixture(scope="module")
def articles() -> pd.DataFrame:
    """Forty of the harbour, and twelve of the kitchen, of which four name a dish that no background knows."""
    kitchen = sentences(KITCHEN, 12, 1)
    return frame(sentences(HARBOUR, 40, 0) + [f"{text} rendang" for text in kitchen[:4]] + kitchen[4:])


@pytest.fixture(scope="module")
def background() -> Background:
    return build_background(sentences(KITCHEN, 60, 2) + sentences(HARBOUR, 60, 3), dimensions=4)


NONE = frame([])


@pytest.mark.parametrize("known", [True, False])
def test_articles_in_other_words_are_found_by_the_company_of_the_seed_word(
    articles: pd.DataFrame, background: Background, known: bool
) -> None:
    found = find_candidates(articles, ["Rendang"], NONE, 12, background=background if known else None)
    assert rows(found) == KITCHEN_ONES
    assert {candidate.row for candidate in found.candidates[:4]} == RENDANG
    assert found.seed_words == {"rendang": 4}
    assert found.candidates[0].words == ["rendang"] and "rendang" in found.candidates[0].reason
    assert "none of the seed words" in found.candidates[-1].reason
    assert found.suggested and {part for word in found.suggested for part in word.word.split()} <= {*KITCHEN, "rendang"}


def test_examples_alone_are_enough_and_are_no_candidates(articles: pd.DataFrame, background: Background) -> None:
    found = find_candidates(articles, [], articles.iloc[[45]], 11, background=background)
    assert rows(found) == KITCHEN_ONES - {45}


def test_copies_count_once(articles: pd.DataFrame, background: Background) -> None:
    doubled = pd.concat([articles, articles.iloc[40:44]], ignore_index=True)
    assert rows(find_candidates(doubled, ["rendang"], NONE, 12, background=background)) == KITCHEN_ONES


def test_the_order_of_the_articles_changes_nothing(articles: pd.DataFrame, background: Background) -> None:
    documents, none = compose_all(articles["text"], articles["title"], 2), Documents.of([])
    turned = Documents.of(list(documents)[::-1])
    straight = likeness(documents, ["rendang"], none, background)
    assert np.allclose(straight, likeness(turned, ["rendang"], none, background)[::-1], atol=1e-6)


@pytest.mark.parametrize("words", [[], ["tidakada"], ["3"]])
def test_nothing_to_go_by_is_said(articles: pd.DataFrame, words: list[str]) -> None:
    with pytest.raises(InputError, match="--words"):
        find_candidates(articles, words, NONE, 5)


def test_too_few_articles_are_said() -> None:
    with pytest.raises(InputError, match=r"^No word is in 2 or more of the 2 articles"):
        find_candidates(frame(["satu dua", "tiga empat"]), [], NONE, 5)


def test_log_likelihood_is_dunnings() -> None:
    # 2 * sum(observed * ln(observed / expected)), worked out by hand for 10 of 20 against 5 of 80.
    observed, expected = [10, 10, 5, 75], [3, 17, 12, 68]
    by_hand = 2 * sum(o * np.log(o / e) for o, e in zip(observed, expected, strict=True))
    assert log_likelihood(np.array([10]), 20, np.array([5]), 80)[0] == pytest.approx(by_hand)
    assert log_likelihood(np.array([1]), 20, np.array([60]), 80)[0] < 0


def test_telling_words_leave_out_what_is_everywhere_and_what_another_says() -> None:
    texts = [f"di stasiun halim {dish}" for dish in KITCHEN[:4]] + [f"di pasar {dish}" for dish in KITCHEN * 2]
    assert telling_words(Documents.of(texts), range(4), 5) == [TellingWord("stasiun halim", 4, 4)]
    assert telling_words(Documents.of(texts), range(4), 5, without=("stasiun", "halim", "stasiun halim")) == []
    assert telling_words(Documents.of(texts), [0], 5) == []
