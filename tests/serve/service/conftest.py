"""The service on a port of its own, with a small model, for tests that ask it over real connections."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn

from serve.model import TopicModel
from serve.service.app import create_app
from serve.service.champion import Champion
from serve.service.protocol import Protocol
from serve.service.settings import Settings
from serve.topics import Topic
from serve.vectorizer import TfidfVectorizer

SECONDS = 20

SPORT = Topic("olahraga", "Olahraga", "Olahraga", "Sport", ("medtop:15000000",), ("483",), "Pertandingan.", "Politik.")
POLITICS = Topic("politik", "Politik", "Politik", "Politics", ("medtop:11000000", "medtop:20000574"), ("386",))


def small_model() -> TopicModel:
    """Files an article under the first topic for the word `bola`, under the second for `presiden`."""
    return TopicModel(
        taxonomy={topic.id: topic for topic in (SPORT, POLITICS)},
        vectorizer=TfidfVectorizer(dtype=np.float32).fit(["bola presiden"]),
        weights=np.array([[4, 0], [0, 5]], np.float32),
        bias=np.full(2, -1, np.float32),
        calibration=np.array([[1.0, 1.0], [0.0, 0.0]]),
        thresholds=np.full(2, 0.5),
    )


@dataclass(frozen=True)
class Service:
    """A service that answers on a port of 127.0.0.1."""

    port: int
    client: httpx.Client

    def connect(self, **options: int) -> socket.socket:
        """A connection of its own, for what no well-behaved client sends; `options` are socket options, as SO_RCVBUF."""
        connection = socket.socket()
        for name, value in options.items():
            connection.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        connection.settimeout(SECONDS)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def predict(self, *texts: str, **options: Any) -> httpx.Response:
        return self.client.post("/v1/predict", json={"articles": [{"text": text} for text in texts]}, **options)


def wait_until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@contextmanager
def running(model: Path, **settings: Any) -> Iterator[Service]:
    """The service with a model's folder and these settings."""
    chosen = replace(Settings(), **{"rate": 0, **settings})
    champion = Champion(str(model), chosen.reload_seconds)
    champion.start()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(chosen, champion),
            http=partial(Protocol, header_seconds=chosen.header_seconds, connections=chosen.connections),
            loop="uvloop",
            access_log=False,
            log_level="error",
            lifespan="on",
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="server")
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS, trust_env=False) as client:
            yield Service(port, client)
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        champion.stop()
        listening.close()


Run = Callable[..., AbstractContextManager[Service]]


@pytest.fixture(scope="session")
def small_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model in a folder."""
    folder = tmp_path_factory.mktemp("small") / "model"
    small_model().save(folder)
    return folder


@pytest.fixture(scope="session")
def run(small_model_folder: Path) -> Run:
    """Runs a service of the small model with other settings, inside of a block."""
    return lambda **settings: running(small_model_folder, **settings)


@pytest.fixture(scope="module")
def service(run: Run) -> Iterator[Service]:
    """The service with the default settings."""
    with run() as started:
        yield started
