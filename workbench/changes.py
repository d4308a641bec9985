"""Which topics rise and fall: their shares of a day's articles against the days before."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# So many standard errors chance reaches for one topic in a hundred.
LEAST_Z = 2.576
# With fewer days before, how much topics vary from day to day cannot be told.
LEAST_DAYS = 3
# Nor by a topic that has fewer articles a day.
LEAST_EXPECTED = 1


@dataclass(frozen=True)
class TopicChange:
    """A topic's share of the articles of a day against that of the days before."""

    topic: str
    articles: int
    share: float
    share_before: float
    ratio: float
    """Of the two shares, each with half an article more, so that none is 0."""
    z: float
    """The log-odds ratio in standard errors."""

    @property
    def is_clear(self) -> bool:
        """Whether it is more than chance and the usual ups and downs explain."""
        return abs(self.z) >= LEAST_Z


def changes(topics: Sequence[str], counts: NDArray[np.int64], articles: NDArray[np.int64]) -> list[TopicChange]:
    """The changes of k topics, the greatest rise first, from their articles (k, d) and all articles (d,) of d days, of
    which the last is the day; none when it is the only one.

    z is the log-odds ratio of the two shares, half an article added to each count, over its standard error (Haldane
    1956; Agresti, "Categorical Data Analysis", 3.1.1): it is small where counts are. The variance is multiplied by the
    dispersion of the days before, as in McCullagh & Nelder, "Generalized Linear Models", 4.5: news comes in waves.
    """
    if len(articles) < 2:
        return []
    now, before = counts[:, -1] + 0.5, counts[:, :-1].sum(axis=1) + 0.5
    all_now, all_before = articles[-1] + 1, articles[:-1].sum() + 1
    log_odds = np.log(now / (all_now - now)) - np.log(before / (all_before - before))
    variance = 1 / now + 1 / (all_now - now) + 1 / before + 1 / (all_before - before)
    z = log_odds / np.sqrt(variance * dispersion(counts[:, :-1], articles[:-1]))
    ratios = (now / all_now) / (before / all_before)
    shares, shares_before = (
        counts[:, -1] / max(articles[-1], 1),
        counts[:, :-1].sum(axis=1) / max(articles[:-1].sum(), 1),
    )
    columns = (counts[:, -1], shares, shares_before, ratios, z)
    found = [
        TopicChange(topic, *row) for topic, *row in zip(topics, *(column.tolist() for column in columns), strict=True)
    ]
    return sorted(found, key=lambda change: -change.z)


def dispersion(counts: NDArray[np.int64], articles: NDArray[np.int64]) -> float:
    """How many times as much the shares of k topics (k, d) vary over d days as by chance: Pearson's chi-square over its
    degrees of freedom, of all topics together; 1 at the least, and where there are too few days to tell."""
    counts, articles = counts[:, articles > 0], articles[articles > 0]
    totals = counts.sum(axis=1)
    told = (totals >= LEAST_EXPECTED * len(articles)) & (totals < articles.sum())
    if len(articles) < LEAST_DAYS or not told.any():
        return 1.0
    shares = (totals[told] / articles.sum())[:, None]
    chi_square = ((counts[told] - articles * shares) ** 2 / (articles * shares * (1 - shares))).sum()
    return max(1.0, float(chi_square) / (int(told.sum()) * (len(articles) - 1)))
