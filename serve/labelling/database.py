"""A label store's file: its tables, how it is told from others, and how it is opened."""

import sqlite3
from pathlib import Path

from serve.errors import InputError

# "KNL1" in ASCII; by it SQLite's tools and ours know the format.
APPLICATION_ID = 0x4B4E4C31
VERSION = 1
# So long a write waits for another process's.
BUSY_SECONDS = 10.0

STATEMENTS = (
    """
    CREATE TABLE task (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        date TEXT NOT NULL,
        outlet TEXT NOT NULL,
        suggested TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT
    """,
    "CREATE TABLE topic (number INTEGER PRIMARY KEY, facts TEXT NOT NULL) STRICT",
    # Lines are only ever added. An undo names the line that it takes back.
    """
    CREATE TABLE history (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        task INTEGER NOT NULL REFERENCES task,
        action TEXT NOT NULL CHECK (action IN ('save', 'skip', 'undo')),
        topics TEXT CHECK ((topics IS NOT NULL) = (action = 'save')),
        annotator TEXT NOT NULL,
        at TEXT NOT NULL,
        undoes INTEGER UNIQUE REFERENCES history CHECK ((undoes IS NOT NULL) = (action = 'undo'))
    ) STRICT
    """,
    "CREATE INDEX history_of_task ON history (task, action)",
    "CREATE INDEX history_of_annotator ON history (annotator)",
    "CREATE TABLE lease (task INTEGER PRIMARY KEY REFERENCES task, annotator TEXT NOT NULL, until REAL NOT NULL) STRICT",
    # The saves and skips that nobody took back.
    """
    CREATE VIEW standing AS SELECT * FROM history WHERE action <> 'undo'
        AND NOT EXISTS (SELECT 1 FROM history AS later WHERE later.undoes = history.number)
    """,
    # The label that holds of each labelled task: its last standing save.
    """
    CREATE VIEW label AS SELECT * FROM standing WHERE action = 'save' AND NOT EXISTS (
        SELECT 1 FROM standing AS later
        WHERE later.task = standing.task AND later.action = 'save' AND later.number > standing.number)
    """,
    # What changed a label; the latest number of a task is its revision. A skip changes nothing for others.
    """
    CREATE VIEW revision AS SELECT * FROM history WHERE action = 'save' OR undoes IN (
        SELECT number FROM history AS taken WHERE taken.task = history.task AND taken.action = 'save')
    """,
)


def open_database(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection to a label store, which threads may share that take turns; transactions begin where one says so.

    What is committed is on the disk. Raises InputError when the file is missing (and not to be created), cannot be used,
    or holds something else, which is left as it is.
    """
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.is_file():
        raise InputError(f"{path}: there is no such label store; `kanal label queue` makes one.")
    address = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    try:
        db = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            if create:
                _create(db)
            _check(db, path)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise InputError(f"{path}: cannot be used as a label store ({error}); name another file.") from None
    return db


def _create(db: sqlite3.Connection) -> None:
    """Makes the tables in an empty file, all or none; a file that holds something is left as it is."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
            for statement in STATEMENTS:
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _check(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise InputError(f"{path}: is no label store; name a file that `kanal label queue` made, or a new one.")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise InputError(
            f"{path}: is a label store of format {version}, this Kanal reads {VERSION}; use a newer Kanal."
        )
