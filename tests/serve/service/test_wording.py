"""What is left out of an answer that would be too large."""

import random

from serve.service.wording import most_each


def test_as_many_each_as_fit() -> None:
    assert most_each([], 5) == 0
    assert most_each([3, 9, 1], 13) == 9
    assert most_each([3, 9, 1], 12) == 8
    assert most_each([5, 5, 5], 2) == 0
    rng = random.Random(0)
    for _ in range(300):
        sizes = [rng.randrange(20) for _ in range(rng.randrange(1, 9))]
        room = rng.randrange(150)
        most = most_each(sizes, room)
        assert sum(min(size, most) for size in sizes) <= room
        assert most == max(sizes) or sum(min(size, most + 1) for size in sizes) > room
