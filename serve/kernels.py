"""Compiled loops over UTF-8 bytes: tokenise, hash, look up, count, weigh. No Python object per token.

A document is a range of bytes in a buffer. A token (two or more word characters, lower-cased: scikit-learn's default
`token_pattern`) is spelt in words of eight bytes, zero bytes behind its last character; there is always one at least,
so that tokens put one after the other can be told apart, and an n-gram is the words of its tokens in a row. A term is
found by its 64-bit hash and then compared word by word: two terms with one hash are never mixed up.

The loops check no bounds; NUMBA_BOUNDSCHECK=1 makes them.
"""

import re
from functools import cache

import numba
import numba.np.linalg
import numpy as np
from numpy.typing import NDArray

# When its array functions are loaded, Numba imports scipy.linalg to see whether it is there: a sixth of the time from
# a cold start to the first prediction, for matrix products that are not used here. Whoever does use one in the same
# process still has it looked for when that function is compiled.
_ensure_blas, numba.np.linalg.ensure_blas = numba.np.linalg.ensure_blas, lambda: None
try:
    import numba.np.arraymath
finally:
    numba.np.linalg.ensure_blas = _ensure_blas

# Word characters end below the second code point (a test holds it against this Python's Unicode tables), and those
# below the first take at most three bytes.
FOLD_SIZES = (0x10000, 0x40000)
FOUR_BYTES = 0xF0
# Lower-case of U+0130 is two characters, "i" and a combining dot that ends the word.
DOTTED_I = 0x130
MIN_TOKEN_LENGTH = 2

U1, U8, U32, U64 = np.uint64(1), np.uint64(8), np.uint64(32), np.uint64(64)
ZERO = np.uint64(0)
LOW_HALF = np.uint64(0xFFFFFFFF)
# Ends a term in a vocabulary; no UTF-8 has such bytes.
END = np.uint64(0xFFFFFFFFFFFFFFFF)
MULTIPLIER = np.uint64(0xD6E8FEB86659FD93)
NGRAM_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
SEED = np.uint64(0xCBF29CE484222325)
# Of the term frequencies that make up nearly all.
LOGARITHMS = np.log(np.maximum(np.arange(64.0), 1.0))


