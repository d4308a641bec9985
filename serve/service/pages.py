"""The page: its files, read once, under / and /page/."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGE = Path(__file__).resolve().parent.parent / "page"
INDEX = "index.html"
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class PageFile:
    content: bytes
    content_type: str
    etag: str

    @classmethod
    def of(cls, path: Path, labelling: bool) -> "PageFile":
        content = path.read_bytes()
        if labelling and path.name == INDEX:
            # What the page has is known as soon as it is there, before anybody gave a key.
            content = content.replace(b"<html ", b"<html data-labelling ", 1)
        return cls(content, CONTENT_TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:16]}"')

    def response(self, request: Request) -> Response:
        headers = {"ETag": self.etag, "Cache-Control": "no-cache", "Content-Type": self.content_type}
        if self.etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        return Response(self.content, headers=headers)


def page_routes(folder: Path = PAGE, *, labelling: bool = False) -> list[Route]:
    """/ and /page/...; a request can name nothing but what was found here at the start. `labelling`: with that view."""
    files = {
        path.relative_to(folder).as_posix(): PageFile.of(path, labelling)
        for path in sorted(folder.rglob("*"))
        if path.suffix in CONTENT_TYPES and path.is_file()
    }

    async def page(request: Request) -> Response:
        found = files.get(request.path_params.get("name", INDEX))
        if found is None:
            raise HTTPException(404)
        return found.response(request)

    return [Route("/", page), Route("/page/{name:path}", page)]
