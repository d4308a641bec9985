"""Code points -> tokens: two or more word characters, lower-cased, as scikit-learn's default `token_pattern` has them.

A token is spelt in words of eight bytes of UTF-8, zero bytes behind its last character; there is always one at least, so
that tokens put one after the other can be told apart, and an n-gram is the words of its tokens in a row.
"""

import numpy as np

from serve.characters import DOTTED_I
from serve.native.compiler import I4, I8, INT, U1, U8, helper, kernel
from serve.native.text import decode

MIN_TOKEN_LENGTH = 2
U_1, U_8, U_32, U_64 = np.uint64(1), np.uint64(8), np.uint64(32), np.uint64(64)
ZERO = np.uint64(0)
MULTIPLIER = np.uint64(0xD6E8FEB86659FD93)
NGRAM_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
SEED = np.uint64(0xCBF29CE484222325)
HIGH_BITS = 0x80


@helper
def mix(h):
    h ^= h >> U_32
    h *= MULTIPLIER
    return h ^ (h >> U_32)


@helper
def join(left, right):
    """The hash of an n-gram from that of its first tokens and that of its last."""
    return mix(left * NGRAM_MULTIPLIER + right)


@helper
def decode_all(buffer, begin, end, text):
    """Writes the code points of the UTF-8 in buffer[begin:end] to `text`, and returns their number."""
    n = 0
    i = begin
    while i < end:
        while i + 16 <= end:
            seen = np.uint8(0)
            for k in range(16):
                seen |= buffer[i + k]
            if seen >= HIGH_BITS:
                break
            for k in range(16):
                text[n + k] = buffer[i + k]
            i += 16
            n += 16
        if i == end:
            break
        b = buffer[i]
        if b < HIGH_BITS:
            text[n] = b
            i += 1
        else:
            code, step = decode(buffer, i, end)
            text[n] = code
            i += step
        n += 1
    return n


@helper
def tokens_of(text, n, fold, words, starts, hashes, sources):
    """Spells the tokens of text[:n] into `words` and returns their number.

    starts: where each token begins in `words`, then where the last one ends; hashes: of each token; sources (2 t,): where
    each token stands in the text, unless it is empty. `room_for` tells how large the arrays have to be.
    """
    count = 0
    out = ZERO
    starts[0] = 0
    length = 0
    source = 0
    chunk = ZERO
    shift = ZERO
    h = SEED
    for i in range(n + 1):
        # The end of the document ends a word as well.
        code = text[i] if i < n else 0
        low = fold[code] if code < len(fold) else 0
        stop = i
        if low != 0:
            # The Kelvin sign, for one, has an ASCII letter for its lower case.
            if low < HIGH_BITS:
                chunk |= np.uint64(low) << shift
                shift += U_8
                length += 1
                if shift == U_64:
                    words[out] = chunk
                    out += U_1
                    h = mix(h ^ chunk)
                    chunk = ZERO
                    shift = ZERO
                if code != DOTTED_I:
                    continue
                stop = i + 1
            else:
                size = 2 if low < 0x800 else 3 if low < 0x10000 else 4
                for k in range(size):
                    byte = (
                        (0xF00 >> size & 0xFF) | low >> (6 * (size - 1))
                        if k == 0
                        else 0x80 | (low >> (6 * (size - 1 - k)) & 63)
                    )
                    chunk |= np.uint64(byte) << shift
                    shift += U_8
                    if shift == U_64:
                        words[out] = chunk
                        out += U_1
                        h = mix(h ^ chunk)
                        chunk = ZERO
                        shift = ZERO
                length += 1
                continue
        # A token of one character has filled no word.
        if length >= MIN_TOKEN_LENGTH:
            words[out] = chunk
            out += U_1
            hashes[count] = mix(h ^ chunk)
            if len(sources) > 0:
                sources[2 * count] = source
                sources[2 * count + 1] = stop
            count += 1
            starts[count] = out
        source = i + 1
        length = 0
        chunk = ZERO
        shift = ZERO
        h = SEED
    return count


@kernel
def tokenise(buffer: U1, fold: I4, text: I4, words: U8, starts: I8, hashes: U8, sources: I8) -> INT:
    """The tokens of the UTF-8 in `buffer`, as `tokens_of` writes them."""
    return tokens_of(text, decode_all(buffer, 0, len(buffer), text), fold, words, starts, hashes, sources)
