"""The label store: what is acknowledged stays, nobody overwrites anybody, and other files are left alone."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from serve.errors import InputError
from serve.labelling.store import LEASE_SECONDS, ConflictError, Labelled, LabelStore, Progress, StoreError, Task
from serve.paths import ROOT
from serve.topics import Topic

SECRET = "rahasia-negara"


def tasks(n: int, first: int = 0) -> list[Task]:
    return [Task(f"a{i}", f"Judul {i}", f"Isi {i}.") for i in range(first, first + n)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "label ?#%.db"


@pytest.fixture
def store(path: Path) -> Iterator[LabelStore]:
    with LabelStore(path, create=True) as made:
        made.add(tasks(5))
        yield made


def handed(store: LabelStore, annotator: str) -> str | None:
    version = store.next(annotator)
    return version and version.task.id


def labels_of(store: LabelStore) -> dict[str, tuple[str, ...]]:
    return {label.task.id: label.topics for label in store.labelled()}


def test_a_task_comes_back_as_it_was_given(store: LabelStore) -> None:
    odd = Task(
        "https://warta.example/a?b=1", "Judul \x00 'kutip'", "Isi\n\n\U0001f600 \u202eterbalik", "2026-03-02", "Warta",
        (("trade", 0.48), ("sanctions", 0.02)), "uncertain: trade 0.48",
    )  # fmt: skip
    assert store.add([odd]) == 1
    assert store.get(odd.id).task == odd
    assert store.add([Task("surrogate", "\ud800", "x\udfff")]) == 1
    assert store.get("surrogate").task.title == "?"


def test_only_new_tasks_are_added_after_those_there(store: LabelStore) -> None:
    store.save("a0", ["trade"], "Sari", 0)
    assert store.add(tasks(4, first=3)) == 2
    assert store.add(task for task in tasks(7)) == 0
    assert store.progress() == Progress(7, 1, {"Sari": 1})
    for i in (6, 5, 1):
        store.save(f"a{i}", [], "Budi", 0)
    assert [label.task.id for label in store.labelled()] == ["a0", "a1", "a5", "a6"]


def test_adding_is_all_or_nothing(store: LabelStore) -> None:
    def broken() -> Iterator[Task]:
        yield from tasks(3, first=10)
        raise ValueError

    with pytest.raises(ValueError):
        store.add(broken())
    assert store.progress() == Progress(5, 0, {})


def test_a_label_is_kept_with_who_and_when(path: Path) -> None:
    with LabelStore(path, create=True, clock=lambda: 1_772_424_245.678) as store:
        store.add(tasks(1))
        store.save("a0", ["trade", "sanctions"], "Sari", 0)
    with LabelStore(path) as again:
        expected = Labelled(tasks(1)[0], ("trade", "sanctions"), "Sari", "2026-03-02T04:04:05.678+00:00")
        assert list(again.labelled()) == [expected]
        assert again.progress().by_annotator == {"Sari": 1}


def test_topics_to_choose_from(store: LabelStore) -> None:
    assert store.topics() == []
    named = [Topic("trade", name_id="Dagang", iptc=("medtop:1",)), Topic("pact", about="Pakta.")]
    store.offer(named)
    assert store.topics() == named
    store.offer(reversed(named))
    assert store.topics() == named[::-1]


def test_two_people_get_different_tasks_until_a_lease_ends(path: Path) -> None:
    now = 0.0
    with LabelStore(path, create=True, clock=lambda: now) as store:
        store.add(tasks(3))
        assert [handed(store, name) for name in ("Sari", "Budi", "Sari", "Budi")] == ["a0", "a1", "a0", "a1"]
        store.save("a0", [], "Sari", 0)
        assert handed(store, "Sari") == "a2"
        now = LEASE_SECONDS - 1
        assert handed(store, "Tuti") is None
        assert handed(store, "Budi") == "a1"
        now = LEASE_SECONDS + 1
        assert handed(store, "Tuti") == "a2"
        assert handed(store, "Sari") is None
        store.save("a2", [], "Tuti", 0)
        store.save("a1", [], "Budi", 0)
        assert handed(store, "Sari") is None


def test_a_save_on_what_one_has_not_seen_is_refused(store: LabelStore) -> None:
    seen = store.next("Sari")
    assert seen is not None and seen.revision == 0
    theirs = store.save("a0", ["trade"], "Budi", 0)
    with pytest.raises(ConflictError) as conflict:
        store.save("a0", ["sanctions"], "Sari", 0)
    assert conflict.value.version == theirs
    assert labels_of(store) == {"a0": ("trade",)}
    mine = store.save("a0", ["sanctions"], "Sari", theirs.revision)
    assert mine.revision > theirs.revision
    assert labels_of(store) == {"a0": ("sanctions",)}
    assert len(history(store.path)) == 2


def test_the_same_save_again_changes_nothing(store: LabelStore) -> None:
    once = store.save("a0", ["trade"], "Sari", 0)
    assert store.save("a0", ["trade"], "Sari", 0) == once
    assert len(history(store.path)) == 1
    with pytest.raises(ConflictError):
        store.save("a0", ["trade"], "Budi", 0)


def test_skipped_is_for_others(store: LabelStore) -> None:
    assert handed(store, "Sari") == "a0"
    store.skip("a0", "Sari")
    assert [handed(store, name) for name in ("Sari", "Budi")] == ["a1", "a0"]
    assert [version.task.id for version in store.skipped("Sari", 9)] == ["a0"]
    assert store.skipped("Budi", 9) == []
    # A skip is no change of the label.
    store.save("a0", [], "Budi", 0)
    assert store.skipped("Sari", 9) == []


def test_skipping_leaves_the_lease_of_another(store: LabelStore) -> None:
    assert handed(store, "Sari") == "a0"
    store.skip("a0", "Budi")
    assert handed(store, "Tuti") == "a1"


def test_undo_goes_back_step_by_step(store: LabelStore) -> None:
    first = store.save("a0", ["trade"], "Sari", 0)
    store.save("a0", ["sanctions"], "Sari", first.revision)
    store.skip("a1", "Sari")
    store.save("a2", [], "Sari", 0)
    undone = [store.undo("Sari") for _ in range(5)]
    assert [(u.version.task.id, u.topics) for u in undone if u] == [
        ("a2", ()), ("a1", None), ("a0", ("sanctions",)), ("a0", ("trade",)),
    ]  # fmt: skip
    assert undone[2] and undone[2].version.label and undone[2].version.label.topics == ("trade",)
    assert undone[4] is None
    assert labels_of(store) == {}
    assert len(history(store.path)) == 8


def test_undo_gives_back_what_another_had_saved(store: LabelStore) -> None:
    theirs = store.save("a0", ["trade"], "Budi", 0)
    mine = store.save("a0", [], "Sari", theirs.revision)
    undone = store.undo("Sari")
    assert undone and undone.version.label and undone.version.label.annotator == "Budi"
    # The label is as it was, but who saw it in between must not save unknowingly.
    assert undone.version.revision > mine.revision
    with pytest.raises(ConflictError):
        store.save("a0", ["sanctions"], "Tuti", theirs.revision)


def test_undo_leaves_what_another_saved_later(store: LabelStore) -> None:
    store.save("a0", ["trade"], "Sari", 0)
    mine = store.save("a1", ["trade"], "Sari", 0)
    store.save("a1", ["sanctions"], "Budi", mine.revision)
    undone = store.undo("Sari")
    assert undone and undone.version.task.id == "a0"
    assert store.undo("Sari") is None
    assert labels_of(store) == {"a1": ("sanctions",)}


def test_what_is_undone_is_in_ones_own_hands(store: LabelStore) -> None:
    store.save("a0", ["trade"], "Sari", 0)
    store.undo("Sari")
    assert [handed(store, name) for name in ("Budi", "Sari")] == ["a1", "a0"]
    store.skip("a0", "Sari")
    assert handed(store, "Tuti") == "a0"
    store.undo("Sari")
    assert handed(store, "Tuti") == "a0"


def test_latest_first(store: LabelStore) -> None:
    for i in (3, 0, 4):
        store.save(f"a{i}", [], "Sari", 0)
    assert [version.task.id for version in store.latest(2)] == ["a4", "a0"]


def test_an_unknown_task(store: LabelStore) -> None:
    for call in (lambda: store.get("b"), lambda: store.save("b", [], "Sari", 0), lambda: store.skip("b", "Sari")):
        with pytest.raises(KeyError):
            call()
    assert history(store.path) == []


def history(path: Path) -> list[tuple[str, str]]:
    db = sqlite3.connect(path)
    found = db.execute("SELECT action, annotator FROM history ORDER BY number").fetchall()
    db.close()
    return found


def make_text(path: Path) -> None:
    path.write_text("id,judul,isi\n" * 100, encoding="utf-8")


def make_other_database(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE other (x)")
    db.commit()
    db.close()


def make_newer(path: Path) -> None:
    LabelStore(path, create=True).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (make_text, "file is not a database"),
        (make_other_database, "is no label store"),
        (make_newer, "of format 99"),
        (Path.mkdir, "label store"),
    ],
)
@pytest.mark.parametrize("create", [False, True])
def test_another_file_is_refused_and_left_alone(
    path: Path, make: Callable[[Path], None], said: str, create: bool
) -> None:
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(InputError, match=said) as refused:
        LabelStore(path, create=create)
    assert str(path) in str(refused.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_missing_file_is_made_only_when_asked(path: Path) -> None:
    with pytest.raises(InputError, match="kanal label queue"):
        LabelStore(path)
    assert not path.exists()
    path.touch()
    with pytest.raises(InputError, match="is no label store"):
        LabelStore(path)
    with LabelStore(path, create=True) as store:
        assert store.progress() == Progress(0, 0, {})
    LabelStore(path.parent / "new" / "labels.db", create=True).close()


def test_a_store_that_was_moved_takes_no_labels(store: LabelStore) -> None:
    store.path.rename(store.path.with_name("elsewhere.db"))
    with pytest.raises(StoreError, match="moved"):
        store.save("a0", [], "Sari", 0)
    LabelStore(store.path, create=True).close()
    with pytest.raises(StoreError, match="moved"):
        store.save("a0", [], "Sari", 0)


def overwrite_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    # The first page tells what the file is.
    content[4096:] = random.Random(0).randbytes(len(content) - 4096)
    path.write_bytes(content)


def statement(sql: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            db.execute(sql)
            db.commit()

    return run


@pytest.mark.parametrize(
    "damage",
    [
        overwrite_the_middle,
        statement("DROP VIEW label"),
        statement(f"UPDATE task SET title = CAST(x'ff{SECRET.encode().hex()}' AS TEXT)"),
        statement(f"UPDATE task SET suggested = '[[1, \"{SECRET}\"]]'"),
        statement("UPDATE task SET suggested = '7'"),
        statement(f"UPDATE task SET suggested = '{'[' * 100_000}'"),
    ],
)
def test_a_damaged_store_is_said_to_be(path: Path, damage: Callable[[Path], None]) -> None:
    with LabelStore(path, create=True) as store:
        store.add(tasks(2000))
        store.save("a0", ["trade"], "Sari", 0)
    damage(path)
    with LabelStore(path) as store:
        calls: list[Callable[[], object]] = [
            lambda: list(store.tasks()), lambda: list(store.labelled()), lambda: store.latest(9),
            lambda: store.get("a0"), lambda: store.next("Sari"), lambda: store.undo("Sari"),
            lambda: store.save("a1", [], "Sari", 0), lambda: store.skip("a1", "Sari"),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(StoreError, match="is damaged") as told:
                call()
            assert str(told.value).startswith(f"{path}: ")
            assert SECRET not in str(told.value)


def test_topics_of_a_damaged_store(store: LabelStore) -> None:
    statement("INSERT INTO topic (facts) VALUES ('{\"nama\": 1}')")(store.path)
    with pytest.raises(StoreError, match="is damaged"):
        store.topics()


def test_a_store_that_went_away_is_not_read(store: LabelStore) -> None:
    store.path.unlink()
    with pytest.raises(StoreError, match="no such label store"):
        list(store.tasks())


def test_a_store_that_is_closed(store: LabelStore) -> None:
    store.close()
    with pytest.raises(StoreError, match="at the moment"):
        store.progress()


# Labels whatever is handed to it, and says so after each save.
WORKER = """
import sys
from pathlib import Path
from serve.labelling.store import LabelStore
path, annotator = sys.argv[1:]
with LabelStore(Path(path), create=True) as store:
    while version := store.next(annotator):
        store.save(version.task.id, [annotator], annotator, version.revision)
        print(version.task.id, flush=True)
