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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from serve.errors import InputError
from serve.labelling import schema

# So long an article is nobody else's after it has been handed to somebody.
LEASE_SECONDS = 10 * 60.0
# So long a write waits for another process's.
BUSY_SECONDS = 10.0


@dataclass(frozen=True)
class Task:
    """An article to label. `suggested`: the model's topics with their probabilities, likeliest first."""

    id: str
    title: str
    text: str
    date: str = ""
    outlet: str = ""
    suggested: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Label:
    """What somebody decided: the topics (none is a decision too), who, and when (ISO 8601, UTC)."""

    topics: tuple[str, ...]
    annotator: str
    at: str


@dataclass(frozen=True)
class Labelled:
    """A task with the label that holds."""

    task: Task
    topics: tuple[str, ...]
    annotator: str
    at: str


@dataclass(frozen=True)
class Version:
    """A task as it stands: its label, and the revision that a save of the next one has to name."""

    task: Task
    revision: int
    label: Label | None


@dataclass(frozen=True)
class Undone:
    """What an undo took back: the topics that had been saved, or None for a skip; and the task as it stands now."""

    topics: tuple[str, ...] | None
    version: Version


@dataclass(frozen=True)
class Progress:
    """How many tasks there are and are labelled, how many this annotator skipped, and the labels that hold, by annotator."""

    tasks: int
    labelled: int
    skipped: int
    by_annotator: dict[str, int]


class Conflict(Exception):
    """Somebody else changed the label since the revision that the save names; `version` is what they made of it."""

    def __init__(self, version: Version) -> None:
        super().__init__(f"the label of {version.task.id!r} is at revision {version.revision}")
        self.version = version


class LabelStore:
    """The label store in a file; for use by several threads, beside others in other processes.

    Raises InputError when the file is missing (and not to be created) or holds something else. `clock` gives the
    seconds since 1970.
    """

    def __init__(self, path: Path, *, create: bool = False, clock: Callable[[], float] = time.time) -> None:
        self.path = Path(path)
        self._clock = clock
        self._lock = Lock()
        self._connection = _open(self.path, create)

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
            (*map(_storable, (task.id, task.title, task.text, task.date, task.outlet)), json.dumps(task.suggested),
             _storable(task.reason))
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

    def labelled(self) -> Iterator[Labelled]:
        """The label that holds of each labelled task, in the tasks' order, as they were when the first is asked for."""
        # A connection of its own, as a reader of the whole file must not keep others from saving.
        with closing(_open(self.path, create=False)) as db:
            for row in db.execute(f"{_VERSIONS} WHERE label.number IS NOT NULL ORDER BY task.number"):
                version = _version(row)
                assert version.label is not None
                yield Labelled(version.task, version.label.topics, version.label.annotator, version.label.at)

    def count(self) -> tuple[int, int]:
        """How many tasks are labelled, and how many there are."""
        with self._lock:
            return _count(self._connection)

    def progress(self, annotator: str) -> Progress:
        """How far the work is; `annotator` is whose skipped tasks are counted."""
        with self._lock:
            labelled, tasks = _count(self._connection)
            skipped = self._connection.execute(
                "SELECT count(DISTINCT task) FROM standing WHERE annotator = ? AND action = 'skip'"
                " AND task NOT IN (SELECT task FROM label)",
                (annotator,),
            ).fetchone()[0]
            by_annotator = dict(
                self._connection.execute(
                    "SELECT annotator, count(*) FROM label GROUP BY annotator ORDER BY 2 DESC, annotator"
                )
            )
        return Progress(tasks, labelled, skipped, by_annotator)

    def recent(self, limit: int) -> list[Version]:
        """The tasks that were labelled last, latest first."""
        with self._lock:
            rows = self._connection.execute(
                f"{_VERSIONS} WHERE label.number IS NOT NULL ORDER BY label.number DESC LIMIT ?", (limit,)
            ).fetchall()
        return [_version(row) for row in rows]

    def skipped(self, annotator: str, limit: int) -> list[Version]:
        """The tasks that this annotator skipped and nobody has labelled, latest skip first."""
        with self._lock:
            rows = self._connection.execute(
                f"{_VERSIONS} WHERE label.number IS NULL AND task.number IN"
                " (SELECT task FROM standing WHERE annotator = ? AND action = 'skip')"
                " ORDER BY (SELECT max(number) FROM standing WHERE standing.task = task.number"
                " AND annotator = ? AND action = 'skip') DESC LIMIT ?",
                (annotator, annotator, limit),
            ).fetchall()
        return [_version(row) for row in rows]

    def get(self, task_id: str) -> Version | None:
        """A task as it stands; None when there is none of this id."""
        with self._lock:
            return _get(self._connection, task_id)

    def next(self, annotator: str) -> Version | None:
        """The first task that nobody labelled, that is not in somebody else's hands, and that this annotator did not skip.

        It is theirs until they save or skip it, or the lease ends; until then they get the same one again. None when
        there is nothing for them to do.
        """
        with self._writing() as db:
            row = db.execute(
                f"{_VERSIONS} LEFT JOIN lease ON lease.task = task.number AND lease.until > :now"
                " WHERE label.number IS NULL AND (lease.task IS NULL OR lease.annotator = :annotator)"
                " AND NOT EXISTS (SELECT 1 FROM standing WHERE standing.task = task.number AND action = 'skip'"
                " AND annotator = :annotator) ORDER BY task.number LIMIT 1",
                {"now": self._clock(), "annotator": annotator},
            ).fetchone()
            if row is None:
                return None
            version = _version(row)
            self._lease(db, version.task.id, annotator)
            return version

    def save(self, task_id: str, topics: Sequence[str], annotator: str, revision: int) -> Version:
        """Labels a task. Returns it as it now stands, after the label is on the disk.

        `revision` is the one that the annotator has seen. Raises Conflict when it is no longer that, except where the
        label is already what they say (a save that is sent again as its answer was lost), and KeyError when there is no
        such task.
        """
        with self._writing() as db:
            version = _get(db, task_id)
            if version is None:
                raise KeyError(task_id)
            if version.revision != revision:
                label = version.label
                if label is not None and label.annotator == annotator and label.topics == tuple(topics):
                    return version
                raise Conflict(version)
            self._record(db, task_id, "save", annotator, topics=json.dumps(list(topics)))
            saved = _get(db, task_id)
            assert saved is not None
            return saved

    def skip(self, task_id: str, annotator: str) -> None:
        """Leaves a task to others: this annotator is not handed it again. Raises KeyError when there is no such task."""
        with self._writing() as db:
            if _get(db, task_id) is None:
                raise KeyError(task_id)
            self._record(db, task_id, "skip", annotator)

    def undo(self, annotator: str) -> Undone | None:
        """Takes back the last save or skip of this annotator that still holds, and hands them its task.

        The label that the task had before holds again. A save that somebody has since labelled over is not touched.
        None when there is nothing to take back.
        """
        with self._writing() as db:
            row = db.execute(
                "SELECT standing.number, task.id, standing.topics FROM standing JOIN task ON task.number = standing.task"
                " WHERE annotator = ? AND (action = 'skip' OR standing.number IN (SELECT number FROM label))"
                " ORDER BY standing.number DESC LIMIT 1",
                (annotator,),
            ).fetchone()
            if row is None:
                return None
            number, task_id, topics = row
            self._record(db, task_id, "undo", annotator, undoes=number)
            self._lease(db, task_id, annotator)
            version = _get(db, task_id)
            assert version is not None
            return Undone(None if topics is None else tuple(json.loads(topics)), version)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other write overlaps; on the disk when the block has ended."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

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
        db.execute("DELETE FROM lease WHERE task = (SELECT number FROM task WHERE id = ?)", (task_id,))

    def _lease(self, db: sqlite3.Connection, task_id: str, annotator: str) -> None:
        db.execute(
            "INSERT OR REPLACE INTO lease (task, annotator, until) SELECT number, ?, ? FROM task WHERE id = ?",
            (annotator, self._clock() + LEASE_SECONDS, task_id),
        )


