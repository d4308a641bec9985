"""Room for the kernels to work in, which make no arrays themselves."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.patterns import GROUPS, STACK
from serve.rules import MAX_RULES

# A thread keeps its room for documents of up to so many bytes; for longer ones it is made anew each time.
KEPT_SIZE = 1 << 20
SMALLEST_SIZE = 1 << 14


class Workspace:
    """Room for one document of up to `size` bytes, its title as often as it counts included, and v terms.

    n_grams: how many n-grams at most begin at one token; traced: with room for where characters come from.
    """

    def __init__(self, size: int, v: int = 0, n_grams: int = 1, *, traced: bool = False) -> None:
        self.size = size
        # In plain form two bytes can be three characters ("½"), and three bytes four.
        characters = size + size // 2 + 1
        tokens = characters // 2 + 1
        # Characters are decoded and read sixteen at a time at most.
        self.text, self.spare, self.title = (np.empty(characters + 16, np.int32) for _ in range(3))
        self.low = np.empty(characters + 16, np.uint8)
        self.stack = np.empty(STACK, np.int64)
        self.groups = np.empty(GROUPS, np.int64)
        self.hits = np.empty(2 * MAX_RULES, np.int64)
        self.kept = np.zeros(4, np.int64)
        self.count = np.zeros(1, np.int64)
        # A token of n bytes takes n // 8 + 1 words; a character has four bytes at most.
        self.words = np.empty(tokens + characters // 2 + 2, np.uint64)
        self.starts = np.empty(tokens + 1, np.int64)
        self.hashes = np.empty(tokens, np.uint64)
        self.grams = np.empty(tokens * n_grams, np.uint64)
        self.found = np.empty(tokens * n_grams, np.int64)
        self.counts = np.zeros(v, np.int32)
        self.touched = np.empty(min(v, tokens * n_grams), np.int32)
        self.values = np.empty(len(self.touched), np.float64)
        self.bits = np.zeros(v // 64 + 1, np.uint64)
        self.summary = np.zeros(len(self.bits) // 64 + 1, np.uint64)
        traced_size = characters + 16 if traced else 0
        self.origins = np.empty(traced_size, np.int32)
        self.spare_origins = np.empty(traced_size, np.int32)
        self.removed = np.empty(3 * traced_size, np.int32)

    @property
    def tokens(self) -> tuple[NDArray[Any], ...]:
        """What `native.tokens.tokens_of` and `native.tfidf.find_terms` take."""
        return self.text, self.low, self.words, self.starts, self.hashes, self.grams, self.found


class Workspaces(threading.local):
    """A thread's own room, kept from one document to the next."""

    def __init__(self, v: int = 0, n_grams: int = 1, *, traced: bool = False) -> None:
        self.v, self.n_grams, self.traced = v, n_grams, traced
        self.latest: Workspace | None = None

    def of_size(self, size: int) -> Workspace:
        """Room for a document of `size` bytes."""
        if self.latest is not None and size <= self.latest.size:
            return self.latest
        if size <= KEPT_SIZE:
            size = max(SMALLEST_SIZE, 1 << max(0, size - 1).bit_length())
        made = Workspace(size, self.v, self.n_grams, traced=self.traced)
        if size <= KEPT_SIZE:
            self.latest = made
        return made
