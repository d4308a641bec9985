"""Trainings that MLflow could not be told of: kept whole, and uploaded when it answers."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from serve.errors import InputError, KanalError
from serve.model import TopicModel
from serve.registry import find_model
from train.corpus import fingerprint, load_corpus
from train.evaluate import evaluate
from train.tracking import list_versions
from train.unsent import Training, Unsent, track_or_keep, upload

ROWS = """id,title,text,topics
a,Liga,"Bola masuk, liga usai.",olahraga
b,Kabinet,"Presiden bicara.

Lagi.",politik
c,Pembukaan,Presiden menendang bola.,olahraga|politik
d,Cuaca,Hujan turun.,
"""


@pytest.fixture
def training(tmp_path: Path) -> Training:
    from test_tracking import tiny_model

    (tmp_path / "test.csv").write_text(ROWS)
    testing = load_corpus([tmp_path / "test.csv"])
    model = tiny_model()
    report = tmp_path / "report"
    report.mkdir()
    (report / "index.html").write_text("<h1>Report</h1>")
    data = {"fingerprint": fingerprint(testing), "articles": 4}
    return Training(model, evaluate(model, testing), testing, {"seed": 0}, data, report)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """MLflow's address is one where nothing listens; the folder where `unsent` is then."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free.getsockname()[1]}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr("train.unsent.MLRUNS", tmp_path / "here")
    return tmp_path / "here"


def test_a_training_is_kept_and_uploaded_later(
    training: Training, mlruns: Path, nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = track_or_keep(training)
    assert isinstance(kept, Unsent) and kept.folder == nobody / "unsent" / training.model.version
    assert kept.reason.startswith("MLflow failed: ") and kept.reason.endswith(".")
    assert TopicModel.load(kept.folder / "model").version == training.model.version
    assert fingerprint(load_corpus([kept.folder / "test.jsonl"])) == fingerprint(training.testing)
    with pytest.raises(KanalError, match="MLflow failed"):
        upload(kept.folder)
    assert kept.folder.exists()

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{mlruns / 'mlflow.db'}")
    tracked = upload(kept.folder)
    assert tracked.version == 1 and tracked.promoted
    assert not kept.folder.exists()
    assert TopicModel.load(find_model()).version == training.model.version
    [version] = list_versions()
    assert version.micro_f1 == pytest.approx(training.evaluation.metrics["micro_f1"], abs=1e-6)


def test_one_that_is_not_to_be_promoted_is_not_once_it_is_uploaded(
    training: Training, mlruns: Path, nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = track_or_keep(replace(training, promote=False))
    assert isinstance(kept, Unsent)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{mlruns / 'mlflow.db'}")
    assert not upload(kept.folder).promoted


def test_a_training_that_cannot_be_kept_either_is_an_error(training: Training, nobody: Path) -> None:
    nobody.write_text("a file where the folder should be")
    with pytest.raises(KanalError, match=r"MLflow failed: .* Nor can the training be kept in .*unsent"):
        track_or_keep(training)


def test_only_what_was_kept_is_uploaded(nobody: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no training that waits to be uploaded; they are in .*unsent"):
        upload(tmp_path)
