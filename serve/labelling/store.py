"""The label store: articles that wait for a person's label, and every label given, in one SQLite file.

Several people, threads and processes work on it at once. A label is on the disk before anybody is told that it is kept,
and no label is ever overwritten: each save, skip and undo is a line of the history, and the labels that hold are derived
from it. Who saves says which revision of the label they had seen, so that nobody replaces what they do not know of.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar

from serve.errors import InputError, KanalError
from serve.labelling.database import open_database
from serve.topics import Topic

# So long an article is nobody else's after it was handed to somebody.
LEASE_SECONDS = 10 * 60.0

# What SQLite calls a file whose pages, or whose tables and views, are not what they should be.
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)

R = TypeVar("R")


@dataclass(frozen=True)
class Task:
    """An article to label. `suggested`: the model's topics with their probabilities, likeliest first; `reason`: why this
    article was picked."""

    id: str
    title: str
    text: str
    date: str = ""
    outlet: str = ""
    suggested: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Labelled:
    """A task with the label that holds: the topics, main one first (none is a label too), who gave it, and when (ISO 8601,
    UTC)."""

    task: Task
    topics: tuple[str, ...]
    annotator: str
    at: str


@dataclass(frozen=True)
class Version:
    """A task as it stands: the label that holds, if any, and the revision that the next save has to name."""

    task: Task
    revision: int
    label: Labelled | None


@dataclass(frozen=True)
class Undone:
    """What an undo took back, the topics that had been saved or None for a skip; and the task as it stands now."""

    topics: tuple[str, ...] | None
    version: Version


@dataclass(frozen=True)
class Progress:
    """How many tasks there are, how many are labelled, and the labels that hold by annotator, who has most first."""

    tasks: int
    labelled: int
    by_annotator: dict[str, int]


class StoreError(KanalError):
    """The file cannot be read or written at the moment; nothing of what was asked is done."""


class ConflictError(Exception):
    """Somebody changed the label since the revision that a save names; `version` is what they made of it."""

    def __init__(self, version: Version) -> None:
        super().__init__(f"the label is at revision {version.revision}")
        self.version = version


class LabelStore:
    """The label store in a file, for several threads, beside others in other processes. Also a context manager.

    Raises InputError when the file is missing (and not to be created) or holds something else; its methods raise
    StoreError. `clock` gives the seconds since 1970.
    """

    def __init__(self, path: Path, *, create: bool = False, clock: Callable[[], float] = time.time) -> None:
        self.path = Path(path)
        self._clock = clock
        self._lock = Lock()
        self._connection = open_database(self.path, create=create)
        self._file = self._identity()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the use of the file. What was saved is on the disk already."""
        with self._lock:
            self._connection.close()

    def add(self, tasks: Iterable[Task]) -> int:
        """Adds the tasks whose id is new, all or none, in their order after those there; returns how many."""
        rows = [
            tuple(map(_storable, (task.id, task.title, task.text, task.date, task.outlet, _json(task.suggested), task.reason)))
            for task in tasks
        ]  # fmt: skip
        with self._writing() as db:
            before = db.total_changes
            db.executemany(
                "INSERT INTO task (id, title, text, date, outlet, suggested, reason) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                rows,
            )
            return db.total_changes - before

    def offer(self, topics: Iterable[Topic]) -> None:
        """Names the topics to choose from, in their order, in place of those named before."""
        rows = [(_storable(_json(asdict(topic))),) for topic in topics]
        with self._writing() as db:
            db.execute("DELETE FROM topic")
            db.executemany("INSERT INTO topic (facts) VALUES (?)", rows)

    def topics(self) -> list[Topic]:
        """The topics to choose from; empty where none were named, which leaves them to the model."""
        with self._reading() as db:
            rows = db.execute("SELECT facts FROM topic ORDER BY number").fetchall()
            return [_decoded(facts, Topic.of_json) for (facts,) in rows]

    def tasks(self) -> Iterator[Task]:
        """All tasks in their order, as they are when the first is asked for."""
        return (version.task for version in self._versions())

    def labelled(self) -> Iterator[Labelled]:
        """The label that holds of each labelled task, in the tasks' order, all as they are when the first is asked for."""
        return (version.label for version in self._versions() if version.label is not None)

    def _versions(self) -> Iterator[Version]:
        # A connection of its own: who reads the whole file keeps nobody here from saving.
        with self._telling(), closing(open_database(self.path, create=False)) as db:
            for row in db.execute(f"{_VERSIONS} ORDER BY task.number"):
                yield _version(row)

    def progress(self) -> Progress:
        """How far the work is."""
        with self._reading() as db:
            labelled, tasks = db.execute("SELECT (SELECT count(*) FROM label), (SELECT count(*) FROM task)").fetchone()
            by_annotator = "SELECT annotator, count(*) FROM label GROUP BY annotator ORDER BY 2 DESC, annotator"
            return Progress(tasks, labelled, dict(db.execute(by_annotator)))

    def latest(self, limit: int) -> list[Version]:
        """The tasks that were labelled last, latest first; at most `limit`."""
        with self._reading() as db:
            rows = db.execute(
                f"{_VERSIONS} WHERE label.number IS NOT NULL ORDER BY label.number DESC LIMIT ?", (limit,)
            )
            return [_version(row) for row in rows]

    def skipped(self, annotator: str, limit: int) -> list[Version]:
        """The tasks that this annotator skipped and nobody has labelled, in the tasks' order; at most `limit`."""
        with self._reading() as db:
            rows = db.execute(
                f"{_VERSIONS} WHERE label.number IS NULL AND {_SKIPPED} ORDER BY task.number LIMIT :limit",
                {"annotator": annotator, "limit": limit},
            )
            return [_version(row) for row in rows]

    def get(self, task_id: str) -> Version:
        """A task as it stands. Raises KeyError when there is none of this id."""
        with self._reading() as db:
            return _get(db, task_id)

    def next(self, annotator: str) -> Version | None:
        """The first task that nobody has labelled, that is in nobody else's hands, and that this annotator did not skip.

        It is theirs until they save or skip it or the lease ends; until then they get the same one again. None when there
        is nothing for them to do.
        """
        with self._writing() as db:
            row = db.execute(
                f"{_VERSIONS} LEFT JOIN lease ON lease.task = task.number AND lease.until > :now"
                " WHERE label.number IS NULL AND (lease.task IS NULL OR lease.annotator = :annotator)"
                f" AND NOT {_SKIPPED} ORDER BY task.number LIMIT 1",
                {"now": self._clock(), "annotator": annotator},
            ).fetchone()
            if row is None:
                return None
            version = _version(row)
            self._lease(db, version.task.id, annotator)
            return version

    def save(self, task_id: str, topics: Sequence[str], annotator: str, revision: int) -> Version:
        """Labels a task; returns it as it now stands, when the label is on the disk.

        `revision` is the one that the annotator has seen. Raises ConflictError when it is no longer that, unless the label
        is just what they say (a save sent again because its answer was lost); KeyError when there is no such task.
        """
        with self._writing() as db:
            version = _get(db, task_id)
            if version.revision != revision:
                label = version.label
                if label is not None and (label.annotator, label.topics) == (annotator, tuple(topics)):
                    return version
                raise ConflictError(version)
            self._record(db, task_id, "save", annotator, topics=_json(list(topics)))
            return _get(db, task_id)

    def skip(self, task_id: str, annotator: str) -> Version:
        """Leaves a task to others: this annotator is not handed it again. Returns it as it stands.

        Raises KeyError when there is no such task.
        """
        with self._writing() as db:
            version = _get(db, task_id)
            self._record(db, task_id, "skip", annotator)
            return version

    def undo(self, annotator: str) -> Undone | None:
        """Takes back the last save or skip of this annotator that still holds, and hands them its task.

        The label that the task had before holds again. A save that somebody has since labelled over is not touched. None
        when there is nothing to take back.
        """
        with self._writing() as db:
            row = db.execute(
                "SELECT standing.number, task.id, topics FROM standing JOIN task ON task.number = standing.task"
                " WHERE annotator = ? AND (action = 'skip' OR standing.number IN (SELECT number FROM label))"
                " ORDER BY standing.number DESC LIMIT 1",
                (annotator,),
            ).fetchone()
            if row is None:
                return None
            number, task_id, topics = row
            self._record(db, task_id, "undo", annotator, undoes=number)
            self._lease(db, task_id, annotator)
            return Undone(None if topics is None else _decoded(topics, tuple), _get(db, task_id))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._telling():
            yield self._connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Raises StoreError for what SQLite cannot do inside of the block."""
        try:
            yield
        except InputError as error:
            raise StoreError(str(error)) from None
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {_told(error)}") from None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other write overlaps; on the disk when the block has ended."""
        with self._reading() as db:
            # Labels written to a file that nobody will find would be lost.
            if self._identity() != self._file:
                raise StoreError(f"{self.path}: was moved or replaced; put it back, or start again with the new one.")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                # Some failures, such as a full disk, have ended the transaction already.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _record(
        self,
        db: sqlite3.Connection,
        task_id: str,
        action: str,
        annotator: str,
        *,
        topics: str | None = None,
        undoes: int | None = None,
    ) -> None:
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        db.execute(
            "INSERT INTO history (task, action, topics, annotator, at, undoes)"
            " SELECT number, ?, ?, ?, ?, ? FROM task WHERE id = ?",
            (action, topics, annotator, at, undoes, task_id),
        )
        db.execute(
            "DELETE FROM lease WHERE task = (SELECT number FROM task WHERE id = ?) AND annotator = ?",
            (task_id, annotator),
        )

    def _lease(self, db: sqlite3.Connection, task_id: str, annotator: str) -> None:
        """Gives a task to an annotator for a while, unless somebody else has it."""
        now = self._clock()
        db.execute(
            "INSERT INTO lease (task, annotator, until) SELECT number, :annotator, :until FROM task WHERE id = :id"
            " ON CONFLICT (task) DO UPDATE SET annotator = excluded.annotator, until = excluded.until"
            " WHERE lease.until <= :now OR lease.annotator = excluded.annotator",
            {"annotator": annotator, "until": now + LEASE_SECONDS, "id": task_id, "now": now},
        )


