"""Text -> TF-IDF: a drop-in for scikit-learn's `TfidfVectorizer` on compiled loops, and the vocabulary beneath it."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from serve import kernels
from serve.pipeline import cores
from serve.workspace import Workspace, Workspaces

if TYPE_CHECKING:
    import scipy.sparse

NORMS = {None: 0, "l1": 1, "l2": 2}
# Documents are handed to the threads in blocks of about so many bytes.
BLOCK_BYTES = 1 << 20
# So many texts are worth what it takes to load Arrow.
MANY = 1000
# A vocabulary's slots hold the place of a term, in words of eight bytes, in 32 bits.
MAX_WORDS = (1 << 32) - 1
# More different terms are not counted side by side, which takes some 100 bytes each.
MAX_TERMS = 1 << 24
# Sixteen bits for each term of several tokens: one run in sixteen at most is looked up in vain.
SMALLEST_RUNS = 1 << 10
# What hashes are made with (see `serve.native.tokens`): of each process its own, so that nobody can write words that meet in a
# table and take the square of their number. No result depends on it.
SEEDS = np.frombuffer(os.urandom(16), np.uint64) | np.array([0, 1 << 63 | 1], np.uint64)

T = TypeVar("T")


@dataclass(frozen=True)
class Documents:
    """n documents as UTF-8 bytes one after the other, the way Arrow holds a column of strings."""

    buffer: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    """(n + 1,): document i is buffer[offsets[i]:offsets[i + 1]]."""

    @classmethod
    def of(cls, texts: Any, *, pages: bool = False, name: str = "documents") -> Self:
        """From an Arrow string array or a series of pandas that is one (used in place), or any iterable of str; None, NaN
        and pandas' NA are empty documents.

        pages: to be cleaned before they are tokenised, and therefore with all capitals as they are. Raises ValueError for
        one string or for a table, TypeError for another value in `texts`, which messages call `name`.
        """
        if isinstance(texts, cls):
            return texts
        if isinstance(texts, (str, bytes)):
            raise ValueError("Iterable over raw text documents expected, string object received.")
        if getattr(texts, "ndim", 1) != 1:
            raise ValueError(f"{name}: expected one column, found a table; choose a column of it.")
        if hasattr(texts, "type") and hasattr(texts, "null_count"):
            return cls._of_arrow(texts, pages)
        if (isinstance(texts, list) and len(texts) >= MANY) or hasattr(texts, "__arrow_c_stream__"):
            import pyarrow

            # Arrow puts them in one place without bytes of each in between; half a surrogate pair it refuses.
            with suppress(pyarrow.ArrowException, UnicodeError):
                return cls._of_arrow(pyarrow.array(texts, pyarrow.large_string(), from_pandas=True), pages)
        encoder = _encode_page if pages else encode
        encoded = []
        for position, text in enumerate(texts):
            try:
                encoded.append(encoder(text) if text is not None else b"")
            except (AttributeError, TypeError):
                if not is_missing(text):
                    raise TypeError(
                        f"{name}[{position}]: expected a string, or None where there is none, found {type(text).__name__}."
                    ) from None
                encoded.append(b"")
        return cls._of_bytes(encoded)

    @classmethod
    def together(cls, parts: Iterable["Documents"]) -> Self:
        """The documents of all parts in one place; a part that nobody else keeps is gone when the next one is made."""
        buffer, lengths = Growing(np.uint8), Growing(np.int64)
        for part in parts:
            buffer.append(part.buffer[part.offsets[0] : part.offsets[-1]])
            lengths.append(np.diff(part.offsets))
        return cls(buffer.whole(), np.concatenate([[0], np.cumsum(lengths.whole())]))

    @classmethod
    def _of_arrow(cls, texts: Any, pages: bool) -> Self:
        import pyarrow
        import pyarrow.compute

        if isinstance(texts, pyarrow.ChunkedArray):
            if texts.num_chunks != 1:
                return cls.together(cls._of_arrow(chunk, pages) for chunk in texts.chunks)
            texts = texts.chunk(0)
        texts = texts.cast(pyarrow.large_string())
        if texts.null_count:
            texts = pyarrow.compute.fill_null(texts, "")
        if not pages and pyarrow.compute.any(pyarrow.compute.match_substring(texts, "Σ")).as_py():
            return cls._of_bytes([encode(text) for text in texts.to_pylist()])
        _, offsets, data = texts.buffers()
        buffer = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        return cls(buffer, np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1])

    @classmethod
    def _of_bytes(cls, encoded: list[bytes]) -> Self:
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(text) for text in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[str]:
        return map(self.text, range(len(self)))

    @property
    def longest(self) -> int:
        """The bytes of the longest document."""
        return int(np.diff(self.offsets).max(initial=0))

    def blocks(self, size: int = BLOCK_BYTES) -> list[slice]:
        """Ranges of documents of about `size` bytes each."""
        cuts = np.searchsorted(self.offsets, np.arange(self.offsets[0] + size, self.offsets[-1], size))
        edges = np.unique(np.concatenate([[0], np.minimum(cuts, len(self)), [len(self)]]))
        return [slice(int(a), int(b)) for a, b in pairwise(edges)]

    def text(self, i: int) -> str:
        """Document i."""
        return self.bytes(i).tobytes().decode("utf-8", "surrogatepass")

    def bytes(self, i: int) -> NDArray[np.uint8]:
        """Document i in UTF-8."""
        return self.buffer[self.offsets[i] : self.offsets[i + 1]]

    def share_before(self, i: int) -> float:
        """The share of the bytes that the documents before document i have."""
        return float((self.offsets[i] - self.offsets[0]) / max(1, self.offsets[-1] - self.offsets[0])) or 1.0

    def part(self, block: slice) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return self.buffer, self.offsets[block.start : block.stop + 1]


def is_missing(value: object) -> bool:
    """Whether a value stands for none: None, NaN, or pandas' NA or NaT."""
    pandas = sys.modules.get("pandas")
    return value is None or (isinstance(value, float) and value != value) or (pandas and pandas.isna(value)) is True


