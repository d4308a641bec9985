"""Tables of terms: a term is found by its 64-bit hash and then compared word by word, so that two are never mixed up.

A table is `tags` (the half of the hash that does not choose the place, 0 where a place is free), `slots` (index << 32 | where
the term is in `terms`), and `terms`, the words of all terms, END behind each. `used`: the number of terms, and of the words
that spell them.
"""

import numpy as np

from serve.native.compiler import I8, INT, U1, U4, U8, helper, inlined, kernel
from serve.native.text import ZERO
from serve.native.tokens import SEED, U_1, U_8, U_32, U_64, join, mix

LOW_HALF = np.uint64(0xFFFFFFFF)
TOP_BYTE = np.uint64(56)
# Ends a term; no UTF-8 has such bytes.
END = np.uint64(0xFFFFFFFFFFFFFFFF)


@inlined
def tag_of(h):
    return np.uint32(h >> U_32) | np.uint32(1)


@inlined
def index_of(tags, slots, terms, h, words, start, end):
    """The index of the term words[start:end], whose hash is h; -1 where it is not there."""
    mask = np.uint64(len(tags) - 1)
    tag = tag_of(h)
    place = h & mask
    while tags[place] != 0:
        if tags[place] == tag:
            at = np.int64(slots[place] & LOW_HALF)
            k = start
            while k < end and terms[at] == words[k]:
                at += 1
                k += 1
            if k == end and terms[at] == END:
                return np.int64(slots[place] >> U_32)
        place = (place + U_1) & mask
    return np.int64(-1)


@helper
def hash_of(words, start, end):
    """The hash of a term from its words."""
    h = ZERO
    token = SEED
    first = True
    for k in range(start, end):
        token = mix(token ^ words[k])
        # The last word of a token has a zero byte at its end.
        if words[k] >> TOP_BYTE == ZERO:
            h = token if first else join(h, token)
            first = False
            token = SEED
    return h


@helper
def place_anew(tags, slots, h, index, at):
    """Puts a term that is not there yet into the table."""
    mask = np.uint64(len(tags) - 1)
    place = h & mask
    while tags[place] != 0:
        place = (place + U_1) & mask
    tags[place] = tag_of(h)
    slots[place] = np.uint64(index) << U_32 | np.uint64(at)


@helper
def added(tags, slots, terms, used, words, start, end):
    """The index of the term words[start:end], which is put into the table where it is not there yet."""
    h = hash_of(words, start, end)
    found = index_of(tags, slots, terms, h, words, start, end)
    if found >= 0:
        return found
    index, at = used[0], used[1]
    place_anew(tags, slots, h, index, at)
    for k in range(start, end):
        terms[at] = words[k]
        at += 1
    terms[at] = END
    used[0] = index + 1
    used[1] = at + 1
    return index


@kernel
def build_table(spelt: U1, offsets: I8, tags: U4, slots: U8, terms: U8, words: U8, used: I8) -> INT:
    """Puts the terms spelt[offsets[i]:offsets[i + 1] - 1] (UTF-8, spaces between tokens) into an empty table.

    tags, slots: zeros, a power of two, at most half of which will be used; terms: as many words as the terms take; words: as
    many as the longest term takes. Returns the index of a term that is there twice, or -1.
    """
    for index in range(len(offsets) - 1):
        count = 0
        chunk = ZERO
        shift = ZERO
        for i in range(offsets[index], offsets[index + 1]):
            if i + 1 < offsets[index + 1] and spelt[i] != 32:
                chunk |= np.uint64(spelt[i]) << shift
                shift += U_8
                if shift < U_64:
                    continue
            words[count] = chunk
            count += 1
            chunk = ZERO
            shift = ZERO
        if added(tags, slots, terms, used, words, 0, count) != index:
            return index
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
    tags: U4, slots: U8, terms: U8, frequencies: I8, used: I8, other_terms: U8, other_used: I8, other_frequencies: I8
) -> INT:
    """Adds the counts of the other table to this one, which must have room for all its terms."""
    start = 0
    for other in range(other_used[0]):
        end = start
        while other_terms[end] != END:
            end += 1
        term = added(tags, slots, terms, used, other_terms, start, end)
        frequencies[2 * term] += other_frequencies[2 * other]
        frequencies[2 * term + 1] += other_frequencies[2 * other + 1]
        start = end + 1
    return 0


@kernel
def rehash(terms: U8, used: I8, tags: U4, slots: U8) -> INT:
    """Puts the terms that stand in `terms` into an empty table."""
    start = 0
    for index in range(used[0]):
        end = start
        while terms[end] != END:
            end += 1
        place_anew(tags, slots, hash_of(terms, start, end), index, start)
        start = end + 1
    return 0
