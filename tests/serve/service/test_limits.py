"""Each limit, by a request that goes over it."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.serve.service.conftest import SECONDS, Run, Service, wait_until

HEAD = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SMALL = b'{"articles":[{"text":"bola"}]}'
ECHOED = json.dumps({"articles": [{"text": "bola" * 40_000} for _ in range(40)]}).encode()
"""Its answer as ninjs is as large, which is more than the buffers of a connection hold."""
NINJS_HEADERS = b"Accept: application/vnd.iptc.ninjs+json\r\nContent-Length: %d\r\n\r\n"
LONG = "Presiden menendang bola.\n\n" * 7_000
"""Takes a second to explain."""


def reply(connection: socket.socket) -> tuple[int, bytes]:
    """The status and the body of an answer with a Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        assert part, f"closed after {received!r}"
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)
    return int(head[9:12]), body


def closed(connection: socket.socket) -> bool:
    """Whether the other side closes the connection, or has reset it."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_too_large_a_body_is_refused_before_it_is_sent(run: Run) -> None:
    with run(json_bytes=1000) as service, service.connect() as connection:
        connection.sendall(HEAD % b"/v1/predict" + b"Content-Length: 1001\r\n\r\n")
        status, body = reply(connection)
        assert status == 413
        assert "1,000 bytes" in json.loads(body)["detail"]
        assert service.predict("bola" * 200).status_code == 200


def test_too_large_a_body_is_counted_where_nothing_is_announced(run: Run) -> None:
    with run(json_bytes=1000) as service:

        def parts() -> Iterator[bytes]:
            for _ in range(1000):
                yield b"x" * 1000

        answer = service.client.post("/v1/predict", content=parts(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413


def test_a_client_in_the_middle_of_its_body_gets_its_answer(run: Run) -> None:
    with run(json_bytes=1000) as service, service.connect() as connection:
        connection.sendall(HEAD % b"/v1/predict" + b"Content-Length: 10000000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x" * 10_000)
        assert reply(connection)[0] == 413
        connection.shutdown(socket.SHUT_WR)
        assert closed(connection)


def test_too_many_articles(run: Run) -> None:
    with run(articles=3) as service:
        assert service.predict(*["bola"] * 3).status_code == 200
        answer = service.predict(*["bola"] * 4)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/articles"


def test_too_long_a_text_or_title(run: Run) -> None:
    with run(text_characters=10) as service:
        long = "\U0001f3c6" * 11
        body = {"articles": [{"text": "\U0001f3c6" * 10}, {"title": long, "text": ""}]}
        answer = service.client.post("/v1/predict", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/articles/1/title"
        answer = service.client.post("/v1/explain", json={"text": long})
        assert answer.json()["errors"][0]["pointer"] == "/text"


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/explain"])
@pytest.mark.parametrize(
    ("begin", "value", "end"),
    [
        (b'{"articles":[', b'{"text":""}', b"]}"),
        (b'{"articles":[{"text":[', b"[]", b"]}]}"),
        (b'{"articles":[{"text":""', b'"%d":1', b"}]}"),
        (b'{"text":"","topics":[', b'"olahraga"', b"]}"),
        (b'{"text":"","topics":[', b'"\\\\"', b"]}"),
        (b'{"text":"', b'\\""', b'"}'),
    ],
)
def test_millions_of_values_are_not_read(service: Service, path: str, begin: bytes, value: bytes, end: bytes) -> None:
    values = b",".join([value] * (8_000_000 // (len(value) + 1)))
    headers = {"Content-Type": "application/json"}
    before = time.process_time()
    answer = service.client.post(path, content=begin + values + end, headers=headers)
    assert time.process_time() - before < 1
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == ""


def test_text_is_no_structure(run: Run) -> None:
    text = '{"\\": [1, 2, 3], "bola": {}} \\\\"' * 6_000
    with run(articles=3) as service:
        assert service.predict(*[text] * 3).status_code == 200
    with run(explained_topics=2) as service:
        assert service.client.post("/v1/explain", json={"text": text, "topics": ["olahraga"]}).status_code == 200


def test_as_many_articles_as_may_be(service: Service) -> None:
    article = {"id": "a", "title": None, "text": "bola " * 20}
    assert service.client.post("/v1/predict", json={"articles": [article] * 1_000}).status_code == 200
    answer = service.client.post("/v1/predict", json={"articles": [article] * 1_001})
    assert answer.json()["errors"][0]["pointer"] == "/articles"


def test_too_many_topics_to_explain(run: Run) -> None:
    with run(explained_topics=1) as service:
        for topics in (None, ["olahraga", "politik"]):
            answer = service.client.post("/v1/explain", json={"text": "bola presiden", "topics": topics})
            assert answer.status_code == 422
            assert answer.json()["errors"] == [
                {"pointer": "/topics", "detail": "would be 2 to explain; name at most 1 at a time."}
            ]
        for body in ({"text": "bola"}, {"text": "lain"}, {"text": "bola presiden", "topics": ["politik"] * 9}):
            assert service.client.post("/v1/explain", json=body).status_code == 200


def test_words_in_too_many_places(service: Service) -> None:
    text = ("bola " * 39_990 + "presiden")[:200_000]
    answer = service.client.post("/v1/explain", json={"text": text, "topics": ["olahraga", "politik"]})
    assert len(answer.content) < 50 * 50_000
    found = answer.json()
    assert found["terms"] == 2
    for topic in found["topics"]:
        bola, presiden = sorted(topic["words"], key=lambda word: word["term"])
        assert (bola["count"], presiden["count"]) == (39_990, 1)
        assert bola["spans"] == [{"field": "text", "start": 5 * i, "end": 5 * i + 4} for i in range(24_999)]
        assert presiden["spans"] == [{"field": "text", "start": len(text) - 8, "end": len(text)}]


def test_a_body_that_trickles(run: Run) -> None:
    with run(body_seconds=0.3, body_rate=10**9) as service, service.connect() as connection:
        connection.sendall(HEAD % b"/v1/predict" + b"Content-Length: 1000\r\n\r\n")
        stopped = threading.Event()

        def trickle() -> None:
            while not stopped.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            assert reply(connection)[0] == 408
            assert closed(connection)
        finally:
            stopped.set()
            thread.join()


def test_a_body_that_is_slow_but_steady(run: Run) -> None:
    with run(body_seconds=0.2, body_rate=1) as service, service.connect() as connection:
        connection.sendall(HEAD % b"/v1/predict" + b"Content-Length: %d\r\n\r\n" % len(SMALL) + SMALL[:20])
        begin = time.monotonic()
        wait_until(lambda: time.monotonic() > begin + 0.4)
        connection.sendall(SMALL[20:])
        assert reply(connection)[0] == 200


def test_bodies_take_so_much_memory(run: Run) -> None:
    with run(json_bytes=100_000, buffered_bytes=150_000) as service, service.connect() as first:
        first.sendall(HEAD % b"/v1/predict" + b"Content-Length: 100000\r\n\r\n" + b" " * 90_000)

        def full() -> bool:
            answer = service.client.post(
                "/v1/predict", content=b" " * 80_000, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in (422, 503)
            return answer.status_code == 503 and answer.headers["retry-after"] == "1"

        wait_until(full)
        first.close()
        wait_until(lambda: not full())


def test_an_answer_that_takes_too_long(run: Run) -> None:
    with run(request_seconds=0.02) as service:
        answer = service.client.post("/v1/explain", json={"text": LONG})
        assert answer.status_code == 504
        wait_until(lambda: service.predict("bola").status_code == 200)


def test_a_reader_that_does_not_read(run: Run) -> None:
    with run(request_seconds=1) as service, service.connect(SO_RCVBUF=4096) as connection:
        connection.sendall(HEAD % b"/v1/predict" + NINJS_HEADERS % len(ECHOED) + ECHOED)
        wait_until(lambda: 'kanal_requests_total{path="/v1/predict"' in service.client.get("/metrics").text)
        received = 0
        try:
            while part := connection.recv(2**20):
                received += len(part)
        except ConnectionResetError:
            pass
        assert received < len(ECHOED)


def test_large_answers_that_are_not_read(run: Run) -> None:
    with run(unread_bytes=10_000_000) as service, service.connect(SO_RCVBUF=4096) as connection:
        connection.sendall(HEAD % b"/v1/predict" + NINJS_HEADERS % len(ECHOED) + ECHOED)

        def refused() -> bool:
            headers = {"Accept": "application/vnd.iptc.ninjs+json", "Content-Type": "application/json"}
            answer = service.client.post("/v1/predict", content=ECHOED, headers=headers)
            assert answer.status_code == 200 or answer.json()["detail"].startswith("Too many large answers")
            return answer.status_code == 503 and answer.headers["retry-after"] == "1"

        wait_until(refused)
        assert 'kanal_refused_total{reason="unread"}' in service.client.get("/metrics").text
        assert service.predict("bola").status_code == 200
        connection.close()
        wait_until(lambda: not refused())


def test_so_many_requests_have_a_thread_or_wait_for_one(run: Run) -> None:
    with run(concurrency=2) as service, ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(service.client.post, "/v1/explain", json={"text": LONG}) for _ in range(8)]
        answers = [future.result(SECONDS) for future in asked]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert 1 <= len(refused) <= 6
        assert all(answer.headers["retry-after"] == "1" for answer in refused)
        assert {answer.status_code for answer in answers} == {200, 503}
        assert 'kanal_refused_total{reason="concurrency"}' in service.client.get("/metrics").text
        wait_until(lambda: service.client.post("/v1/explain", json={"text": "bola"}).status_code == 200)


@pytest.mark.parametrize(
    "request_line",
    [
        b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        b"\0\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(service: Service, request_line: bytes) -> None:
    with service.connect() as connection:
        connection.sendall(request_line)
        status, _ = reply(connection)
        assert status in (400, 404, 421)
        assert service.client.get("/healthz").status_code == 200
