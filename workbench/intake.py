"""Articles from elsewhere on their way into a corpus: their labels translated, days and ids in order, repeats left out."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from serve.article import TOPIC_SEPARATOR, find_column, no_column
from serve.errors import InputError
from serve.regular import LARGEST_TOML, read_regular
from train.corpus import FIELDS, Table, place_of
from workbench.corpus_file import content_id
from workbench.dates import LONGEST, day_of

Labels = Mapping[str, Sequence[str]]
NO_LABEL = "(no label)"
# Of places where something was odd so many are told.
SHOWN_PLACES = 3


def read_columns(text: str) -> dict[str, str]:
    """The field of each column in "judul=title,isi=text"; "" in "no=", for a column that is not to be used.

    Raises InputError for another form, another field, and a field that two columns would have.
    """
    columns: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        column, equals, name = (part.strip() for part in pair.rpartition("="))
        if not equals or not column or name not in ("", *FIELDS):
            fields = ", ".join(FIELDS)
            raise InputError(f"--map: '{pair}' is no COLUMN=FIELD; the fields are {fields}, and none to leave it out.")
        if name and name in columns.values():
            raise InputError(f"--map: two columns for '{name}'; name one.")
        columns[column] = name
    return columns


def read_labels(file: str | Path) -> dict[str, tuple[str, ...]]:
    """The topics of each label in a TOML file of lines such as `bola = ["football"]`; [] for a label without any.

    Raises InputError for a file that is missing or has another form.
    """
    try:
        table = tomllib.loads(read_regular(file, LARGEST_TOML).decode())
    except FileNotFoundError:
        raise InputError(f"{file}: no such file; name a TOML file with the topics of each label.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{file}: not a TOML file ({error}); mend it there.") from None
    for label, topics in table.items():
        if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
            raise InputError(
                f"{file}: '{label}' = {topics!r}; expected a list of topics, such as [\"football\"], or []."
            )
    return folded(table)


def folded(labels: Labels) -> dict[str, tuple[str, ...]]:
    """The labels in small letters, as they are looked up."""
    return {label.casefold(): tuple(topics) for label, topics in labels.items()}


def article_columns(table: Table, columns: Mapping[str, str]) -> dict[str, str | None]:
    """The column of each field, as `columns` tells, or else by its usual names; None where there is none.

    Raises InputError for a column that is not there, and when there is none of titles or texts.
    """
    for column in columns:
        if column not in table.columns:
            remedy = "Name one of them with --map COLUMN=FIELD."
            raise no_column(table.name, f"no column '{column}'", table.columns, remedy)
    given: dict[str, str | None] = {ours: theirs for theirs, ours in columns.items()}
    found = {name: find_column(name, table.columns, file=table.name, required=False) for name in FIELDS}
    names = {name: given.get(name) or (None if column in columns else column) for name, column in found.items()}
    if not names["title"] and not names["text"]:
        raise no_column(table.name, "no column of texts found", table.columns, "Name it with --map COLUMN=text.")
    return names


@dataclass
class Intake:
    """Takes in the articles of tables one by one, and counts what becomes of them.

    `labels` translates labels (without regard to case) into topics; an article whose labels give none is left out. None:
    labels are topics. `labelled` False: articles have no topics at all, which is not the same as being about none.
    """

    labels: Labels | None = None
    labelled: bool = True
    date_format: str = ""
    """How dates are written, as `strptime` takes it; "": in any way that `day_of` can read."""

    read: int = 0
    repeats: int = 0
    by_label: Counter[str] = field(default_factory=Counter)
    """How many of those read had each label, when there are `labels`."""
    left_out: int = 0
    empty: list[str] = field(default_factory=list)
    """Where articles without title and text are."""
    no_days: list[str] = field(default_factory=list)
    """Where dates are that cannot be read."""
    contradictions: list[str] = field(default_factory=list)
    """Where articles are that repeat others with other topics."""
    _contents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def know(self, table: Table) -> None:
        """Remembers the articles that are there already."""
        for article in table.articles(article_columns(table, {})):
            key = content_id(article)
            self._contents[key] = tuple(article["topics"])
            self._ids[article["id"] or key] = place_of(table.name, article["line"])

    def take(
        self, table: Table, columns: Mapping[str, str], separator: str = TOPIC_SEPARATOR
    ) -> Iterator[dict[str, Any]]:
        """The articles of a table that are to be in the corpus, as `workbench.corpus_file` takes them.

        Raises InputError, with file, line and column, for what is no text, and for an id that another article has.
        """
        names = article_columns(table, columns)
        for article in table.articles(names, separator):
            self.read += 1
            where = place_of(table.name, article["line"])
            if not article["title"].strip() and not article["text"].strip():
                self.empty.append(where)
                continue
            topics = self._topics(article["topics"]) if self.labelled else []
            key = content_id(article)
            if key in self._contents:
                self.repeats += 1
                if topics is not None and set(topics) != set(self._contents[key]):
                    self.contradictions.append(where)
                continue
            if topics is None:
                self.left_out += 1
                continue
            self._contents[key] = tuple(topics)
            article["id"] = article["id"] or key
            if other := self._ids.get(article["id"]):
                remedy = f"give each its own, or leave the column out with --map {names['id']}="
                raise InputError(
                    f"{where}, column '{names['id']}': '{article['id']}' is the id of {other} too; {remedy}."
                )
            self._ids[article["id"]] = where
            article["date"] = self._day(article["date"], where)
            if self.labelled:
                yield {**article, "topics": topics}
            else:
                yield {name: value for name, value in article.items() if name not in ("topics", "split")}

    def _topics(self, labels: list[str]) -> list[str] | None:
        """The topics that an article's labels stand for; None when it is to be left out."""
        if self.labels is None:
            return labels
        self.by_label.update(labels or [NO_LABEL])
        return list(dict.fromkeys(topic for label in labels for topic in self.labels.get(label.casefold(), ()))) or None

    def _day(self, text: str, where: str) -> str:
        try:
            day = datetime.strptime(text, self.date_format).date() if self.date_format and text else day_of(text)
        except ValueError:
            day = None
        if text and not day:
            self.no_days.append(f"{where}: '{text[:LONGEST]}'")
        return day.isoformat() if day else ""

    def table(self) -> str:
        """What became of each label, as lines of text, the most frequent first; "" without `labels`."""
        if self.labels is None:
            return ""
        width = max(map(len, [*self.by_label, "label"])) + 2
        lines = [f"{'label':<{width}}{'articles':>8}  topics"]
        for label, count in self.by_label.most_common():
            topics = self.labels.get(label.casefold())
            known = " ".join(topics) if topics else "none of ours" if topics is not None else "none: no mapping"
            lines.append(f"{label:<{width}}{count:>8,}  {'none' if label == NO_LABEL else known}")
        return "\n".join(lines)

    def remarks(self) -> list[str]:
        """What was left out or is odd, and how often."""
        counted = {"left out, their labels stand for no topic": self.left_out, "left out, exact repeats": self.repeats}
        placed = {
            "left out, without title and text": self.empty,
            "repeats with other topics (the first stays)": self.contradictions,
            "dates that cannot be read, left empty": self.no_days,
        }
        remarks = [f"{what}: {count:,}" for what, count in counted.items() if count]
        for what, places in placed.items():
            if places:
                shown = "; ".join([*places[:SHOWN_PLACES], *(["..."] if len(places) > SHOWN_PLACES else [])])
                remarks.append(f"{what}: {len(places):,} ({shown})")
        return remarks
