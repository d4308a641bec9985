"""How many planted copies `kanal data duplicates` finds among 100,000 articles, how fast, and against a comparison of all pairs.

python -m benchmarks.duplicates [--quick]

The articles are sentences of the embedded corpus put together anew, each of which is in some 25 of them: more that looks
like a copy and is none than there is in a crawl. (A few that are dealt the same long sentences do share most of a short
article's words, and are rightly in one group.) Some are stories that others run too, copied in one of the ways of
`Crawl.kinds`, all with what a crawl leaves around them.
"""

import csv
import re
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from benchmarks.articles import ALONE, BEFORE_TITLE, CITIES, SITES
from benchmarks.measure import WORK, Table, python, run, show
from train.corpus import load_corpus
from train.duplicates import ShingleSets
from train.experiment import EMBEDDED_CORPUS

ARTICLES, COMPARED = 100_000, 10_000
COPIED = 0.1
"""The share of the articles that are stories with copies, one to MAX_COPIES each."""
MAX_COPIES = 5
SENTENCES = (6, 20)
EDITED = 1 / 40
"""The share of the words that light edits change."""

Sentences = list[str]


class Crawl:
    """Made-up articles with planted copies; the same seed makes the same ones."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        corpus = load_corpus([EMBEDDED_CORPUS])
        self.titles = corpus["title"].tolist()
        self.sentences = [
            sentence
            for text in corpus["text"]
            for sentence in re.split(r"(?<=[.!?])\s+", text)
            if sentence.count(" ") > 3
        ]
        self.kinds: dict[str, Callable[[Sentences], Sentences]] = {
            "identical": lambda story: story,
            "light edits": self.edited,
            "another lead (1 or 2 sentences) and headline": self.another_lead,
            "cut to a half to nine tenths": lambda story: story[: self.between(len(story) // 2, len(story) * 9 // 10)],
            "cut to a fifth to a half": lambda story: story[: self.between(len(story) // 5 + 1, len(story) // 2)],
            "a part of a longer article": lambda story: self.drawn(3) + story + self.drawn(self.between(3, len(story))),
        }

    def write(self, path: Path, articles: int) -> tuple[list[int], list[str]]:
        """Writes a CSV of the articles, mixed, and returns of each which story it tells, and the kind of copy that it is."""
        rows: list[tuple[str, Sentences, int, str]] = []
        for story in count():
            if len(rows) >= articles:
                break
            title, told = self.title(), self.drawn(self.between(*SENTENCES))
            rows.append((title, told, story, ""))
            for _ in range(self.between(1, MAX_COPIES) if self.random.random() < COPIED else 0):
                kind = list(self.kinds)[self.between(0, len(self.kinds) - 1)]
                headline = self.title() if "headline" in kind or "part" in kind else title
                rows.append((headline, self.kinds[kind](told), story, kind))
        rows = [rows[i] for i in self.random.permutation(len(rows))]
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["id", "outlet", "title", "text"])
            out.writerows((i, self.one_of(SITES), row[0], self.crawled(row[1])) for i, row in enumerate(rows))
        return [row[2] for row in rows], [row[3] for row in rows]

    def between(self, least: int, most: int) -> int:
        return int(self.random.integers(least, max(least, most) + 1))

    def one_of(self, values: list[str]) -> str:
        return values[self.between(0, len(values) - 1)]

    def title(self) -> str:
        return self.one_of(self.titles)

    def drawn(self, sentences: int) -> Sentences:
        return [self.one_of(self.sentences) for _ in range(sentences)]

    def edited(self, story: Sentences) -> Sentences:
        return [
            " ".join(self.one_of(CITIES) if self.random.random() < EDITED else word for word in sentence.split(" "))
            for sentence in story
        ]

    def another_lead(self, story: Sentences) -> Sentences:
        own = self.between(1, 2)
        return self.drawn(own) + story[own:]

    def crawled(self, story: Sentences) -> str:
        """As a site's page has it: a dateline, and between the paragraphs an advert or the title of another story."""
        paragraphs = [" ".join(story[at : at + 3]) for at in range(0, len(story), 3)]
        for leftover in (self.one_of(ALONE), self.one_of(BEFORE_TITLE) + self.title()):
            paragraphs.insert(self.between(1, len(paragraphs)), leftover)
        return f"{self.one_of(CITIES).upper()}, {self.one_of(SITES)} - " + "\n\n".join(paragraphs)


