"""Articles by the gigabyte, made up from the repository's word lists: the words of real news in no order that means anything.

    python -m benchmarks.articles crawl.csv --megabytes 2000

How often a word comes is counted: in the corpus, and for what the corpus lacks in the background's document frequencies.
Each article has one to three topics and takes some of its words from theirs (the lexicon's entries, and what the corpus'
articles of the topic have more often than others). A share of the words is new (names and figures), so that the vocabulary
grows with the articles as it does in a crawl, and the page's leftovers stand between the paragraphs. The same seed gives
the same articles.
"""

import argparse
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from serve.paths import DATA

WORDS = 300
"""Of an article, on average."""
BLOCK = 5_000
"""Articles are drawn so many at a time; the number decides what a seed gives."""
POOL = 1 << 18
"""Entries of a table to draw words from: one draw is one look-up."""
NEW_WORDS = 0.03
TOPIC_WORDS = 0.08
"""The mean share of an article's words that come from its topics; it varies from article to article."""
SENTENCE, PARAGRAPH = 14, 40
"""Words of a sentence and of a paragraph, on average."""
SYLLABLES = [first + vowel + last for first in "bdghjklmnprstw" for vowel in "aeiou" for last in ("", "n", "r", "ng")]
CITIES = "Jakarta Bandung Surabaya Medan Makassar Semarang Denpasar Kupang Jayapura Pontianak Palembang Manado".split()
SITES = "KabarPagi.com HarianSamudra.com WartaKota.co.id SuaraNegeri.id BeritaSegara.com".split()
# In the middle of an article, before the title of another; and where nothing follows.
BEFORE_TITLE = ["BACA JUGA: ", "Baca juga: ", "Simak juga: ", "Lihat Video: "]
ALONE = ["ADVERTISEMENT", "SCROLL TO CONTINUE WITH CONTENT", "Bagikan artikel ini", "[Gambas:Video 20detik]"]


@cache
def _word_lists() -> tuple[list[str], NDArray[np.float64], list[str], list[list[str]]]:
    """Words of the language and how often each comes, the topics, and a list of words for each (repeated as they come)."""
    counts: Counter[str] = Counter()
    by_topic: dict[str, Counter[str]] = {}
    with (DATA / "corpus" / "articles.jsonl").open(encoding="utf-8") as lines:
        for article in map(json.loads, lines):
            words = [word.strip(".,:;!?\"'()") for word in article["text"].lower().split()]
            counts.update(words)
            for topic in article["topics"]:
                by_topic.setdefault(topic, Counter()).update(words)
    figures = _background_frequencies()
    common = {word: count for word, count in counts.items() if word.isalpha() and word not in figures}
    # A word that the background counts comes about 1.6 times in an article that holds it; the corpus' own are the most
    # common ones (the background leaves them out) and the rarest.
    scale = 1.6 * sum(counts[word] for word in figures) / max(1, sum(figures.values()))
    frequencies = {**common, **{word: count * scale for word, count in figures.items()}}
    words = sorted(frequencies)
    weights = np.array([frequencies[word] for word in words])

    lexicon: dict[str, list[str]] = tomllib.loads((DATA / "lexicon.toml").read_text(encoding="utf-8"))
    topics = list(tomllib.loads((DATA / "topics.toml").read_text(encoding="utf-8")))
    total = sum(counts.values())
    lists = []
    for topic in topics:
        own = by_topic.get(topic, Counter())
        expected = sum(own.values()) / total
        telling = [word for word, count in own.items() if word.isalpha() and count > 3 * expected * counts[word] + 2]
        lists.append(lexicon.get(topic, []) + [word for word in telling for _ in range(min(own[word], 20))])
    return words, weights / weights.sum(), topics, lists


def _background_frequencies() -> dict[str, int]:
    from safetensors.numpy import load_file

    terms = (DATA / "background" / "terms.txt").read_text(encoding="utf-8").split("\n")[:-1]
    documents = load_file(DATA / "background" / "figures.safetensors")["documents"].tolist()
    return {term: count for term, count in zip(terms, documents, strict=True) if " " not in term}


