"""What an audit suggests and a person decides, as a CSV file that a spreadsheet can edit."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serve.article import TOPIC_SEPARATOR
from serve.atomic import atomic_file
from serve.counts import counted
from serve.errors import InputError
from train.corpus import labels_in, read_table

COLUMNS = ("id", "file", "line", "title", "given", "proposed", "score", "decision")
# The proposed topics are taken, as they are or as a person has changed them; those given stay; "" is not decided yet.
ACCEPT, CHANGE, KEEP = "accept", "change", "keep"
DECISIONS = (ACCEPT, KEEP, CHANGE)


@dataclass(frozen=True)
class SuggestedTopics:
    """Other topics for an article; a row of the file, which has the columns of these names."""

    id: str
    file: str
    line: int
    title: str
    given: tuple[str, ...]
    proposed: tuple[str, ...]
    score: str
    """How likely the given topics are right, from 0 to 1."""
    decision: str = ""

    @property
    def cells(self) -> list[str]:
        """The row, in the order of COLUMNS."""
        return [
            self.id, self.file, str(self.line), self.title, joined(self.given), joined(self.proposed), self.score,
            self.decision,
        ]  # fmt: skip

    @property
    def corrects(self) -> bool:
        """Whether the article is to have other topics."""
        return self.decision in (ACCEPT, CHANGE) and self.proposed != self.given


def joined(topics: Sequence[str]) -> str:
    """Topics in one cell: with the separator between them, or as JSON where one of them has it in its name."""
    if any(TOPIC_SEPARATOR in topic or topic.startswith("[") for topic in topics):
        return json.dumps(list(topics), ensure_ascii=False)
    return TOPIC_SEPARATOR.join(topics)


def write_suggestions(path: Path, suggestions: Iterable[SuggestedTopics]) -> None:
    """Writes the file, with the mark by which spreadsheets know UTF-8.

    Raises InputError where there is one in which something was decided.
    """
    if path.exists() and (decided := sum(row.decision != "" for row in read_decisions(path))):
        raise InputError(
            f"{path}: has {counted(decided, 'decision')}; move it away, or write to another folder with --out."
        )
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(suggestion.cells for suggestion in suggestions)


def read_decisions(path: str | Path) -> list[SuggestedTopics]:
    """The rows of the file. Raises InputError that names file, line and column."""
    table = read_table(path)
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise InputError(f"{path}: no column '{missing[0]}'; give it a file that `kanal data audit` wrote.")
    return [_suggestion(row, f"{path}, line {line}") for line, row in table.rows]


def _suggestion(row: dict[str, str], where: str) -> SuggestedTopics:
    decision = row["decision"].strip().lower()
    if decision not in ("", *DECISIONS):
        raise InputError(f"{where}, column 'decision': holds '{decision}'; write {', '.join(DECISIONS)} or nothing.")
    if not row["line"].strip().isdecimal():
        raise InputError(f"{where}, column 'line': holds '{row['line']}'; it has to be as the audit wrote it.")
    given, proposed = (
        tuple(labels_in(row[name], TOPIC_SEPARATOR, f"{where}, column '{name}'")) for name in ("given", "proposed")
    )
    return SuggestedTopics(
        row["id"], row["file"], int(row["line"]), row["title"], given, proposed, row["score"], decision
    )  # fmt: skip
