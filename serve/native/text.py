"""UTF-8 bytes -> the code points of a plain text: what every kernel that cleans begins with."""

import numpy as np

from serve.characters import ODD, SEVERAL, SEVERAL_WIDTH
from serve.native import CHECKED
from serve.native.compiler import helper, inlined, load_eight, move, trailing_zeros

# An index of this type is not checked for being negative.
U = np.uint64
# A plain integer handed to a helper would have Numba compile it once more for this very number.
START = np.int64(0)
FIRST_VISIBLE, VISIBLE = np.uint32(33), np.uint32(94)
ZERO, U_3 = np.uint64(0), np.uint64(3)
LOW_BITS, TOP_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
# So many zeros behind bytes let them be read eight at a time.
ENDS = 8
MISREAD_FIRST, MISREAD_LAST = 0xC2, 0xF0
SPACE, NEWLINE, RETURN, AMPERSAND, SEMICOLON, HASH = 32, 10, 13, 38, 59, 35
# The frequent entities; the others are left to Python.
_ENTITIES = {"quot": '"', "amp": "&", "lt": "<", "gt": ">", "nbsp": " ", "#39": "'", "#039": "'"}
ENTITY_NAMES = np.frombuffer("".join(f"{name};\0" for name in _ENTITIES).encode(), np.uint8)
ENTITY_CHARACTERS = np.array([ord(character) for character in _ENTITIES.values()])
# No entity is as long, "&amp;amp;" and the like included.
ENTITY = 60


@helper
def widen(source, target, at):
    """Copies bytes to target[at:]."""
    for i in range(len(source)):
        target[at + i] = source[i]


@helper
def _copy_checked(source, first, last, target, at):
    step = 1 if at <= first else -1
    for k in range(last - first):
        i = k if step > 0 else last - first - 1 - k
        target[at + i] = source[first + i]


# Copies source[first:last] to target[at:], which may be the same array.
copy = _copy_checked if CHECKED else move


@inlined
def decode(buffer, i, end):
    """The code point whose UTF-8 begins at buffer[i], a byte above 127, and its number of bytes; else (0, 1)."""
    b = np.int64(buffer[i])
    step = 2 if 0xC2 <= b < 0xE0 else 3 if 0xE0 <= b < 0xF0 else 4 if 0xF0 <= b < 0xF5 else 1
    if step == 1 or i + step > end:
        return 0, 1
    code = b & (0x7F >> step)
    for k in range(1, step):
        code = code << 6 | np.int64(buffer[i + k]) & 63
    return code, step


@helper
def _entity(buffer, i, end):
    """The character that the entity whose "&" stands before buffer[i] is, and its bytes without the "&"; (0, 0) where there
    is no entity, (-1, 0) for one that is not among the frequent ones."""
    start = 0
    for e in range(len(ENTITY_CHARACTERS)):
        size = 0
        while ENTITY_NAMES[start + size] != 0:
            size += 1
        k = 0
        while k < size and i + k < end and buffer[i + k] == ENTITY_NAMES[start + k]:
            k += 1
        if k == size:
            # "&amp;quot;" is "&quot;" in disguise.
            if ENTITY_CHARACTERS[e] == AMPERSAND and _may_be_entity(buffer, i + k, end):
                return -1, 0
            return ENTITY_CHARACTERS[e], size
        start += size + 1
    return (-1 if _may_be_entity(buffer, i, end) else 0), 0


@helper
def _may_be_entity(buffer, i, end):
    """Whether what stands from buffer[i] on may be the rest of an entity."""
    for k in range(i, min(i + ENTITY, end)):
        b = buffer[k]
        if b == SEMICOLON:
            return k > i
        letter = 97 <= (b | 32) <= 122 or 48 <= b <= 57
        if not letter and b != HASH and b != AMPERSAND:
            return False
    return False


@helper
def _mark_runs(buffer, begin, end, low):
    """Marks in `low` the bytes that stay as they are: visible ASCII, and single spaces before it; zeros behind them. Not "&",
    which may begin an entity."""
    part = buffer[begin:end]
    n = len(part)
    for i in range(n - 1):
        b, following = np.uint32(part[i]), np.uint32(part[i + 1])
        visible = (b - FIRST_VISIBLE < VISIBLE) & (b != AMPERSAND)
        low[i] = visible | ((b == SPACE) & (following - FIRST_VISIBLE < VISIBLE) & (following != AMPERSAND))
    for i in range(max(n - 1, 0), n + ENDS):
        low[i] = 0


@inlined
def _run_end(low, i):
    """The first byte from i on that is not marked."""
    while True:
        chunk = load_eight(low, i)
        zeros = (chunk - LOW_BITS) & ~chunk & TOP_BITS
        if zeros != ZERO:
            return i + np.int64(trailing_zeros(zeros) >> U_3)
        i += 8


