"""Folders of models, and what else is read, by somebody who means harm and can make all hashes right: nothing of it is
run, each is refused with a sentence, at once and in bounded memory."""

import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

import kanal
from serve.errors import ModelError
from serve.model import TopicModel
from serve.model_files import CARD, LARGEST_CARD, LARGEST_VOCABULARY, LARGEST_WEIGHTS, VOCABULARY, WEIGHTS
from serve.paths import ROOT
from serve.registry import MODEL_FOLDER
from tests.fuzz.models import KINDS, outcome, sample, set_field, small_model, try_all, write_card, write_file

Run = Callable[..., tuple[int, str, str]]
# Runs when it is unpickled, imported or executed: makes the file that `marker` names.
HARM = "open({marker!r}, 'w').close()"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "original"
    small_model().save(folder)
    assert not outcome(folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "model")


def card_of(folder: Path) -> Any:
    return json.loads((folder / CARD).read_text())


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_of_all_that_can_be_changed(original: Path, tmp_path: Path, kind: str) -> None:
    shares = {"a bit": 0.01, "a figure of the weights": 0.1}
    counts = try_all(sample(KINDS[kind](original), shares.get(kind, 0.06)), original, tmp_path)
    assert counts["refused"] >= 30


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        # Each of these had the kernels write or read out of bounds, or ask for more memory than there is.
        (["title_weight"], -50, "'title_weight' is no number from 0 to 100"),
        (["title_weight"], 10**9, "'title_weight' is no number from 0 to 100"),
        (["vectorizer", "ngram_range"], [0, 2], "'ngram_range' is not two numbers from 1 to 10"),
        (["vectorizer", "ngram_range"], [-3, 2], "'ngram_range' is not two numbers"),
        (["vectorizer", "ngram_range"], [2, 1], "'ngram_range' is not two numbers"),
        (["vectorizer", "ngram_range"], [1, 2**62], "'ngram_range' is not two numbers"),
        (["vectorizer", "norm"], "l3", "'norm' is none that there is"),
        (["vectorizer", "n_jobs"], 10**6, "ngram_range, norm and sublinear_tf and nothing else"),
        (["vectorizer", "dtype"], "object", "ngram_range, norm and sublinear_tf and nothing else"),
        (["uncertain_below"], float("nan"), "'uncertain_below' is no number"),
        (["single_label"], 1, "'single_label' is neither true nor false"),
        (["topics"], [], "too few topics"),
        (["topics", 0, "id"], "politik", "the topic 'politik' is there twice"),
        (["topics", 0, "id"], "bola|politik", "has no usable id"),
        (["topics", 0, "name_id"], "\x1b]0;judul\x07", "control characters"),
        (["topics", 0, "id"], "\ud800", "not a model's card"),
        (["topics", 0, "harm"], 1, "other fields than a topic has"),
        (["sha256", "../../etc/passwd"], "0" * 64, "the sha256 of the model's three files"),
        (["sha256", "/etc/passwd"], "0" * 64, "the sha256 of the model's three files"),
        (["format"], 2, "a model of format 2, this Kanal reads format 1; upgrade"),
        (["format"], True, "its format is no number"),
        (["python_model"], "x.py", "and nothing else"),
    ],
)  # fmt: skip
def test_a_card_out_of_range_is_refused(folder: Path, field: list[Any], value: Any, told: str) -> None:
    write_card(folder, set_field(card_of(folder), field, value))
    with pytest.raises(ModelError) as refused:
        TopicModel.load(folder)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"null", b'"model"', b"\xff\xfe{\x00}\x00", b'{"format": 1, "sha256": {}, "x": "\xff"}',
        b"[" * 100_000, b'{"a":' * 100_000, b'{"format": 1' + b"0" * 5000 + b"}", b'{"format": 1, "sha256": []}',
        b'{"format": 1, "sha256": "model.json"}', b'{"format": 1, "sha256": {"model.json": {}}}',
    ],
)  # fmt: skip
def test_what_is_no_card_is_refused(folder: Path, content: bytes) -> None:
    (folder / CARD).write_bytes(content)
    with pytest.raises(ModelError, match="not a model's card"):
        TopicModel.load(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda terms: terms[:-1], "the last term has no end"),
        (lambda terms: terms + terms[: terms.index(b"\n") + 1], "is in the vocabulary twice"),
        (lambda terms: b"\n" + terms[terms.index(b"\n") + 1 :], "a term is empty"),
        (lambda terms: terms.replace(b" ", b"  ", 1), "more than a space"),
        (lambda terms: terms.replace(b"o", b"\0", 1), "characters that no word has"),
        (lambda terms: terms.replace(b"bola", b"\x1b[2J", 1), "characters that no word has"),
        # Eight such bytes are what ends a term in the kernels' table.
        (lambda terms: b"\xff" * 8 + terms[terms.index(b"\n") :], "can't decode byte"),
        (lambda terms: b"\xed\xa0\x80" + terms[terms.index(b"\n") :], "can't decode byte"),
        (lambda terms: terms + b"tambahan\n", "expected finite F32"),
        (lambda terms: b"", "expected finite F32"),
    ],
)  # fmt: skip
def test_a_vocabulary_that_no_tokeniser_makes_is_refused(
    folder: Path, change: Callable[[bytes], bytes], told: str
) -> None:
    write_file(folder, VOCABULARY, change((folder / VOCABULARY).read_bytes()))
    if "twice" in told:
        # Figures for one term more.
        arrays = small_model()._arrays()
        longer = {name: np.concatenate([arrays[name], arrays[name][:1]]) for name in ("weights", "idf")}
        write_file(folder, WEIGHTS, save({**arrays, **longer}))
    with pytest.raises(ModelError) as refused:
        TopicModel.load(folder)
    assert "not a usable model" in str(refused.value) and told in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 8, b"\xff" * 7 + b"\x7f{}", (1 << 20).to_bytes(8, "little") + b"[" * (1 << 20), (1 << 60).to_bytes(8, "little") + b"{}"]
)  # fmt: skip
def test_weights_without_a_header_are_refused(folder: Path, content: bytes) -> None:
    write_file(folder, WEIGHTS, content)
    with pytest.raises(ModelError, match="not a usable model"):
        TopicModel.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"data_offsets": [0, 1 << 40]}, {"data_offsets": [-4096, -3792]}, {"data_offsets": [16, 0]}, {"data_offsets": [1, 17]},
        {"data_offsets": [0.5, 16]}, {"data_offsets": [1 << 80, 1 << 81]}, {"data_offsets": [0, 0]}, {"data_offsets": 7},
        {"shape": [1 << 80]}, {"shape": [1 << 32, 1 << 32]}, {"shape": "many"}, {"shape": [-2]}, {"dtype": "F16"}, {"dtype": ["F64"]},
    ],
)  # fmt: skip
def test_a_hostile_header_of_the_weights_is_refused(folder: Path, change: dict[str, Any]) -> None:
    content = (folder / WEIGHTS).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["thresholds"] |= change
    spelt = json.dumps(header).encode()
    spelt += b" " * (-len(spelt) % 8)
    write_file(folder, WEIGHTS, len(spelt).to_bytes(8, "little") + spelt + content[start:])
    with pytest.raises(ModelError, match=r"not a usable model"):
        TopicModel.load(folder)