"""


def worker(path: Path, annotator: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), annotator], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_two_processes_label_at_once(path: Path) -> None:
    with LabelStore(path, create=True) as store:
        store.add(tasks(40))
    done = {}
    running = {name: worker(path, name) for name in ("Sari", "Budi")}
    for name, process in running.items():
        done[name] = process.communicate(timeout=60)[0].split()
        assert process.returncode == 0
    assert sorted(done["Sari"] + done["Budi"]) == sorted(task.id for task in tasks(40))
    with LabelStore(path) as store:
        assert {label.task.id: label.annotator for label in store.labelled()} == {
            task: name for name, found in done.items() for task in found
        }


def test_several_processes_make_the_same_file(path: Path) -> None:
    running = [worker(path, f"p{i}") for i in range(4)]
    assert [process.communicate(timeout=60)[0] + str(process.returncode) for process in running] == ["0"] * 4


def test_what_was_acknowledged_outlives_a_kill(path: Path) -> None:
    with LabelStore(path, create=True) as store:
        store.add(tasks(500))
    acknowledged: list[str] = []
    for round_ in range(10):
        name = f"p{round_}"
        process = worker(path, name)
        assert process.stdout is not None
        seen = [process.stdout.readline().strip() for _ in range(1 + 2 * round_)]
        process.kill()
        seen += process.stdout.read().split()
        process.wait()
        acknowledged += seen
        with LabelStore(path) as store:
            found = labels_of(store)
            assert all(found[task] == (name,) for task in seen)
            assert set(acknowledged) <= set(found)
            # At most one save a kill was on the disk before it could be told.
            assert len(found) <= len(acknowledged) + round_ + 1
    assert len(acknowledged) >= 100
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
