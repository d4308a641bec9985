"""That work grows with the size of the input and no faster, whatever the input holds: near-matches over and over.

Time is what processors spend on this process. An input four times as large takes four times as long where work is linear, and
sixteen times where it is quadratic; what is taken for a fault lies in between.
"""

import importlib
import json
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from serve import leftovers, rules
from serve.clean import clean, clean_traced, normalise_traced
from serve.errors import InputError
from serve.files.formats import open_reader
from tests.fuzz.files import folder
from tests.fuzz.matches import near_matches

FACTOR, MOST = 4, 9.0
# Patterns that are asked for the whole of a text and nowhere search in one.
WHOLE = ("train.corpus.HUB_NAME", "workbench.dates.EPOCH", "workbench.topics.TOPIC_ID")
# Below so many seconds a ratio says nothing.
LEAST = 0.02
FURTHER = (
    leftovers.DATELINE, leftovers.FIRST_CAPTION, leftovers.SITE_SUFFIX, leftovers.QUOTED_TITLE, leftovers.NEXT_LEFTOVER,
    leftovers.GLUED, leftovers.SENTENCE_END,
)  # fmt: skip
# What is no rule's, and may explode elsewhere.
UNITS = (
    "a", "A", "Aa ", "a ", "\n", " \n", ". ", "\0", "\u0301", "\u0301\u0316", "\u0f73", "\u3099\u0301", "a\u0301", "é", "Ã©", "Ã", "ð\x9f\x98",
    "&", "&amp;", "&amp", "&amp;amp", "&#", "&#x", "&a1", "½", "ᄀ", "ㄱ", "Σ", "İ", "\ud800", "\ufdfa", "中", "\U0001f600", "x\u200b",
)  # fmt: skip


@dataclass(frozen=True)
class Work:
    """Something that is done with an input of any size."""

    name: str
    make: Callable[[int], Any]
    """The input of so many bytes, about."""
    do: Callable[[Any], object]


@dataclass(frozen=True)
class Measured:
    work: Work
    seconds: float
    """For the larger input."""
    ratio: float
    """To the smaller one; 0 where both take next to nothing."""

    @property
    def linear(self) -> bool:
        return self.ratio <= MOST


def measure(work: Work, size: int) -> Measured:
    """How much longer FACTOR times as much takes than `size` bytes; what looks too long is measured again, twice."""
    small, large = work.make(size), work.make(FACTOR * size)
    for _ in range(3):
        before, after = _seconds(work.do, small), _seconds(work.do, large)
        found = Measured(work, after, after / max(before, LEAST / FACTOR) if after > LEAST else 0.0)
        if found.linear:
            break
    return found


def _seconds(do: Callable[[Any], object], given: Any) -> float:
    begin = time.process_time()
    do(given)
    return time.process_time() - begin


