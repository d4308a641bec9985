"""Work on several threads: in order, a bounded number of items ahead, and ended by any error."""

from collections.abc import Iterator
from threading import Event, active_count

import pytest

from serve.pipeline import map_ahead


def test_results_are_in_order_however_long_each_takes() -> None:
    second_done = Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_done.wait(60)
        elif item == 1:
            second_done.set()
        return item * item

    assert list(map_ahead(work, iter(range(50)), 2)) == [item * item for item in range(50)]


def test_few_items_are_drawn_ahead() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            drawn.append(item)
            yield item

    ahead = []
    for used, _ in enumerate(map_ahead(lambda item: item, items(), 3)):
        ahead.append(len(drawn) - used)
    # Six under way or waiting, the one that is used, and the next one drawn.
    assert max(ahead) <= 8


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_comes_in_its_place_and_ends_all_threads(error: type[BaseException]) -> None:
    def items() -> Iterator[int]:
        yield from range(4)
        raise error

    def work(item: int) -> int:
        if item == 2:
            raise LookupError
        return item

    threads = active_count()
    for function, source, expected in ((work, iter(range(100)), LookupError), (lambda item: item, items(), error)):
        got: list[int] = []
        with pytest.raises(expected):
            got.extend(map_ahead(function, source, 2))
        assert active_count() == threads
    results = map_ahead(lambda item: item, iter(range(100)), 2)
    assert next(results) == 0
    results.close()
    assert active_count() == threads
