"""Work that takes long, off the event loop: on so many threads, with so much waiting and no more."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import ParamSpec, TypeVar

from serve.service.problems import Unavailable

P = ParamSpec("P")
R = TypeVar("R")


class Threads:
    """Runs functions on `threads` threads; at most `places` run or wait at a time."""

    def __init__(self, threads: int, places: int, name: str) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self.places = BoundedSemaphore(places)

    def take(self) -> None:
        """Takes a place, which is to be given back with `self.places.release`. Raises Unavailable when there is none."""
        if not self.places.acquire(blocking=False):
            raise Unavailable(
                "As many requests are being answered as may be at a time; ask again in a second.", reason="concurrency"
            )

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """function(...). A place stays taken until it has ended, also when nobody waits for it any more."""
        self.take()
        try:
            future = self.pool.submit(function, *args, **kwargs)
        except BaseException:
            # There may be no room for another thread.
            self.places.release()
            raise
        future.add_done_callback(lambda _: self.places.release())
        return await asyncio.wrap_future(future)