_VERSIONS = """
SELECT task.id, task.title, task.text, task.date, task.outlet, task.suggested, task.reason,
    (SELECT coalesce(max(number), 0) FROM revision WHERE revision.task = task.number),
    label.topics, label.annotator, label.at
FROM task LEFT JOIN label ON label.task = task.number
"""
_SKIPPED = """EXISTS (
    SELECT 1 FROM standing WHERE standing.task = task.number AND action = 'skip' AND annotator = :annotator)
"""


def _version(row: tuple[Any, ...]) -> Version:
    """Of a row of _VERSIONS."""
    task_id, title, text, date, outlet, suggested, reason, revision, topics, annotator, at = row
    task = Task(task_id, title, text, date, outlet, _decoded(suggested, _likeliest), reason)
    return Version(task, revision, None if topics is None else Labelled(task, _decoded(topics, tuple), annotator, at))


def _likeliest(suggested: Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    return tuple((str(topic), float(probability)) for topic, probability in suggested)


def _decoded(stored: Any, read: Callable[[Any], R]) -> R:
    """What `read` makes of JSON in the file. Raises sqlite3.DatabaseError when it cannot."""
    try:
        return read(json.loads(stored))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise sqlite3.DatabaseError from None


def _told(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and not isinstance(error, sqlite3.ProgrammingError):
        # Found while reading a row, as text that is not UTF-8: the message may quote an article.
        reason = "a field cannot be read"
    elif code is not None and code & 0xFF in _DAMAGED:
        reason = str(error)
    else:
        return f"cannot be used at the moment ({error})."
    return f"is damaged ({reason}); put a copy in its place, or save what can be read with SQLite's .recover."


def _get(db: sqlite3.Connection, task_id: str) -> Version:
    row = db.execute(f"{_VERSIONS} WHERE task.id = ?", (task_id,)).fetchone()
    if row is None:
        raise KeyError(task_id)
    return _version(row)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _storable(text: str) -> str:
    """The text without lone surrogates, which an escape in JSON can bring in and SQLite does not take."""
    return text.encode("utf-8", "replace").decode("utf-8")
