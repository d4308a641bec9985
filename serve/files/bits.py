"""Sets of places in a block of bytes, as bits: place p is bit p % 64 of word p // 64."""

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]

ONE, LAST = np.uint64(1), np.uint64(63)


def bits(chosen: NDArray[np.bool_]) -> Bits:
    """The places of an array that are true."""
    packed = np.packbits(chosen, bitorder="little")
    return np.pad(packed, (0, -len(packed) % 8)).view("<u8")


def places(words: Bits) -> NDArray[np.int64]:
    """The places, in order."""
    filled = np.flatnonzero(words)
    found = np.flatnonzero(np.unpackbits(words[filled].view(np.uint8), bitorder="little"))
    return filled[found >> 6] * 64 + (found & 63)


def after(words: Bits) -> Bits:
    """The places that are one behind those given."""
    moved = words << ONE
    moved[1:] |= words[:-1] >> LAST
    return moved


def before(words: Bits) -> Bits:
    """The places that are one before those given."""
    moved = words >> ONE
    moved[:-1] |= words[1:] << LAST
    return moved


def odd(words: Bits) -> Bits:
    """The places up to which an odd number of the given ones stand, themselves included (a running exclusive or)."""
    runs = words.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        runs ^= runs << np.uint64(shift)
    carried = np.bitwise_xor.accumulate(runs >> LAST)
    runs[1:] ^= np.uint64(0) - carried[:-1]
    return runs