class Generator:
    """Draws articles, a block after the other."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        words, weights, self.topics, lists = _word_lists()
        # All words one after the other, those of topic t from starts[t]; in seven forms: see `_FORMS`.
        entries = words + [word for own in lists for word in own]
        self.n_entries = len(entries)
        self.pool = self.random.choice(len(words), POOL, p=weights).astype(np.int32)
        self.sizes = np.array([len(own) for own in lists])
        self.starts = len(words) + np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        self.forms = np.array([form for change in _FORMS for form in map(change, entries)], dtype=object)
        # Zipf's law for topics too: some are in many articles, some in few.
        shares = 1.0 / np.sqrt(np.arange(1, len(self.topics) + 1))
        self.topic_shares = self.random.permutation(shares / shares.sum())

    def block(self) -> pa.Table:
        """The next BLOCK articles: columns id, title, text, topics (a list)."""
        random = self.random
        topics = random.choice(len(self.topics), (BLOCK, 3), p=self.topic_shares)
        n_topics = random.choice([1, 2, 3], BLOCK, p=[0.6, 0.3, 0.1])
        lengths = np.maximum(40, random.gamma(4.0, WORDS / 4, BLOCK).astype(np.int64))
        shares = random.beta(1.5, 1.5 * (1 / TOPIC_WORDS - 1), BLOCK)
        titles = self._texts(np.full(BLOCK, 9), topics, n_topics, np.full(BLOCK, 0.4), (2, 5))
        bodies = self._texts(lengths, topics, n_topics, shares, (0, 6))
        offsets = np.arange(BLOCK + 1)
        first = self._number
        self._number += BLOCK
        chosen = [sorted(set(row[:n].tolist())) for row, n in zip(topics, n_topics, strict=True)]
        texts = self._pages(titles, bodies)
        return pa.table(
            {
                "id": [f"a{first + i}" for i in offsets[:-1]],
                "title": titles,
                "text": texts,
                "topics": [[self.topics[t] for t in row] for row in chosen],
            }
        )

    _number = 0

    def _texts(
        self,
        lengths: NDArray[np.int64],
        topics: NDArray[np.int64],
        n_topics: NDArray[np.int64],
        shares: NDArray[np.float64],
        forms: tuple[int, int],
    ) -> list[str]:
        """Texts of so many words, such a share of them from the texts' topics; forms: of a word within, of the last."""
        random = self.random
        n = int(lengths.sum())
        ends = np.cumsum(lengths)
        article = np.repeat(np.arange(len(lengths)), lengths)
        entries = self.pool[random.integers(0, POOL, n, np.int32)].astype(np.int64)
        of_topic = np.flatnonzero(random.random(n, np.float32) < shares[article])
        own = article[of_topic]
        topic = topics[own, (random.random(len(own)) * n_topics[own]).astype(np.int64)]
        # The square prefers the words at the start of a list.
        entries[of_topic] = self.starts[topic] + (random.random(len(own)) ** 2 * self.sizes[topic]).astype(np.int64)
        inside, last = forms
        form = np.full(n, inside)
        if inside == 0:
            breaks = random.random(n, np.float32)
            form[breaks < 1 / 20] = 3
            form[breaks > 1 - 1 / SENTENCE] = 1
            form[breaks > 1 - 1 / PARAGRAPH] = 4
            form[ends - 1] = last
            starts = np.concatenate([[0], np.flatnonzero((form == 1) | (form == 4))[:-1] + 1])
            form[starts[form[starts] == 0]] = 2
        else:
            form[ends - 1] = last
        tokens = self.forms[form * self.n_entries + entries]
        new = np.flatnonzero((random.random(n, np.float32) < NEW_WORDS) & (form == 0))
        tokens[new] = self._new_words(len(new))
        listed = tokens.tolist()
        return [
            "".join(listed[end - length : end]) for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
        ]

    def _new_words(self, n: int) -> list[str]:
        """Names, of which a few come often and most seldom, and figures."""
        numbers = (50 * (1 - self.random.random(n)) ** -1.5).astype(np.int64)
        s = len(SYLLABLES)
        names = [
            f"{a}{b}{c} ".capitalize()
            for a, b, c in zip(
                *(
                    (np.take(SYLLABLES, numbers * k // m % s).tolist())
                    for k, m in ((7919, 1), (104729, s), (15485863, s * s))
                ),
                strict=True,
            )
        ]
        figure = self.random.random(n) < 0.3
        for i in np.flatnonzero(figure):
            names[i] = f"{numbers[i] % 9973 / 10:.1f} ".replace(".", ",")
        return names

    def _pages(self, titles: list[str], bodies: list[str]) -> list[str]:
        """The texts with what a crawler leaves in them."""
        random = self.random
        draws = random.random((len(bodies), 6)).tolist()
        others = random.integers(0, len(titles), len(bodies)).tolist()
        pages = []
        for i, (body, draw) in enumerate(zip(bodies, draws, strict=True)):
            parts = body.split("\n\n")
            city, site = CITIES[i % len(CITIES)], SITES[i % len(SITES)]
            if draw[0] < 0.6:
                parts[0] = f"{city.upper()}, {site} - {parts[0]}" if draw[0] < 0.3 else f"{city} - {parts[0]}"
            if draw[1] < 0.5 and len(parts) > 2:
                parts.insert(len(parts) // 2, f"{BEFORE_TITLE[i % len(BEFORE_TITLE)]}{titles[others[i]]}")
            if draw[2] < 0.3:
                parts.insert(len(parts) - 1, ALONE[i % len(ALONE)])
            if draw[3] < 0.3:
                parts.insert(0, f"Suasana di {city}, Selasa (12/8/2025). (Foto: Dok. {site})")
            if draw[4] < 0.2:
                parts.insert(0, titles[i])
            if draw[5] < 0.2:
                parts.append("(abc/def)")
            pages.append("\n\n".join(parts))
        return pages


_FORMS = (
    lambda word: f"{word} ",
    lambda word: f"{word}. ",
    lambda word: f"{word[:1].upper()}{word[1:]} ",
    lambda word: f"{word}, ",
    lambda word: f"{word}.\n\n",
    lambda word: f"{word[:1].upper()}{word[1:]}",
    lambda word: f"{word}.",
)


def blocks(seed: int = 0) -> Iterator[pa.Table]:
    """Articles without end."""
    generator = Generator(seed)
    while True:
        yield generator.block()


def first(n: int, seed: int = 0) -> Iterator[pa.Table]:
    """The first n articles of a seed, block by block."""
    for start, table in zip(range(0, n, BLOCK), blocks(seed), strict=False):
        yield table.slice(0, n - start)


def articles(n: int, seed: int = 0) -> pa.Table:
    """The first n articles of a seed: columns id, title, text, topics (a list)."""
    return pa.concat_tables(first(n, seed))


def write_parquet(path: Path, n: int, seed: int = 0) -> None:
    """Writes the first n articles of a seed, with topics; a row group for each block, so that any number fits in memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    schema = pa.schema([*((name, pa.string()) for name in ("id", "title", "text")), ("topics", pa.list_(pa.string()))])
    with pyarrow.parquet.ParquetWriter(part, schema) as writer:
        for table in first(n, seed):
            writer.write_table(table)
    part.rename(path)


def write_csv(path: Path, megabytes: float, seed: int = 0) -> int:
    """Writes articles of so many megabytes in all (columns id, title, text); returns their number."""
    n = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        options = pyarrow.csv.WriteOptions(quoting_style="needed")
        schema = pa.schema([("id", pa.string()), ("title", pa.string()), ("text", pa.string())])
        with pyarrow.csv.CSVWriter(file, schema, write_options=options) as writer:
            for table in blocks(seed):
                # Of the last block as many as are missing, by the bytes that they take on average.
                table = table.select(["id", "title", "text"])
                missing = megabytes * 1e6 - file.tell()
                table = table.slice(0, int(missing / (table.nbytes / len(table)))) if missing < table.nbytes else table
                writer.write_table(table)
                n += len(table)
                if len(table) < BLOCK:
                    break
    part.rename(path)
    return n


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes made-up articles to a CSV file.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    n = write_csv(arguments.path, arguments.megabytes, arguments.seed)
    print(f"{arguments.path}: {n} articles, {arguments.path.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
