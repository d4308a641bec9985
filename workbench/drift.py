"""How far a new crawl has drifted from reference articles, figure by figure, and whether chance explains it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from train.calibrate import UNCERTAIN_SHARE
from workbench.crawl import Crawl, Strings

LIMIT = 0.2
# One topic alone is called at this share of the limit: few topics are so large that even three times as many articles
# would move the whole by the limit. At 0.05 it is called when it goes from 2.5% to 7.5%, or from 20% to 30%.
TOPIC_SHARE = 0.25
# The chance, at most, that anything at all is called where nothing has changed (Bonferroni over all that is compared).
ALPHA = 0.01
BINS = 10
# So many articles are added to each bin: an empty one would make the index infinite.
SMOOTHING = 0.5
SHUFFLES = 200
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
    of: Callable[[Crawl], float]
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
class Binned:
    """A figure of the articles of reference (n,) and new crawl (m,): each is of one of so many kinds, and a kind's
    articles count in the bins with weights (kinds, bins) that add up to 1."""

    bins: list[str]
    weights: NDArray[np.float64]
    reference: NDArray[np.int64]
    new: NDArray[np.int64]

    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(bins,): the shares of the reference and of the new crawl."""
        first, second = (
            np.bincount(kinds, minlength=len(self.weights)) @ self.weights / len(kinds)
            for kinds in (self.reference, self.new)
        )
        return first, second


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


def compare(reference: Crawl, new: Crawl, topics: Sequence[str], limit: float = LIMIT) -> Drift:
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
    if len(set(new.weeks)) > 1:
        for week, rows in weeks:
            shifts += part("week", week, whole, rows)
    tests = sum(shift.judged for shift in shifts)
    return Drift(limit, [replace(shift, p=min(1.0, shift.p * tests)) for shift in shifts], binned, learnt)


def deciles(reference: NDArray[Any], new: NDArray[Any]) -> Binned:
    """Numbers in BINS bins, each with as many of the reference's articles as equal numbers allow."""
    edges = np.unique(np.quantile(reference, np.arange(1, BINS) / BINS))
    shown = [f"{edge:,.0f}" if edge >= 100 else f"{edge:.3g}" for edge in edges]
    inner = [f"{low} to {high}" for low, high in pairwise(shown)]
    bins = [f"below {shown[0]}", *inner, f"{shown[-1]} and more"]
    kinds = (np.searchsorted(edges, values, side="right") for values in (reference, new))
    return Binned(bins, np.eye(len(bins)), *kinds)


def categories(reference: Strings | NDArray[np.bool_], new: Strings | NDArray[np.bool_]) -> Binned:
    """A bin for each value."""
    values, kinds = np.unique(np.concatenate([reference, new]), return_inverse=True)
    return Binned(list(map(str, values)), np.eye(len(values)), kinds[: len(reference)], kinds[len(reference) :])


def topic_sets(reference: NDArray[np.bool_], new: NDArray[np.bool_], topics: Sequence[str]) -> Binned:
    """A bin for each topic, and one for articles without; an article of two topics counts by half in either."""
    packed = np.packbits(np.vstack([reference, new]), axis=1)
    _, first, kinds = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    sets = np.vstack([reference, new])[first]
    weights = np.column_stack([sets, ~sets.any(axis=1)]).astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True)
    kinds = kinds.ravel()
    return Binned([*topics, "none"], weights, kinds[: len(reference)], kinds[len(reference) :])


def psi(reference: NDArray[Any], new: NDArray[Any]) -> NDArray[np.float64]:
    """(...): the population stability index of counts (..., bins): sum of (q - p) ln(q / p) over the bins, where p is a
    bin's share of the reference and q of the new articles, SMOOTHING articles added to each bin.

    It is Jeffreys' divergence (1946); by the name of PSI it comes from credit scoring, where below 0.1 is taken for no
    change and above 0.2 or 0.25 for one that asks for a new model (Siddiqi 2006, "Credit risk scorecards").
    """
    p, q = (
        (counts + SMOOTHING) / (counts + SMOOTHING).sum(axis=-1, keepdims=True)
        for counts in map(np.asarray, (reference, new))
    )
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def index(binned: Binned) -> tuple[float, float, float]:
    """The index, its mean where articles are dealt to the two sides by chance, and how often chance gives as high a one.

    Of two samples of n and m articles of the same source the index is about (1/n + 1/m) times a chi-squared variable with
    bins - 1 degrees of freedom (Yurdakul & Naranjo 2020, "Statistical properties of the population stability index"):
    for small crawls it is high for no reason. With few articles in a bin, or weights, that does not quite hold; so the
    articles of both are shuffled SHUFFLES times (a permutation test), and a gamma distribution, which a multiple of
    chi-squared is, with the mean and variance found tells how rare the index is.
    """
    kinds = len(binned.weights)
    before, after = (np.bincount(side, minlength=kinds) for side in (binned.reference, binned.new))
    together = before + after
    there = together > 0
    weights = binned.weights[there]
    weights = weights[:, weights.any(axis=0)]
    before, after, together = before[there], after[there], together[there]
    found = float(psi(before @ weights, after @ weights))
    generator = np.random.default_rng(0)
    dealt = generator.multivariate_hypergeometric(together, int(after.sum()), SHUFFLES, method="marginals")
    shuffled = psi((together - dealt) @ weights, dealt @ weights)
    mean, variance = float(shuffled.mean()), float(shuffled.var())
    if variance < np.finfo(float).tiny:  # all articles are of one kind
        return found, mean, 1.0
    return found, mean, float(stats.gamma.sf(found, mean**2 / variance, scale=variance / mean))


def _unknown(crawl: Crawl) -> NDArray[np.float64]:
    """(n,): the share of each article's words that the vocabulary lacks; 0 of no words."""
    return 1 - np.divide(crawl.known, crawl.words, out=np.ones(len(crawl)), where=crawl.words > 0)


def _parts(names: Strings) -> list[tuple[str, NDArray[np.bool_]]]:
    """The names that enough articles have, in order, and which articles these are."""
    found, counts = np.unique(names[names != ""], return_counts=True)
    return [(name, names == name) for name in found[counts >= MIN_ARTICLES]]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
