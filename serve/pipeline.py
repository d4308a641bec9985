"""Work in order on several threads: drawing the items, computing, and using the results all go on at once."""

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TypeVar

SECONDS_TO_END = 1

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_ahead(work: Callable[[T], R], items: Iterator[T], workers: int) -> Generator[R, None, None]:
    """work(item) of each item, in order, on so many threads; `items` is advanced on a thread of its own.

    Two items a worker are under way or waiting at most. An error of `items` or `work` is raised in its place.
    """
    room = Semaphore(2 * workers)
    results: SimpleQueue[Future[R] | None] = SimpleQueue()
    stopped = False

    def draw() -> None:
        try:
            for item in items:
                room.acquire()
                if stopped:
                    return
                results.put(pool.submit(work, item))
        except BaseException as error:
            failed: Future[R] = Future()
            failed.set_exception(error)
            results.put(failed)
        results.put(None)

    with ThreadPoolExecutor(workers) as pool:
        reading = Thread(target=draw, name="reading", daemon=True)
        reading.start()
        try:
            while result := results.get():
                yield result.result()
                room.release()
        finally:
            stopped = True
            room.release()
            # It may wait for input that never comes.
            reading.join(SECONDS_TO_END)
            pool.shutdown(cancel_futures=True)
