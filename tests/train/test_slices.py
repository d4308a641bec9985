"""Parts of the articles."""

import numpy as np
import pandas as pd

from train.evaluate import Evaluation
from train.slices import SHOWN_OUTLETS, slices


def evaluation(counts: list[int]) -> Evaluation:
    """Articles with so many topics each, all found."""
    truth = np.arange(3) < np.array(counts)[:, None]
    return Evaluation(["a", "b", "c"], [str(i) for i in range(len(counts))], truth, truth, truth * 1.0)


def sizes(parts: dict[str, Evaluation]) -> dict[str, int]:
    return {name: len(part.ids) for name, part in parts.items()}


def test_articles_fall_into_their_slices() -> None:
    articles = pd.DataFrame(
        {
            "text": ["kata " * 49, "kata " * 50, "", "kata " * 900],
            "date": ["2025-01-02", "Senin, 3 Maret 2024", "", "2025"],
            "outlet": ["Harian Satu", "Harian Dua", "Harian Satu", ""],
        }
    )
    found = slices(evaluation([0, 1, 3, 1]), articles)
    assert sizes(found["number of topics"]) == {"none": 1, "one": 2, "more": 1}
    assert sizes(found["words in the text"]) == {"0 to 49": 2, "50 to 99": 1, "800 and more": 1}
    assert sizes(found["year"]) == {"2024": 1, "2025": 2, "not given": 1}
    assert sizes(found["outlet"]) == {"Harian Satu": 2, "Harian Dua": 1, "not given": 1}
    assert found["outlet"]["Harian Satu"].ids == ["0", "2"]


def test_what_is_not_known_makes_no_slice() -> None:
    assert list(slices(evaluation([1, 2]))) == ["number of topics"]
    articles = pd.DataFrame({"text": ["satu", "dua"], "date": ["", ""], "outlet": ["", ""]})
    assert list(slices(evaluation([1, 2]), articles)) == ["number of topics", "words in the text"]


def test_rare_outlets_are_taken_together() -> None:
    outlets = [f"Koran {i}" for i in range(SHOWN_OUTLETS + 3)]
    articles = pd.DataFrame({"text": "", "date": "", "outlet": outlets})
    assert sizes(slices(evaluation([1] * len(outlets)), articles)["outlet"])["others"] == 3
