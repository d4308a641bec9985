"""What is read beside models, made by somebody who means harm: taxonomies, lexicons, backgrounds, journals, and the folder
in which compiled kernels are kept."""

import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from serve import kernels
from serve.batch import predict_file
from serve.errors import InputError
from serve.files.journal import journal_file
from serve.topics import Topic, load_topics, wrong_topics
from tests.fuzz.models import small_model
from train.background import EMBEDDED_BACKGROUND, FACTS, FIGURES, PROFILES, TERMS, Background
from train.lexicon import load_lexicon


@pytest.mark.parametrize("read", [load_topics, load_lexicon])
def test_toml_that_is_none_is_refused(tmp_path: Path, read: Any) -> None:
    file = tmp_path / "file.toml"
    contents = [b"\xff\xfe", b"a = " + b"[" * 100_000, b"a = " + b"{a=" * 100_000, b"[a]\n[a]\n", b"a = 1\n", b"\0"]
    for content in contents:
        file.write_bytes(content)
        with pytest.raises(InputError, match=str(file)):
            read(file)
    os.truncate(file, 100 * 2**30)
    with pytest.raises(InputError, match="none of its kind has more than"):
        read(file)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(InputError, match="a pipe"):
        read(file)


def test_what_a_model_cannot_have_is_said_before_it_is_trained() -> None:
    assert not wrong_topics({"bola": Topic("bola", about="Satu.\n\tDua.")})
    assert "control characters" in wrong_topics({"bola": Topic("bola", name_id="\x9b31m")})
    assert "control characters" in wrong_topics({"bola\n": Topic("bola\n")})
    assert "no usable id" in wrong_topics({"": Topic("")})


@pytest.fixture
def background(tmp_path: Path) -> Path:
    """A small background: four terms, two of them words with vectors, one profile."""
    folder = tmp_path / "background"
    folder.mkdir()
    (folder / TERMS).write_text("bola\nbola masuk\ngawang\npresiden\n")
    (folder / FACTS).write_text('{"n_documents": 9}')
    arrays: dict[str, Any] = {
        "documents": np.array([3, 2, 2, 9], np.int32),
        "words": np.array([0, 3], np.int32),
        "codes": np.ones((2, 5), np.int8),
        "scales": np.full(2, 0.01, np.float32),
    }
    (folder / FIGURES).write_bytes(save(arrays))
    rows = {
        "ends": np.array([0, 2], np.int32),
        "terms": np.array([0, 3], np.int32),
        "values": np.array([200, 100], np.uint8),
    }
    (folder / PROFILES).write_bytes(save(rows))
    Background.load(folder)
    return folder


@pytest.mark.parametrize(
    ("file", "name", "value"),
    [
        (FIGURES, "documents", np.array([3, 2, 2, -9], np.int32)),
        (FIGURES, "documents", np.array([3, 2, 2, 10], np.int32)),
        (FIGURES, "documents", np.array([3, 2, 2], np.int32)),
        (FIGURES, "documents", np.array([3, 2, 2, np.nan])),
        (FIGURES, "words", np.array([0, 4], np.int32)),
        (FIGURES, "words", np.array([-1, 3], np.int32)),
        (FIGURES, "words", np.array([3, 3], np.int32)),
        (FIGURES, "words", np.array([0, 3], np.float64)),
        (FIGURES, "codes", np.ones(2, np.int8)),
        (FIGURES, "codes", np.ones((3, 5), np.int8)),
        (FIGURES, "codes", np.ones((2, 0, 5), np.int8)),
        (FIGURES, "scales", np.array([np.nan, 1], np.float32)),
        (FIGURES, "scales", np.array([np.inf, 1], np.float32)),
        (PROFILES, "ends", np.array([0, 3], np.int32)),
        (PROFILES, "ends", np.array([2, 0], np.int32)),
        (PROFILES, "ends", np.array([], np.int32)),
        (PROFILES, "terms", np.array([0, 4], np.int32)),
        (PROFILES, "terms", np.array([0, -1], np.int32)),
        (PROFILES, "values", np.array([np.nan, 1])),
    ],
)
def test_a_background_that_does_not_fit_is_refused(background: Path, file: str, name: str, value: Any) -> None:
    (background / file).write_bytes(save({**load((background / file).read_bytes()), name: value}))
    with pytest.raises(InputError, match="not a usable background"):
        Background.load(background)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (FACTS, b"[" * 100_000), (FACTS, b'{"n_documents": 1e400}'), (FACTS, b'{"n_documents": true}'), (FACTS, b"[]"),
        (FACTS, b"\xff"), (FACTS, b'{"n_documents": "9"}'), (FACTS, b"0" * 100_000),
        (TERMS, b"\xff\n"), (TERMS, b"bola\nbola\ngawang\npresiden\n"), (TERMS, b"gawang\nbola\nbola masuk\npresiden\n"),
        (TERMS, b"bola\nbola\0masuk\ngawang\npresiden\n"), (TERMS, b"\nbola\ngawang\npresiden\n"),
        (FIGURES, (2**60).to_bytes(8, "little") + b"{}"), (FIGURES, b""), (PROFILES, b"\x80\x04\x95"),
    ],
)  # fmt: skip
def test_a_background_that_is_none_is_refused(background: Path, file: str, content: bytes) -> None:
    (background / file).write_bytes(content)
    with pytest.raises(InputError, match=r"not a usable background|none of its kind"):
        Background.load(background)
    (background / file).unlink()
    os.mkfifo(background / file)
    with pytest.raises(InputError, match="a pipe"):
        Background.load(background)


