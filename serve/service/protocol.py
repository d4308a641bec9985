"""HTTP/1.1 of one connection: uvicorn's protocol, with what it does not bound: the time and room that headers take, and
the number of connections."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serve.service.problems import Problem

CROWDED = Problem(
    503,
    "More connections are open than may be; ask again in a second.",
    headers={"Retry-After": "1", "Connection": "close"},
)
HEADER_BYTES = 64 * 2**10
"""Of a request's line and headers, and of whatever comes beside the content of a body."""

# So many bytes are sent by themselves.
LARGE = 2**16


class _Joined:
    """A transport that sends what is written before and after one another in the same turn of the loop, such as the headers
    and the body of an answer, in one call of the system, which costs as much as filing an article does."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport, self.loop = transport, loop
        self.held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        if len(data) > LARGE:
            # What it would save is not worth a copy.
            self._flush()
            self.transport.write(data)
        elif self.held:
            data, self.held = self.held + data, b""
            self.transport.write(data)
        elif data:
            self.held = data
            self.loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self.transport.close()

    def _flush(self) -> None:
        if self.held:
            data, self.held = self.held, b""
            self.transport.write(data)


class Protocol(HttpToolsProtocol):
    """Closes a connection whose next request has not come with all its headers within `header_seconds`, and refuses
    requests while more than `connections` are open."""

    def __init__(self, *arguments: Any, header_seconds: float, connections: int, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.header_seconds = header_seconds
        self.max_connections = connections
        self.header_timer: asyncio.TimerHandle | None = None
        self.unread = 0
        """Bytes that came since headers or a part of a body were complete."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _Joined(transport, self.loop)))
        # A few more are let in, to be told that there are too many; beyond that a flood is not worth an answer.
        if len(self.connections) > 2 * self.max_connections:
            transport.abort()
            return
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.header_timer is None and self._idle:
            self._expect_headers()
        self.unread += len(data)
        super().data_received(data)
        if self.unread > HEADER_BYTES and not self.transport.is_closing():
            if self._idle:
                self._answer(431, f"The headers take more than {HEADER_BYTES} bytes; send fewer or shorter ones.")
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._headers_came()
        self.unread = 0
        full = len(self.connections) > self.max_connections
        self.app = CROWDED.response() if full else self.config.loaded_app
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.unread = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._answer(400, "This is not an HTTP/1.1 request; send one.")
        self.transport.close()

    @property
    def _idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _expect_headers(self) -> None:
        # Not close(), which waits for a client that does not read what was written to it.
        self.header_timer = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _headers_came(self) -> None:
        if self.header_timer is not None:
            self.header_timer.cancel()
            self.header_timer = None

    def _answer(self, status: int, detail: str) -> None:
        answer = Problem(status, detail, headers={"Connection": "close"}).response()
        headers = [b"%s: %s\r\n" % header for header in answer.raw_headers]
        self.transport.write(b"".join([STATUS_LINE[status], *headers, b"\r\n", answer.body]))
