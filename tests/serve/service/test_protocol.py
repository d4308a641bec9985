"""What one connection may take: time and room for headers, and how many connections there may be."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from running import PATIENCE, server_thread, small_model, wait_for

from serve.service.champion import Champion
from serve.service.protocol import HEADER_BYTES
from serve.service.settings import Settings

SECONDS = 0.5
BODY = json.dumps({"articles": [{"text": "Presiden menerima kunjungan kenegaraan."}]}).encode()
REQUEST = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WHOLE = REQUEST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("protocol") / "model"
    small_model().save(folder)
    settings = Settings(header_seconds=SECONDS, connections=8)
    with server_thread(settings, Champion(str(folder), 60)) as port:
        yield port


@contextmanager
def connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connected:
        yield connected


def until_closed(connected: socket.socket) -> bytes:
    """What still comes until the other side closes the connection."""
    received = b""
    try:
        while part := connected.recv(65536):
            received += part
    except ConnectionError:
        pass
    return received


def one_answer(connected: socket.socket) -> tuple[int, dict[str, object]]:
    """Status and JSON of the next answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connected.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1])
    while len(body) < length:
        body += connected.recv(65536)
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("begun", [b"", b"\r\n", b"GET", REQUEST])
def test_a_connection_without_whole_headers_is_closed_in_time(port: int, begun: bytes) -> None:
    with connection(port) as slow:
        begin = time.monotonic()
        slow.sendall(begun)
        assert until_closed(slow) == b""
        assert SECONDS / 2 < time.monotonic() - begin < PATIENCE / 2


def test_headers_that_trickle_are_no_excuse(port: int) -> None:
    with connection(port) as slow:
        slow.sendall(REQUEST)
        slow.settimeout(SECONDS / 10)
        begin = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - begin < PATIENCE:
                slow.sendall(b"X-Slow: yes\r\n")
                try:
                    if not slow.recv(1):
                        raise ConnectionResetError
                except TimeoutError:
                    continue
        assert time.monotonic() - begin < PATIENCE / 2


def test_the_next_request_of_a_connection_has_as_much_time(port: int) -> None:
    with connection(port) as slow:
        slow.sendall(WHOLE)
        assert one_answer(slow)[0] == 200
        begin = time.monotonic()
        slow.sendall(REQUEST)
        assert until_closed(slow) == b""
        # Sooner than an idle connection is closed.
        assert SECONDS / 2 < time.monotonic() - begin < 3


def test_a_body_is_not_under_the_clock_of_headers(port: int) -> None:
    with connection(port) as slow, connection(port) as silent:
        slow.sendall(WHOLE[:-10])
        until_closed(silent)
        with connection(port) as silent_again:
            until_closed(silent_again)
        slow.sendall(WHOLE[-10:])
        status, answer = one_answer(slow)
        assert status == 200 and len(answer["articles"]) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("part", [b"X-Many: %s\r\n" % (b"x" * 1000), b"x" * 1000])
def test_headers_without_end_are_refused(port: int, part: bytes) -> None:
    with connection(port) as greedy:
        greedy.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        sent = 0
        try:
            while sent < 20 * HEADER_BYTES:
                greedy.sendall(part)
                sent += len(part)
        except ConnectionError:
            pass
        answer = until_closed(greedy)
        assert sent < 20 * HEADER_BYTES or answer
        if answer:
            assert answer.startswith(b"HTTP/1.1 431 ")


def test_headers_that_are_too_long_at_once_are_refused_with_a_sentence(port: int) -> None:
    with connection(port) as greedy:
        greedy.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * HEADER_BYTES)
        head, _, body = until_closed(greedy).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 431 ") and b"application/problem+json" in head
        assert "headers" in json.loads(body)["detail"]


def test_trailers_without_end_are_cut(port: int) -> None:
    with connection(port) as greedy:
        greedy.sendall(REQUEST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(1 << 16):
                greedy.sendall(b"X-Trailer: %s\r\n" % (b"x" * 1000))


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"BREW /pot HTTP/9\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n"],
)
def test_what_is_no_http_is_refused_with_a_problem(port: int, garbage: bytes) -> None:
    with connection(port) as stranger:
        stranger.sendall(garbage)
        head, _, body = until_closed(stranger).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ") and b"application/problem+json" in head
        assert json.loads(body)["status"] == 400


def test_more_connections_than_may_be_are_told_so(port: int) -> None:
    with ExitStack() as opened:
        for _ in range(8):
            kept = opened.enter_context(connection(port))
            kept.sendall(WHOLE[:-10])
        crowd = opened.enter_context(connection(port))
        crowd.sendall(WHOLE)
        status, problem = one_answer(crowd)
        assert status == 503 and "connections" in str(problem["detail"])
        assert until_closed(crowd) == b""
        # Those that were there are answered.
        kept.sendall(WHOLE[-10:])
        assert one_answer(kept)[0] == 200
    wait_for(lambda: answered(port), "room for connections again")


def answered(port: int) -> bool:
    with connection(port) as again:
        again.sendall(WHOLE)
        return one_answer(again)[0] == 200


def test_a_flood_of_connections_is_cut_off(port: int) -> None:
    with ExitStack() as opened:
        flood = [opened.enter_context(connection(port)) for _ in range(17)]
        begin = time.monotonic()
        assert until_closed(flood[-1]) == b""
        assert time.monotonic() - begin < SECONDS / 2
    wait_for(lambda: answered(port), "room for connections again")
