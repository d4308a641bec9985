"""How far a new crawl has drifted from reference articles, figure by figure, and whether chance explains it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from train.calibrate import UNCERTAIN_SHARE
from workbench.crawl_figures import CrawlFigures, Strings
from workbench.stability import Binned, categories, deciles, index, topic_sets

LIMIT = 0.2
# One topic alone is called at this share of the limit: few topics are so large that even three times as many articles
# would move the whole by the limit. At 0.04 it is called when it goes from 2% to 6%, or from 20% to 29%.
TOPIC_SHARE = 0.2
# The chance, at most, that anything at all is called where nothing has changed (Bonferroni over all that is compared).
ALPHA = 0.01
# An outlet or a week of fewer articles is not looked at by itself.
MIN_ARTICLES = 30
# A model is uncertain of UNCERTAIN_SHARE of the articles that it has not seen, and of next to none that it learnt from.
LEARNT_UNCERTAIN = UNCERTAIN_SHARE / 10

Kind = Literal["all", "topic", "outlet", "week"]


@dataclass(frozen=True)
class Figure:
    """What is compared, and the one number of a crawl that it is shown by."""

    label: str
    number: str
    """What the number is."""
    of: Callable[[CrawlFigures], float]
    share: bool = True
    """Whether the number is a share, from 0 to 1."""

    def shown(self, value: float) -> str:
        return f"{value:.1%}" if self.share else f"{value:,.0f}"


FIGURES = {
    "unknown_words": Figure(
        "unknown words", "of all words", lambda crawl: 1 - _ratio(int(crawl.known.sum()), int(crawl.words.sum()))
    ),
    "topics": Figure("topics", "filed under none", lambda crawl: float((~crawl.assigned.any(axis=1)).mean())),
    "confidence": Figure("confidence", "uncertain", lambda crawl: float(crawl.uncertain.mean())),
    "length": Figure("length", "words, median", lambda crawl: float(np.median(crawl.words)), share=False),
    "notes": Figure("notes", "not Indonesian, unknown, empty", lambda crawl: float((crawl.notes != "").mean())),
}
# What a model does better on articles that it has learnt from.
FLATTERED = ("unknown_words", "confidence")


@dataclass(frozen=True)
class Shift:
    """One comparison of new articles with the reference's."""

    kind: Kind
    name: str
    """Of the topic, the outlet or the week's Monday."""
    figure: str
    """A name of FIGURES; "share" for a topic."""
    reference_articles: int
    new_articles: int
    reference: float
    """The figure's number; so is `new`."""
    new: float
    psi: float
    chance: float
    """The index that chance gives on average."""
    p: float
    """How often chance gives an index as high somewhere among all comparisons."""
    limit: float
    judged: bool = True
    """Whether it may be called: not where the reference is no yardstick for it."""

    @property
    def beyond_chance(self) -> float:
        """The index less what chance gives, at least 0: what the limit is for."""
        return max(0.0, self.psi - self.chance)

    @property
    def called(self) -> bool:
        """Whether it has drifted: by more than the limit, and not by chance."""
        return self.judged and self.beyond_chance > self.limit and self.p <= ALPHA

    @property
    def verdict(self) -> str:
        return "drift" if self.called else "" if self.judged else "not judged"


@dataclass(frozen=True)
class Drift:
    """All comparisons of a new crawl with reference articles."""

    limit: float
    shifts: list[Shift]
    binned: dict[str, Binned]
    """Of all articles, by the figure's name."""
    learnt: bool
    """Whether the model seems to have learnt from the reference, which then flatters it: FLATTERED is not judged."""

    @cached_property
    def called(self) -> list[Shift]:
        """What has drifted; where this is empty, nothing has."""
        return [shift for shift in self.shifts if shift.called]

    def of(self, kind: Kind) -> list[Shift]:
        """The comparisons of one kind."""
        return [shift for shift in self.shifts if shift.kind == kind]


def compare(reference: CrawlFigures, new: CrawlFigures, topics: Sequence[str], limit: float = LIMIT) -> Drift:
    """Compares all articles; each of the k topics; each outlet with the same outlet, or with the whole reference, and
    then not judged, where the reference hardly has it; and each week with the whole reference.

    Outlets and weeks with fewer than MIN_ARTICLES new articles, and a week that is the only one, are left out. The
    same input gives the same answer.
    """
    binned = {
        "unknown_words": deciles(_unknown(reference), _unknown(new)),
        "topics": topic_sets(reference.assigned, new.assigned, topics),
        "confidence": deciles(reference.confidence, new.confidence),
        "length": deciles(reference.words, new.words),
        "notes": categories(reference.notes, new.notes),
    }
    n = len(reference)
    learnt = n >= MIN_ARTICLES and bool(reference.uncertain.mean() < LEARNT_UNCERTAIN <= new.uncertain.mean())
    whole = np.ones(n, bool)

    def part(
        kind: Kind, name: str, of_reference: NDArray[np.bool_], of_new: NDArray[np.bool_], yardstick: bool = True
    ) -> Iterator[Shift]:
        first, second = reference.rows(of_reference), new.rows(of_new)
        for figure, all_articles in binned.items():
            chosen = replace(all_articles, reference=all_articles.reference[of_reference], new=all_articles.new[of_new])
            numbers = (FIGURES[figure].of(first), FIGURES[figure].of(second))
            judged = yardstick and not (learnt and figure in FLATTERED)
            yield Shift(kind, name, figure, len(first), len(second), *numbers, *index(chosen), limit, judged)

    shifts = list(part("all", "", whole, np.ones(len(new), bool)))
    for topic, first, second in zip(topics, reference.assigned.T, new.assigned.T, strict=True):
        numbers = float(first.mean()), float(second.mean())
        found = index(categories(first, second))
        shifts.append(Shift("topic", topic, "share", n, len(new), *numbers, *found, limit * TOPIC_SHARE))
    for outlet, rows in _parts(new.outlets):
        same = reference.outlets == outlet
        there = same.sum() >= MIN_ARTICLES
        shifts += part("outlet", outlet, same if there else whole, rows, bool(there))
    weeks = _parts(new.weeks)
    if len(set(new.weeks) - {""}) > 1:
        for week, rows in weeks:
            shifts += part("week", week, whole, rows)
    tests = sum(shift.judged for shift in shifts)
    return Drift(limit, [replace(shift, p=min(1.0, shift.p * tests)) for shift in shifts], binned, learnt)


def _unknown(crawl: CrawlFigures) -> NDArray[np.float64]:
    """(n,): the share of each article's words that the vocabulary lacks; 0 of no words."""
    return 1 - np.divide(crawl.known, crawl.words, out=np.ones(len(crawl)), where=crawl.words > 0)


def _parts(names: Strings) -> list[tuple[str, NDArray[np.bool_]]]:
    """The names that enough articles have, in order, and which articles these are."""
    found, counts = np.unique(names[names != ""], return_counts=True)
    return [(name, names == name) for name in found[counts >= MIN_ARTICLES]]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
