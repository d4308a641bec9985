"""Refusing when the event loop is late, and not otherwise."""

import asyncio
import threading
import time

from serve.service.overload import CALM, SUSTAINED, TICK, Overload
from tests.serve.service.conftest import Run, wait_until

LAG = 0.02


async def late(seconds: float) -> None:
    """Holds up the loop for a while, and lets its timers run."""
    time.sleep(seconds)
    await asyncio.sleep(TICK)


def test_a_loop_that_stays_late_refuses_what_is_too_much_for_one_turn() -> None:
    async def check() -> None:
        watched = Overload(LAG)
        assert watched.refusal() is None
        async with watched.watching():
            await asyncio.sleep(2 * TICK)
            await late(SUSTAINED + 5 * LAG)
            assert watched.refusal() is None
            time.sleep(TICK + 2 * LAG)
            refused = watched.refusal()
            assert refused is not None
            assert (refused.status, refused.headers["Retry-After"]) == (503, "1")

    asyncio.run(check())


def test_one_stall_refuses_nobody() -> None:
    async def check() -> None:
        watched = Overload(LAG)
        async with watched.watching():
            await asyncio.sleep(2 * TICK)
            time.sleep(TICK + 2 * LAG)
            assert watched.refusal() is None

    asyncio.run(check())


def test_it_is_over_when_all_was_calm() -> None:
    watched = Overload(LAG)
    now = time.monotonic()
    watched.until, watched.latest = now + CALM, now - 1
    assert watched.refusal() is not None
    watched.until = now - CALM
    assert watched.refusal() is None


def test_a_service_that_is_asked_too_much(run: Run) -> None:
    with run(lag_seconds=0.0005) as service:
        stopped = threading.Event()
        statuses: set[tuple[int, str | None]] = set()

        def ask() -> None:
            while not stopped.is_set():
                answer = service.predict(*["bola"] * 8)
                statuses.add((answer.status_code, answer.headers.get("retry-after")))

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: (503, "1") in statuses)
            assert service.client.get("/healthz").status_code == 200
        finally:
            stopped.set()
            for thread in threads:
                thread.join()
        assert statuses <= {(200, None), (503, "1")}
        wait_until(lambda: service.predict("bola").status_code == 200)
        assert 'kanal_refused_total{reason="overload"}' in service.client.get("/metrics").text
