"""How large and how slow a request may be: its body, and the time until its answer is read."""

import asyncio
import logging
import time
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.service.problems import Problem, TooLarge, Unavailable
from serve.service.settings import Settings

FILES = "/v1/files"
# What is left of a body is thrown away while an early answer is on its way, for so many seconds.
LINGER = 2.0
# So few bytes are left to the server's buffers.
LITTLE = 2**16

logger = logging.getLogger("kanal.service")


class Limits:
    """Passes requests that `refusal` has nothing against on to `app`, within the limits of `settings`."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        refusal: Callable[[Scope], Problem | None],
        respond: Callable[[Problem], Response],
    ) -> None:
        self.app, self.settings, self.refusal, self.respond = app, settings, refusal, respond
        self.buffered = 0
        """Bytes of the JSON bodies of all requests that are being answered."""
        self.unread = 0
        """Bytes of all large answers that are being sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(self, scope, receive, send)
        try:
            if problem := self.refusal(scope):
                raise problem
            if exchange.announced > exchange.limit:
                raise TooLarge(exchange.limit)
            async with asyncio.timeout(exchange.seconds) as timer:
                await self.app(scope, exchange.receive, exchange.send)
        except Problem as problem:
            await self.respond(problem)(scope, receive, exchange.send)
        except TimeoutError:
            if not timer.expired():
                raise
            await exchange.out_of_time()
        finally:
            self.buffered -= exchange.buffered
            self.unread -= exchange.unread


class _Exchange:
    """One request and its answer."""

    def __init__(self, limits: Limits, scope: Scope, receive: Receive, send: Send) -> None:
        settings = limits.settings
        is_file = scope["path"] == FILES
        self.limits, self.scope, self.source, self.sink = limits, scope, receive, send
        self.limit = settings.file_bytes if is_file else settings.json_bytes
        self.seconds = settings.file_seconds if is_file else settings.request_seconds
        self.streamed = is_file
        headers = dict(scope["headers"])
        # The server has seen to it that this is a number.
        self.announced = int(headers.get(b"content-length", 0))
        self.whole = not self.announced and b"transfer-encoding" not in headers
        """Whether all of the body has been received."""
        self.begin = time.monotonic()
        self.size = self.buffered = self.unread = 0
        self.cut = self.begun = self.ended = self.replaced = False
        """`cut`: the body is not worth waiting for. `begun`, `ended`, `replaced` by another: the answer."""

    async def receive(self) -> Message:
        """The next part of the body. Raises Problem when it is too large, too slow, or one too many."""
        if self.whole:
            return await self.source()
        settings = self.limits.settings
        patience = self.begin + settings.body_seconds + self.size / settings.body_rate - time.monotonic()
        try:
            async with asyncio.timeout(patience):
                message = await self.source()
        except TimeoutError:
            self.cut = True
            raise Problem(
                408,
                f"The body has to arrive within {settings.body_seconds:g} s, or else at {settings.body_rate:,} bytes a second.",
                reason="slow_body",
            ) from None
        if message["type"] == "http.request":
            self.whole = not message.get("more_body", False)
            self._count(len(message.get("body", b"")))
        return message

    def _count(self, size: int) -> None:
        self.size += size
        if self.size > self.limit:
            raise TooLarge(self.limit)
        if not self.streamed:
            self.buffered += size
            self.limits.buffered += size
            if self.limits.buffered > self.limits.settings.buffered_bytes:
                raise Unavailable("Too many large bodies are being received; ask again in a second.", reason="memory")

    async def send(self, message: Message) -> None:
        """Passes the answer on. When the body has not been read the connection is closed after it: but a connection that
        is closed with bytes unread is reset, and the client may lose the answer, so some are thrown away first. A large
        answer for which there is no room, as others wait to be read, is replaced by one that says so."""
        if self.replaced:
            return
        if message["type"] == "http.response.start" and not self._has_room(message):
            busy = Unavailable("Too many large answers wait to be read; ask again in a second.", reason="unread")
            await self.limits.respond(busy)(self.scope, self.source, self.send)
            self.replaced = True
            return
        early = not self.whole and (self.cut or not 0 < self.announced - self.size <= LITTLE)
        if message["type"] == "http.response.start":
            self.begun = True
            if early:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        elif not message.get("more_body", False):
            if early or len(message.get("body", b"")) > LITTLE:
                # The server waits for the client to read only before it sends what comes next.
                await self.sink({**message, "more_body": True})
                message = {**message, "body": b""}
            if early:
                await self._throw_away()
            await self.sink(message)
            self.ended = True
            return
        await self.sink(message)

    def _has_room(self, start: Message) -> bool:
        """Whether an answer can be kept until it is read; a large one is counted then."""
        size = 0 if self.streamed else int(dict(start["headers"]).get(b"content-length", 0))
        if size <= LITTLE:
            return True
        if self.limits.unread + size > self.limits.settings.unread_bytes:
            return False
        self.unread = size
        self.limits.unread += size
        return True

    async def _throw_away(self) -> None:
        try:
            async with asyncio.timeout(LINGER):
                while (message := await self.source())["type"] == "http.request" and message.get("more_body", False):
                    pass
        except TimeoutError:
            pass

    async def out_of_time(self) -> None:
        if not self.begun:
            problem = Problem(
                504, f"There was no answer within {self.seconds:g} s; send less at a time.", reason="time"
            )
            await self.limits.respond(problem)(self.scope, self.source, self.send)
        elif not self.ended:
            # Nobody ends the answer, and so the connection is dropped.
            logger.warning("%s: the answer was not read within %g s", self.scope["path"], self.seconds)
