"""Refusing requests early when there are more than can be answered in time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serve.service.problems import Problem, Unavailable

# How often the event loop is asked to be on time.
TICK = 0.01
# A loop that is late for so long is overloaded; a single stall, as of a model being loaded, is over by itself.
SUSTAINED = 0.1
# It counts as overloaded until nothing has been late for so long.
CALM = 1.0


class Overload:
    """Whether the event loop is late: everything that waits for an answer waits for it.

    While it is overloaded, each turn of the loop takes on requests for `lag` seconds and refuses what else has come,
    which takes a tenth of the time of answering. So those taken on are answered within about two turns.
    """

    def __init__(self, lag: float) -> None:
        self.lag = lag
        self.latest = float("inf")
        """When the loop was last asked."""
        self.late_since: float | None = None
        self.until = 0.0
        """When it stops to count as overloaded."""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watches the running loop inside of the block."""
        loop = asyncio.get_running_loop()

        handle: asyncio.TimerHandle

        def tick() -> None:
            nonlocal handle
            now = time.monotonic()
            late = now - self.latest - TICK
            self.latest = now
            if late <= self.lag:
                self.late_since = None
            else:
                self.late_since = self.late_since or now - late
                if now - self.late_since >= SUSTAINED:
                    self.until = now + CALM
            handle = loop.call_later(TICK, tick)

        handle = loop.call_later(TICK, tick)
        try:
            yield
        finally:
            handle.cancel()
            self.latest = float("inf")

    def refusal(self) -> Problem | None:
        now = time.monotonic()
        if now >= self.until or now - self.latest <= TICK + self.lag:
            return None
        self.until = now + CALM
        return Unavailable("The service has more to do than it can; ask again in a second.", reason="overload")