def _encode_page(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def encode(text: str) -> bytes:
    """The text as the kernels that tokenise take it."""
    # Python lower-cases a capital sigma by its neighbours ("ΟΔΟΣ" -> "οδος" with a final "ς"), the kernels one by one.
    # A dotted "İ", whose lower case is two characters, is left to the kernels: the text keeps its length.
    if "Σ" in text:
        lowered, at = text.lower(), 0
        parts: list[str] = []
        for part in text.split("İ"):
            parts.append(lowered[at : at + len(part)])
            at += len(part) + len("İ".lower())
        text = "İ".join(parts)
    return _encode_page(text)


def map_blocks(work: Callable[[slice], T], blocks: Sequence[slice], n_threads: int | None) -> list[T]:
    """work(block) of each block, in order, on `n_threads` threads (all cores when None)."""
    return list(each_block(work, blocks, n_threads))


def each_block(work: Callable[[slice], T], blocks: Sequence[slice], n_threads: int | None) -> Iterator[T]:
    """The same one after the other, as soon as they are there."""
    n_threads = min(n_threads or cores(), len(blocks))
    if n_threads <= 1:
        yield from map(work, blocks)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        yield from pool.map(work, blocks)


class Growing:
    """An array that is filled from the front, and made longer where it stands: there is no second copy of it."""

    def __init__(self, dtype: Any) -> None:
        self.array: NDArray[Any] = np.empty(0, dtype)
        self.filled = 0

    def append(self, more: NDArray[Any], share: float = 0.9) -> None:
        """Adds what is, with all that is there, such a share of what there will be, as far as is known."""
        end = self.filled + len(more)
        if end > len(self.array):
            self.array.resize(int(1.02 * end / share) + 1, refcheck=False)
        self.array[self.filled : end] = more
        self.filled = end

    def whole(self) -> NDArray[Any]:
        self.array.resize(self.filled, refcheck=False)
        return self.array


@dataclass(frozen=True)
class Vocabulary:
    """v terms, and the hash table that finds them."""

    spelt: bytes
    """The terms in UTF-8, tokens with a space between, a zero byte behind each term."""
    slots: NDArray[np.uint64]
    terms: NDArray[np.uint64]
    """The terms as the kernels spell them."""
    runs: NDArray[np.uint8]
    size: int

    @classmethod
    def of_bytes(cls, spelt: bytes) -> Self:
        """From the terms in UTF-8. Raises ValueError for a term that is there twice, and for a last one without an end."""
        array = np.frombuffer(spelt, np.uint8)
        offsets = np.concatenate([[0], np.flatnonzero(array == 0) + 1])
        if offsets[-1] != len(array):
            raise ValueError("the last term of the vocabulary has no end")
        size = len(offsets) - 1
        # Each token takes a word for every eight bytes and one more, each term an end.
        tokens = size + int(np.count_nonzero(array == ord(" ")))
        terms = np.zeros(len(array) // 8 + tokens + size, np.uint64)
        if len(terms) > MAX_WORDS:
            raise ValueError("the vocabulary is too large: its terms take more than 32 GiB")
        slots = _empty_slots(size)
        runs = np.zeros(max(SMALLEST_RUNS, 1 << (2 * (tokens - size)).bit_length()), np.uint8)
        room = np.empty(int(np.diff(offsets).max(initial=0)) + 2, np.uint64)
        twice = kernels.build_table(array, offsets, slots, terms, runs, SEEDS, room, np.zeros(2, np.int64))
        if twice >= 0:
            term = spelt[offsets[twice] : offsets[twice + 1] - 1]
            raise ValueError(f"the term {term.decode('utf-8', 'replace')!r} is in the vocabulary twice")
        return cls(spelt, slots, terms, runs, size)

    @classmethod
    def of(cls, terms: Iterable[str]) -> Self:
        """From the terms as strings."""
        return cls.of_bytes(b"".join(term.encode() + b"\0" for term in terms))

    def __len__(self) -> int:
        return self.size

    @property
    def table(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint8], NDArray[np.uint64]]:
        """What the kernels take of it."""
        return self.slots, self.terms, self.runs, SEEDS

    def __getstate__(self) -> dict[str, Any]:
        return {"spelt": self.spelt}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Another process has another secret.
        self.__dict__.update(vars(self.of_bytes(state["spelt"])))

    @cached_property
    def names(self) -> list[str]:
        return self.spelt.decode().split("\0")[:-1]

    @cached_property
    def indices(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}


def _empty_slots(terms: int) -> NDArray[np.uint64]:
    return np.zeros(2 << max(4, (2 * terms).bit_length()), np.uint64)


class TfidfVectorizer:
    """TF-IDF of word n-grams: the same vocabulary and matrix as scikit-learn's class of that name, many times as fast.

    The parameters mean what they mean there; `token_pattern` is fixed to its default (two or more word characters),
    `lowercase` to True, `analyzer` to "word". `n_jobs` is the number of threads (None: all cores); it changes no result.

    After `fit`: `vocabulary_` (dict term -> column), `idf_` (v,), `terms_` (the compiled Vocabulary).
    """

    vocabulary_: dict[str, int]
    idf_: NDArray[np.float64]
    terms_: Vocabulary

    def __init__(
        self,
        *,
        ngram_range: tuple[int, int] = (1, 1),
        min_df: int | float = 1,
        max_df: int | float = 1.0,
        max_features: int | None = None,
        sublinear_tf: bool = False,
        use_idf: bool = True,
        smooth_idf: bool = True,
        norm: str | None = "l2",
        dtype: type = np.float64,
        n_jobs: int | None = None,
    ) -> None:
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.sublinear_tf = sublinear_tf
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.norm = norm
        self.dtype = dtype
        self.n_jobs = n_jobs

    @classmethod
    def of_vocabulary(cls, terms: Vocabulary, idf: NDArray[np.float64], **parameters: Any) -> Self:
        """A fitted vectoriser with a given vocabulary and idf (v,)."""
        vectorizer = cls(**parameters)
        vectorizer.terms_ = terms
        vectorizer.idf_ = idf
        return vectorizer

    def fit(self, raw_documents: Any, y: object = None) -> Self:
        """Learns vocabulary and idf from n documents: an iterable of str or None, or an Arrow string array."""
        self._fit(Documents.of(raw_documents))
        return self

    def fit_transform(self, raw_documents: Any, y: object = None) -> "scipy.sparse.csr_matrix":
        """`fit`, then the (n, v) CSR matrix of the same documents."""
        documents = Documents.of(raw_documents)
        self._fit(documents)
        return self._transform(documents)

    def transform(self, raw_documents: Any) -> "scipy.sparse.csr_matrix":
        """The (n, v) CSR matrix of n documents, columns ascending; an empty document's row is empty."""
        self._check_fitted()
        return self._transform(Documents.of(raw_documents))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """(v,): the term of each column."""
        self._check_fitted()
        return np.array(self.terms_.names, dtype=object)

    def occurrences(self, document: str) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Each n-gram of the vocabulary in the document, in order: its column, and the characters of each of its tokens."""
        shortest, longest = self.ngram_range
        tokens = list(_tokens(document))
        columns = self.terms_.indices
        for i in range(len(tokens)):
            for n in range(shortest, min(longest, len(tokens) - i) + 1):
                column = columns.get(" ".join(token for token, _ in tokens[i : i + n]))
                if column is not None:
                    yield column, [span for _, span in tokens[i : i + n]]

    @cached_property
    def workspaces(self) -> Workspaces:
        """Each thread's room for the kernels."""
        shortest, longest = self.ngram_range
        return Workspaces(len(self.terms_), longest - shortest + 1)

    @property
    def norm_code(self) -> int:
        """`norm` as the kernels take it."""
        return NORMS[self.norm]

    def __getattr__(self, name: str) -> Any:
        # A million terms are a slow dict; it is made when somebody asks for it.
        if name == "vocabulary_" and "terms_" in self.__dict__:
            return self.terms_.indices
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _fit(self, documents: Documents) -> None:
        shortest, longest = self._check_parameters()
        n = len(documents)
        lowest = self.min_df if isinstance(self.min_df, Integral) else self.min_df * n
        highest = self.max_df if isinstance(self.max_df, Integral) else self.max_df * n
        if highest < lowest:
            raise ValueError("max_df corresponds to < documents than min_df")
        counts = count_terms(documents, (shortest, longest), lowest, highest, n_threads=self.n_jobs)
        if self.max_features is not None and len(counts) > self.max_features:
            # As scikit-learn cuts ties: by numpy's argsort of the negated counts in the order of the terms.
            most = np.argsort(-counts.occurrences.astype(np.float64))[: self.max_features]
            counts = counts.select(np.sort(most))
        self.terms_ = Vocabulary.of_bytes(counts.spelt)
        self.__dict__.pop("vocabulary_", None)
        self.__dict__.pop("workspaces", None)
        self.idf_ = inverse_document_frequency(counts.documents, n, smooth=self.smooth_idf)

    def _transform(self, documents: Documents) -> "scipy.sparse.csr_matrix":
        from scipy.sparse import csr_matrix

        row_ends, columns, values = self.rows(documents)
        if len(columns) <= np.iinfo(np.int32).max:
            row_ends = row_ends.astype(np.int32)
        matrix = csr_matrix((values, columns, row_ends), shape=(len(documents), len(self.terms_)))
        matrix.has_sorted_indices = True
        return matrix

    def rows(self, documents: Documents) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[Any]]:
        """The rows of `transform` as the three arrays of a CSR matrix: ends (n + 1,), columns, values."""
        row_ends = np.zeros(len(documents) + 1, np.int64)
        columns, values = Growing(np.int32), Growing(self.dtype)
        for block, its_columns, its_values in self._weighed(documents, row_ends[1:]):
            row_ends[1:][block] += columns.filled
            share = documents.share_before(block.stop)
            columns.append(its_columns, share)
            values.append(its_values, share)
        return row_ends, columns.whole(), values.whole()

    def document_frequencies(self, documents: Documents) -> NDArray[np.int64]:
        """(v,): how many of the documents hold each term; without keeping their rows."""
        frequencies = np.zeros(len(self.terms_), np.int64)
        for _, columns, _ in self._weighed(documents, np.empty(len(documents), np.int64)):
            frequencies += np.bincount(columns, minlength=len(frequencies))
        return frequencies

    def _weighed(
        self, documents: Documents, row_ends: NDArray[np.int64]
    ) -> Iterator[tuple[slice, NDArray[np.int32], NDArray[Any]]]:
        """Blocks of the documents, one after the other, with the columns and values of their rows; `row_ends` (n,) takes
        where each row ends in its block."""
        shortest, longest = self._check_parameters()
        idf = self.idf_ if self.use_idf else np.ones(len(self.terms_))

        def weigh(block: slice) -> tuple[NDArray[np.int32], NDArray[Any]]:
            buffer, offsets = documents.part(block)
            tokens = np.diff(offsets) // 2 + 1
            most = int(np.minimum(tokens * (longest - shortest + 1), len(self.terms_)).sum())
            columns = np.empty(most, np.int32)
            values = np.empty(most, np.float64)
            space = self.workspaces.of_size(documents.longest)
            filled = kernels.weigh_documents(
                buffer, offsets, kernels.table("fold"), shortest, longest, *self.terms_.table, idf, self.sublinear_tf,
                NORMS[self.norm], row_ends[block], columns, values, *space.tokens, space.counts, space.bits,
                space.summary,
            )  # fmt: skip
            return columns[:filled], values[:filled].astype(self.dtype, copy=False)

        blocks = documents.blocks()
        for block, (columns, values) in zip(blocks, each_block(weigh, blocks, self.n_jobs), strict=True):
            yield block, columns, values

    def _check_parameters(self) -> tuple[int, int]:
        shortest, longest = self.ngram_range
        if not 1 <= shortest <= longest:
            raise ValueError(f"Invalid value for ngram_range={self.ngram_range}: expected 1 <= lower <= upper.")
        if self.norm not in NORMS:
            raise ValueError(f"Invalid value for norm={self.norm!r}: expected 'l1', 'l2' or None.")
        return shortest, longest

    def _check_fitted(self) -> None:
        if "terms_" not in self.__dict__:
            try:
                from sklearn.exceptions import NotFittedError
            except ImportError:
                NotFittedError = ValueError  # noqa: N806
            raise NotFittedError("This TfidfVectorizer has no vocabulary yet: call 'fit' first.")

    # scikit-learn's estimator contract, without importing it.

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **parameters: Any) -> Self:
        """Sets parameters by name; ValueError for one that there is not."""
        for name, value in parameters.items():
            if name not in self._parameters():
                raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}.")
            setattr(self, name, value)
        return self

    @classmethod
    def _parameters(cls) -> list[str]:
        return [name for name in cls.__init__.__annotations__ if name != "return"]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "workspaces"}

    def __repr__(self) -> str:
        defaults = self.__init__.__kwdefaults__  # type: ignore[misc]
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name]]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return "terms_" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(),
            input_tags=InputTags(one_d_array=True, two_d_array=False, sparse=False, string=True),
        )


