"""What a filed crawl tells of one day against the days before: the figures of a report."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from serve.errors import InputError
from workbench.changes import TopicChange, changes
from workbench.headlines import Headline, headlines
from workbench.pairs import Pair, pairs

DAYS_BEFORE = 7
# The last date of a crawl may be a slip: a day with fewer articles than this share of the busiest day's is not the day
# of the report unless it is named.
LEAST_OF_BUSIEST = 0.1


@dataclass(frozen=True)
class LeftOut:
    """The articles of a file that a report does not count."""

    undated: int = 0
    example: str = ""
    """A date that cannot be read; "" where there is none to read."""
    other_days: int = 0


@dataclass(frozen=True)
class Coverage:
    """The figures of d days, the last of which is the report's day; a crawl without dates is one day, None.

    `by_outlet` has the columns day, outlet, articles, no_topic and uncertain, `by_topic` day, outlet, topic, articles and
    uncertain: a row for each that has articles; `day` is the place in `days`.
    """

    days: list[date | None]
    topics: list[str]
    """The k topics, those with most articles of the day first."""
    outlets: list[str]
    """Those of the day likewise; "" is articles without one."""
    by_outlet: pd.DataFrame
    by_topic: pd.DataFrame
    pairs: list[Pair]
    """Of all days."""
    headlines: dict[str, list[Headline]]
    """Of the day, by topic."""
    left_out: LeftOut

    def per_day(self, column: str) -> NDArray[np.int64]:
        """(d,): a column of `by_outlet`, each day's."""
        sums = self.by_outlet.groupby("day")[column].sum()
        return sums.reindex(range(len(self.days)), fill_value=0).to_numpy(np.int64)

    def topics_per_day(self) -> NDArray[np.int64]:
        """(k, d): the articles of each topic and day."""
        table = self.by_topic.pivot_table("articles", "topic", "day", "sum", fill_value=0)
        return table.reindex(self.topics, columns=range(len(self.days)), fill_value=0).to_numpy(np.int64)

    def topics_per_outlet(self) -> NDArray[np.int64]:
        """(k, o): the day's articles of each topic and outlet."""
        table = self.of_day(self.by_topic).pivot_table("articles", "topic", "outlet", "sum", fill_value=0)
        return table.reindex(self.topics, columns=self.outlets, fill_value=0).to_numpy(np.int64)

    def changes(self) -> list[TopicChange]:
        """The changes of the k topics, the greatest rise first; none where there are no days before."""
        return changes(self.topics, self.topics_per_day(), self.per_day("articles"))

    def of_day(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of the report's day."""
        return table[table["day"] == len(self.days) - 1]


def coverage(articles: pd.DataFrame, day: date | None = None, days_before: int = DAYS_BEFORE) -> Coverage:
    """The figures of a frame as `load_filed` gives it, on `day` (the last when None) and up to so many days before it.

    Raises InputError where the crawl has no article of the day, with the days that it has.
    """
    days, places, left_out = _period(articles, day, days_before)
    counted = articles[places >= 0].assign(day=places[places >= 0], articles=1, article=range(int((places >= 0).sum())))
    counted["no_topic"] = counted["topics"].map(len) == 0
    filed = counted[["article", "day", "outlet", "topics", "articles", "uncertain"]].explode("topics")
    filed = filed.rename(columns={"topics": "topic"}).dropna(subset="topic")
    by_outlet = _sums(counted, ["day", "outlet"], ["articles", "no_topic", "uncertain"])
    by_topic = _sums(filed, ["day", "outlet", "topic"], ["articles", "uncertain"])
    topics = _most_first(by_topic, "topic", len(days) - 1)
    has = csr_matrix(
        (np.ones(len(filed), np.int64), (filed["article"], pd.Index(topics).get_indexer(pd.Index(filed["topic"])))),
        (len(counted), len(topics)),
    )
    return Coverage(
        days,
        topics,
        _most_first(by_outlet[by_outlet["day"] == len(days) - 1], "outlet", len(days) - 1),
        by_outlet,
        by_topic,
        pairs(topics, has),
        headlines(counted[counted["day"] == len(days) - 1]),
        left_out,
    )


def _period(
    articles: pd.DataFrame, day: date | None, days_before: int
) -> tuple[list[date | None], NDArray[np.int64], LeftOut]:
    """The days of the report, each article's place among them (-1: none), and what is left out."""
    dated = articles["day"].notna().to_numpy()
    unread = articles["date"][~dated & (articles["date"] != "")]
    example = str(unread.iloc[0]) if len(unread) else ""
    if not dated.any():
        if day:
            raise InputError(f"--day {day}: the crawl has no date that can be read; leave out --day.")
        return [None], np.zeros(len(articles), np.int64), LeftOut(example=example)
    numbers: Counter[date] = Counter(articles["day"][dated])
    day = day or max(each for each, number in numbers.items() if number >= LEAST_OF_BUSIEST * max(numbers.values()))
    if day not in numbers:
        raise InputError(f"--day {day}: the crawl has no article of it; its days are {min(numbers)} to {max(numbers)}.")
    first = min(each for each in numbers if timedelta() <= day - each <= timedelta(days_before))
    days: list[date | None] = [first + timedelta(number) for number in range((day - first).days + 1)]
    place_of = {each: place for place, each in enumerate(days)}
    places = np.array([place_of.get(each, -1) for each in articles["day"]], np.int64)
    return days, places, LeftOut(int((~dated).sum()), example, int((dated & (places < 0)).sum()))


def _sums(table: pd.DataFrame, by: list[str], columns: list[str]) -> pd.DataFrame:
    return table.groupby(by)[columns].sum().astype(np.int64).reset_index()


def _most_first(table: pd.DataFrame, column: str, day: int) -> list[str]:
    """The values of a column, those with most articles on the day first, then in the other days, then by name."""
    of_day = table["articles"].where(table["day"] == day, 0).groupby(table[column]).sum()
    of_all = table.groupby(column)["articles"].sum()
    return sorted(of_all.index, key=lambda name: (-of_day[name], -of_all[name], name))
