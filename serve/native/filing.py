"""A page's bytes -> its topics' scores, in one pass: cleaned, tokenised, weighed and scored, with no matrix on the way."""

import numpy as np

from serve.language import MIN_FOUND, SAMPLE
from serve.native import FINE, FOREIGN, ODD
from serve.native.cleaning import clean_text
from serve.native.compiler import F4, F8, I4, I8, INT, U1, U8, helper, kernel, ones, prefetch
from serve.native.terms import index_of
from serve.native.text import NEWLINE, START, U, copy, plain_text
from serve.native.tfidf import LOW_SIX, NOT_THERE, SIX, count_found, count_shortest, find_terms, weigh
from serve.native.tokens import BEYOND, U_1, opened, tokens_of_bytes, tokens_of_text

# So many weights stand in a line of the cache.
CACHE_LINE = 16
# Tokens are not quite the words that `serve.language` tells languages by: so many more may be in them.
SLACK = 2


@helper
def fetch(touched, n_touched, weights, k):
    """Has the memory begin to fetch the touched terms' weights, which take longer than anything else to come."""
    for t in range(n_touched):
        for part in range(0, k, CACHE_LINE):
            prefetch(weights, np.int64(touched[t]) * k + part)


@helper
def score(touched, n_touched, values, weights, k, row):
    """Adds the weights of the touched terms to a row of k scores, in the order of their first occurrence."""
    for t in range(n_touched):
        weight = weights[touched[t] * k : (touched[t] + 1) * k]
        value = np.float32(values[t])
        for j in range(k):
            row[j] += value * weight[j]


@helper
def score_tokens(
    n_tokens, shortest, longest, table, secret, spelt, counts, touched, values, idf, sublinear, norm, weights, k, row
):
    """Adds a document's scores to a row of k, and returns how many of its shortest n-grams are in the vocabulary."""
    words, starts, hashes, grams, found = spelt
    n_grams = find_terms(n_tokens, shortest, longest, table, secret, words, starts, hashes, grams, found)
    n_touched = count_found(found, n_grams, counts, idf, touched)
    fetch(touched, n_touched, weights, k)
    weigh(touched, n_touched, counts, idf, sublinear, norm, values)
    score(touched, n_touched, values, weights, k, row)
    return count_shortest(found, n_tokens, shortest, longest)


@kernel
def score_documents(
    buffer: U1, offsets: I8, fold: I4, shortest: INT, longest: INT, slots: U8, terms: U8, runs: U1, seeds: U8, idf: F8,
    sublinear: INT, norm: INT, weights: F4, k: INT, scores: F4, words_in: I8, known: I8, text: I4, low: U1, words: U8, starts: I8,
    hashes: U8, grams: U8, found: I8, counts: I4, touched: I4, values: F8,
) -> INT:  # fmt: skip
    """Adds to scores (n k,) each document's TF-IDF row times weights (v k,).

    Entries are added in the order of first occurrence: the same sum for a document whatever stands beside it.
    words_in, known (n,): take the number of each document's words, and of its shortest n-grams that are in the vocabulary.
    """
    secret = opened(seeds)
    for d in range(len(offsets) - 1):
        n_tokens = tokens_of_bytes(
            buffer, offsets[d], offsets[d + 1], text, low, fold, secret, words, starts, hashes, starts[:0]
        )
        words_in[d] = n_tokens
        spelt = (words, starts, hashes, grams, found)
        known[d] = score_tokens(
            n_tokens, shortest, longest, (slots, terms, runs), secret, spelt, counts, touched, values, idf, sublinear, norm,
            weights, k, scores[d * k : (d + 1) * k],
        )  # fmt: skip
    return 0


@helper
def _may_be_foreign(low, n, n_tokens, longest, table, places, telling, bounds, seen, words, starts, hashes, found):
    """Whether the language of a document has to be looked at closely: as many words of another language, nearly, as
    Indonesian ones, or many letters beyond ASCII.

    low: of the n characters, as `tokens_of_text` leaves it. table, places: the words that tell languages, and which bit of
    `seen` stands for each; longest: 0, or the longest n-gram that `found` has the terms of, those of each token first; telling
    (v,): the bits of these terms, that of no word for most. bounds: where in `seen` the words end that Malay shares, those of
    Indonesian, those of Malay, and those of others; the bit of no word comes then. seen: zeros before and after.
    """
    slots, terms = table
    sample = min(n, SAMPLE)
    wide = begins = START
    before = np.uint8(0)
    for i in range(sample):
        wide += low[i] == BEYOND
        begins += (low[i] != 0) & (before == 0)
        before = low[i]
    if 8 * wide > sample:
        return True
    # A character beyond ASCII may end a word and begin another.
    looked_at = min(n_tokens, begins + wide)
    g = START
    for i in range(looked_at):
        term = found[g] if longest > 0 else NOT_THERE
        g += min(longest, n_tokens - i)
        # Most tokens have been looked up already.
        if term >= 0:
            place = np.uint64(telling[U(term)])
        else:
            word = index_of(slots, terms, hashes[i], words, starts[i], starts[i + 1])
            place = np.uint64(places[word]) if word >= 0 else np.uint64(64 * bounds[3])
        seen[place >> SIX] |= U_1 << (place & LOW_SIX)
    shared, indonesian = _count(seen, START, bounds[0]), _count(seen, bounds[0], bounds[1])
    malay, other = _count(seen, bounds[1], bounds[2]), _count(seen, bounds[2], bounds[3])
    for i in range(len(seen)):
        seen[i] = 0
    if malay + other < MIN_FOUND:
        return False
    return other + SLACK >= shared + indonesian or malay + SLACK >= indonesian


