"""Pages as they were crawled -> their topics' scores: cleaned, tokenised, weighed and scored by one kernel in one pass."""

import threading
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve import kernels
from serve.clean import cleaning_tables
from serve.language import language_tokens
from serve.vectorizer import Documents, TfidfVectorizer, Vocabulary, map_blocks


@dataclass(frozen=True)
class PageScores:
    """What comes out for n pages."""

    scores: NDArray[np.float32]
    """(n, k)."""
    words: NDArray[np.int64]
    """(n,): how many words each has."""
    known: NDArray[np.int64]
    """(n,): how many of them the vocabulary holds."""
    states: NDArray[np.uint8]
    """(n,): ODD for a page that was left out, as it takes Python to clean it; FOREIGN for one that may be in another
    language than Indonesian; else FINE."""


class PageScorer:
    """Scores pages with weights (v, k) and bias (k,). What the kernel takes is kept ready, for each thread."""

    def __init__(
        self, vectorizer: TfidfVectorizer, weights: NDArray[np.float32], bias: NDArray[np.float32], title_weight: int
    ) -> None:
        self.vectorizer = vectorizer
        self.weights = weights
        self.bias = bias
        self.title_weight = title_weight
        self.ready = threading.local()

    def score(self, texts: Documents, titles: Documents | None, n_threads: int | None = None) -> PageScores:
        """The scores of n pages, whose titles count as often as they do in training."""
        n = len(texts)
        found = PageScores(
            np.repeat(self.bias[None, :], n, axis=0),
            np.zeros(n, np.int64),
            np.zeros(n, np.int64),
            np.zeros(n, np.uint8),
        )
        heads = titles if titles is not None else texts
        size = texts.longest + (self.title_weight * (titles.longest + 1) if titles is not None else 0)

        def score(block: slice) -> None:
            kernel, prepared = self._prepared(size)
            pages = (*texts.part(block), *heads.part(block), titles is not None)
            kernel.run(
                kernel.prepare(
                    (*pages, found.scores[block], found.words[block], found.known[block], found.states[block])
                )
                + prepared
            )

        if n == 1:
            score(slice(0, 1))
        else:
            map_blocks(score, texts.blocks(), n_threads)
        return found

    def score_one(self, text: str, title: str) -> PageScores:
        """The scores of one page, without what it takes to handle many; the arrays are overwritten by the next call."""
        data, head = text.encode("utf-8", "surrogatepass"), title.encode("utf-8", "surrogatepass")
        kernel, prepared = self._prepared(len(data) + self.title_weight * (len(head) + 1))
        one, offsets, head_offsets, places = self._room_for_one(kernel)
        offsets[1], head_offsets[1] = len(data), len(head)
        np.copyto(one.scores, self.bias)
        kernel.run([
            *kernel.prepare_bytes(data), *places[0], *kernel.prepare_bytes(head), *places[1], bool(head), *places[2],
            *prepared,
        ])  # fmt: skip
        return one

    def _room_for_one(self, kernel: Any) -> tuple[PageScores, NDArray[np.int64], NDArray[np.int64], list[list[Any]]]:
        """This thread's arrays for one page: what comes out, where text and title end, and these as the kernel takes them."""
        if not hasattr(self.ready, "one"):
            k = len(self.bias)
            one = PageScores(
                np.zeros((1, k), np.float32), np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.uint8)
            )
            offsets, head_offsets = np.zeros(2, np.int64), np.zeros(2, np.int64)
            places = [
                kernel.prepare((offsets,), 1),
                kernel.prepare((head_offsets,), 3),
                kernel.prepare((one.scores, one.words, one.known, one.states), 5),
            ]
            self.ready.one = one, offsets, head_offsets, places
        return self.ready.one

    def _prepared(self, size: int) -> tuple[Any, list[Any]]:
        """The kernel, and this thread's arguments for pages of up to `size` bytes."""
        vectorizer = self.vectorizer
        space = vectorizer.workspaces.of_size(size)
        if space is not getattr(self.ready, "space", None):
            self.ready.space = space
            self.ready.kernel = kernels.file_documents
            words, places, bounds = _languages()
            self.ready.arguments = (
                self.title_weight, *cleaning_tables(), *vectorizer.ngram_range, *vectorizer.terms_.table,
                vectorizer.idf_, vectorizer.sublinear_tf, vectorizer.norm_code, self.weights, self.weights.shape[1],
                *words.table[:2], places, self._telling, bounds, np.zeros(bounds[-1] + 1, np.uint64), space.stack, space.groups, space.hits,
                space.text, space.spare, space.title, space.kept, space.count, space.low, space.words, space.starts, space.hashes, space.grams, space.found, space.counts, space.touched,
                space.values,
            )  # fmt: skip
            self.ready.prepared = self.ready.kernel.prepare(self.ready.arguments, 9)
        return self.ready.kernel, self.ready.prepared

    @cached_property
    def _telling(self) -> NDArray[np.int32]:
        """(v,): the bit of each term that is a word which tells languages, and the one behind them of any other."""
        words, places, bounds = _languages()
        telling = np.full(len(self.vectorizer.terms_), 64 * bounds[-1], np.int32)
        if self.vectorizer.ngram_range[0] == 1:
            ends, terms, _ = self.vectorizer.rows(Documents.of(words.names))
            telling[terms] = np.repeat(places, np.diff(ends))
        return telling


@cache
def _languages() -> tuple[Vocabulary, NDArray[np.int32], NDArray[np.int64]]:
    """The words that tell languages, a bit for each, and the numbers of 64 bits in which their groups end."""
    groups = language_tokens()
    bounds = np.cumsum([-(-len(group) // 64) for group in groups])
    places = [64 * begin + np.arange(len(group)) for begin, group in zip([0, *bounds], groups, strict=False)]
    return Vocabulary.of(chain.from_iterable(groups)), np.concatenate(places).astype(np.int32), bounds
