"""Tokens -> TF-IDF: n-grams looked up, counted and weighed, and the linear scores of what comes out."""

import numpy as np

from serve.native.compiler import F8, I4, I8, INT, U1, U8, helper, kernel, prefetch, trailing_zeros
from serve.native.terms import U_2, added, index_of, may_be_run
from serve.native.text import ZERO, U
from serve.native.tokens import U_1, join, opened, tokens_of_bytes

# Of the term frequencies that make up nearly all.
LOGARITHMS = np.log(np.maximum(np.arange(64.0), 1.0))
# Memory is asked for so many terms before it is read.
AHEAD = 8
NOT_THERE, MAY_BE_THERE = np.int64(-1), np.int64(0)
SIX = np.uint64(6)
LOW_SIX = np.uint64(63)


@helper
def find_terms(n_tokens, shortest, longest, table, secret, words, starts, hashes, grams, found):
    """Writes the index of each n-gram of a document to `found`, -1 for one that is not there, and returns their number.

    N-grams come by the place of their first token, shorter ones first; grams: room for their hashes. What is read of the table
    is on its way from memory before.
    """
    slots, terms, runs = table
    mask = np.uint64(len(slots) // 2 - 1)
    n_grams = 0
    for i in range(n_tokens):
        h = hashes[i]
        for n in range(1, min(longest, n_tokens - i) + 1):
            if n > 1:
                h = join(h, hashes[i + n - 1], secret)
            if n >= shortest:
                grams[n_grams] = h
                found[n_grams] = NOT_THERE
                if n == 1 or may_be_run(runs, h):
                    found[n_grams] = MAY_BE_THERE
                    prefetch(slots, np.int64(U_2 * (h & mask)))
                n_grams += 1
    g = 0
    for i in range(n_tokens):
        for n in range(shortest, min(longest, n_tokens - i) + 1):
            if found[g] == MAY_BE_THERE:
                found[g] = index_of(slots, terms, grams[g], words, starts[i], starts[i + n])
            g += 1
    return n_grams


@helper
def count_found(found, n_grams, counts, idf, touched):
    """Adds a document's n-grams to `counts` and returns how many different terms `touched` then lists."""
    n_touched = 0
    for g in range(n_grams):
        if g + AHEAD < n_grams and found[g + AHEAD] >= 0:
            prefetch(counts, found[g + AHEAD])
        term = found[g]
        if term >= 0:
            if counts[U(term)] == 0:
                touched[n_touched] = term
                n_touched += 1
                prefetch(idf, term)
            counts[U(term)] += 1
    return n_touched


@helper
def count_shortest(found, n_tokens, shortest, longest):
    """The number of a document's shortest n-grams that are in the vocabulary: its words, where single words are terms."""
    known = 0
    g = 0
    for i in range(n_tokens - shortest + 1):
        known += found[g] >= 0
        g += min(longest, n_tokens - i) - shortest + 1
    return known


@helper
def weigh(touched, n_touched, counts, idf, sublinear, norm, values):
    """Writes the TF-IDF values of the touched terms to `values` and sets their counts back to zero."""
    total = 0.0
    for t in range(n_touched):
        term = touched[t]
        tf = np.float64(counts[term])
        counts[term] = 0
        if sublinear != 0 and tf > 1.0:
            tf = 1.0 + (LOGARITHMS[np.int64(tf)] if tf < len(LOGARITHMS) else np.log(tf))
        value = tf * idf[term]
        values[t] = value
        total += value * value if norm == 2 else abs(value)
    if norm != 0 and total > 0:
        scale = 1.0 / (np.sqrt(total) if norm == 2 else total)
        for t in range(n_touched):
            values[t] *= scale


@helper
def _sort(touched, n_touched, bits, summary):
    """Sorts column numbers by way of a bitmap (bits) and a bitmap of its words (summary), both zero before and after."""
    for t in range(n_touched):
        column = np.uint64(touched[t])
        word = column >> SIX
        bits[word] |= U_1 << (column & LOW_SIX)
        summary[word >> SIX] |= U_1 << (word & LOW_SIX)
    out = 0
    for s in range(len(summary)):
        while summary[s] != ZERO:
            word = np.uint64(s) << SIX | trailing_zeros(summary[s])
            summary[s] &= summary[s] - U_1
            while bits[word] != ZERO:
                touched[out] = word << SIX | trailing_zeros(bits[word])
                bits[word] &= bits[word] - U_1
                out += 1


@kernel
def weigh_documents(
    buffer: U1, offsets: I8, fold: I4, shortest: INT, longest: INT, slots: U8, terms: U8, runs: U1, seeds: U8, idf: F8,
    sublinear: INT, norm: INT, row_ends: I8, columns: I4, values: F8, text: I4, low: U1, words: U8, starts: I8, hashes: U8,
    grams: U8, found: I8, counts: I4, bits: U8, summary: U8,
) -> INT:  # fmt: skip
    """Writes the CSR rows of the documents (columns ascending) and returns the number of their entries.

    columns, values: as long as the documents can have entries; norm: 0 none, 1 or 2; counts, bits, summary: zeros.
    """
    filled = 0
    table, secret = (slots, terms, runs), opened(seeds)
    for d in range(len(offsets) - 1):
        n_tokens = tokens_of_bytes(
            buffer, offsets[d], offsets[d + 1], text, low, fold, secret, words, starts, hashes, starts[:0]
        )
        touched = columns[filled:]
        n_grams = find_terms(n_tokens, shortest, longest, table, secret, words, starts, hashes, grams, found)
        n_touched = count_found(found, n_grams, counts, idf, touched)
        _sort(touched, n_touched, bits, summary)
        weigh(touched, n_touched, counts, idf, sublinear, norm, values[filled:])
        filled += n_touched
        row_ends[d] = filled
    return filled


@kernel
def count_documents(
    buffer: U1, offsets: I8, first: INT, fold: I4, shortest: INT, longest: INT, slots: U8, terms: U8, seeds: U8,
    frequencies: I8, last_seen: I8, used: I8, text: I4, low: U1, words: U8, starts: I8, hashes: U8, grams: U8, found: I8,
) -> INT:  # fmt: skip
    """Counts the n-grams of the documents from `first` on, and returns the first document there was no room for.

    frequencies (2 capacity,): documents and occurrences of each term; last_seen (capacity,): one more than the document
    that a term was last counted in; used: as in `native.terms`.
    """
    # Of terms that are added on the way no bits are kept.
    table, secret = (slots, terms, buffer[:0]), opened(seeds)
    for d in range(first, len(offsets) - 1):
        n_tokens = tokens_of_bytes(
            buffer, offsets[d], offsets[d + 1], text, low, fold, secret, words, starts, hashes, starts[:0]
        )
        # Were every n-gram new, each token's words would be copied once for each of the n-grams it is in.
        new_terms = n_tokens * (longest - shortest + 1)
        new_words = starts[n_tokens] * longest * (longest - shortest + 1) + new_terms
        if used[0] + new_terms > len(last_seen) or used[1] + new_words > len(terms):
            return d
        find_terms(n_tokens, shortest, longest, table, secret, words, starts, hashes, grams, found)
        g = 0
        for i in range(n_tokens):
            for n in range(shortest, min(longest, n_tokens - i) + 1):
                term = found[g]
                g += 1
                if term < 0:
                    term = added(slots, terms, secret, used, words, starts[i], starts[i + n])
                if last_seen[term] != d + 1:
                    last_seen[term] = d + 1
                    frequencies[2 * term] += 1
                frequencies[2 * term + 1] += 1
    return len(offsets) - 1
