"""`kanal serve` as a process: where it listens, what it refuses, its workers, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import PATIENCE, TEXT, ask, command, kanal_serve, small_model, wait_for

from serve.errors import InputError
from serve.paths import ROOT
from serve.service.server import listening_socket, serve
from serve.service.settings import Settings

BODY = json.dumps({"articles": [{"text": TEXT}]}).encode()
HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
HEAD %= len(BODY)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("server") / "model"
    small_model().save(folder)
    return str(folder)


def refused(*options: str, code: int = 2, **variables: str) -> str:
    """What a start that ends with `code` says."""
    environment = {name: value for name, value in os.environ.items() if name != "KANAL_API_KEYS"}
    environment |= {"PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(
        command(*options), env=environment, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == code and done.stdout == "" and len(done.stderr.splitlines()) == 1, done
    return done.stderr


def workers_of(pid: int) -> list[int]:
    """The two workers of a service, as soon as they are there."""

    def children() -> list[str]:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    return wait_for(lambda: len(children()) == 2 and [int(child) for child in children()], "two workers")


def alive(pid: int) -> bool:
    """Whether a process runs, which one that nobody has waited for does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def half_sent(port: int) -> Iterator[socket.socket]:
    """A connection with a request in flight, the last bytes of which are to come."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connected:
        connected.sendall(HEAD + BODY[:-5])
        yield connected


def rest(connected: socket.socket) -> bytes:
    connected.sendall(BODY[-5:])
    received = b""
    while part := connected.recv(65536):
        received += part
    return received


def closed(port: int) -> bool:
    """Whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_what_is_in_flight_and_exits_with_0(
    model: str, tmp_path: Path, number: signal.Signals
) -> None:
    with kanal_serve("--model", model, log=tmp_path / "log") as (process, port), half_sent(port) as in_flight:
        assert ask(port, "GET", "/readyz")[0] == 200
        process.send_signal(number)
        wait_for(lambda: closed(port), "it stops listening")
        assert rest(in_flight).startswith(b"HTTP/1.1 200 ")
        assert process.wait(PATIENCE) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_what_does_not_end_in_time_is_cut(model: str, tmp_path: Path) -> None:
    options = ("--model", model, "--shutdown-seconds", "1")
    with kanal_serve(*options, log=tmp_path / "log") as (process, port), half_sent(port):
        assert ask(port, "GET", "/readyz")[0] == 200
        process.terminate()
        assert process.wait(PATIENCE / 2) == 0


def test_workers_answer_together_and_end_together(model: str, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    options = ("--model", model, "--workers", "2")
    with kanal_serve(*options, log=tmp_path / "log", TMPDIR=str(temporary)) as (process, port):
        workers = workers_of(process.pid)
        for _ in range(40):
            status, answer, _ = ask(port, "POST", "/v1/predict", {"articles": [{"text": TEXT}]})
            assert (status, [topic["id"] for topic in answer["articles"][0]["topics"]]) == (
                200,
                ["politik", "olahraga"],
            )
        # Any worker tells of all of them.
        metrics = subprocess.run(
            [sys.executable, "-c", f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{port}/metrics').read().decode())"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert 'kanal_requests_total{path="/v1/predict",status="200"} 40.0' in metrics
        assert f'kanal_model_info{{version="{small_model().version}"}} 2.0' in metrics

        with half_sent(port) as in_flight:
            assert ask(port, "GET", "/readyz")[0] == 200
            process.terminate()
            wait_for(lambda: closed(port), "it stops listening")
            assert rest(in_flight).startswith(b"HTTP/1.1 200 ")
        assert process.wait(PATIENCE) == 0
    assert not any(map(alive, workers))
    assert not list(temporary.iterdir())


def test_a_worker_that_dies_is_started_again(model: str, tmp_path: Path) -> None:
    with kanal_serve("--model", model, "--workers", "2", log=tmp_path / "log") as (process, port):
        first, second = workers_of(process.pid)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len({*workers_of(process.pid)} - {first, second}) == 1, "another worker")
        assert ask(port, "GET", "/readyz")[0] == 200
        assert f"Worker {first} ended (SIGKILL)" in (tmp_path / "log").read_text()


def test_workers_end_with_a_parent_that_was_killed(model: str, tmp_path: Path) -> None:
    with kanal_serve("--model", model, "--workers", "2", log=tmp_path / "log") as (process, port):
        workers = workers_of(process.pid)
        assert ask(port, "GET", "/readyz")[0] == 200
        process.kill()
        wait_for(lambda: not any(map(alive, workers)), "the workers end")


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells what is shared")
def test_a_worker_takes_little_memory_of_its_own(model: str, tmp_path: Path) -> None:
    with kanal_serve("--model", model, "--workers", "2", log=tmp_path / "log") as (process, port):
        for _ in range(20):
            assert ask(port, "POST", "/v1/predict", {"articles": [{"text": TEXT}]})[0] == 200
        for worker in workers_of(process.pid):
            lines = Path(f"/proc/{worker}/smaps_rollup").read_text().splitlines()
            assert sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) < 40 * 1024


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.1", "example.invalid"])
def test_a_public_address_needs_keys_or_a_word(model: str, host: str) -> None:
    with pytest.raises(InputError, match="anybody on the network could ask; set KANAL_API_KEYS, or give --insecure"):
        serve(Settings(host=host), model)


def test_a_public_address_is_served_with_keys(model: str, tmp_path: Path) -> None:
    assert "set KANAL_API_KEYS" in refused("--host", "0.0.0.0", "--model", model, KANAL_API_KEYS=" , ")
    options = ("--host", "0.0.0.0", "--model", model)
    with kanal_serve(*options, log=tmp_path / "log", KANAL_API_KEYS="first, second") as (_, port):
        assert ask(port, "GET", "/v1/topics")[0] == 401
        for key in ("first", "second"):
            assert ask(port, "GET", "/v1/topics", headers={"X-API-Key": key})[0] == 200


def test_a_public_address_is_served_without_keys_where_the_user_says_so(model: str, tmp_path: Path) -> None:
    with kanal_serve("--host", "0.0.0.0", "--insecure", "--model", model, log=tmp_path / "log") as (_, port):
        assert ask(port, "GET", "/v1/topics")[0] == 200


def test_a_port_in_use_is_an_error_with_a_sentence(model: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refused("--port", str(port), "--model", model) == (
            f"Error: Port {port} of 127.0.0.1 is in use; end what listens there, or choose another with --port.\n"
        )


# The second is an address for documentation (RFC 5737), which no machine has.
@pytest.mark.parametrize(
    ("host", "fault"), [("no.such.host.invalid", "not a name or address"), ("192.0.2.1", "cannot listen there")]
)
def test_a_host_that_is_not_of_this_machine_is_an_error_with_a_sentence(host: str, fault: str) -> None:
    with pytest.raises(InputError, match=f"--host {host}: {fault}"):
        listening_socket(host, 0)


def test_without_a_model_it_does_not_start(tmp_path: Path) -> None:
    assert "No trained model yet" in refused(MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert "no such model folder" in refused("--model", str(tmp_path / "nowhere"))


def test_without_its_packages_it_says_which(model: str) -> None:
    script = "import sys; sys.modules['uvicorn'] = None; sys.argv[1:] = ['serve']; import kanal; kanal.main()"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "Error: 'uvicorn' is needed: run `pip install 'kanal[serve]'`.\n"
