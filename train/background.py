"""Figures counted from a large unlabelled crawl: how common words are, which keep company, what is written together."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from serve.article import find_column
from serve.atomic import Kind, atomic_folder
from serve.counts import counted
from serve.errors import InputError
from serve.files.columns import as_text
from serve.files.formats import open_reader
from serve.model import TITLE_WEIGHT, compose_all
from serve.paths import DATA
from serve.regular import read_regular
from serve.vectorizer import Documents, TfidfVectorizer, Vocabulary, count_terms, inverse_document_frequency
from train.blas import on_one_thread

EMBEDDED_BACKGROUND = DATA / "background"
FACTS, TERMS = "background.json", "terms.txt"
FIGURES, PROFILES = "figures.safetensors", "profiles.safetensors"
BACKGROUND = Kind("a background", (FACTS, TERMS, FIGURES, PROFILES))

DIMENSIONS = 300
# Words that fewer articles hold have vectors that are mostly chance; of the others the most common ones, so that the
# vectors of the embedded background stay under 12 MB.
MIN_DOCUMENTS = 4
MAX_WORDS = 38_000
# A word that more of the articles hold tells no topics apart.
MAX_SHARE = 0.2


# A profile is the mean of so many articles that are alike, cut to so many words; of a larger crawl a sample is taken.
GROUP_SIZE = 4
PROFILE_WORDS = 200
MAX_PROFILED = 20_000

# What a stranger's files may take, in bytes, and their vectors, zeros of the pairs included.
LARGEST_FACTS, LARGEST_TERMS, LARGEST_FILE, LARGEST_VECTORS = 1 << 16, 1 << 24, 1 << 28, 1 << 28
PROFILE_TYPES = {"ends": np.int32, "terms": np.int32, "values": np.uint8}
TERM = re.compile(r"\w\w+(?: \w\w+)?")


@dataclass(frozen=True)
class Background:
    """Document frequencies of v terms (words and pairs) in n documents, a vector for each of the words, and profiles.

    The vectors are the right singular vectors of the documents' TF-IDF matrix (latent semantic analysis: Deerwester,
    Dumais, Furnas, Landauer & Harshman 1990, "Indexing by latent semantic analysis"): x V is the place of a TF-IDF row
    x in a space where words that keep company lie close.

    A profile is the mean TF-IDF row of a group of articles that lie close to each other: how the crawl writes about
    one kind of event, without the text of any article.
    """

    terms: list[str]
    """Ascending."""
    documents: NDArray[np.int32]
    """(v,): in how many documents each term is."""
    n_documents: int
    codes: NDArray[np.int8]
    """(v, d): the vectors, each times 127 / its largest part; pairs have none: zeros."""
    scales: NDArray[np.float32]
    """(v,): what a code of 1 stands for in each vector."""
    profiles: csr_matrix
    """(g, v): of length 1."""

    def vectors(self) -> NDArray[np.float32]:
        """(v, d): the word vectors."""
        return self.codes * self.scales[:, None]

    def save(self, path: str | Path) -> None:
        """Writes the figures to a folder, whole or not at all."""
        from safetensors.numpy import save

        words = self.scales > 0
        arrays: dict[str, NDArray[Any]] = {
            "documents": self.documents,
            "words": np.flatnonzero(words).astype(np.int32),
            "codes": self.codes[words],
            "scales": self.scales[words],
        }
        rows = {
            "ends": self.profiles.indptr.astype(np.int32),
            "terms": self.profiles.indices.astype(np.int32),
            "values": np.rint(self.profiles.data * 255).astype(np.uint8),
        }
        with atomic_folder(path, BACKGROUND) as folder:
            (folder / TERMS).write_text("".join(term + "\n" for term in self.terms), encoding="utf-8")
            (folder / FIGURES).write_bytes(save(arrays))
            (folder / PROFILES).write_bytes(save(rows))
            (folder / FACTS).write_text(json.dumps({"n_documents": self.n_documents}) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The figures in a folder that `save` wrote. Raises InputError when they are missing or do not fit together."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        folder = Path(path)
        try:
            return cls._from_files(
                json.loads(read_regular(folder / FACTS, LARGEST_FACTS).decode()),
                read_regular(folder / TERMS, LARGEST_TERMS).decode(),
                load(read_regular(folder / FIGURES, LARGEST_FILE)),
                load(read_regular(folder / PROFILES, LARGEST_FILE)),
            )
        except (OSError, ValueError, KeyError, IndexError, TypeError, RecursionError, SafetensorError) as error:
            raise InputError(
                f"{folder}: not a usable background ({error}); make one with `kanal background CRAWL --out {folder}`."
            ) from None

    @classmethod
    def _from_files(
        cls, facts: dict[str, Any], spelt: str, arrays: dict[str, NDArray[Any]], rows: dict[str, NDArray[Any]]
    ) -> Self:
        """The figures, checked: who made them is not known. Raises ValueError and the like."""
        terms = spelt.split("\n")[:-1]
        n_documents, v = facts["n_documents"], len(terms)
        words, documents, codes, scales = (arrays[name] for name in ("words", "documents", "codes", "scales"))
        dimensions = codes.shape[1]
        for holds, otherwise in (
            (type(n_documents) is int and n_documents > 0, "the number of documents is none"),
            (all(left < right for left, right in pairwise(terms)), "the terms do not ascend"),
            (all(map(TERM.fullmatch, terms)), "a term is neither a word nor a pair of words"),
            (v * dimensions <= LARGEST_VECTORS, "the vectors are too large"),
            (documents.shape == (v,) and documents.dtype == np.int32, "as many frequencies as terms are wanted"),
            (bool(((documents >= 0) & (documents <= n_documents)).all()), "a frequency is that of no term"),
            (words.dtype == np.int32 and bool((np.diff(words, prepend=-1) > 0).all()), "the words do not ascend"),
            (bool((words < v).all()), "there are more words than terms"),
            (codes.shape == (len(words), dimensions) and codes.dtype == np.int8, "as many vectors as words are wanted"),
            (scales.shape == words.shape and scales.dtype == np.float32, "as many scales as words are wanted"),
            (bool(((scales >= 0) & (scales <= 1)).all()), "the parts of a vector are larger than 1"),
            (all(rows[name].dtype == kind for name, kind in PROFILE_TYPES.items()), "profiles are of another type"),
            (len(rows["ends"]) > 0, "the profiles have no beginning"),
        ):
            if not holds:
                raise ValueError(otherwise)
        all_codes, all_scales = np.zeros((v, dimensions), np.int8), np.zeros(v, np.float32)
        all_codes[words], all_scales[words] = codes, scales
        profiles = csr_matrix(
            (rows["values"].astype(np.float32), rows["terms"], rows["ends"]), shape=(len(rows["ends"]) - 1, v)
        )
        profiles.check_format()
        return cls(terms, documents, n_documents, all_codes, all_scales, of_length_one(profiles))


def read_crawl(
    files: Sequence[str | Path],
    title_column: str | None = None,
    text_column: str | None = None,
    *,
    title_weight: int = TITLE_WEIGHT,
) -> Documents:
    """The articles of CSV, JSONL or Parquet files, cleaned and composed as a model takes them."""
    return Documents.together(_read_parts(files, title_column, text_column, title_weight))


def _read_parts(
    files: Sequence[str | Path], title_column: str | None, text_column: str | None, title_weight: int
) -> Iterator[Documents]:
    for file in files:
        with open_reader(file) as reader:
            text = find_column("text", reader.columns, text_column, file=reader.name)
            title = find_column("title", reader.columns, title_column, file=reader.name, required=False)
            for batch in reader:
                titles = as_text(batch.column(title)) if title else None
                yield compose_all(as_text(batch.column(text)), titles, title_weight)


@on_one_thread
def build_background(
    crawl: Documents | Sequence[str],
    corpus: Documents | Sequence[str] = (),
    *,
    pairs: Collection[str] = (),
    dimensions: int | None = None,
) -> Background:
    """The figures of cleaned articles: frequencies and vectors of crawl and corpus together, profiles of the crawl.

    pairs: the word pairs to count; there are too many to keep all. `dimensions` of the word vectors, DIMENSIONS if
    None. Raises InputError where the articles are too few or too much alike to count anything.
    """
    from sklearn.decomposition import TruncatedSVD

    documents = Documents.together(map(Documents.of, (crawl, corpus)))
    n = len(documents)
    least = min(MIN_DOCUMENTS, n)
    counts = count_terms(documents, (1, 1), least)
    words = np.flatnonzero(counts.documents <= MAX_SHARE * n)
    words = words[np.argsort(-counts.documents[words], kind="stable")][:MAX_WORDS]
    if min(len(words), n) < 2:
        raise InputError(
            f"{counted(n, 'article is', 'articles are')} too few, or too much alike, for a background; "
            "give it a larger crawl."
        )
    spelt = counts.spelt.decode().split("\0")
    held = {spelt[i]: int(counts.documents[i]) for i in words}
    held |= {pair: held_by for pair, held_by in _pair_frequencies(documents, pairs).items() if held_by >= least}

    names = sorted(held)
    frequencies = np.array([held[name] for name in names])
    word = np.array([" " not in name for name in names])
    vectorizer = TfidfVectorizer.of_vocabulary(
        Vocabulary.of(names),
        inverse_document_frequency(frequencies, n),
        ngram_range=(1, 2),
        sublinear_tf=True,
        dtype=np.float32,
    )
    rows = vectorizer.transform(documents)
    of_words = of_length_one(rows[:, word])
    dimensions = min(dimensions or DIMENSIONS, min(of_words.shape) - 1)
    vectors = TruncatedSVD(dimensions, n_iter=4, random_state=0).fit(of_words).components_.T.astype(np.float32)

    codes, scales = np.zeros((len(names), dimensions), np.int8), np.zeros(len(names), np.float32)
    scales[word] = np.abs(vectors).max(axis=1) / 127
    codes[word] = np.rint(vectors / np.maximum(scales[word], 1e-12)[:, None])
    return Background(
        terms=names,
        documents=frequencies.astype(np.int32),
        n_documents=n,
        codes=codes,
        scales=scales,
        profiles=_profiles(rows[: len(crawl)], of_words[: len(crawl)] @ vectors),
    )


def _pair_frequencies(documents: Documents, pairs: Collection[str]) -> dict[str, int]:
    """In how many documents each of the pairs is; only these are counted, as a large crawl has many millions of others."""
    names = sorted(set(pairs))
    vectorizer = TfidfVectorizer.of_vocabulary(
        Vocabulary.of(names), np.ones(len(names)), ngram_range=(2, 2), dtype=np.float32
    )
    return dict(zip(names, vectorizer.document_frequencies(documents).tolist(), strict=True))


def _profiles(rows: csr_matrix, places: NDArray[np.float32]) -> csr_matrix:
    """The mean rows, of length 1, of groups of GROUP_SIZE rows that are alike, cut to their PROFILE_WORDS largest entries.

    Groups are made one after the other: an article that is in none yet, by chance, and those closest to it in latent
    space (n, d) of the rest.
    """
    generator = np.random.default_rng(0)
    sample = np.sort(generator.permutation(rows.shape[0])[:MAX_PROFILED])
    places = places[sample] / np.maximum(np.linalg.norm(places[sample], axis=1, keepdims=True), 1e-9)
    free = np.ones(len(sample), bool)
    groups = []
    for first in generator.permutation(len(sample)):
        if free[first] and free.sum() >= GROUP_SIZE:
            closeness = np.where(free, places @ places[first], -np.inf)
            closeness[first] = np.inf
            group = np.argpartition(-closeness, GROUP_SIZE - 1)[:GROUP_SIZE]
            free[group] = False
            groups.append(np.sort(group))
    members = sample[np.array(groups, np.int64).reshape(-1)]
    ends = np.arange(0, len(members) + 1, GROUP_SIZE)
    mean = csr_matrix((np.ones(len(members), np.float32), members, ends), (len(groups), rows.shape[0])) @ rows
    for start, end in pairwise(mean.indptr):
        values = mean.data[start:end]
        if len(values) > PROFILE_WORDS:
            values[values < np.partition(values, -PROFILE_WORDS)[-PROFILE_WORDS]] = 0.0
    mean.eliminate_zeros()
    return of_length_one(mean)


def of_length_one(rows: csr_matrix) -> csr_matrix:
    """The rows, each of Euclidean length 1; empty ones stay empty."""
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1)).A1
    rows.data = (rows.data / np.repeat(np.maximum(lengths, 1e-9), np.diff(rows.indptr))).astype(np.float32)
    return rows
