"""Runs, versions and promotion in MLflow: in a local database, on a real server, and loaded without this checkout."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serve.errors import InputError, KanalError
from serve.model import TopicModel
from serve.paths import ROOT
from serve.registry import MODEL_FOLDER, find_model, quiet_mlflow
from serve.topics import Topic
from serve.vectorizer import TfidfVectorizer
from train import tracking
from train.evaluate import Evaluation

# The import itself reports to others unless it is told not to.
with quiet_mlflow():
    import mlflow

ARTICLES = 200
TEXT = "Presiden menendang bola pertama pada pembukaan liga."


def tiny_model(topics: tuple[str, str] = ("olahraga", "politik")) -> TopicModel:
    """Files an article under the first topic for the word `bola`, under the second for `presiden`."""
    return TopicModel(
        taxonomy={topic: Topic(topic) for topic in topics},
        vectorizer=TfidfVectorizer(dtype=np.float32).fit(["bola presiden"]),
        weights=np.array([[4, 0], [0, 5]], np.float32),
        bias=np.full(2, -1, np.float32),
        calibration=np.array([[1.0, 1.0], [0.0, 0.0]]),
        thresholds=np.full(2, 0.5),
    )


def evaluation(errors: float, seed: int = 1) -> Evaluation:
    """Decisions on the same articles at every call, of which a share is wrong."""
    truth = np.random.default_rng(0).random((ARTICLES, 2)) < 0.4
    assigned = truth ^ (np.random.default_rng(seed).random(truth.shape) < errors)
    return Evaluation(
        ["olahraga", "politik"],
        [f"artikel-{i}" for i in range(ARTICLES)],
        truth,
        assigned,
        np.where(assigned, 0.9, 0.1),
    )


def track(errors: float, champion_errors: float = 0.1, model: TopicModel | None = None) -> tracking.Tracked:
    return tracking.track(
        model or tiny_model(),
        evaluation(errors),
        settings={"seed": 0},
        data={"fingerprint": "abc", "articles": ARTICLES},
        report_folder=None,
        compare=lambda champion: evaluation(champion_errors, seed=2),
    )


def test_a_model_that_is_not_to_be_promoted_stays_challenger(mlruns: Path) -> None:
    options: dict[str, Any] = {"settings": {}, "data": {}, "report_folder": None, "promote": False}
    first = tracking.track(tiny_model(), evaluation(0.1), compare=lambda champion: evaluation(0.1), **options)
    assert (first.promoted, first.previous) == (False, None)
    assert first.reason == (
        "There is no champion to compare with; it stays challenger, as asked, and `kanal promote 1` makes it champion."
    )
    tracking.promote(1)
    second = tracking.track(tiny_model(), evaluation(0.1), compare=lambda champion: evaluation(0.3, 2), **options)
    assert second.reason.startswith("Not worse than champion 1")
    assert second.reason.endswith("]; it stays challenger, as asked, and `kanal promote 2` makes it champion.")
    assert aliases() == {"champion": 1, "challenger": 2}


def aliases() -> dict[str, int]:
    return {alias: found.number for found in tracking.list_versions() for alias in found.aliases}


def test_the_first_version_is_champion(mlruns: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.mkdir()
    (report / "index.html").write_text("<h1>Report</h1>")
    model = tiny_model()
    tracked = tracking.track(
        model,
        evaluation(0.1),
        settings={"seed": 0, "ngram_range": (1, 2)},
        data={"fingerprint": "abc", "articles": ARTICLES},
        report_folder=report,
        compare=lambda champion: pytest.fail("there is no champion to compare with"),
    )
    assert (tracked.version, tracked.promoted, tracked.previous) == (1, True, None)
    folder = find_model()
    assert folder == find_model("models:/kanal/1") and mlruns in folder.parents
    assert TopicModel.load(folder).predict([TEXT]) == model.predict([TEXT])

    run = mlflow.get_run(tracked.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {
        "seed": "0",
        "ngram_range": "(1, 2)",
        "data.fingerprint": "abc",
        "data.articles": str(ARTICLES),
    }
    metrics = evaluation(0.1).metrics
    assert run.data.metrics["micro_f1"] == pytest.approx(metrics["micro_f1"])
    assert run.data.metrics["micro_f1_low"] < run.data.metrics["micro_f1"] < run.data.metrics["micro_f1_high"]
    assert run.data.metrics["f1/politik"] == pytest.approx(evaluation(0.1).per_topic["politik"]["f1"])
    assert run.data.metrics["n"] == ARTICLES
    assert [found.path for found in mlflow.MlflowClient().list_artifacts(tracked.run_id, "report")] == [
        "report/index.html"
    ]

    [found] = tracking.list_versions()
    assert (found.number, found.aliases, found.run_id) == (1, ["champion"], tracked.run_id)
    assert found.micro_f1 == pytest.approx(metrics["micro_f1"], abs=1e-6)
    assert mlflow.MlflowClient().get_model_version("kanal", "1").description == tracked.reason


def test_a_worse_model_stays_challenger_until_it_is_promoted_by_hand(mlruns: Path) -> None:
    track(0.1)
    tracked = track(0.3)
    assert (tracked.version, tracked.promoted, tracked.previous) == (2, False, 1)
    new, old = evaluation(0.3).metrics["micro_f1"], evaluation(0.1, seed=2).metrics["micro_f1"]
    assert f"micro-F1 {new:.3f} against {old:.3f}" in tracked.reason and "[-0." in tracked.reason
    assert "`kanal promote 2`" in tracked.reason
    assert aliases() == {"champion": 1, "challenger": 2}
    tracking.promote(2)
    assert aliases() == {"champion": 2}
    assert find_model() == find_model("models:/kanal/2")


def test_a_model_that_is_not_worse_becomes_champion(mlruns: Path) -> None:
    track(0.1)
    track(0.3)
    tracked = track(0.1)
    assert (tracked.version, tracked.promoted, tracked.previous) == (3, True, 1)
    assert tracked.reason.startswith("Not worse than champion 1")
    assert aliases() == {"champion": 3}


def test_a_model_of_other_topics_stays_challenger(mlruns: Path) -> None:
    track(0.1)
    tracked = track(0.1, model=tiny_model(("politik", "ekonomi")))
    assert not tracked.promoted
    assert "other topics" in tracked.reason and "`kanal promote 2`" in tracked.reason
    assert aliases() == {"champion": 1, "challenger": 2}


def test_a_champion_that_cannot_be_loaded_is_replaced(mlruns: Path) -> None:
    track(0.1)
    shutil.rmtree(find_model())
    tracked = track(0.4)
    assert tracked.promoted and "can no longer be loaded" in tracked.reason
    assert aliases() == {"champion": 2}


def test_a_champion_that_cannot_be_fetched_is_kept(mlruns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(uri: str) -> Path:
        raise KanalError("no network")

    track(0.1)
    monkeypatch.setattr(tracking, "find_model", fails)
    tracked = track(0.1)
    assert not tracked.promoted and "no network" in tracked.reason
    assert aliases() == {"champion": 1, "challenger": 2}


@pytest.mark.parametrize("step", ["create_model_version", "update_model_version", "set_registered_model_alias"])
def test_whatever_step_fails_the_champion_is_the_old_one(
    mlruns: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fails(*arguments: object, **named: object) -> None:
        raise mlflow.MlflowException("disk full")

    track(0.1)
    before = find_model()
    monkeypatch.setattr(mlflow.MlflowClient, step, fails)
    with pytest.raises(KanalError, match="disk full"):
        track(0.1)
    assert find_model() == before
    assert aliases() == {"champion": 1}


def test_a_comparison_on_other_articles_is_an_error_and_promotes_nothing(mlruns: Path) -> None:
    track(0.1)
    with pytest.raises(ValueError, match="same articles"):
        tracking.track(
            tiny_model(),
            evaluation(0.1),
            settings={},
            data={},
            report_folder=None,
            compare=lambda champion: Evaluation(["politik"], ["lain"], np.eye(1) > 0, np.eye(1) > 0, np.eye(1)),
        )
    assert aliases() == {"champion": 1}


def test_promote_names_the_versions_that_are_there(mlruns: Path) -> None:
    with pytest.raises(InputError, match="No trained model yet"):
        tracking.promote(1)
    track(0.1)
    track(0.1)
    with pytest.raises(InputError, match=r"No version 7 .* 1, 2\."):
        tracking.promote(7)


def test_looking_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'none' / 'mlflow.db'}")
    assert tracking.list_versions() == []
    with pytest.raises(InputError, match="make train"):
        tracking.promote(1)
    assert not (tmp_path / "none").exists()


def test_mlflow_keeps_quiet(new_database: tuple[Path, str], mlruns: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert new_database[1] == ""
    track(0.1)
    track(0.3)
    tracking.promote(2)
    assert capfd.readouterr() == ("", "")


def test_topics_of_any_name_and_number_can_be_logged(mlruns: Path) -> None:
    topics = ["Ekonomi & Bisnis", "Ekonomi + Bisnis", "..", "é/ü", *(f"topik {i}" for i in range(250))]
    decisions = np.random.default_rng(0).random((20, len(topics))) < 0.5
    many = Evaluation(topics, [str(i) for i in range(20)], decisions, decisions, decisions * 0.5)
    tracked = tracking.track(
        tiny_model(),
        many,
        settings={f"setting {i} %": i for i in range(150)},
        data={},
        report_folder=None,
        compare=lambda champion: many,
    )
    run = mlflow.get_run(tracked.run_id)
    assert sum(name.startswith("f1/") for name in run.data.metrics) == len(topics)
    assert len(run.data.params) == 150


def test_figures_that_are_no_number_are_left_out(mlruns: Path) -> None:
    nothing = np.zeros((5, 1), dtype=bool)
    rare = Evaluation(["politik"], list("abcde"), nothing, nothing, nothing.astype(float))
    tracked = tracking.track(
        tiny_model(), rare, settings={}, data={}, report_folder=None, compare=lambda champion: rare
    )
    assert "macro_f1" not in mlflow.get_run(tracked.run_id).data.metrics
    [found] = tracking.list_versions()
    assert found.macro_f1 is None and found.micro_f1 == 0


def test_figures_without_a_training_are_a_run_of_their_own(mlruns: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.mkdir()
    (report / "index.html").write_text("<h1>Drift</h1>")
    run_id = tracking.log_figures("drift", {"limit": 0.2}, {"psi/Harian: A": 0.5, "called": 1}, report)
    run = mlflow.get_run(run_id)
    assert run.data.metrics == {"psi/Harian_ A": 0.5, "called": 1} and run.data.params == {"limit": "0.2"}
    assert run.info.status == "FINISHED"
    assert mlflow.get_experiment(run.info.experiment_id).name == "drift"
    assert "report/index.html" in [file.path for file in mlflow.MlflowClient().list_artifacts(run_id, "report")]
    assert not tracking.list_versions()


def test_an_experiment_that_was_deleted_is_restored(mlruns: Path) -> None:
    first = track(0.1)
    mlflow.MlflowClient().delete_experiment(mlflow.get_run(first.run_id).info.experiment_id)
    assert track(0.1).version == 2


def test_a_moved_checkout_keeps_its_model_and_writes_to_its_new_place(
    mlruns: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track(0.1)
    moved = mlruns.parent / "moved"
    mlruns.rename(moved)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{moved / 'mlflow.db'}")
    assert moved in find_model().parents
    tracked = track(0.3)
    assert "against" in tracked.reason and not mlruns.exists()
    assert moved in find_model("models:/kanal/2").parents
    assert track(0.3).version == 3


LOAD_ELSEWHERE = """
import sys, json
checkout, folder, text = sys.argv[1:]
sys.path = [path for path in sys.path if path != checkout]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in str(finder)]
import mlflow, pandas
model = mlflow.pyfunc.load_model(folder)
answers = model.predict(pandas.DataFrame({"title": ["Liga Dibuka", None], "text": [text, None]}))
without_title = model.predict(pandas.DataFrame({"text": [text]}))
import serve
assert "train" not in sys.modules
print(json.dumps([serve.__file__, answers.to_dict("list"), without_title.to_dict("list")]))
"""


def test_exporting_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'none' / 'mlflow.db'}")
    tracking.pyfunc_save(tiny_model(), tmp_path / "exported")
    assert [path.name for path in tmp_path.iterdir()] == ["exported"]


def test_an_exported_folder_is_an_mlflow_model_and_holds_ours(mlruns: Path, tmp_path: Path) -> None:
    model = tiny_model()
    tracking.pyfunc_save(model, tmp_path / "exported")
    answers = mlflow.pyfunc.load_model(tmp_path / "exported").predict([{"text": TEXT}])
    assert answers["topics"].tolist() == ["|".join(model.predict(TEXT))]
    assert TopicModel.load(find_model(str(tmp_path / "exported"))).version == model.version


def test_the_model_loads_in_a_process_without_the_checkout(mlruns: Path, tmp_path: Path) -> None:
    model = tiny_model()
    track(0.1, model=model)
    folder = find_model().parents[len(MODEL_FOLDER.parts) - 1]
    assert not list(folder.rglob("*.pkl")) and not list(folder.rglob("__pycache__"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", LOAD_ELSEWHERE, str(ROOT), str(folder), TEXT]
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    file, answers, without_title = json.loads(done.stdout)
    assert folder in Path(file).parents
    filed = model.file([TEXT, None], ["Liga Dibuka", None])
    assert answers["topics"] == ["|".join(topic for topic, _ in filed.topics(i)) for i in range(2)]
    assert answers["probabilities"] == ["|".join(f"{p:.4f}" for _, p in filed.topics(i)) for i in range(2)]
    assert without_title["topics"] == ["|".join(model.predict(TEXT))]


@pytest.fixture
def server(new_database: tuple[Path, str], tmp_path: Path) -> Iterator[str]:
    """The address of a real MLflow server on this machine, with a database of its own."""
    shutil.copy(new_database[0], tmp_path / "server.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{tmp_path / 'server.db'}",
        "--artifacts-destination",
        str(tmp_path / "kept"),
    ]
    # Neither reports to others nor job queues, which take the server ten seconds to stop.
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, (tmp_path / "server.log").read_text()
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def test_all_of_it_works_on_a_server(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setattr("serve.registry.MLRUNS", tmp_path / "mlruns")
    assert tracking.list_versions() == []
    with pytest.raises(InputError, match="No trained model yet"):
        find_model()
    model = tiny_model()
    assert track(0.1, model=model).promoted
    assert not track(0.3).promoted
    assert aliases() == {"champion": 1, "challenger": 2}
    folder = find_model()
    assert tmp_path / "mlruns" / "cache" in folder.parents
    assert TopicModel.load(folder).predict([TEXT]) == model.predict([TEXT])
    tracking.promote(2)
    assert find_model() == find_model("models:/kanal/2") != folder
    with pytest.raises(InputError, match="no such version"):
        find_model("models:/kanal/9")
    # A second look takes the files that are there.
    monkeypatch.setattr(
        mlflow.artifacts, "download_artifacts", lambda *arguments, **named: pytest.fail("downloaded twice")
    )
    assert find_model("models:/kanal/1") == folder
