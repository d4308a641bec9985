"""What holds for every answer: security headers, a line in the access log, the metrics, and no traceback for a client."""

import logging
import time
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.service.metrics import Metrics
from serve.service.problems import Problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
NO_STORE = (b"cache-control", b"no-store")

access = logging.getLogger("kanal.access")
logger = logging.getLogger("kanal.service")


class Observed:
    """Passes requests on to `app`. `paths` are those that the metrics tell apart."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self.app, self.metrics, self.paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin = time.perf_counter()
        status = size = 0
        ended = False

        async def answer(message: Message) -> None:
            nonlocal status, size, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], *SECURITY_HEADERS]
                if all(name != b"cache-control" for name, _ in headers):
                    headers.append(NO_STORE)
                message = {**message, "headers": headers}
            else:
                size += len(message.get("body", b""))
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            # Its message may quote what the user sent; where it came from does not.
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("%s in %s\n%s", type(error).__name__, self._path(scope), where)
            if not status:
                await Problem(500, "Something failed here; the log of the service says what.").response()(
                    scope, receive, answer
                )
        finally:
            if status and not ended:
                _drop(send)
            seconds = time.perf_counter() - begin
            path = self._path(scope)
            self.metrics.answered(path, status, seconds)
            if access.isEnabledFor(logging.INFO):
                raw = scope.get("raw_path") or scope["path"].encode()
                shown = raw[:200].decode("ascii", "backslashreplace")
                access.info("%s %s %d %.1f ms %d bytes", scope["method"], shown, status, 1000 * seconds, size)

    def _path(self, scope: Scope) -> str:
        path: str = scope["path"]
        if path in self.paths:
            return path
        return "/page" if path.startswith("/page/") else "other"


def _drop(send: Send) -> None:
    """Drops the connection, so that an answer cut short does not pass for a whole one and does not wait to be read.
    ASGI has no word for it, but uvicorn's `send` is a method of what holds the connection."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
