"""Work on threads: the places that it takes, and that it gives back whatever happens."""

import asyncio
from concurrent.futures import Future

import pytest

from serve.service.problems import Unavailable
from serve.service.threads import Threads


def test_a_place_is_given_back_when_no_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(1, 1, "tests")

    def fail(*_: object) -> "Future[None]":
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threads.pool, "submit", fail)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                asyncio.run(threads.run(int))
    assert asyncio.run(threads.run(int)) == 0
    threads.take()
    with pytest.raises(Unavailable):
        asyncio.run(threads.run(int))
    threads.pool.shutdown()
