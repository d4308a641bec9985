"""Articles that tell the same in the same words: near-duplicates among any number, sought by MinHash, checked exactly."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from serve import kernels
from serve.model import compose_all
from serve.vectorizer import Documents, map_blocks
from serve.workspace import Workspaces

SHINGLE_WORDS = 5
# Of the shorter article. What an agency's story shares with one that an outlet gave a headline and a lead of its own;
# stories that only go back to the same event with a paragraph or two of it stay below.
THRESHOLD = 0.6
# A piece of few words, such as a site's own sentence, may stand in any article: to be contained takes so many shingles.
MIN_SHARED = 30
# The Jaccard index from which two articles are nearly the same as wholes.
NEARLY = 0.8

# Two articles are compared where both numbers of one of the bands of their signatures are equal, which happens to those of
# Jaccard index J with a probability of 1 - (1 - J^2)^BANDS: 0.72 for 0.1 (a tenth of an article), 0.995 for 0.2. So low,
# because the index of a short article with a longer one that holds all of it is no more than the share of their lengths.
BANDS, BAND_ROWS = 128, 2
SIGNED_AT_ONCE = 4096
PAIRS_AT_ONCE = 1 << 24

Numbers = NDArray[np.int64]
_MULTIPLIER, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
# Those of the vectoriser are others in each process; here the same articles have to be found again.
_SEEDS = np.array([0xCBF29CE484222325, 0xD6E8FEB86659FD93], np.uint64)
_workspaces = Workspaces()


def near_duplicates(frame: pd.DataFrame, threshold: float = THRESHOLD) -> list[int]:
    """A group number for each article, in the order of their first articles; those are in one group that a chain of
    near-duplicates links (see `ShingleSets.alike`)."""
    groups: list[int] = ShingleSets.of(frame).groups(threshold).tolist()
    return groups


@dataclass(frozen=True)
class ShingleSets:
    """The sets of shingles of n articles. A shingle is a run of five words of an article's title and text as a model reads
    them: words of two characters or more, without case, what crawling left among them cleaned away. A shorter article is
    one shingle.

    Shingles are known by hashes of 64 bits: that any two of a billion have the same one has a probability of 3%.
    """

    hashes: NDArray[np.uint64]
    """The sets one after the other, each ascending."""
    offsets: Numbers
    """(n + 1,): set i is hashes[offsets[i]:offsets[i + 1]]."""

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """Of the articles of a frame with the columns title and text."""
        documents = compose_all(frame["text"], frame["title"], 1)
        parts = map_blocks(lambda block: _shingles(documents, block), documents.blocks(), None)
        sets = [one for part in parts for one in part]
        offsets = np.cumsum([0, *map(len, sets)])
        return cls(np.concatenate([np.empty(0, np.uint64), *sets]), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def shared(self, left: Numbers, right: Numbers) -> Numbers:
        """(m,): how many shingles the articles of each of m pairs have in common."""
        counts = np.zeros(len(left), np.int64)
        _count_shared(self.hashes, self.offsets, left, right, counts)
        return counts

    def jaccard(self, left: Numbers, right: Numbers) -> NDArray[np.float64]:
        """(m,): of the shingles that the articles of each pair have, the share that both have."""
        shared, sizes = self.shared(left, right), np.diff(self.offsets)
        return shared / (sizes[left] + sizes[right] - shared)

    def alike(self, left: Numbers, right: Numbers, threshold: float = THRESHOLD) -> NDArray[np.bool_]:
        """(m,): whether the articles of each pair are near-duplicates: the share `threshold` of the shorter one's shingles,
        and no fewer than MIN_SHARED, stand in the other one too (containment: Broder 1997, "On the resemblance and
        containment of documents"), or as wholes they are nearly the same by their Jaccard index."""
        shared, sizes = self.shared(left, right), np.diff(self.offsets)
        contained = shared >= threshold * np.minimum(sizes[left], sizes[right])
        near = shared >= NEARLY * (sizes[left] + sizes[right] - shared)
        return contained & (near | (shared >= MIN_SHARED))

    def groups(self, threshold: float = THRESHOLD) -> Numbers:
        """(n,): the numbers of the groups that chains of near-duplicates make, in the order of their first articles.

        MinHash (Broder 1997) with locality-sensitive hashing (Indyk & Motwani 1998) tells which pairs are compared. That
        depends on their sets alone, and therefore the groups do not depend on the order of the articles.
        """
        groups = np.arange(len(self))
        links = np.empty((2, 0), np.int64)
        bands = self._bands()
        # Of articles that are much alike a few comparisons make a group, which leaves few of the pairs to be compared.
        for pairs_of in (_with_first, _across_groups):
            left, right = _distinct((pairs_of(band, groups) for band in bands), len(self))
            alike = self.alike(left, right, threshold)
            links = np.concatenate([links, [left[alike], right[alike]]], axis=1)
            graph = sparse.coo_array((np.ones(links.shape[1], bool), tuple(links)), shape=(len(self), len(self)))
            groups = connected_components(graph, directed=False)[1].astype(np.int64)
        return groups

    def _bands(self) -> NDArray[np.uint64]:
        """(BANDS, n): the two numbers of each band of an article's signature as one."""
        from rensa import RMinHash

        bands = np.empty((BANDS, len(self)), np.uint64)
        for begin in range(0, len(self), SIGNED_AT_ONCE):
            offsets = self.offsets[begin : begin + SIGNED_AT_ONCE + 1]
            matrix = RMinHash.digest_matrix_from_flat_token_hashes(
                self.hashes[offsets[0] : offsets[-1]], (offsets - offsets[0]).astype(np.uint64), BANDS * BAND_ROWS, 0
            )
            rows = np.array(matrix.to_rows(), np.uint32)
            bands[:, begin : begin + len(rows)] = rows.view(np.uint64).T
        return bands


def _shingles(documents: Documents, block: slice) -> list[NDArray[np.uint64]]:
    """The set of each document of a block, ascending."""
    space = _workspaces.of_size(documents.longest)
    fold, nowhere = kernels.table("fold"), np.empty(0, np.int64)
    words = []
    for i in range(block.start, block.stop):
        count = kernels.tokenise(
            documents.bytes(i), fold, _SEEDS, *space.tokens[:5], nowhere,
        )  # fmt: skip
        words.append(space.hashes[:count].copy())
    # Behind each document stand zeros, so that a run from its first word always has its length.
    gap = np.zeros(SHINGLE_WORDS, np.uint64)
    flat = np.concatenate([part for own in words for part in (own, gap)])
    runs = np.zeros(len(flat) - SHINGLE_WORDS + 1, np.uint64)
    for k in range(SHINGLE_WORDS):
        runs = (runs ^ flat[k : k + len(runs)]) * _MULTIPLIER
        runs ^= runs >> _HALF
    sets = []
    begin = 0
    for own in words:
        sets.append(np.unique(runs[begin : begin + max(1, len(own) - SHINGLE_WORDS + 1)]))
        begin += len(own) + SHINGLE_WORDS
    return sets


def _distinct(parts: Iterable[tuple[Numbers, Numbers]], n: int) -> tuple[Numbers, Numbers]:
    """The pairs of n articles that are in any of the parts, each once."""
    codes = [np.empty(0, np.int64)]
    for left, right in parts:
        codes.append(np.minimum(left, right) * n + np.maximum(left, right))
        if sum(map(len, codes)) > PAIRS_AT_ONCE:
            codes = [np.unique(np.concatenate(codes))]
    left, right = np.divmod(np.unique(np.concatenate(codes)), max(1, n))
    return left, right


def _with_first(keys: NDArray[np.uint64], groups: Numbers) -> tuple[Numbers, Numbers]:
    """Of the articles that have the same key, the first with each of the others."""
    order = np.argsort(keys, kind="stable")
    new = _changes(keys[order])
    firsts = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    return firsts[~new], order[~new]


def _across_groups(keys: NDArray[np.uint64], groups: Numbers) -> tuple[Numbers, Numbers]:
    """Of the articles that have the same key, all pairs of two that are not in one group yet."""
    order = np.argsort(keys, kind="stable")
    new = _changes(keys[order])
    order = order[~(new & np.append(new[1:], True))]
    order = order[np.lexsort((groups[order], keys[order]))]
    key_ends = _ends(_changes(keys[order]))
    group_ends = _ends(_changes(keys[order]) | _changes(groups[order]))
    # An article goes with those of its key that stand behind its group.
    counts = key_ends - group_ends
    left = np.repeat(np.arange(len(order)), counts)
    right = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts) + group_ends[left]
    return order[left], order[right]


def _changes(values: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,): whether a value is another one than that before it."""
    return np.append(np.ones(min(1, len(values)), bool), values[1:] != values[:-1])


def _ends(new: NDArray[np.bool_]) -> Numbers:
    """(n,): where the run ends that each place is in, given where runs begin."""
    ends = np.append(np.flatnonzero(new)[1:], len(new))
    return ends[np.cumsum(new) - 1]


def _merge(hashes: NDArray[np.uint64], offsets: Numbers, left: Numbers, right: Numbers, counts: Numbers) -> None:
    """Counts for each pair of sets the hashes that are in both."""
    for pair in range(len(left)):
        i, i_end = offsets[left[pair]], offsets[left[pair] + 1]
        j, j_end = offsets[right[pair]], offsets[right[pair] + 1]
        while i < i_end and j < j_end:
            a, b = hashes[i], hashes[j]
            counts[pair] += a == b
            i += a <= b
            j += b <= a


_count_shared: Any = numba.njit(nogil=True, cache=True)(_merge)