def test_the_embedded_background_is_fit() -> None:
    assert len(Background.load(EMBEDDED_BACKGROUND).terms) > 30_000


ENTRY = {
    "position": {"offset": 12, "line": 2, "rows": 1}, "rows": 1, "rejected": 0, "columns": [], "size": 10,
    "rejected_size": 0, "whole": False,
}  # fmt: skip


@pytest.mark.parametrize(
    "entry",
    [
        b"[" * 100_000, b"null", b"7", b"\xff", b"{}",
        *(json.dumps({**ENTRY, **change}).encode() for change in (
            {"size": -1}, {"size": 2**80}, {"rows": "1"}, {"rows": 1.5}, {"position": {"offset": -1}}, {"position": 7}, {"position": {"harm": 1}},
            {"columns": "abc"}, {"columns": [1]}, {"whole": "yes"}, {"harm": 1}, {"size": 10**6},
        )),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [False, True])
def test_a_journal_that_is_none_is_refused(tmp_path: Path, entry: bytes, first: bool) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("title,text\nBola,Bola masuk\n")
    journal = journal_file(target)
    predict_with_journal(source, target)
    head = journal.read_bytes().splitlines(keepends=True)[0]
    journal.write_bytes(entry + b"\n" if first else head + entry + b"\n")
    with pytest.raises(InputError, match="run it without --resume"):
        predict_file(small_model(), source, target, resume=True, quiet=True)
    assert not target.exists()


def predict_with_journal(source: Path, target: Path) -> None:
    """Leaves what an interrupted run leaves."""

    class Interrupting:
        topics = small_model().topics
        version = small_model().version

        def file(self, *texts: Any, **options: Any) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_file(Interrupting(), source, target, quiet=True)  # type: ignore[arg-type]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Compiled kernels in a cache of their own."""
    kernels.table("fold")
    there = next(place for place in kernels.places() if place.exists())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = kernels.places()[0]
    place.parent.mkdir(parents=True)
    shutil.copy(there, place)
    place.chmod(0o644)
    assert kernels.read_kept(place) is not None
    return place


def test_kernels_that_others_could_have_written_are_not_run(kept: Path) -> None:
    for path in (kept, kept.parent, kept.parent.parent):
        mode = path.stat().st_mode
        path.chmod(mode | 0o002)
        assert kernels.others_can_write(kept) == path
        assert kernels.read_kept(kept) is None
        path.chmod(mode)
    assert kernels.read_kept(kept) is not None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_kernels_of_somebody_else_are_not_run(kept: Path) -> None:
    for path in (kept, kept.parent, kept.parent.parent):
        os.chown(path, 12345, 12345)
        assert kernels.read_kept(kept) is None
        os.chown(path, 0, 0)
    # A group that is not the user's own.
    os.chown(kept.parent, 0, 12345)
    kept.parent.chmod(0o775)
    assert kernels.read_kept(kept) is None
    os.chown(kept.parent, 0, 0)
    assert kernels.read_kept(kept) is not None


def test_a_link_or_a_pipe_is_not_run(kept: Path, tmp_path: Path) -> None:
    kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(tmp_path / "elsewhere")
    assert kernels.read_kept(kept) is None
    kept.unlink()
    os.mkfifo(kept)
    assert kernels.read_kept(kept) is None


def test_new_kernels_are_kept_where_only_the_user_can_write(
    kept: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = {"kernel:x:x:i8": np.zeros(4, np.uint8)}
    monkeypatch.setattr(kernels, "_compiled", lambda: made)
    monkeypatch.setattr(kernels, "_tables", dict)
    monkeypatch.setattr(kernels, "places", lambda: [kept])
    # The user's own folder is put right, and what was in it is made anew.
    kept.parent.chmod(0o777)
    kernels._content()
    assert kept.parent.stat().st_mode & 0o777 == 0o755
    assert list(kernels.read_kept(kept) or {}) == list(made)
    # The folder above is left as it is: nothing is kept there, and the user is told.
    kept.parent.parent.chmod(0o777)
    with caplog.at_level(logging.WARNING, "kanal.kernels"):
        kernels._content()
    assert not kept.exists()
    assert "others than you can write there" in caplog.text and str(kept.parent.parent) in caplog.text


def test_a_cache_that_depends_on_the_working_folder_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert all(place.is_absolute() for place in kernels.places())
    assert kernels.places()[0].parent == Path.home() / ".cache" / "kanal"