_VERSIONS = """
SELECT task.id, task.title, task.text, task.date, task.outlet, task.suggested, task.reason,
    (SELECT coalesce(max(number), 0) FROM revision WHERE revision.task = task.number),
    label.topics, label.annotator, label.at
FROM task LEFT JOIN label ON label.task = task.number
"""


def _version(row: tuple[str, str, str, str, str, str, str, int, str | None, str, str]) -> Version:
    *article, suggested, reason, revision, topics, annotator, at = row
    task = Task(*article, tuple((topic, probability) for topic, probability in json.loads(suggested)), reason)
    return Version(task, revision, None if topics is None else Label(tuple(json.loads(topics)), annotator, at))


def _get(db: sqlite3.Connection, task_id: str) -> Version | None:
    row = db.execute(f"{_VERSIONS} WHERE task.id = ?", (task_id,)).fetchone()
    return None if row is None else _version(row)


def _count(db: sqlite3.Connection) -> tuple[int, int]:
    labelled, tasks = db.execute("SELECT (SELECT count(*) FROM label), (SELECT count(*) FROM task)").fetchone()
    return labelled, tasks


def _storable(text: str) -> str:
    """The text without lone surrogates, which a JSON escape can bring in and SQLite does not take."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _open(path: Path, create: bool) -> sqlite3.Connection:
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.is_file():
        raise InputError(f"{path}: there is no such label store; `kanal label queue` makes one.")
    # isolation_level None: transactions begin where this module says so. Threads take turns by the store's lock.
    address = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    try:
        db = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise InputError(f"{path}: cannot be opened ({error}).") from None
    try:
        if create:
            schema.create(db)
        if not schema.is_store(db, path):
            raise InputError(f"{path}: is not a label store; `kanal label queue` makes one.")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
    except sqlite3.DatabaseError as error:
        db.close()
        raise InputError(f"{path}: cannot be used as a label store ({error}).") from None
    except BaseException:
        db.close()
        raise
    return db
