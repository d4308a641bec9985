"""The page's files, and nothing but them."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from serve.service.pages import page_routes


@pytest.fixture
def page(tmp_path: Path) -> Path:
    page = tmp_path / "page"
    (page / "bagian").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>Kanal</title>")
    (page / "style.css").write_text("body { margin: 0 }")
    (page / "bagian" / "main.js").write_text("export const a = 1;")
    (page / "notes.txt").write_text("not for everybody")
    (tmp_path / "secret.html").write_text("secret")
    return page


@pytest.fixture
def client(page: Path) -> TestClient:
    return TestClient(Starlette(routes=page_routes(page)))


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/page/style.css", "text/css; charset=utf-8"),
        ("/page/bagian/main.js", "text/javascript; charset=utf-8"),
    ],
)
def test_files_are_given_with_their_types(client: TestClient, path: str, content_type: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == "no-cache"
    assert client.head(path).headers["content-length"] == str(len(answer.content))


def test_a_file_that_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/page/style.css").headers["etag"]
    again = client.get("/page/style.css", headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get("/page/style.css", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/page/", "/page/notes.txt", "/page/bagian", "/page/../secret.html", "/page/%2e%2e/secret.html",
        "/page/..%2fsecret.html", "/page//style.css", "/page/bagian/../style.css", "/page/style.css%00", "/style.css",
        "/secret.html", "/page/notes.txt/../style.css",
    ],
)  # fmt: skip
def test_nothing_else_is_given(page: Path, path: str) -> None:
    """Asked for byte by byte, as clients put dots in order."""
    asked = {
        "type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(), "query_string": b"",
        "headers": [], "root_path": "",
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Starlette(routes=page_routes(page))(asked, receive, send))
    assert sent[0]["status"] == 404
