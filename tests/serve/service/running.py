"""A real service for the tests of it: `kanal serve` in a process of its own, or its server in a thread."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from serve.model import TopicModel
from serve.paths import ROOT
from serve.service.champion import Champion
from serve.service.server import server
from serve.service.settings import Settings
from serve.topics import Topic
from serve.vectorizer import TfidfVectorizer

PATIENCE = 30.0
TEXT = "Presiden menendang bola pertama pada pembukaan liga."


def small_model(weight: float = 4) -> TopicModel:
    """Files an article under the first topic for the word `bola`, under the second for `presiden`; another weight makes
    another version, and other probabilities of TEXT."""
    return TopicModel(
        taxonomy={topic: Topic(topic) for topic in ("olahraga", "politik")},
        vectorizer=TfidfVectorizer(dtype=np.float32).fit(["bola presiden"]),
        weights=np.array([[weight, 0], [0, 5]], np.float32),
        bias=np.full(2, -1, np.float32),
        calibration=np.array([[1.0, 1.0], [0.0, 0.0]]),
        thresholds=np.full(2, 0.5),
    )


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """What `condition` returns as soon as it is true; AssertionError when it does not become so."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)
    return found


def ask(
    port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, JSON and headers (names in lower case) of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "kanal", "serve", "--port", "0", *options]


@contextmanager
def kanal_serve(*options: str, log: Path, **variables: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """`kanal serve` and the port on which it listens, as it says itself; killed at the end where it still runs."""
    environment = {name: value for name, value in os.environ.items() if name != "KANAL_API_KEYS"}
    environment |= {"PYTHONPATH": str(ROOT), **variables}
    with log.open("w") as errors:
        process = subprocess.Popen(
            command(*options), env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        listens = re.search(r"http://\S+:(\d+), model \w+", line)
        assert listens, line + log.read_text()
        yield process, int(listens[1])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def server_thread(settings: Settings, champion: Champion) -> Iterator[int]:
    """The port of a server that runs in a thread of this process, with a champion that is started here."""
    champion.start()
    answering = server(settings, champion)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=answering.run, args=([listener],))
        thread.start()
        try:
            wait_for(lambda: answering.started, "the server starts")
            yield port
        finally:
            answering.should_exit = True
            thread.join()
            champion.stop()
