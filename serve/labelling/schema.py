"""The tables of a label store, and how its file is told from others."""

import sqlite3
from pathlib import Path

from serve.errors import InputError

# "KNL1" in ASCII: what `file` and SQLite know the format by.
APPLICATION_ID = 0x4B4E4C31
VERSION = 1

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


def create(db: sqlite3.Connection) -> None:
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


def is_store(db: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is a label store. Raises InputError for one of a newer format."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return False
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise InputError(
            f"{path}: is a label store of format {version}, this Kanal reads {VERSION}; use a newer Kanal."
        )
    return True