def measure(quick: bool) -> list[Table]:
    WORK.mkdir(parents=True, exist_ok=True)
    articles, compared = (5_000, 2_000) if quick else (ARTICLES, COMPARED)
    source, target = WORK / "crawl.csv", WORK / "groups.csv"
    crawl = Crawl()
    stories, kinds = crawl.write(source, articles)
    took = run(python("kanal", "data", "duplicates", source, "--out", target))
    groups = pd.read_csv(target, usecols=["group"])["group"].tolist()
    note = (
        f"`kanal data duplicates crawl.csv --out groups.csv` on {len(groups):,} articles ({source.stat().st_size / 1e6:.0f} MB): "
        f"{took.seconds:.1f} s ({took.cpu:.1f} s of all cores together), {took.megabytes:,.0f} MB. "
        f"{mixed(groups, stories)} of {len(set(groups)):,} groups hold articles of different stories, dealt the same long sentences."
    )
    rows = [[kind, f"{n:,}", f"{share:.4f}"] for kind, (n, share) in found(groups, stories, kinds).items()]
    recall = Table("Planted copies", note, ["kind of copy", "copies", "with their story"], rows)

    crawl.write(source, compared)
    frame = pd.read_csv(source, keep_default_na=False)
    rows = []
    for name, these in (("embedded corpus", load_corpus([EMBEDDED_CORPUS])), ("planted copies", frame)):
        sets = ShingleSets.of(these)
        times, results = [], []
        for method in (ShingleSets.groups, groups_of_all_pairs):
            begin = time.perf_counter()
            results.append(method(sets))
            times.append(time.perf_counter() - begin)
        copies = [len(result) - len(set(result.tolist())) for result in results]
        rows.append([name, f"{len(these):,}", *(f"{one:,}" for one in copies), *(f"{one:.1f}" for one in times)])
    note = "Articles beyond the first of each group, and seconds from the sets of shingles to the groups."
    head = ["articles of", "number", "found by MinHash", "by all pairs", "seconds by MinHash", "by all pairs"]
    return [recall, Table("MinHash against all pairs", note, head, rows)]


def found(groups: list[int], stories: list[int], kinds: list[str]) -> dict[str, tuple[int, float]]:
    """Of each kind of copy how many there are, and the share that is in the group of the story itself."""
    of_story = {story: group for group, story, kind in zip(groups, stories, kinds, strict=True) if not kind}
    every, right = Counter(filter(None, kinds)), Counter[str]()
    for group, story, kind in zip(groups, stories, kinds, strict=True):
        right[kind] += group == of_story[story]
    return {kind: (every[kind], right[kind] / every[kind]) for kind in sorted(every)}


def mixed(groups: list[int], stories: list[int]) -> int:
    """How many groups hold articles of more than one story."""
    pairs = set(zip(groups, stories, strict=True))
    return sum(number > 1 for number in Counter(group for group, _ in pairs).values())


def groups_of_all_pairs(sets: ShingleSets) -> np.ndarray:
    """What `ShingleSets.groups` returns, from all pairs of articles that share a shingle."""
    _, numbers = np.unique(sets.hashes, return_inverse=True)
    held = sparse.csr_array((np.ones(len(numbers), np.int32), numbers, sets.offsets))
    pairs = sparse.triu(held @ held.T, k=1).tocoo()
    left, right = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
    alike = sets.alike(left, right)
    graph = sparse.coo_array((np.ones(alike.sum()), (left[alike], right[alike])), shape=(len(sets), len(sets)))
    return connected_components(graph, directed=False)[1]


if __name__ == "__main__":
    show(measure, "Planted copies among many articles")