@helper
def _count(bits, first, last):
    """The number of bits that are set."""
    total = START
    for i in range(first, last):
        total += np.int64(ones(bits[i]))
    return total


@kernel
def clean_document(
    buffer: U1, title_buffer: U1, judged: INT, plain: I4, several: I4, cases: U1, rules: I4, begins: U1, classes: I4, states: I4, outputs: U8,
    program: I4, sets: I4, ranges: I4, patterns: I4, fold: I4, stack: I8, groups: I8, hits: I8, low: U1, text: I4, spare: I4,
    title: I4, kept: I8, traced: INT, origins: I4, spare_origins: I4, removed: I4, count: I8,
) -> INT:  # fmt: skip
    """Leaves the cleaned text's characters in `text` and returns their number, -1 for a text or title that is odd.

    removed (3 r,): takes where each removal began and ended, and its kind; count[0] their number.
    """
    n = plain_text(buffer, START, len(buffer), plain, several, judged != 0, low, text, origins, traced != 0)
    m = plain_text(
        title_buffer, START, len(title_buffer), plain, several, judged != 0, low, title, origins[:0], traced < 0
    )
    if n < 0 or m < 0:
        return -1
    matcher = (program, sets, ranges, patterns, fold, stack, groups)
    trace = (traced != 0, origins, spare_origins, removed, count)
    triggers = (begins, classes, states, outputs)
    return clean_text(matcher, cases, rules, triggers, text, n, title, m, low, hits, spare, kept, trace)


@kernel
def plain_document(buffer: U1, judged: INT, plain: I4, several: I4, low: U1, text: I4, traced: INT, origins: I4) -> INT:
    """Leaves the plain form of the characters in `text` and returns their number, -1 where one is odd."""
    return plain_text(buffer, START, len(buffer), plain, several, judged != 0, low, text, origins, traced != 0)


@kernel
def file_documents(
    texts: U1, text_offsets: I8, titles: U1, title_offsets: I8, titled: INT, scores: F4, words_in: I8, known: I8,
    states_of: U1, title_weight: INT, plain: I4, several: I4, cases: U1, rules: I4, begins: U1, classes: I4, states: I4, outputs: U8, program: I4,
    sets: I4, ranges: I4, patterns: I4, fold: I4, shortest: INT, longest: INT, slots: U8, terms: U8, runs: U1, seeds: U8, idf: F8,
    sublinear: INT, norm: INT, weights: F4, k: INT, language_slots: U8, language_terms: U8,
    language_places: I4, telling: I4, language_bounds: I8, seen: U8, stack: I8, groups: I8, hits: I8, text: I4, spare: I4, title: I4, kept: I8, count: I8, low: U1, words: U8, starts: I8, hashes: U8, grams: U8, found: I8,
    counts: I4, touched: I4, values: F8,
) -> INT:  # fmt: skip
    """What `score_documents` does, for pages that are not cleaned yet; titles count `title_weight` times where `titled`.

    states_of (n,): takes FINE, FOREIGN for a text that may be in another language, and ODD for one that was left out.
    """
    # False; as a constant Numba would compile the helpers once more for it.
    never = titled < 0
    matcher = (program, sets, ranges, patterns, fold, stack, groups)
    trace = (never, text[:0], text[:0], text[:0], count)
    table, secret = (slots, terms, runs), opened(seeds)
    triggers = (begins, classes, states, outputs)
    for d in range(len(text_offsets) - 1):
        n = plain_text(texts, text_offsets[d], text_offsets[d + 1], plain, several, never, low, text, text[:0], never)
        m = 0
        if titled != 0:
            m = plain_text(
                titles, title_offsets[d], title_offsets[d + 1], plain, several, never, low, title, text[:0], never
            )
        if n < 0 or m < 0:
            states_of[d] = ODD
            continue
        n = clean_text(matcher, cases, rules, triggers, text, n, title, m, low, hits, spare, kept, trace)
        # The document that is vectorised: the title so many times, then the cleaned text.
        size = 0
        if m > 0:
            for _ in range(title_weight):
                copy(title, 0, m, spare, size)
                spare[size + m] = NEWLINE
                size += m + 1
        copy(text, 0, n, spare, size)
        size += n
        n_tokens = tokens_of_text(spare, size, low, fold, secret, words, starts, hashes, starts[:0])
        words_in[d] = n_tokens
        spelt = (words, starts, hashes, grams, found)
        known[d] = score_tokens(
            n_tokens, shortest, longest, table, secret, spelt, counts, touched, values, idf, sublinear, norm, weights, k,
            scores[d * k : (d + 1) * k],
        )  # fmt: skip
        languages = (language_slots, language_terms)
        foreign = _may_be_foreign(
            low, size, n_tokens, longest if shortest == 1 else START, languages, language_places, telling, language_bounds,
            seen, words, starts, hashes, found,
        )  # fmt: skip
        states_of[d] = FOREIGN if foreign else FINE
    return 0