@helper
def plain_text(buffer, begin, end, plain, several, judged, low, text, origins, traced):
    """Writes the characters of buffer[begin:end] in plain form, spaces put in order, to `text`, and returns their number.

    Returns -1 for a text with an odd character or a rare entity, which Python puts right; `judged` says that it has. origins: where each character stood, if `traced`. As long as the bytes are many.
    """
    # Most of a text are words with single spaces between.
    _mark_runs(buffer, begin, end, low)
    n = 0
    seen = 0
    i = begin
    while i < end:
        last = _run_end(low, i - begin) + begin
        if last > i and buffer[U(i)] != SPACE:
            size = last - i
            widen(buffer[i:last], text, n)
            if traced:
                for k in range(size):
                    origins[n + k] = seen + k
            n += size
            seen += size
            i = last
            continue
        b = np.int64(buffer[U(i)])
        # The character, its bytes, and how many characters of the given text it takes.
        code, step, taken = b, 1, 1
        if b >= 0x80:
            code, step = decode(buffer, i, end)
            if MISREAD_FIRST <= code <= MISREAD_LAST and not judged:
                code, step, taken = _reread(buffer, i, end, code, step)
        new = np.int64(plain[code]) if code < len(plain) else np.int64(ODD)
        if b == AMPERSAND and not judged:
            entity, size = _entity(buffer, i + 1, end)
            if entity < 0:
                return -1
            if entity > 0:
                new = np.int64(entity)
                step += size
                taken += size
        elif b == RETURN and i + 1 < end and buffer[i + 1] == NEWLINE:
            new = np.int64(0)
        i += step
        if new == ODD:
            if not judged:
                return -1
            new = code
        if new <= SEVERAL:
            place = (SEVERAL - new) * SEVERAL_WIDTH
            new = np.int64(several[place])
            for k in range(1, SEVERAL_WIDTH):
                following = np.int64(several[place + k])
                if following != 0:
                    new, n = _written(text, n, new, origins, seen, traced)
                    new = following
        new, n = _written(text, n, new, origins, seen, traced)
        seen += taken
    return _without_end(text, n)


@inlined
def _written(text, n, c, origins, seen, traced):
    """Puts a character behind text[:n], white space only where it stays in order; returns the character and the length."""
    if c <= SPACE:
        c, n = _spaced(text, n, c)
    if c != 0:
        text[n] = c
        if traced:
            origins[n] = seen
        n += 1
    return c, n


@helper
def _reread(buffer, i, end, code, step):
    """A character whose UTF-8 was read as Latin-1 ("Ã©" for "é"), with its bytes and how many characters it was made into;
    the character before buffer[i + step] itself where it was not."""
    size = 2 if code < 0xE0 else 3 if code < 0xF0 else 4
    if code == 0xE0:
        return code, step, 1
    result = code & (0x7F >> size)
    at = i + step
    for _ in range(1, size):
        if at >= end or buffer[at] < 0x80:
            return code, step, 1
        following, more = decode(buffer, at, end)
        if not 0x80 <= following <= 0xBF:
            return code, step, 1
        result = result << 6 | following & 63
        at += more
    if (size == 4 and result < 0x10000) or 0xD800 <= result < 0xE000:
        return code, step, 1
    return result, at - i, size


@inlined
def _spaced(text, n, new):
    """The white space to add to text[:n], 0 for none, and the length that is left of it, so that it stays in order."""
    if new == SPACE:
        if n == 0 or text[U(n - 1)] == SPACE or text[U(n - 1)] == NEWLINE:
            new = 0
    elif new == NEWLINE:
        while n > 0 and text[U(n - 1)] == SPACE:
            n -= 1
        if n == 0 or (n > 1 and text[U(n - 1)] == NEWLINE and text[U(n - 2)] == NEWLINE):
            new = 0
    return new, n


@helper
def _without_end(text, n):
    """The length of the text without white space at its end."""
    while n > 0 and (text[U(n - 1)] == SPACE or text[U(n - 1)] == NEWLINE):
        n -= 1
    return n


@helper
def put_in_order(text, first, n, origins, traced):
    """Leaves single spaces in text[first:n], none at an end of a line, and one blank line at most between two, given that
    text[:first] is in order; returns the new length."""
    m = i = first
    while i < n:
        # Up to where two characters of white space meet there is nothing to do but to move up.
        last = i + 1
        while last < n and (text[U(last - 1)] > SPACE or text[U(last)] > SPACE):
            last += 1
        while i < last and text[U(i)] <= SPACE:
            c, m = _spaced(text, m, np.int64(text[U(i)]))
            if c != 0:
                text[U(m)] = c
                if traced:
                    origins[m] = origins[i]
                m += 1
            i += 1
        if m < i:
            copy(text, i, last, text, m)
            if traced:
                copy(origins, i, last, origins, m)
        m += last - i
        i = last
    return _without_end(text, m)