def _repeated(unit: str) -> Callable[[int], str]:
    return lambda size: unit * (size // max(1, len(unit.encode("utf-8", "surrogatepass"))))


def cleaning(examples: int = 2) -> Iterator[Work]:
    """Cleaning near-matches of every rule, of their triggers, and of what cleaning composes and decodes."""
    for number, rule in enumerate(rules.RULES):
        yield Work(f"{rule.kind}[{number}] triggers", _repeated(" ".join(sorted(rule.triggers))), clean)
        for unit in dict.fromkeys(near_matches(rule.pattern, examples)):
            yield Work(f"{rule.kind}[{number}] {unit[:30]!r}", _repeated(unit), clean)
    for number, pattern in enumerate(FURTHER):
        for unit in dict.fromkeys(near_matches(pattern, examples)):
            yield Work(
                f"pattern {number} {unit[:30]!r}", _repeated(unit), lambda text: clean("Kalimat.\n" + text, text[:50])
            )
    for unit in UNITS:
        yield Work(f"clean {unit!r}", _repeated(unit), clean)
        yield Work(f"normalise {unit!r}", _repeated(unit), normalise_traced)
    for unit in ("Kata Yang Sama ", "a ", "A-", "Baca juga: Judul Besar "):
        yield Work(f"title {unit!r}", _repeated(unit), lambda text: clean(text, text))
    yield Work("traced 'Baca juga: A\\n'", _repeated("Baca juga: Kata Yang Lain\n"), clean_traced)


def regexes(packages: tuple[str, ...] = ("serve", "train", "workbench", "cli")) -> Iterator[Work]:
    """Every regular expression that a module of the product keeps, on near-matches of itself."""
    for place, pattern in _kept(packages):
        do = pattern.fullmatch if place in WHOLE else partial(pattern.sub, "")
        for unit in dict.fromkeys([*near_matches(pattern.pattern, 2), *" a1A"]):
            yield Work(f"{place} {unit[:30]!r}", _repeated(unit), do)


def _kept(packages: tuple[str, ...]) -> Iterator[tuple[str, re.Pattern[str]]]:
    for package in packages:
        place = importlib.import_module(package)
        for module in pkgutil.walk_packages(place.__path__, f"{package}."):
            if ".native" in module.name:
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                values = value if isinstance(value, list | tuple) else [value]
                for pattern in values:
                    if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
                        yield f"{module.name}.{name}", pattern


def _file(name: str, unit: bytes, head: bytes = b"", end: bytes = b"") -> Callable[[int], Path]:
    def make(size: int) -> Path:
        path = folder() / f"{size}-{name}"
        path.write_bytes(head + unit * (size // len(unit)) + end)
        return path

    return make


def _read(path: Path) -> int:
    with open_reader(path) as reader:
        return sum(part.batch.num_rows for part in reader.parts((), None))


def _distinct_keys(size: int) -> Path:
    path = folder() / f"{size}-keys.jsonl"
    path.write_text("".join(f'{{"isi":"a","k{i}":1}}\n' for i in range(size // 24)))
    return path


def _wide(size: int) -> Path:
    path = folder() / f"{size}-wide.csv"
    width = size // 20
    path.write_text(",".join(["isi", *(f"c{i}" for i in range(width))]) + "\n" + "," * width + "\n")
    return path


def _filed(path: Path) -> None:
    from serve.batch import predict_file
    from tests.serve.files.keywords import keywords

    # A header beyond measure is refused.
    with suppress(InputError):
        predict_file(keywords(), path, folder() / "growth.out.csv", keep=True, workers=1, quiet=True)


def files() -> Iterator[Work]:
    """Files that are nearly CSV or JSON Lines."""
    head = b"a,b,c\n"
    for unit in (
        b"1,2,3\n", b"1,2\n", b'"', b'""', b'1,"', b'1,2,"a\n', b'1,2,"a\n1,2,""\n', b"\n", b"\r", b"\r\n", b",", b'"a""', b'1,2,"x"y\n', b"\xff,2,3\n",
        b"a\0,2,3\n", b'"\n', b'"""\n', b'a,"b""\n",c\n', b"x",
    ):  # fmt: skip
        yield Work(f"csv {unit!r}", _file("near.csv", unit, head), _read)
    yield Work("csv: a quote that stays open", _file("open.csv", b"1,2,3\n", head + b'1,2,"'), _read)
    yield Work("csv: a header of many columns", _wide, _filed)
    for unit in (
        b"{",
        b"[",
        b'{"isi":"a"}\n',
        b'{"isi":',
        b'"',
        b"\\",
        b'{"isi":"\\ud800"}\n',
        b"[1]\n",
        b"\n",
        b"1",
        b'{"a":{"a":{"a":1}}}\n',
    ):
        yield Work(f"json lines {unit!r}", _file("near.jsonl", unit, b'{"isi":"a"}\n'), _read)
    yield Work("json lines: ever new keys", _distinct_keys, _filed)


def others() -> Iterator[Work]:
    """The vectoriser, filing and explaining, and the service's bodies."""
    from serve.language import language_of
    from serve.service.bodies import parsed
    from serve.service.problems import Problem
    from serve.service.schemas import ManyArticles, ToExplain
    from serve.vectorizer import TfidfVectorizer
    from tests.fuzz.texts import model

    def words(size: int) -> str:
        return " ".join(f"kata{i}" for i in range(size // 10))

    def refused(schema: Any) -> Callable[[bytes], None]:
        def refuse(data: bytes) -> None:
            try:
                parsed(schema, data)
            except Problem as problem:
                assert len(json.dumps(problem.errors)) < 2 * len(data) + 1000

        return refuse

    yield Work(
        "vectorizer: ever new words", words, lambda text: TfidfVectorizer(ngram_range=(1, 2), n_jobs=1).fit([text])
    )
    yield Work("vectorizer: one word", lambda n: "a" * n, lambda text: TfidfVectorizer().fit([text, "ab"]))
    yield Work(
        "explain", lambda n: "presiden tiba di istana " * (n // 48), lambda text: model().explain(text, text[:200])
    )
    yield Work("file", lambda n: "presiden tiba di istana " * (n // 24), lambda text: model().file([text], n_threads=1))
    yield Work("language", words, language_of)
    for unit in (b"0,", b"{},", b'{"text":1},', b"[", b'"'):
        yield Work(
            f"body of articles {unit!r}",
            lambda n, unit=unit: b'{"articles":[' + unit * (n // len(unit)) + b"{}]}",
            refused(ManyArticles),
        )
    yield Work(
        "body of many fields",
        lambda n: b'{"text":"a"' + b"".join(b',"%07x":0' % i for i in range(n // 12)) + b"}",
        refused(ToExplain),
    )


PARTS = {
    "linear_cleaning": cleaning, "linear_regexes": regexes, "linear_files": files, "linear_others": others,
}  # fmt: skip
