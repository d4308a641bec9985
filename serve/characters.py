"""Unicode's facts as tables that the kernels take: what is a letter, what a character's lower case and its plain form are."""

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

# Word characters end below this (a test holds it against this Python's Unicode tables).
FOLD_SIZE = 0x40000
# Lower-case of U+0130 is two characters, "i" and a combining dot that ends the word.
DOTTED_I = 0x130

# What cleaning puts in place of a character, for those below PLAIN_SIZE; the others are odd.
PLAIN_SIZE = 0x20000
DROPPED = 0
# Not to be judged by itself: it may compose with the one before, or lower-case by its neighbours.
ODD = -1
# Below this: the place of several characters in a table of their own, counted from here down, zeros behind them.
SEVERAL = -2
SEVERAL_WIDTH = 4
LOWER, UPPER, LETTER = 1, 2, 4

_QUOTES = dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc", "'")
_QUOTES |= dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
_SPACES = dict.fromkeys("\x85\u2028\u2029", "\n")
_SPACES |= dict.fromkeys("\t\x0b\x0c\x1c\x1d\x1e\x1f\xa0\u1680\u202f\u205f\u3000", " ")
_SPACES |= dict.fromkeys(map(chr, range(0x2000, 0x200B)), " ")
REPLACED = _QUOTES | _SPACES
INVISIBLE = "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff]"


def fold_table() -> NDArray[np.int32]:
    """(FOLD_SIZE,): the lower-case code point of each word character, 0 for characters that end a word."""
    characters = "".join(map(chr, range(FOLD_SIZE))).replace(chr(DOTTED_I), "i")
    # Python lower-cases a capital sigma by its neighbours; `vectorizer.Documents` does so for the rare text that has one.
    lower = characters.lower()
    table = np.frombuffer(lower.encode("utf-32-le", "surrogatepass"), np.int32).copy()
    word = np.zeros(FOLD_SIZE, bool)
    for match in re.finditer(r"\w+", lower):
        word[match.start() : match.end()] = True
    table[~word] = 0
    return table


def plain_tables() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(PLAIN_SIZE,): the plain form of each character, DROPPED, ODD, or where in the second table it has several."""
    table = np.arange(PLAIN_SIZE, dtype=np.int32)
    invisible = re.compile(INVISIBLE)
    # The second half of what composes, and the letters that Hangul's syllables are composed of.
    seconds = {int(parts[1], 16) for code in range(PLAIN_SIZE) if len(parts := _canonical(chr(code))) == 2}
    seconds |= set(range(0x1100, 0x1200))

    def is_odd(character: str) -> bool:
        code = ord(character)
        return bool(unicodedata.combining(character) or code in seconds or 0xD800 <= code < 0xE000 or character == "Σ")

    several: dict[str, int] = {}
    for code in range(PLAIN_SIZE):
        character = chr(code)
        composed = unicodedata.normalize("NFKC", character)
        if character in REPLACED:
            table[code] = ord(REPLACED[character])
        elif invisible.match(character):
            table[code] = DROPPED
        elif is_odd(character) or any(map(is_odd, composed)) or len(composed) > SEVERAL_WIDTH:
            table[code] = ODD
        elif len(composed) == 1:
            table[code] = ord(composed)
        else:
            table[code] = SEVERAL - several.setdefault(composed, len(several))
    table[ord("\r")] = ord("\n")
    return table, np.array([[*map(ord, s), *[0] * (SEVERAL_WIDTH - len(s))] for s in several], np.int32).ravel()


def _canonical(character: str) -> list[str]:
    """The code points, in hexadecimal, that a character is canonically composed of."""
    parts = unicodedata.decomposition(character)
    return [] if parts.startswith("<") else parts.split()


def case_table() -> NDArray[np.uint8]:
    """(PLAIN_SIZE,): LOWER, UPPER and LETTER of each character, as `str.islower` and so on tell them."""
    characters = [chr(code) for code in range(PLAIN_SIZE)]
    flags = [c.islower() * LOWER | c.isupper() * UPPER | c.isalpha() * LETTER for c in characters]
    return np.array(flags, np.uint8)
