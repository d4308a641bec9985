"""Code points -> tokens: two or more word characters, lower-cased, as scikit-learn's default `token_pattern` has them.

A token is spelt in words of eight bytes of UTF-8, zero bytes behind its last character; there is always one at least, so
that tokens put one after the other can be told apart, and an n-gram is the words of its tokens in a row.
"""

import numpy as np

from serve.characters import DOTTED_I
from serve.native.compiler import (
    I4,
    I8,
    INT,
    U1,
    U8,
    folded_product,
    helper,
    inlined,
    kernel,
    load_eight,
    trailing_zeros,
)
from serve.native.text import ENDS, LOW_BITS, START, TOP_BITS, U_3, ZERO, U, decode

MIN_TOKEN_LENGTH = 2
U_1, U_8, U_32, U_64 = np.uint64(1), np.uint64(8), np.uint64(32), np.uint64(64)
NGRAM_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
HIGH_BITS = 0x80
BEYOND = np.uint32(0xFF)
LOWER_BIT, LETTER_A, DIGIT_0, UNDERSCORE = np.uint32(32), np.uint32(97), np.uint32(48), np.uint32(95)
LETTERS, DIGITS = np.uint32(26), np.uint32(10)


@inlined
def opened(seeds):
    """The secret of a table (2,) as two numbers: what hashes begin with, and an odd one that they are multiplied by."""
    return seeds[0], seeds[1]


@inlined
def mix(h, secret):
    """The folded multiplication of wyhash (Wang Yi, https://github.com/wangyi-fudan/wyhash) and aHash. Who does not know the
    secret cannot make words whose hashes meet."""
    return folded_product(h, secret[1])


@inlined
def join(left, right, secret):
    """The hash of an n-gram from that of its first tokens and that of its last."""
    return mix(left * NGRAM_MULTIPLIER + right, secret)


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
def _lowered(text, n, low):
    """Writes a byte for each of the characters text[:n] (code points, or bytes that are all ASCII): its lower case where it
    is a word character of ASCII, 0 where it ends a word, BEYOND where it is not ASCII; and ENDS zeros behind them."""
    for i in range(n):
        c = np.uint32(text[i])
        letter = np.uint32((c | LOWER_BIT) - LETTER_A) < LETTERS
        other = (np.uint32(c - DIGIT_0) < DIGITS) | (c == UNDERSCORE)
        byte = (c | LOWER_BIT) if letter else (c if other else np.uint32(0))
        low[i] = np.uint8(byte if c < HIGH_BITS else BEYOND)
    for i in range(n, n + ENDS):
        low[i] = 0


@helper
def tokens_of(text, n, low, fold, secret, words, starts, hashes, sources):
    """Spells the tokens of text[:n] into `words` and returns their number.

    low: what `_lowered` has written; starts: where each token begins in `words`, then where the last one ends; hashes: of
    each token; sources (2 t,): where each token stands in the text, unless it is empty. See `serve.workspace` for sizes.
    """
    count = 0
    out = 0
    starts[0] = 0
    i = START
    while i < n:
        if low[U(i)] == 0:
            i += 1
            continue
        # Eight characters at a time, up to the first zero byte.
        start = i
        begin = out
        h = secret[0]
        wide = False
        while True:
            chunk = load_eight(low, i)
            zeros = (chunk - LOW_BITS) & ~chunk & TOP_BITS
            size = np.int64(trailing_zeros(zeros) >> U_3) if zeros != ZERO else np.int64(8)
            if size < 8:
                chunk &= (U_1 << np.uint64(8 * size)) - U_1
            if chunk & TOP_BITS != ZERO:
                wide = True
                break
            words[U(out)] = chunk
            out += 1
            h = mix(h ^ chunk, secret)
            i += size
            if size < 8:
                break
        length = i - start
        if wide:
            out, length, h, i = _wide_token(text, n, start, fold, secret, words, begin)
        # A token of one character leaves no word.
        if length >= MIN_TOKEN_LENGTH:
            hashes[U(count)] = h
            if len(sources) > 0:
                sources[2 * count] = start
                sources[2 * count + 1] = i
            count += 1
            starts[U(count)] = out
        else:
            out = begin
    return count


@helper
def _wide_token(text, n, start, fold, secret, words, out):
    """A token with characters beyond ASCII, one after the other: where its words end, its length, its hash, and where it
    ends in the text; one character is passed where none begins at `start`."""
    length = 0
    chunk = ZERO
    shift = ZERO
    h = secret[0]
    i = start
    while i < n:
        code = text[i]
        low = fold[code] if code < len(fold) else 0
        if low == 0:
            break
        i += 1
        # The Kelvin sign, for one, has an ASCII letter for its lower case.
        size = 1 if low < HIGH_BITS else 2 if low < 0x800 else 3 if low < 0x10000 else 4
        for k in range(size):
            byte = low
            if size > 1:
                shifted = low >> (6 * (size - 1 - k))
                byte = (0xF00 >> size & 0xFF) | shifted if k == 0 else 0x80 | (shifted & 63)
            chunk |= np.uint64(byte) << shift
            shift += U_8
            if shift == U_64:
                words[out] = chunk
                out += 1
                h = mix(h ^ chunk, secret)
                chunk = ZERO
                shift = ZERO
        length += 1
        if code == DOTTED_I:
            break
    words[out] = chunk
    return out + 1, length, mix(h ^ chunk, secret), max(i, start + 1)


@helper
def tokens_of_bytes(buffer, begin, end, text, low, fold, secret, words, starts, hashes, sources):
    """The tokens of the UTF-8 in buffer[begin:end], as `tokens_of` has them."""
    part = buffer[begin:end]
    n = len(part)
    seen = np.uint8(0)
    for i in range(n):
        seen |= part[i]
    if seen < HIGH_BITS:
        _lowered(part, n, low)
    else:
        n = decode_all(buffer, begin, end, text)
        _lowered(text, n, low)
    return tokens_of(text, n, low, fold, secret, words, starts, hashes, sources)


@helper
def tokens_of_text(text, n, low, fold, secret, words, starts, hashes, sources):
    """The tokens of the code points text[:n], as `tokens_of` has them."""
    _lowered(text, n, low)
    return tokens_of(text, n, low, fold, secret, words, starts, hashes, sources)


@kernel
def tokenise(buffer: U1, fold: I4, seeds: U8, text: I4, low: U1, words: U8, starts: I8, hashes: U8, sources: I8) -> INT:
    """The tokens of the UTF-8 in `buffer`, as `tokens_of` writes them."""
    return tokens_of_bytes(buffer, START, len(buffer), text, low, fold, opened(seeds), words, starts, hashes, sources)
