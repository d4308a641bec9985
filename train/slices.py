"""The figures of parts of the articles: by outlet, length, year, and number of topics."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from train.evaluate import Evaluation

# A slice begins at so many words and ends where the next one begins.
LENGTHS = (0, 50, 100, 200, 400, 800)
# Outlets with fewer articles than the first so many are taken together.
SHOWN_OUTLETS = 15
YEAR = re.compile(r"\b(19|20)\d\d")
REST, UNKNOWN = "others", "not given"


def slices(evaluation: Evaluation, articles: pd.DataFrame | None = None) -> dict[str, dict[str, Evaluation]]:
    """The evaluations of the articles' parts, by kind of slice and name of part; parts without an article are left out.

    `articles` has the articles of the evaluation in its order, with columns text, date and outlet. Without it, or where
    all values of a column are empty, only the slices that need no more are made.
    """
    topics = evaluation.truth.sum(axis=1)
    kinds = {"number of topics": (["none", "one", "two", "more"], [_number(count) for count in topics])}
    if articles is not None:
        words = [len(text.split()) for text in articles["text"]]
        kinds["words in the text"] = ([_length(start) for start in LENGTHS], [_length(count) for count in words])
        kinds["year"] = _by_name([_year(date) for date in articles["date"]])
        kinds["outlet"] = _by_frequency(list(articles["outlet"]))
    return {
        kind: {name: evaluation.part(np.array(of) == name) for name in names if name in of}
        for kind, (names, of) in kinds.items()
        if set(of) - {UNKNOWN}
    }


def _number(count: int) -> str:
    return ("none", "one", "two")[count] if count < 3 else "more"


def _length(words: int) -> str:
    at = bisect_right(LENGTHS, words)
    return f"{LENGTHS[at - 1]} to {LENGTHS[at] - 1}" if at < len(LENGTHS) else f"{LENGTHS[-1]} and more"


def _year(date: str) -> str:
    found = YEAR.search(date)
    return found.group() if found else ""


def _by_name(values: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names of the parts in their order, and the part of each article."""
    return [*sorted(set(values) - {""}), UNKNOWN], [value or UNKNOWN for value in values]


def _by_frequency(values: Sequence[str]) -> tuple[list[str], list[str]]:
    frequent = [value for value, _ in Counter(filter(None, values)).most_common(SHOWN_OUTLETS)]
    of = [(value if value in frequent else REST) if value else UNKNOWN for value in values]
    return [*frequent, REST, UNKNOWN], of