def _tokens(document: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """The tokens of a document and the characters that they stand at."""
    buffer = Documents.of([document]).buffer
    space = Workspace(len(buffer))
    sources = np.empty(2 * len(space.hashes), np.int64)
    count = kernels.tokenise(buffer, kernels.table("fold"), SEEDS, *space.tokens[:5], sources)
    for t in range(count):
        word = space.words[space.starts[t] : space.starts[t + 1]].tobytes().rstrip(b"\0").decode()
        yield word, (int(sources[2 * t]), int(sources[2 * t + 1]))


def inverse_document_frequency(documents: NDArray[np.int64], n: int, *, smooth: bool = True) -> NDArray[np.float64]:
    """(v,): ln(n / df) + 1 of terms that `documents` (v,) of n documents hold; smooth adds one to both, as scikit-learn does."""
    return np.log((n + smooth) / (documents + smooth)) + 1.0


@dataclass(frozen=True)
class TermCounts:
    """How many documents hold each of v terms, and how often they hold it; terms ascending."""

    spelt: bytes
    """The terms in UTF-8, a zero byte behind each."""
    documents: NDArray[np.int64]
    occurrences: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.documents)

    def select(self, indices: NDArray[np.int64]) -> "TermCounts":
        """The counts of the terms at `indices`."""
        array = np.frombuffer(self.spelt, np.uint8)
        offsets = np.concatenate([[0], np.flatnonzero(array == 0) + 1])
        return TermCounts(gather(array, offsets, indices), self.documents[indices], self.occurrences[indices])


