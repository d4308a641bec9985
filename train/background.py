"""Figures counted from a large unlabelled crawl: how common words and word pairs are, and which words keep company."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from serve.article import find_column
from serve.atomic import atomic_folder
from serve.errors import InputError
from serve.formats import as_text, open_reader
from serve.model import compose_all
from serve.paths import DATA
from serve.vectorizer import Documents, TfidfVectorizer, Vocabulary, count_terms

EMBEDDED_BACKGROUND = DATA / "background"
FACTS, TERMS, FIGURES = "background.json", "terms.txt", "figures.safetensors"

DIMENSIONS = 300
# Words that fewer articles hold have vectors that are mostly chance; of the others the most common ones, so that the
# vectors of the embedded background stay under 12 MB.
MIN_DOCUMENTS = 4
MAX_WORDS = 38_000
# A word that more of the articles hold tells no topics apart.
MAX_SHARE = 0.2
# Pairs are many; only those that a crawl holds often have a frequency worth keeping.
MIN_PAIR_DOCUMENTS = 20


@dataclass(frozen=True)
class Background:
    """Document frequencies of v terms (words and pairs) in n documents, and a vector for each of the words.

    The vectors are the right singular vectors of the documents' TF-IDF matrix (latent semantic analysis: Deerwester,
    Dumais, Furnas, Landauer & Harshman 1990, "Indexing by latent semantic analysis"): x V is the place of a TF-IDF row
    x in a space where words that keep company lie close.
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
        with atomic_folder(path) as folder:
            (folder / TERMS).write_text("".join(term + "\n" for term in self.terms), encoding="utf-8")
            (folder / FIGURES).write_bytes(save(arrays))
            (folder / FACTS).write_text(json.dumps({"n_documents": self.n_documents}) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The figures in a folder that `save` wrote. Raises InputError when they are missing or do not fit together."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        folder = Path(path)
        try:
            terms = (folder / TERMS).read_text(encoding="utf-8").split("\n")[:-1]
            arrays = load((folder / FIGURES).read_bytes())
            n_documents = int(json.loads((folder / FACTS).read_text(encoding="utf-8"))["n_documents"])
            codes = np.zeros((len(terms), arrays["codes"].shape[1]), np.int8)
            codes[arrays["words"]] = arrays["codes"]
            scales = np.zeros(len(terms), np.float32)
            scales[arrays["words"]] = arrays["scales"]
            if arrays["documents"].shape != (len(terms),):
                raise ValueError("as many document frequencies as terms are wanted")
        except (OSError, ValueError, KeyError, IndexError, TypeError, SafetensorError) as error:
            raise InputError(
                f"{folder}: not a usable background ({error}); make one with `kanal background CRAWL --out {folder}`."
            ) from None
        return cls(terms, arrays["documents"], n_documents, codes, scales)


def read_crawl(
    files: Sequence[str | Path],
    title_column: str | None = None,
    text_column: str | None = None,
    *,
    title_weight: int = 1,
) -> list[str]:
    """The articles of CSV, JSONL or Parquet files, cleaned and composed as a model takes them."""
    articles: list[str] = []
    for file in files:
        with open_reader(file) as reader:
            text = find_column("text", reader.columns, text_column, file=reader.name)
            title = find_column("title", reader.columns, title_column, file=reader.name, required=False)
            for batch in reader:
                texts = as_text(batch.column(text)).to_pylist()
                titles = as_text(batch.column(title)).to_pylist() if title else None
                articles += compose_all(texts, titles, title_weight)
    return articles


def build_background(articles: Iterable[str], dimensions: int | None = None) -> Background:
    """The figures of cleaned articles, crawl and corpus together; `dimensions` of the word vectors, DIMENSIONS if None.

    Raises InputError where the articles are too few or too much alike to count anything.
    """
    from sklearn.decomposition import TruncatedSVD

    documents = Documents.of(articles)
    n = len(documents)
    counts = count_terms(documents, (1, 2), MIN_DOCUMENTS)
    names = counts.spelt.decode().split("\0")[:-1]
    pair = np.array([" " in name for name in names])
    kept = np.where(pair, counts.documents >= MIN_PAIR_DOCUMENTS, counts.documents <= MAX_SHARE * n)
    words = np.flatnonzero(kept & ~pair)
    words = np.sort(words[np.argsort(-counts.documents[words], kind="stable")][:MAX_WORDS])
    if min(len(words), n) < 2:
        raise InputError(f"{n} articles are too few, or too much alike, for a background; give it a larger crawl.")
    kept &= pair | np.isin(np.arange(len(names)), words)

    vectorizer = TfidfVectorizer.of_vocabulary(
        Vocabulary.of_bytes(counts.select(words).spelt),
        np.log((1 + n) / (1 + counts.documents[words])) + 1.0,
        sublinear_tf=True,
        dtype=np.float32,
    )
    rows = vectorizer.transform(documents)
    dimensions = min(dimensions or DIMENSIONS, min(rows.shape) - 1)
    vectors = TruncatedSVD(dimensions, n_iter=4, random_state=0).fit(rows).components_.T

    all_vectors = np.zeros((len(names), dimensions), np.float32)
    all_vectors[words] = vectors
    scales = np.abs(all_vectors[kept]).max(axis=1) / 127
    codes = np.rint(all_vectors[kept] / np.maximum(scales, 1e-12)[:, None]).astype(np.int8)
    return Background(
        terms=[name for name, keep in zip(names, kept, strict=True) if keep],
        documents=counts.documents[kept].astype(np.int32),
        n_documents=n,
        codes=codes,
        scales=scales.astype(np.float32),
    )
