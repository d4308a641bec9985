"""Target whose input is a request: bodies of any kind through the service's application."""

import asyncio
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.fuzz.pieces import LINES, TABLE, bytes_of, text_of
from tests.fuzz.target import Target

PATHS = (
    "/v1/predict", "/v1/predict", "/v1/predict?all=1", "/v1/explain", "/v1/explain?words=3", "/v1/files?format=csv",
    "/v1/files?format=jsonl&all=1", "/v1/labels/next", "/v1/labels/save", "/v1/labels/skip", "/v1/labels/undo",
)  # fmt: skip
TOKENS = (
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b'"articles":[', b'{"text":"', b'"}', b'"title":"', b'"id":', b'"text":', b"null", b"1"),
    *(b'"topics":["olahraga"]', b'"topics":[', b'"olahraga"', b'"annotator":"Sari"', b'"id":"a1"', b'"revision":0', b'"revision":9', b" "),
    *(b"NaN", b"-1e999", b"9" * 400, b"\\ud800", b"\\u0000", b"\xff", b"\0", "é".encode(), b"[" * 300, b'{"a":' * 300, b"presiden bola "),
)  # fmt: skip
HEADERS = [(b"content-type", b"application/json"), (b"host", b"localhost")]


@cache
def _service() -> tuple[asyncio.AbstractEventLoop, Any]:
    from serve.labelling.store import LabelStore, Task
    from serve.service.app import create_app
    from serve.service.champion import Champion
    from serve.service.settings import Settings
    from tests.serve.service.running import small_model

    folder = Path(tempfile.mkdtemp(prefix="kanal-fuzz-"))
    small_model().save(folder / "model")
    with LabelStore(folder / "labels.db", create=True) as store:
        store.add([Task("a1", "Satu", "bola"), Task("a2", "Dua", "presiden")])
    champion = Champion(str(folder / "model"), 60)
    champion.load()
    settings = Settings(rate=0, labels=folder / "labels.db")
    return asyncio.new_event_loop(), create_app(settings, champion)


def ask(path: str, body: bytes) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    loop, app = _service()
    place, _, query = path.partition("?")
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []
    done = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": place,
        "raw_path": place.encode(), "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "headers": [*HEADERS, (b"content-length", str(len(body)).encode())],
    }  # fmt: skip
    loop.run_until_complete(asyncio.wait_for(app(scope, receive, send), 30))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def draw(data: bytes) -> dict[str, str]:
    path = PATHS[data[0] % len(PATHS)] if data else PATHS[0]
    kind, rest = data[1:2], data[2:]
    if path.startswith("/v1/files"):
        body = b"id,isi\n" + bytes_of(rest, TABLE) if "csv" in path else bytes_of(rest, LINES)
    elif kind and kind[0] % 2:
        body = bytes_of(rest, TOKENS)
    else:
        text = text_of(rest)
        body = json.dumps(
            {"text": text} if "explain" in path else {"articles": [{"text": text, "title": text[:40]}]}
        ).encode()
    return {"path": path, "body": body.decode("latin-1")}


def check(given: dict[str, str]) -> None:
    """Every body is answered, with what it asked for or with where it is at fault; nothing fails."""
    from pydantic import ValidationError

    from serve.service.schemas import Articles

    path, body = given["path"], given["body"].encode("latin-1")
    status, answer = ask(path, body)
    assert status in (200, 404, 409, 413, 415, 422), (status, answer[:300])
    if path.startswith("/v1/files") and status == 200:
        assert answer.startswith(b"id,") or b"topics" in answer.split(b"\n")[0]
        return
    found = json.loads(answer)
    if status != 200:
        assert found["status"] == status and found["detail"].endswith("."), found
    if path.startswith("/v1/predict"):
        try:
            articles = Articles.model_validate_json(body).articles
        except ValidationError:
            assert status == 422
            return
        assert status == 200
        assert [article["id"] for article in found["articles"]] == [article.id for article in articles]


BODIES = (Target("api", "every body answered: what it asks for, or where it is at fault; never 500", draw, check),)