def test_arrays_that_lie_upon_each_other_are_refused(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["bias"]["data_offsets"] = header["thresholds"]["data_offsets"][:1] * 2
    header["bias"]["data_offsets"][1] += 8
    spelt = json.dumps(header).encode()
    spelt += b" " * (-len(spelt) % 8)
    write_file(folder, WEIGHTS, len(spelt).to_bytes(8, "little") + spelt + content[start:])
    with pytest.raises(ModelError, match="more than its header says"):
        TopicModel.load(folder)


@pytest.mark.parametrize("name", [CARD, VOCABULARY, WEIGHTS])
@pytest.mark.parametrize("kind", ["link", "link to itself", "link to a device", "pipe", "folder", "socket"])
def test_what_is_no_file_is_refused(
    folder: Path, tmp_path: Path, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / name
    shutil.copy(file, tmp_path / "outside")
    file.unlink()
    if kind == "link":
        file.symlink_to(tmp_path / "outside")
    elif kind == "link to itself":
        file.symlink_to(file)
    elif kind == "link to a device":
        file.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        import socket

        monkeypatch.chdir(folder)  # a socket's name may not be long
        with closing(socket.socket(socket.AF_UNIX)) as made:
            made.bind(name)
    with pytest.raises(ModelError, match=r"is a symbolic link|is a folder, a pipe or a device|cannot be opened"):
        TopicModel.load(folder)


def test_a_folder_may_be_named_by_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(folder)
    assert not outcome(tmp_path / "current")


TRIES = """
import resource, sys, time
from serve.errors import ModelError
from serve.kernels import table
from serve.model import TopicModel
from tests.fuzz.models import peak_kilobytes
table("fold")
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
before = peak_kilobytes()
for folder in sys.argv[2:]:
    began = time.process_time()
    try:
        TopicModel.load(folder)
    except ModelError as error:
        more = (peak_kilobytes() - before) >> 10
        print(f"{time.process_time() - began:.2f} {more} {error}")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")
def test_huge_files_are_refused_in_bounded_memory(original: Path, tmp_path: Path) -> None:
    """Files with holes take no room on the disk of who makes them."""
    folders = []

    def huge(name: str, size: int) -> Path:
        folders.append(shutil.copytree(original, tmp_path / f"huge-{len(folders)}"))
        os.truncate(folders[-1] / name, size)
        return folders[-1]

    for name, largest in ((CARD, LARGEST_CARD), (VOCABULARY, LARGEST_VOCABULARY), (WEIGHTS, LARGEST_WEIGHTS)):
        huge(name, 100 * 2**30)
        huge(name, largest + 1)
    huge(WEIGHTS, LARGEST_WEIGHTS // 4)
    card = huge(CARD, 0)
    (card / CARD).write_text(json.dumps({**card_of(original), "card": [[]] * 2_000_000}))
    many = huge(CARD, 0)
    write_card(
        many, {**card_of(original), "topics": [{**card_of(original)["topics"][0], "id": str(i)} for i in range(10_001)]}
    )
    terms = huge(VOCABULARY, 0)
    write_file(terms, VOCABULARY, b"".join(b"a%07x\n" % i for i in range(2_000_000)))
    command = [sys.executable, "-c", TRIES, str(3 * 2**30), *map(str, folders)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(folders), done.stdout
    for line in lines:
        seconds, megabytes, sentence = line.split(" ", 2)
        assert float(seconds) < 3, sentence
        assert int(megabytes) < 400, sentence


class Harm:
    def __init__(self, marker: Path) -> None:
        self.code = HARM.format(marker=str(marker))

    def __reduce__(self) -> Any:
        return exec, (self.code,)


@pytest.mark.parametrize("name", [CARD, VOCABULARY, WEIGHTS, "model.pkl", "__init__.py", "sitecustomize.py", "MLmodel"])
def test_a_pickle_is_not_unpickled_whatever_its_name(folder: Path, tmp_path: Path, name: str) -> None:
    marker = tmp_path / "marker"
    content = pickle.dumps(Harm(marker))
    if name in (VOCABULARY, WEIGHTS):
        write_file(folder, name, content)
    else:
        (folder / name).write_bytes(content)
    if name in (CARD, VOCABULARY, WEIGHTS):
        with pytest.raises(ModelError):
            kanal.load(str(folder))
    elif name != "MLmodel":
        assert kanal.load(str(folder)).predict("presiden") is not None
    assert not marker.exists()
    pickle.loads(content)
    assert marker.exists()


def test_the_command_line_says_a_sentence(folder: Path, tmp_path: Path, run: Run) -> None:
    write_card(folder, {**card_of(folder), "title_weight": -50})
    (tmp_path / "in.csv").write_text("title,text\nBola,Bola\n")
    status, out, err = run("predict", tmp_path / "in.csv", tmp_path / "out.csv", "--model", folder)
    assert (status, out) == (2, "") and err.count("\n") <= 3 and "not a usable model" in err and "Traceback" not in err
    assert not (tmp_path / "out.csv").exists()


@pytest.fixture
def logged(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registered model whose every file but ours does harm when it is loaded as MLflow would."""
    folder = tmp_path / "mlruns" / "artifacts" / "models" / "m-1" / "artifacts"
    shutil.copytree(original, folder / MODEL_FOLDER)
    harm = HARM.format(marker=str(tmp_path / "marker"))
    for file in (
        "pyfunc_model.py",
        "code/serve/__init__.py",
        "code/serve/model.py",
        "code/sitecustomize.py",
        "conftest.py",
    ):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(harm)
    (folder / "python_model.pkl").write_bytes(pickle.dumps(Harm(tmp_path / "marker")))
    (folder / "MLmodel").write_text(
        f"a: !!python/object/apply:builtins.exec [{json.dumps(harm)}]\nflavors:\n  python_function:\n    code: code\n"
        "    loader_module: mlflow.pyfunc.model\n    python_model: python_model.pkl\n    model_code_path: pyfunc_model.py\n"
    )
    database = tmp_path / "mlruns" / "mlflow.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(
            "CREATE TABLE registered_model_aliases (alias, version, name, workspace DEFAULT 'default');"
            "CREATE TABLE model_versions (name, version, current_stage DEFAULT 'None', storage_location,"
            " workspace DEFAULT 'default');"
            "INSERT INTO registered_model_aliases (alias, version, name) VALUES ('champion', 1, 'kanal');"
            f"INSERT INTO model_versions (name, version, storage_location) VALUES ('kanal', 1, '{folder}')"
        )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    return folder


def test_nothing_of_a_registered_model_is_run(logged: Path, tmp_path: Path) -> None:
    code = "import kanal, sys; print([kanal.load(place).predict('bola') is not None for place in sys.argv[1:]])"
    command = [sys.executable, "-c", code, "models:/kanal/1", "models:/kanal@champion", str(logged)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[True, True, True]"
    assert not (tmp_path / "marker").exists()


def test_a_link_that_leads_out_of_a_registered_model_is_refused(logged: Path, tmp_path: Path) -> None:
    for place in (MODEL_FOLDER, MODEL_FOLDER.parent):
        outside = tmp_path / place.name
        (logged / place).rename(outside)
        (logged / place).symlink_to(outside)
        for uri in ("models:/kanal/1", str(logged)):
            with pytest.raises(ModelError, match="a symbolic link leads out of"):
                kanal.load(uri)
        (logged / place).unlink()
        outside.rename(logged / place)
    assert kanal.load("models:/kanal/1").topics == ["olahraga", "politik"]