def gather(spelt: NDArray[np.uint8], offsets: NDArray[np.int64], indices: NDArray[np.int64]) -> bytes:
    """The bytes spelt[offsets[i]:offsets[i + 1]] of each of the indices i, one after the other."""
    lengths = np.diff(offsets)[indices]
    ends = np.cumsum(lengths)
    positions = np.arange(ends[-1] if len(ends) else 0) + np.repeat(offsets[indices] - (ends - lengths), lengths)
    return spelt[positions].tobytes()


def count_terms(
    documents: Documents,
    ngram_range: tuple[int, int],
    lowest: float = 0,
    highest: float = np.inf,
    *,
    n_threads: int | None = None,
) -> TermCounts:
    """The counts of the word n-grams that at least `lowest` and at most `highest` of the documents hold.

    Of more than MAX_TERMS different ones the rarest are dropped on the way, so that memory stays bounded; one that is
    met again later is counted anew, as word2vec does. Raises ValueError where there is none.
    """
    import pyarrow
    import pyarrow.compute

    n_bytes = int(documents.offsets[-1] - documents.offsets[0])
    blocks = documents.blocks(max(BLOCK_BYTES, n_bytes // (n_threads or cores()) + 1))
    try:
        counters = map_blocks(lambda block: _Counter().count(documents, block, ngram_range), blocks, n_threads)
        total = counters.pop(0) if counters else _Counter()
        while counters:
            total.merge(counters.pop(0))
    except _TooManyTermsError:
        # From the first document to the last, so that what is dropped does not depend on the number of threads.
        total = _Counter(pruning=True).count(documents, slice(0, len(documents)), ngram_range)
    n_terms = int(total.used[0])
    if n_terms == 0:
        raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
    frequencies = total.frequencies[:n_terms]
    # What is not kept need not be sorted.
    kept = (frequencies[:, 0] >= lowest) & (frequencies[:, 0] <= highest)
    size = int(kept.sum())
    if size == 0:
        raise ValueError("After pruning, no terms remain. Try a lower min_df or a higher max_df.")
    spelt, offsets = total.spell(kept)
    # UTF-8 bytes sort as the characters do; the zero byte at the end puts a term before those that go on.
    arrow = pyarrow.LargeBinaryArray.from_buffers(
        pyarrow.large_binary(), size, [None, pyarrow.py_buffer(offsets), pyarrow.py_buffer(spelt)]
    )
    order = pyarrow.compute.sort_indices(arrow).to_numpy().astype(np.int64)
    frequencies = frequencies[kept][order]
    return TermCounts(gather(spelt, offsets, order), frequencies[:, 0], frequencies[:, 1])


class _TooManyTermsError(Exception):
    """More than MAX_TERMS different ones."""


class _Counter:
    """A hash table of terms that grows while documents are counted into it, or drops the rarest where it is full."""

    def __init__(self, *, pruning: bool = False) -> None:
        self.pruning = pruning
        self.used = np.zeros(2, np.int64)
        self.terms = np.zeros(0, np.uint64)
        self.frequencies = np.zeros((0, 2), np.int64)
        self._resize(1 << 15)

    def count(self, documents: Documents, block: slice, ngram_range: tuple[int, int]) -> Self:
        """Raises _TooManyTermsError unless it may drop some."""
        buffer, offsets = documents.part(block)
        space = Workspace(documents.longest, n_grams=ngram_range[1] - ngram_range[0] + 1)
        last_seen = np.zeros(len(self.frequencies), np.int64)
        done = 0
        while True:
            done = kernels.count_documents(
                buffer, offsets, done, kernels.table("fold"), *ngram_range, self.slots, self.terms,
                SEEDS, self.frequencies, last_seen, self.used, *space.tokens,
            )  # fmt: skip
            if done == len(offsets) - 1:
                self._check()
                return self
            if self.pruning and self.used[0] > MAX_TERMS:
                kept = self._prune()
                last_seen[: len(kept)], last_seen[len(kept) :] = last_seen[kept], 0
                continue
            self._check()
            self._resize(2 * len(self.frequencies))
            last_seen = _lengthened(last_seen, len(self.frequencies), int(self.used[0]))

    def merge(self, other: "_Counter") -> None:
        """Adds the other's counts. Raises _TooManyTermsError."""
        while np.any(self.used + other.used > (len(self.frequencies), len(self.terms))):
            self._resize(2 * len(self.frequencies))
        kernels.merge_counts(
            self.slots, self.terms, SEEDS, self.frequencies, self.used,
            other.terms, other.used, other.frequencies,
        )  # fmt: skip
        self._check()

    def spell(self, kept: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The terms that are kept in UTF-8, a zero byte behind each, and where they begin and end."""
        n_words = int(self.used[1])
        spelt, offsets = np.empty(9 * n_words, np.uint8), np.zeros(int(kept.sum()) + 1, np.int64)
        return spelt[: kernels.spell(self.terms[:n_words], kept.view(np.uint8), spelt, offsets)], offsets

    def _check(self) -> None:
        if self.used[0] > MAX_TERMS and not self.pruning:
            raise _TooManyTermsError

    def _prune(self) -> NDArray[np.int64]:
        """Drops the terms that fewest documents hold, half of all at least, and returns the numbers of the others."""
        documents = self.frequencies[: self.used[0], 0]
        kept = documents > np.partition(documents, len(documents) // 2)[len(documents) // 2]
        spelt, offsets = self.spell(kept)
        numbers = np.flatnonzero(kept)
        self.frequencies[: len(numbers)] = self.frequencies[numbers]
        self.frequencies[len(numbers) :] = 0
        for array in (self.slots, self.used):
            array[:] = 0
        room = np.empty(int(np.diff(offsets).max(initial=0)) + 2, np.uint64)
        runs = np.zeros(SMALLEST_RUNS, np.uint8)
        kernels.build_table(spelt, offsets, self.slots, self.terms, runs, SEEDS, room, self.used)
        return numbers

    def _resize(self, capacity: int) -> None:
        if 8 * capacity > MAX_WORDS:
            raise ValueError("too many different terms to count; use a smaller ngram_range or fewer documents")
        self.slots = _empty_slots(capacity)
        kernels.rehash(self.terms, self.used, self.slots, SEEDS)
        n_terms, n_words = self.used.tolist()
        self.terms = _lengthened(self.terms, 8 * capacity, n_words)
        self.frequencies = _lengthened(self.frequencies, capacity, n_terms)


def _lengthened(array: NDArray[Any], length: int, used: int) -> NDArray[Any]:
    # Zeros that are not written to take no memory.
    longer = np.zeros((length, *array.shape[1:]), array.dtype)
    longer[:used] = array[:used]
    return longer
