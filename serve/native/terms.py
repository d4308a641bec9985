"""Tables of terms: a term is found by its 64-bit hash and then compared word by word, so that two are never mixed up.

A table is `slots`, `terms` and `runs`. A slot is two numbers, zeros where it is free: the term itself where it is one word, else
its hash; and index << 32 | where the term is in `terms`, IN_SLOT for a term of one word. `terms`: the words of all terms, END
behind each. `used`: the number of terms, and of the words that spell them. `runs` has a bit for each term of several tokens, which
most runs of tokens in a text lack (Bloom 1970, with one hash); where it has no length, it says nothing.
"""

import numpy as np

from serve.native.compiler import I8, INT, U1, U8, helper, inlined, kernel, trailing_zeros
from serve.native.text import U_3, ZERO
from serve.native.tokens import U_1, U_8, U_32, U_64, join, mix, opened

U_2 = np.uint64(2)
LOW_HALF = IN_SLOT = np.uint64(0xFFFFFFFF)
TOP_BYTE = np.uint64(56)
LOW_THREE = np.uint64(7)
# Ends a term; no UTF-8 has such bytes.
END = np.uint64(0xFFFFFFFFFFFFFFFF)


@inlined
def index_of(slots, terms, h, words, start, end):
    """The index of the term words[start:end], whose hash is h; -1 where it is not there."""
    mask = np.uint64(len(slots) // 2 - 1)
    short = end - start == 1
    key = words[start] if short else h | U_1
    place = h & mask
    while slots[U_2 * place] != ZERO:
        if slots[U_2 * place] == key:
            slot = slots[U_2 * place + U_1]
            at = slot & LOW_HALF
            if at == IN_SLOT:
                if short:
                    return np.int64(slot >> U_32)
            elif not short:
                k = start
                while k < end and terms[at] == words[k]:
                    at += U_1
                    k += 1
                if k == end and terms[at] == END:
                    return np.int64(slot >> U_32)
        place = (place + U_1) & mask
    return np.int64(-1)


@inlined
def place_in_runs(runs, h):
    """The bit of `runs` that tells of a term."""
    return h >> (U_64 - U_3 - trailing_zeros(np.uint64(len(runs))))


@inlined
def may_be_run(runs, h):
    """Whether a run of tokens with this hash may be a term."""
    if len(runs) == 0:
        return True
    place = place_in_runs(runs, h)
    return (runs[place >> U_3] >> np.uint8(place & LOW_THREE)) & np.uint8(1) != 0


@helper
def hash_of(words, start, end, secret):
    """The hash of a term from its words."""
    h = ZERO
    token = secret[0]
    first = True
    for k in range(start, end):
        token = mix(token ^ words[k], secret)
        # The last word of a token has a zero byte at its end.
        if words[k] >> TOP_BYTE == ZERO:
            h = token if first else join(h, token, secret)
            first = False
            token = secret[0]
    return h


@helper
def place_anew(slots, terms, h, index, at):
    """Puts the term at terms[at], which is not there yet, into the table."""
    mask = np.uint64(len(slots) // 2 - 1)
    place = h & mask
    while slots[U_2 * place] != ZERO:
        place = (place + U_1) & mask
    short = terms[at + 1] == END
    slots[U_2 * place] = terms[at] if short else h | U_1
    slots[U_2 * place + U_1] = np.uint64(index) << U_32 | (IN_SLOT if short else np.uint64(at))


@helper
def added(slots, terms, secret, used, words, start, end):
    """The index of the term words[start:end], which is put into the table where it is not there yet."""
    h = hash_of(words, start, end, secret)
    found = index_of(slots, terms, h, words, start, end)
    if found >= 0:
        return found
    index, at = used[0], used[1]
    for k in range(start, end):
        terms[at] = words[k]
        at += 1
    terms[at] = END
    place_anew(slots, terms, h, index, used[1])
    used[0] = index + 1
    used[1] = at + 1
    return index


@kernel
def build_table(spelt: U1, offsets: I8, slots: U8, terms: U8, runs: U1, seeds: U8, words: U8, used: I8) -> INT:
    """Puts the terms spelt[offsets[i]:offsets[i + 1] - 1] (UTF-8, spaces between tokens) into an empty table.

    slots: zeros, two for each of a power of two, at most half of which will be used; terms: as many words as the terms take; runs: zeros, a
    power of two; seeds: see `serve.native.tokens.opened`; words: as many as the
    longest term takes. Returns the index of a term that is there twice, or -1.
    """
    secret = opened(seeds)
    for index in range(len(offsets) - 1):
        count = tokens = 0
        chunk = ZERO
        shift = ZERO
        for i in range(offsets[index], offsets[index + 1]):
            if i + 1 < offsets[index + 1] and spelt[i] != 32:
                chunk |= np.uint64(spelt[i]) << shift
                shift += U_8
                if shift < U_64:
                    continue
            else:
                tokens += 1
            words[count] = chunk
            count += 1
            chunk = ZERO
            shift = ZERO
        if added(slots, terms, secret, used, words, 0, count) != index:
            return index
        if tokens > 1:
            place = place_in_runs(runs, hash_of(words, 0, count, secret))
            runs[place >> U_3] |= np.uint8(1) << np.uint8(place & LOW_THREE)
    return -1


@kernel
def spell(terms: U8, kept: U1, spelt: U1, offsets: I8) -> INT:
    """The reverse of `build_table`: writes the UTF-8 bytes of the terms that are kept, a zero byte behind each.

    Returns the number of bytes.
    """
    out = 0
    index = 0
    term = 0
    space = False
    for i in range(len(terms)):
        word = terms[i]
        if word == END:
            if kept[term]:
                spelt[out] = 0
                out += 1
                index += 1
                offsets[index] = out
            term += 1
            space = False
            continue
        if not kept[term]:
            continue
        if space:
            spelt[out] = 32
            out += 1
        while word != ZERO:
            spelt[out] = word & np.uint64(0xFF)
            out += 1
            word >>= U_8
        space = terms[i] >> TOP_BYTE == ZERO
    return out


@kernel
def merge_counts(
    slots: U8, terms: U8, seeds: U8, frequencies: I8, used: I8, other_terms: U8, other_used: I8, other_frequencies: I8
) -> INT:
    """Adds the counts of the other table to this one, which must have room for all its terms."""
    secret = opened(seeds)
    start = 0
    for other in range(other_used[0]):
        end = start
        while other_terms[end] != END:
            end += 1
        term = added(slots, terms, secret, used, other_terms, start, end)
        frequencies[2 * term] += other_frequencies[2 * other]
        frequencies[2 * term + 1] += other_frequencies[2 * other + 1]
        start = end + 1
    return 0


@kernel
def rehash(terms: U8, used: I8, slots: U8, seeds: U8) -> INT:
    """Puts the terms that stand in `terms` into an empty table."""
    secret = opened(seeds)
    start = 0
    for index in range(used[0]):
        end = start
        while terms[end] != END:
            end += 1
        place_anew(slots, terms, hash_of(terms, start, end, secret), index, start)
        start = end + 1
    return 0
