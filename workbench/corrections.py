"""Decisions about topics -> the corpus files with these topics: as a patch to review, or written in place."""

import csv
import difflib
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from serve.article import find_column
from serve.atomic import atomic_file
from serve.errors import InputError
from serve.files.csv_records import separator_of
from serve.files.formats import format_of, open_reader
from train.corpus import articles_of, place, topics_found
from train.experiment import Columns
from workbench.audit import title_of
from workbench.decisions import SuggestedTopics, joined
from workbench.file_lock import changing


@dataclass(frozen=True)
class Corrected:
    """A corpus file before and after."""

    file: str
    before: str
    after: str


def correct(decisions: Sequence[SuggestedTopics], columns: Columns = Columns()) -> list[Corrected]:
    """The files that decisions correct, in their order. Nothing but the topics of the articles concerned changes.

    Raises InputError that names file and line where an article is not as it was when the decision was made, and where a
    topic is proposed that no article has.
    """
    corrections = sorted((row for row in decisions if row.corrects), key=lambda row: (row.file, row.line))
    files = [(file, list(rows)) for file, rows in itertools.groupby(corrections, lambda row: row.file)]
    corpora = {file: _load(file, columns) for file, _ in files}
    known = {topic for corpus in corpora.values() for topic in topics_found(corpus)}
    corrected = []
    for file, rows in files:
        articles = {article.line: article for article in articles_of(corpora[file])}
        for row, next_row in itertools.zip_longest(rows, rows[1:]):
            _refuse_other(row, articles.get(row.line), known)
            if next_row and next_row.line == row.line:
                raise InputError(f"{file}, line {row.line}: is decided on twice; leave one of the two.")
        before = Path(file).read_bytes().decode("utf-8")
        corrected.append(Corrected(file, before, _edited(before, rows, columns)))
    return corrected


def patch(corrected: Iterable[Corrected]) -> str:
    """A unified diff for `git apply` or `patch -p1` in the current folder. Raises InputError for files outside it."""
    parts: list[str] = []
    for file in corrected:
        path = Path(os.path.relpath(file.file)).as_posix()
        if path.startswith("../"):
            raise InputError(f"{file.file}: lies outside the current folder; go to a folder above it, or use --write.")
        parts += difflib.unified_diff(_lines(file.before), _lines(file.after), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in parts)


def correct_in_place(decisions: Sequence[SuggestedTopics], columns: Columns = Columns()) -> None:
    """Puts the corrected files in the place of the old ones, each whole or not at all. Raises InputError as `correct`
    does, and then changes nothing."""
    with changing(*{row.file for row in decisions if row.corrects}):
        for file in correct(decisions, columns):
            with atomic_file(file.file) as temporary:
                temporary.write_bytes(file.after.encode("utf-8"))


def _load(file: str, columns: Columns) -> pd.DataFrame:
    format, compression = format_of(file)
    if compression or format == "parquet":
        raise InputError(
            f"{file}: only JSONL and CSV, not compressed, can be corrected; audit the corpus as such a file."
        )
    return columns.load([file])


def _refuse_other(row: SuggestedTopics, article: Any, known: set[str]) -> None:
    where = f"{row.file}, line {row.line}"
    if article is None or (article.id, title_of(article._asdict())) != (row.id, row.title):
        raise InputError(f"{where}: is no longer where '{row.id}' begins, '{row.title}'; audit the corpus anew.")
    if tuple(article.topics) != row.given:
        now, then = joined(article.topics) or "none", joined(row.given) or "none"
        raise InputError(f"{place(article)}: its topics are {now} now, and were {then} in the audit; audit it anew.")
    for topic in row.proposed:
        if topic not in known:
            close = get_close_matches(topic, known, n=1)
            remedy = f"did you mean '{close[0]}'?" if close else "write one that the corpus has."
            raise InputError(f"{where}: no article has the topic '{topic}' that was decided on; {remedy}")


def _edited(text: str, rows: Sequence[SuggestedTopics], columns: Columns) -> str:
    """The text of a file with the topics of `rows` in it."""
    file = rows[0].file
    with open_reader(file) as reader:
        names = reader.columns
    column = find_column("topics", names, columns.label, file=file)
    lines = _lines(text)
    starts = list(itertools.accumulate(map(len, lines), initial=0))
    separator = separator_of(next(line for line in lines if line.strip()))
    parts, end = [], 0
    for row in rows:
        start = starts[row.line - 1]
        if format_of(file)[0] == "jsonl":
            begin, stop, new = _json_edit(text, start, str(column), row, columns.label_separator)
        else:
            begin, stop, new = _csv_edit(text, start, names.index(str(column)), separator, row, columns.label_separator)
        parts += [text[end:begin], new]
        end = stop
    return "".join([*parts, text[end:]])


def _json_edit(text: str, start: int, key: str, row: SuggestedTopics, separator: str) -> tuple[int, int, str]:
    """Where the value of a key stands in the object at `start`, and what is to stand there."""
    spans = dict(_members(text, text.index("{", start) + 1))
    if key not in spans:
        # The object has no topics yet: they come last.
        end = max(stop for _, stop in spans.values())
        return end, end, f", {json.dumps(key, ensure_ascii=False)}: {_dumped(list(row.proposed))}"
    begin, stop = spans[key]
    old = json.loads(text[begin:stop])
    new: Any = list(row.proposed)
    if isinstance(old, str):
        new = _cell(old, row, separator)
    elif isinstance(old, int | float) and len(new) == 1:
        new = json.loads(new[0]) if new[0].isdecimal() else new[0]
    elif isinstance(old, list) and all(isinstance(label, int) for label in old):
        new = [json.loads(label) if label.isdecimal() else label for label in new]
    return begin, stop, _dumped(new)


def _members(text: str, at: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """The keys of the JSON object whose members begin at `at`, each with where its value begins and ends."""
    decoder, space = json.JSONDecoder(), re.compile(r"[ \t\r\n,:]*")

    def after_space(at: int) -> int:
        return space.match(text, at).end()  # type: ignore[union-attr]

    at = after_space(at)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        begin = after_space(at)
        _, at = decoder.raw_decode(text, begin)
        yield key, (begin, at)
        at = after_space(at)


def _csv_edit(
    text: str, start: int, column: int, separator: str, row: SuggestedTopics, label_separator: str
) -> tuple[int, int, str]:
    """Where the field of a column stands in the record at `start`, and what is to stand there."""
    field = re.compile(rf'("(?:[^"]|"")*"|[^{re.escape(separator)}\r\n]*)(?:{re.escape(separator)}|\r?\n|\Z)')
    for _ in range(column):
        start = field.match(text, start).end()  # type: ignore[union-attr]
    begin, end = field.match(text, start).span(1)  # type: ignore[union-attr]
    old = text[begin:end]
    ((value, *_),) = csv.reader([old], delimiter=separator) if old else [[""]]
    new = _cell(value, row, label_separator)
    if old.startswith('"') or any(sign in new for sign in (separator, '"', "\n", "\r")):
        new = '"' + new.replace('"', '""') + '"'
    return begin, end, new


def _cell(old: str, row: SuggestedTopics, separator: str) -> str:
    """The topics as one text, of the kind that stood there."""
    if old.lstrip().startswith("["):
        return _dumped(list(row.proposed))
    if len(row.proposed) > 1 and not separator:
        raise InputError(
            f"{row.file}, line {row.line}: has room for one topic; name the separator with --label-separator."
        )
    return separator.join(row.proposed)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(text: str) -> list[str]:
    """The lines with their ends, as Git counts them."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
