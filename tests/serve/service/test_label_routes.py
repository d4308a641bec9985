"""/v1/labels: articles handed out, labels taken in, and nobody overwrites anybody."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from running import ask, kanal_serve
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from serve.labelling.store import LabelStore, Task
from serve.service.problems import PROBLEM
from serve.topics import Topic
from tests.serve.service.conftest import Run, Service

SECRET = "rahasia-negara"
TASK = Task(
    "https://warta.example/a?b=1", "Judul", f"Isi {SECRET}.", "2026-03-02", "Warta", (("olahraga", 0.48),), "uncertain"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "labels.db"
    with LabelStore(path, create=True) as store:
        store.add([TASK, Task("a1", "Satu", "bola"), Task("a2", "Dua", "presiden")])
    return path


@pytest.fixture
def labelling(run: Run, path: Path) -> Iterator[Service]:
    with run(labels=path) as started:
        yield started


def post(service: Service, call: str, **body: Any) -> httpx.Response:
    return service.client.post(f"/v1/labels/{call}", json=body)


def save(service: Service, task: str, topics: list[str], annotator: str, revision: int = 0) -> httpx.Response:
    return post(service, "save", id=task, topics=topics, annotator=annotator, revision=revision)


def handed(service: Service, annotator: str) -> str | None:
    task = post(service, "next", annotator=annotator).json()["task"]
    return task and task["id"]


def test_without_a_store_there_is_nothing(service: Service) -> None:
    assert service.client.get("/v1/labels").status_code == 404
    assert not [path for path in service.client.get("/openapi.json").json()["paths"] if "labels" in path]
    assert "data-labelling" not in service.client.get("/").text


def test_an_article_is_handed_out_and_labelled(labelling: Service, path: Path) -> None:
    assert "data-labelling" in labelling.client.get("/").text
    task = post(labelling, "next", annotator="Sari").json()["task"]
    assert task == {
        "id": TASK.id, "title": "Judul", "text": TASK.text, "date": "2026-03-02", "outlet": "Warta", "reason": "uncertain",
        "suggested": [{"topic": "olahraga", "probability": 0.48}], "revision": 0, "label": None,
    }  # fmt: skip
    assert handed(labelling, "Budi") == "a1"
    saved = save(labelling, TASK.id, ["politik", "olahraga", "politik"], "Sari").json()
    assert saved["label"]["topics"] == ["politik", "olahraga"]
    assert saved["label"]["annotator"] == "Sari"
    again = labelling.client.get("/v1/labels/task", params={"id": TASK.id}).json()
    assert again == {**task, **saved}
    assert labelling.client.get("/v1/labels").json() == {
        "tasks": 3, "labelled": 1, "annotators": [{"annotator": "Sari", "labels": 1}],
    }  # fmt: skip
    listed = labelling.client.get("/v1/labels/list").json()["tasks"]
    assert listed == [{"id": TASK.id, "title": "Judul", "label": saved["label"]}]
    with LabelStore(path) as store:
        assert [label.topics for label in store.labelled()] == [("politik", "olahraga")]


def test_what_somebody_else_saved_is_told(labelling: Service) -> None:
    theirs = save(labelling, "a1", ["olahraga"], "Budi").json()
    answer = save(labelling, "a1", ["politik"], "Sari")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["current"] == theirs
    assert save(labelling, "a1", ["olahraga"], "Budi").json() == theirs
    assert save(labelling, "a1", ["politik"], "Sari", theirs["revision"]).status_code == 200


def test_skip_and_undo(labelling: Service) -> None:
    assert post(labelling, "skip", id="a1", annotator="Sari").json() == {"revision": 0, "label": None}
    skipped = labelling.client.get("/v1/labels/list", params={"skipped_by": "Sari"}).json()["tasks"]
    assert [task["id"] for task in skipped] == ["a1"]
    save(labelling, "a2", [], "Sari")
    undone = [post(labelling, "undo", annotator="Sari").json() for _ in range(3)]
    assert [(u["task"] and u["task"]["id"], u["topics"]) for u in undone] == [("a2", []), ("a1", None), (None, None)]


@pytest.mark.parametrize(
    ("call", "body", "status", "said"),
    [
        ("save", {"id": "nobody", "topics": [], "annotator": "Sari", "revision": 0}, 404, "no article"),
        ("skip", {"id": "nobody", "annotator": "Sari"}, 404, "no article"),
        ("save", {"id": "a1", "topics": ["olahraga", "catur"], "annotator": "Sari", "revision": 0}, 422, "/topics/1"),
        ("save", {"id": "a1", "topics": [], "annotator": "Sari"}, 422, "/revision is missing"),
        ("save", {"id": "a1", "topics": [], "annotator": "Sari", "revision": -1}, 422, "/revision"),
        ("next", {"annotator": " "}, 422, "/annotator"),
        ("next", {"annotator": "x" * 101}, 422, "/annotator"),
        ("undo", {}, 422, "/annotator is missing"),
    ],
)
def test_what_cannot_be_done_is_said(
    labelling: Service, call: str, body: dict[str, Any], status: int, said: str
) -> None:
    answer = post(labelling, call, **body)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert labelling.client.get("/v1/labels").json()["labelled"] == 0


def test_too_large_a_body(labelling: Service) -> None:
    assert save(labelling, "a1", ["olahraga"] * 10_000, "Sari").status_code == 413
    assert save(labelling, "a1", ["olahraga"] * 1_000, "Sari").status_code == 200


def test_topics_to_choose_from(labelling: Service, path: Path) -> None:
    def offered() -> list[str]:
        return [topic["id"] for topic in labelling.client.get("/v1/labels/topics").json()["topics"]]

    assert offered() == ["olahraga", "politik"]
    with LabelStore(path) as store:
        store.offer([Topic("catur", name_id="Catur"), Topic("olahraga")])
    assert offered() == ["catur", "olahraga"]
    assert save(labelling, "a1", ["catur"], "Sari").status_code == 200
    assert save(labelling, "a2", ["politik"], "Sari").status_code == 422


def test_a_key_is_needed_where_there_are_keys(run: Run, path: Path) -> None:
    with run(labels=path, keys=("kunci",)) as service:
        assert service.client.get("/v1/labels").status_code == 401
        assert post(service, "next", annotator="Sari").status_code == 401
        assert service.client.get("/v1/labels", headers={"X-API-Key": "kunci"}).status_code == 200


def test_a_store_that_cannot_be_used(labelling: Service, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.rename(path.with_name("elsewhere.db"))
    answer = save(labelling, TASK.id, [], "Sari")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert str(path) not in answer.text
    assert "was moved" in caplog.text
    path.with_name("elsewhere.db").rename(path)
    assert save(labelling, TASK.id, [], "Sari").status_code == 200


def test_a_damaged_store(labelling: Service, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE task SET suggested = ?", (SECRET,))
        db.commit()
    answers = [
        post(labelling, "next", annotator="Sari"),
        post(labelling, "skip", id="a1", annotator="Sari"),
        save(labelling, "a1", [], "Sari"),
        labelling.client.get("/v1/labels/task", params={"id": "a1"}),
    ]
    assert [(answer.status_code, answer.headers["content-type"]) for answer in answers] == [(503, PROBLEM)] * 4
    assert "is damaged" in caplog.text
    assert SECRET not in caplog.text


def test_the_log_has_nothing_of_articles_and_people(labelling: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    post(labelling, "next", annotator=SECRET)
    labelling.client.get("/v1/labels/task", params={"id": SECRET})
    labelling.client.get("/v1/labels/list", params={"skipped_by": SECRET})
    save(labelling, SECRET, [SECRET], SECRET)
    save(labelling, TASK.id, ["politik"], SECRET)
    save(labelling, TASK.id, ["olahraga"], "Sari")
    lines = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("kanal"))
    assert "/v1/labels/save 409" in lines
    assert SECRET not in lines


OPERATIONS = {
    "/v1/labels": "get", "/v1/labels/topics": "get", "/v1/labels/task": "get", "/v1/labels/list": "get",
    "/v1/labels/next": "post", "/v1/labels/save": "post", "/v1/labels/skip": "post", "/v1/labels/undo": "post",
}  # fmt: skip
MODES = {"post": list(GenerationMode), "get": [GenerationMode.POSITIVE]}


@pytest.fixture(scope="module")
def fuzzed(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = tmp_path_factory.mktemp("fuzzed") / "labels.db"
    with LabelStore(path, create=True) as store:
        store.add([Task("a1", "Satu", "bola")])
    with run(labels=path) as service:
        yield schemathesis.openapi.from_url(f"http://127.0.0.1:{service.port}/openapi.json")


@pytest.mark.parametrize(
    ("path", "method", "mode"), [(path, method, mode) for path, method in OPERATIONS.items() for mode in MODES[method]]
)
def test_every_answer_is_described(fuzzed: Any, path: str, method: str, mode: GenerationMode) -> None:
    @settings(max_examples=15, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(fuzzed[path][method].as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        # Which ids and topics there are a schema cannot say.
        case.call_and_validate(excluded_checks=[positive_data_acceptance, negative_data_rejection])

    check()


def test_every_operation_is_described(labelling: Service) -> None:
    found = labelling.client.get("/openapi.json").json()
    assert {path: next(iter(found["paths"][path])) for path in OPERATIONS} == OPERATIONS
    example = found["components"]["schemas"]["Decision"]["example"]
    assert labelling.client.post("/v1/labels/save", json=example).status_code == 422
    assert "409" in found["paths"]["/v1/labels/save"]["post"]["responses"]


def test_several_workers_on_one_store(small_model_folder: Path, path: Path, tmp_path: Path) -> None:
    with LabelStore(path, create=True) as store:
        store.add(Task(f"b{i}", f"Judul {i}", "bola") for i in range(20))
    options = ("--labels", str(path), "--workers", "2", "--model", str(small_model_folder))
    with kanal_serve(*options, log=tmp_path / "log") as (_, port):
        for i in range(20):
            name = f"p{i % 3}"
            _, found, _ = ask(port, "POST", "/v1/labels/next", {"annotator": name})
            body = {"id": found["task"]["id"], "topics": [], "annotator": name, "revision": 0}
            assert ask(port, "POST", "/v1/labels/save", body)[0] == 200
        assert ask(port, "GET", "/v1/labels")[1]["labelled"] == 20
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM history").fetchone() == (20,)
    db.close()


def test_what_is_no_store_is_said_at_the_start(tmp_path: Path) -> None:
    from serve.errors import InputError
    from serve.service.server import serve
    from serve.service.settings import Settings

    with pytest.raises(InputError, match="no such label store"):
        serve(Settings(port=0, labels=tmp_path / "missing.db"), None)