def fold_table(buffer: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The lower-case code point of each word character that the buffer may hold, 0 for characters that end a word."""
    return _fold_table(FOLD_SIZES[len(buffer) > 0 and int(buffer.max()) >= FOUR_BYTES])


@cache
def _fold_table(size: int) -> NDArray[np.int32]:
    characters = "".join(map(chr, range(size))).replace(chr(DOTTED_I), "i")
    # Python lower-cases a capital sigma by its neighbours; `vectorizer.Documents` does so for the rare text that has one.
    lower = characters.lower()
    table = np.frombuffer(lower.encode("utf-32-le", "surrogatepass"), np.int32).copy()
    word = np.zeros(size, bool)
    for match in re.finditer(r"\w+", lower):
        word[match.start() : match.end()] = True
    table[~word] = 0
    return table


@numba.njit(inline="always")
def _mix(h):
    h ^= h >> U32
    h *= MULTIPLIER
    return h ^ (h >> U32)


@numba.njit(inline="always")
def _join(left, right):
    """The hash of an n-gram from that of its first tokens and that of its last."""
    return _mix(left * NGRAM_MULTIPLIER + right)


@numba.njit(nogil=True, cache=True)
def tokenise(buffer, begin, end, fold, words, starts, hashes, sources):
    """Spells the tokens of buffer[begin:end] into `words` and returns their number.

    starts: where each token begins in `words`, then where the last one ends; hashes: of each token; sources (t, 2): the
    bytes of each token in `buffer`, unless it is empty. `scratch` makes arrays that are large enough.
    """
    count = 0
    out = ZERO
    starts[0] = 0
    # Unsigned, an index is not checked for being negative.
    i = np.uint64(begin)
    last = np.uint64(end)
    source = i
    length = 0
    chunk = ZERO
    shift = ZERO
    h = SEED
    while i <= last:
        # The end of the document ends a word as well.
        stop = i
        if i == last:
            i += U1
        elif buffer[i] < 0x80:
            low = fold[buffer[i]]
            i += U1
            if low != 0:
                chunk |= np.uint64(low) << shift
                shift += U8
                length += 1
                if shift == U64:
                    words[out] = chunk
                    out += U1
                    h = _mix(h ^ chunk)
                    chunk = ZERO
                    shift = ZERO
                continue
        else:
            code, step = _decode(buffer, np.int64(i), end, len(fold))
            low = fold[code]
            i += np.uint64(step)
            if low != 0:
                # The Kelvin sign, for one, has an ASCII letter for its lower case.
                size = 1 if low < 0x80 else 2 if low < 0x800 else 3 if low < 0x10000 else 4
                for k in range(size):
                    byte = _lead(low, size) if k == 0 else 0x80 | (low >> (6 * (size - 1 - k)) & 63)
                    chunk |= np.uint64(byte) << shift
                    shift += U8
                    if shift == U64:
                        words[out] = chunk
                        out += U1
                        h = _mix(h ^ chunk)
                        chunk = ZERO
                        shift = ZERO
                length += 1
                if code != DOTTED_I:
                    continue
                stop = i
        # A token of one character has filled no word.
        if length >= MIN_TOKEN_LENGTH:
            words[out] = chunk
            out += U1
            hashes[count] = _mix(h ^ chunk)
            if len(sources) > 0:
                sources[count, 0] = source
                sources[count, 1] = stop
            count += 1
            starts[count] = out
        source = i
        length = 0
        chunk = ZERO
        shift = ZERO
        h = SEED
    return count


@numba.njit(inline="always")
def _lead(code, size):
    """The first byte of a code point that takes `size` bytes in UTF-8."""
    return code if size == 1 else (0xF00 >> size & 0xFF) | code >> (6 * (size - 1))


@numba.njit(nogil=True, cache=True)
def _decode(buffer, i, end, size):
    """The code point below `size` that begins at buffer[i], a byte above 127, and its number of bytes; else (0, 1)."""
    b = np.int64(buffer[i])
    step = 2 if 0xC2 <= b < 0xE0 else 3 if 0xE0 <= b < 0xF0 else 4 if 0xF0 <= b < 0xF5 else 1
    if step == 1 or i + step > end:
        return 0, 1
    code = b & (0x7F >> step)
    for k in range(1, step):
        code = code << 6 | np.int64(buffer[i + k]) & 63
    return (code if code < size else 0), step


@numba.njit(nogil=True, cache=True)
def scratch(offsets):
    """Arrays for `tokenise` that are large enough for each of the documents."""
    longest = 0
    for d in range(len(offsets) - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    tokens = longest // 2 + 1
    # A token of n bytes takes n // 8 + 1 words; lower-casing can make three bytes of two.
    return (
        np.empty(tokens + longest // 4 + 2, np.uint64),
        np.empty(tokens + 1, np.int64),
        np.empty(tokens, np.uint64),
        np.empty((0, 2), np.int64),
    )


@numba.njit(inline="always")
def _tag(h):
    """What a table keeps of a hash: the half that does not choose the place, never 0, which marks a free place."""
    return np.uint32(h >> U32) | np.uint32(1)


@numba.njit(nogil=True, cache=True)
def _place(tags, slots, terms, h, words, start, end):
    """The place of the term words[start:end] in a table: the one that holds it, or the free one where it belongs."""
    mask = np.uint64(len(tags) - 1)
    tag = _tag(h)
    place = h & mask
    while tags[place] != 0:
        if tags[place] == tag:
            at = np.int64(slots[place] & LOW_HALF)
            k = start
            while k < end and terms[at] == words[k]:
                at += 1
                k += 1
            if k == end and terms[at] == END:
                break
        place = (place + U1) & mask
    return place


@numba.njit(nogil=True, cache=True)
def _hash(words, start, end):
    """The hash of a term from its words."""
    h = ZERO
    token = SEED
    first = True
    for k in range(start, end):
        token = _mix(token ^ words[k])
        # The last word of a token has a zero byte at its end.
        if words[k] >> np.uint64(56) == ZERO:
            h = token if first else _join(h, token)
            first = False
            token = SEED
    return h


@numba.njit(nogil=True, cache=True)
def _added(tags, slots, terms, used, words, start, end):
    """The index of the term words[start:end], which is put into the table where it is not there yet.

    A slot holds index << 32 | where the term is in `terms`. used: the number of terms, and of the words that spell them.
    """
    h = _hash(words, start, end)
    place = _place(tags, slots, terms, h, words, start, end)
    if tags[place] != 0:
        return np.int64(slots[place] >> U32)
    index, at = used[0], used[1]
    tags[place] = _tag(h)
    slots[place] = np.uint64(index) << U32 | np.uint64(at)
    for k in range(start, end):
        terms[at] = words[k]
        at += 1
    terms[at] = END
    used[0] = index + 1
    used[1] = at + 1
    return index


@numba.njit(nogil=True, cache=True)
def build_table(spelt, offsets, tags, slots, terms):
    """Puts the terms spelt[offsets[i]:offsets[i + 1] - 1] (UTF-8, spaces between tokens) into an empty table.

    tags, slots: zeros, a power of two, at most half of which will be used; terms: as many words as the terms take.
    Returns the index of a term that is there twice, or -1.
    """
    words = np.empty(len(spelt) + 2, np.uint64)
    used = np.zeros(2, np.int64)
    for index in range(len(offsets) - 1):
        count = 0
        chunk = ZERO
        shift = ZERO
        for i in range(offsets[index], offsets[index + 1]):
            if i + 1 < offsets[index + 1] and spelt[i] != 32:
                chunk |= np.uint64(spelt[i]) << shift
                shift += U8
                if shift < U64:
                    continue
            words[count] = chunk
            count += 1
            chunk = ZERO
            shift = ZERO
        if _added(tags, slots, terms, used, words, 0, count) != index:
            return index
    return -1


@numba.njit(nogil=True, cache=True)
def spell(terms, kept, spelt, offsets):
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
            word >>= U8
        space = terms[i] >> np.uint64(56) == ZERO
    return out


@numba.njit(nogil=True, cache=True)
def find_terms(n_tokens, shortest, longest, tags, slots, terms, words, starts, hashes, found):
    """Writes the index of each n-gram of a document to `found`, -1 for one that is not there, and returns their number.

    N-grams come by the place of their first token, shorter ones first. This is `_place` written out: called for each
    n-gram, it would count references to its arrays, which takes longer than the look-up.
    """
    mask = np.uint64(len(tags) - 1)
    n_grams = 0
    for i in range(n_tokens):
        h = hashes[i]
        start = starts[i]
        for n in range(1, min(longest, n_tokens - i) + 1):
            if n > 1:
                h = _join(h, hashes[i + n - 1])
            if n < shortest:
                continue
            tag = _tag(h)
            place = h & mask
            index = np.int64(-1)
            while tags[place] != 0:
                if tags[place] == tag:
                    at = np.int64(slots[place] & LOW_HALF)
                    k = start
                    end = starts[i + n]
                    while k < end and terms[at] == words[k]:
                        at += 1
                        k += 1
                    if k == end and terms[at] == END:
                        index = np.int64(slots[place] >> U32)
                        break
                place = (place + U1) & mask
            found[n_grams] = index
            n_grams += 1
    return n_grams


@numba.njit(nogil=True, cache=True)
def _count(found, n_grams, counts, touched):
    """Adds a document's n-grams to `counts` and returns how many different terms `touched` then lists."""
    n_touched = 0
    for g in range(n_grams):
        term = found[g]
        if term >= 0:
            if counts[term] == 0:
                touched[n_touched] = term
                n_touched += 1
            counts[term] += 1
    return n_touched


@numba.njit(nogil=True, cache=True)
def _count_shortest(found, n_tokens, shortest, longest):
    """The number of a document's shortest n-grams that are in the vocabulary: its words, where single words are terms."""
    known = 0
    g = 0
    for i in range(n_tokens - shortest + 1):
        known += found[g] >= 0
        g += min(longest, n_tokens - i) - shortest + 1
    return known


@numba.njit(nogil=True, cache=True)
def _weigh(touched, n_touched, counts, idf, sublinear, norm, values):
    """Writes the TF-IDF values of the touched terms to `values` and sets their counts back to zero."""
    total = 0.0
    for t in range(n_touched):
        term = touched[t]
        tf = np.float64(counts[term])
        counts[term] = 0
        if sublinear and tf > 1.0:
            tf = 1.0 + (LOGARITHMS[np.int64(tf)] if tf < len(LOGARITHMS) else np.log(tf))
        value = tf * idf[term]
        values[t] = value
        total += value * value if norm == 2 else abs(value)
    if norm != 0 and total > 0:
        scale = 1.0 / (np.sqrt(total) if norm == 2 else total)
        for t in range(n_touched):
            values[t] *= scale


@numba.njit(nogil=True, cache=True)
def _sort(touched, n_touched, bits, summary):
    """Sorts column numbers by way of a bitmap (bits) and a bitmap of its words (summary), both zero before and after."""
    for t in range(n_touched):
        column = np.uint64(touched[t])
        word = column >> np.uint64(6)
        bits[word] |= U1 << (column & np.uint64(63))
        summary[word >> np.uint64(6)] |= U1 << (word & np.uint64(63))
    out = 0
    for s in range(len(summary)):
        while summary[s] != ZERO:
            word = np.uint64(s) << np.uint64(6) | _lowest_bit(summary[s])
            summary[s] &= summary[s] - U1
            while bits[word] != ZERO:
                touched[out] = word << np.uint64(6) | _lowest_bit(bits[word])
                bits[word] &= bits[word] - U1
                out += 1


@numba.njit(inline="always")
def _lowest_bit(word):
    """The number of the lowest bit that is set: the bits below it, counted (Warren, Hacker's Delight, 5-1)."""
    x = (word & (~word + U1)) - U1
    x -= (x >> U1) & np.uint64(0x5555555555555555)
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@numba.njit(nogil=True, cache=True)
def weigh_documents(
    buffer, offsets, fold, shortest, longest, tags, slots, terms, idf, sublinear, norm, row_ends, columns, values
):
    """Writes the CSR rows of the documents (columns ascending) and returns the number of their entries.

    columns, values: as long as the documents can have entries; norm: 0 none, 1 or 2.
    """
    words, starts, hashes, sources = scratch(offsets)
    found = np.empty(len(hashes) * (longest - shortest + 1), np.int64)
    counts = np.zeros(len(idf), np.int32)
    bits = np.zeros(len(idf) // 64 + 1, np.uint64)
    summary = np.zeros(len(bits) // 64 + 1, np.uint64)
    filled = 0
    for d in range(len(offsets) - 1):
        n_tokens = tokenise(buffer, offsets[d], offsets[d + 1], fold, words, starts, hashes, sources)
        touched = columns[filled:]
        n_grams = find_terms(n_tokens, shortest, longest, tags, slots, terms, words, starts, hashes, found)
        n_touched = _count(found, n_grams, counts, touched)
        _sort(touched, n_touched, bits, summary)
        _weigh(touched, n_touched, counts, idf, sublinear, norm, values[filled:])
        filled += n_touched
        row_ends[d] = filled
    return filled


@numba.njit(nogil=True, cache=True)
def score_documents(
    buffer, offsets, fold, shortest, longest, tags, slots, terms, idf, sublinear, norm, weights, scores, words_in, known
):
    """Adds to scores (n, k) each document's TF-IDF row times weights (v, k), without building the rows' matrix.

    Entries are added in the order of first occurrence: the same sum for a document whatever stands beside it.
    words_in, known (n,): take the number of each document's words, and of its shortest n-grams that are in the vocabulary.
    """
    words, starts, hashes, sources = scratch(offsets)
    found = np.empty(len(hashes) * (longest - shortest + 1), np.int64)
    counts = np.zeros(len(idf), np.int32)
    most = min(len(idf), len(hashes) * (longest - shortest + 1))
    touched = np.empty(most, np.int32)
    values = np.empty(most, np.float64)
    for d in range(len(offsets) - 1):
        n_tokens = tokenise(buffer, offsets[d], offsets[d + 1], fold, words, starts, hashes, sources)
        n_grams = find_terms(n_tokens, shortest, longest, tags, slots, terms, words, starts, hashes, found)
        words_in[d] = n_tokens
        known[d] = _count_shortest(found, n_tokens, shortest, longest)
        n_touched = _count(found, n_grams, counts, touched)
        _weigh(touched, n_touched, counts, idf, sublinear, norm, values)
        row = scores[d]
        for t in range(n_touched):
            weight = weights[touched[t]]
            value = np.float32(values[t])
            for k in range(len(row)):
                row[k] += value * weight[k]


@numba.njit(nogil=True, cache=True)
def count_documents(buffer, offsets, first, fold, shortest, longest, tags, slots, terms, frequencies, last_seen, used):
    """Counts the n-grams of the documents from `first` on, and returns the first document there was no room for.

    frequencies (capacity, 2): documents and occurrences of each term; last_seen (capacity,): one more than the document
    that a term was last counted in; used: the number of terms, and of the words that spell them.
    """
    words, starts, hashes, sources = scratch(offsets)
    found = np.empty(len(hashes) * (longest - shortest + 1), np.int64)
    for d in range(first, len(offsets) - 1):
        n_tokens = tokenise(buffer, offsets[d], offsets[d + 1], fold, words, starts, hashes, sources)
        # Were every n-gram new, each token's words would be copied once for each of the n-grams it is in.
        new_terms = n_tokens * (longest - shortest + 1)
        new_words = starts[n_tokens] * longest * (longest - shortest + 1) + new_terms
        if used[0] + new_terms > len(last_seen) or used[1] + new_words > len(terms):
            return d
        find_terms(n_tokens, shortest, longest, tags, slots, terms, words, starts, hashes, found)
        g = 0
        for i in range(n_tokens):
            for n in range(shortest, min(longest, n_tokens - i) + 1):
                term = found[g]
                g += 1
                if term < 0:
                    term = _added(tags, slots, terms, used, words, starts[i], starts[i + n])
                if last_seen[term] != d + 1:
                    last_seen[term] = d + 1
                    frequencies[term, 0] += 1
                frequencies[term, 1] += 1
    return len(offsets) - 1


@numba.njit(nogil=True, cache=True)
def merge_counts(tags, slots, terms, frequencies, used, other_terms, other_used, other_frequencies):
    """Adds the counts of the other table to this one, which must have room for all its terms."""
    start = 0
    for other in range(other_used[0]):
        end = start
        while other_terms[end] != END:
            end += 1
        term = _added(tags, slots, terms, used, other_terms, start, end)
        frequencies[term, 0] += other_frequencies[other, 0]
        frequencies[term, 1] += other_frequencies[other, 1]
        start = end + 1


@numba.njit(nogil=True, cache=True)
def rehash(terms, used, tags, slots):
    """Puts the terms that stand in `terms` into an empty table."""
    mask = np.uint64(len(tags) - 1)
    start = 0
    for index in range(used[0]):
        end = start
        while terms[end] != END:
            end += 1
        h = _hash(terms, start, end)
        place = h & mask
        while tags[place] != 0:
            place = (place + U1) & mask
        tags[place] = _tag(h)
        slots[place] = np.uint64(index) << U32 | np.uint64(start)
        start = end + 1
