"""What is counted, and what is logged: nothing of what users write."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from serve.paths import ROOT
from tests.serve.service.conftest import Run, small_model, wait_until

SECRET = "rahasia-negara"


def figures(text: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_requests_articles_and_topics_are_counted(run: Run) -> None:
    with run() as service:
        service.predict("bola", "bola presiden", "")
        service.predict("presiden")
        service.client.get("/nothing/at/all")
        service.client.get("/page/nothing.js")
        service.client.post("/v1/predict", content=b"{", headers={"Content-Type": "application/json"})
        answer = service.client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = figures(answer.text)
        assert found['kanal_requests_total{path="/v1/predict",status="200"}'] == 2
        assert found['kanal_requests_total{path="/v1/predict",status="422"}'] == 1
        assert found['kanal_requests_total{path="other",status="404"}'] == 1
        assert found['kanal_requests_total{path="/page",status="404"}'] == 1
        assert found['kanal_request_seconds_count{path="/v1/predict"}'] == 3
        assert found["kanal_articles_total"] == 4
        assert found['kanal_topics_total{topic="olahraga"}'] == 2
        assert found['kanal_topics_total{topic="politik"}'] == 2
        assert found[f'kanal_model_info{{version="{small_model().version}"}}'] == 1
        assert found["kanal_reload_failures_total"] == 0


def test_topics_of_files_are_counted(run: Run) -> None:
    with run() as service:
        content = b"isi,kanal\n" + b"bola,a\nbola presiden,b\nrusak\nlain,c\n" * 10_000
        assert service.client.post("/v1/files?format=csv", content=content).status_code == 200
        found = figures(service.client.get("/metrics").text)
        assert found["kanal_articles_total"] == 30_000
        assert found['kanal_topics_total{topic="olahraga"}'] == 20_000
        assert found['kanal_topics_total{topic="politik"}'] == 10_000
        # What could not be answered is not counted.
        assert service.client.post("/v1/files?format=csv", content=b"a,b\n1,2\n").status_code == 422
        assert figures(service.client.get("/metrics").text)["kanal_articles_total"] == 30_000


def test_refusals_are_counted_by_their_reason(run: Run) -> None:
    with run(json_bytes=10, keys=("kunci",)) as service:
        service.client.get("/v1/topics")
        key = {"X-API-Key": "kunci"}
        service.client.post("/v1/predict", content=b"x" * 11, headers=key)
        found = figures(service.client.get("/metrics", headers=key).text)
        assert found['kanal_refused_total{reason="key"}'] == 1
        assert found['kanal_refused_total{reason="body_size"}'] == 1


def test_the_log_has_nothing_of_the_text(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with run() as service:
        service.predict(SECRET, headers={"Authorization": f"Bearer {SECRET}"})
        service.client.post("/v1/explain", json={"text": SECRET, "topics": [SECRET]})
        service.client.post(
            f"/v1/predict?q={SECRET}", content=SECRET.encode(), headers={"Content-Type": "application/json"}
        )
        service.client.post("/v1/files?format=csv", content=f"a,b\n{SECRET},x\n".encode())
        service.client.get("/nothing%0Anew")
        wait_until(lambda: "nothing" in caplog.text)
    assert not any(SECRET in record.getMessage() for record in caplog.records if record.name != "httpx")
    lines = [record.getMessage() for record in caplog.records if record.name == "kanal.access"]
    assert len(lines) == 5
    assert lines[0].startswith("POST /v1/predict 200 ")
    assert lines[4].startswith("GET /nothing%0Anew 404 ")


def test_a_failure_of_the_service_tells_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> bytes:
        raise ValueError(f"could not do anything with {SECRET}")

    with run() as service:
        monkeypatch.setattr("serve.service.wording.Wording.prediction", fail)
        answer = service.predict("bola")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "ValueError" not in answer.text
        assert SECRET not in answer.text + caplog.text
        wait_until(lambda: "ValueError in /v1/predict" in caplog.text)
        assert "test_metrics.py" in caplog.text


def test_several_processes_are_counted_together(tmp_path: Path) -> None:
    program = (
        "import sys; from serve.service.metrics import Metrics; m = Metrics(); m.articles.inc(2); m.use('old'); m.use('new')\n"
        "if len(sys.argv) > 1: print(m.text().decode())"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    for arguments in ([], ["print"]):
        output = subprocess.run(
            [sys.executable, "-c", program, *arguments], env=environment, check=True, capture_output=True, text=True
        ).stdout
    found = figures(output)
    assert found["kanal_articles_total"] == 4
    assert found['kanal_model_info{version="new"}'] == 2
    assert found['kanal_model_info{version="old"}'] == 0
