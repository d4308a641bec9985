"""A crawled page's characters -> the article's: the rules of `serve.leftovers` at work on code points, in place."""

import numpy as np

from serve import rules as known
from serve.characters import LETTER, LOWER, UPPER
from serve.leftovers import End
from serve.native.compiler import helper, inlined, load_eight, trailing_zeros
from serve.native.patterns import is_word, match, search
from serve.native.text import ENDS, NEWLINE, SEMICOLON, SPACE, START, U_3, ZERO, U, copy, put_in_order

MARKUP_END, ANYWHERE_END, RULES_END = map(np.int64, (known.MARKUP_END, known.ANYWHERE_END, known.RULES_END))
(
    DATELINE, FIRST_CAPTION, SITE_SUFFIX, QUOTED_TITLE, NEXT_LEFTOVER, GLUED, SENTENCE_END, SMALL_WORD, SENTENCE_START,
    NEW_SENTENCE,
) = map(np.int64, known.FURTHER)  # fmt: skip
END_TITLE, END_RELATED = int(End.TITLE), int(End.RELATED)
OPENING_BRACKET, CLOSING_BRACKET, COLON, FULL_STOP, COMMA = ord("["), ord("]"), ord(":"), ord("."), ord(",")
QUOTE, APOSTROPHE, QUESTION, EXCLAMATION, CLOSING = ord('"'), ord("'"), ord("?"), ord("!"), ord(")")
OPENING = ord("(")
RULE_WIDTH, CLASSES, TITLE_LIMIT = known.RULE_WIDTH, known.CLASSES, known.TITLE_LIMIT
NEW_NOTHING, NEW_SPACE, NEW_PARAGRAPH = (
    np.int64(new) for new in (known.NEW_NOTHING, known.NEW_SPACE, known.NEW_PARAGRAPH)
)
KIND_TITLE, KIND_DATELINE, KIND_CAPTION = (np.int64(kind) for kind in known.PREAMBLE_KINDS)
NOWHERE = -1
U_1 = np.uint64(1)
# A title that is repeated has so many words at least.
TITLE_WORDS = 3
# Of what stands before the first sentence, so many pieces at most are taken away.
PREAMBLE = 8


@inlined
def _of_case(c, cases, flag):
    return c < len(cases) and cases[c] & flag != 0


@helper
def _triggered(text, n, triggers, low, hits):
    """The rules, as bits, of which a trigger is in the text.

    low: room for a byte a character and ENDS more; hits (2 r,): takes where the first trigger of each of these rules ends,
    and the last one.
    """
    begins, classes, states, outputs = triggers
    width = len(states) // len(outputs)
    for k in range(n):
        low[k] = begins[U(min(text[k], CLASSES))]
    for k in range(n, n + ENDS):
        low[k] = 1
    found = ZERO
    i = START
    while True:
        chunk = load_eight(low, i)
        while chunk == ZERO:
            i += 8
            chunk = load_eight(low, i)
        i += np.int64(trailing_zeros(chunk) >> U_3)
        if i >= n:
            return found
        state = np.int32(0)
        while i < n:
            state = states[U(state * width + classes[U(min(text[U(i)], CLASSES))])]
            i += 1
            if state == 0:
                break
            rules = outputs[U(state)]
            while rules != ZERO:
                rule = np.int64(trailing_zeros(rules))
                if (found >> U(rule)) & U_1 == ZERO:
                    hits[2 * rule] = i
                hits[2 * rule + 1] = i
                found |= U_1 << U(rule)
                rules &= rules - U_1


@helper
def _cut(text, n, start, end, spare, kept, new, new_from, new_length, trace, kind):
    """One edit: copies what is between the last one and text[start:end] to `spare`, then what stands in its place.

    new: NEW_SPACE or NEW_PARAGRAPH, or NEW_NOTHING for text[new_from:new_from + new_length].
    kept: where the last edit ended in the text, and in `spare` (both NOWHERE before the first); where the first one began;
    and the lowest of these since the text was in order.
    """
    traced, origins, spare_origins, removed, count = trace
    if kept[0] == NOWHERE:
        kept[0] = kept[1] = kept[2] = start
        kept[3] = min(kept[3], start)
    at, m = kept[0], kept[1]
    copy(text, at, start, spare, m)
    if traced:
        copy(origins, at, start, spare_origins, m)
    m += start - at
    last = max(end - 1, new_from)
    size = new_length if new == NEW_NOTHING else 1 if new == NEW_SPACE else 2
    for k in range(size):
        spare[m + k] = SPACE if new == NEW_SPACE else NEWLINE if new == NEW_PARAGRAPH else text[new_from + k]
        if traced:
            spare_origins[m + k] = origins[min(new_from + k, last)]
    if traced:
        low, high = (new_from, new_from + size) if new == NEW_NOTHING and size > 0 else (end, end)
        for first, after in ((start, low), (high, end)):
            if first < after and 3 * count[0] + 2 < len(removed):
                removed[3 * count[0]] = origins[first]
                removed[3 * count[0] + 1] = origins[after - 1] + 1
                removed[3 * count[0] + 2] = kind
                count[0] += 1
    kept[0], kept[1] = end, m + size


@helper
def _finish(text, n, spare, kept, trace):
    """Takes over what the edits made, and moves the rest of the text up to it; returns its length."""
    traced, origins, spare_origins = trace[0], trace[1], trace[2]
    at, m, first = kept[0], kept[1], kept[2]
    copy(spare, first, m, text, first)
    copy(text, at, n, text, m)
    if traced:
        copy(spare_origins, first, m, origins, first)
        copy(origins, at, n, origins, m)
    return m + n - at


@helper
def _next_word(text, i, last):
    """Where the next run of characters other than white space begins and ends; begins at `last` where there is none."""
    while i < last and (text[i] == SPACE or text[i] == NEWLINE):
        i += 1
    start = i
    while i < last and not (text[i] == SPACE or text[i] == NEWLINE):
        i += 1
    return start, i


@helper
def _title_case_run(matcher, cases, text, start, last, whole):
    """How much of the line text[start:last] is a title, told by its capitals; all of it may be where it is a `whole` line."""
    capital = -1
    opening = -1
    words = 0
    i = start
    broken = -1
    capital_words = 0
    opening_words = 0
    while True:
        word, end = _next_word(text, i, last)
        if word == last:
            break
        bare = word
        while bare < end and (
            text[bare] == QUOTE or text[bare] == APOSTROPHE or text[bare] == OPENING_BRACKET or text[bare] == OPENING
        ):
            bare += 1
        if not (bare < end and _of_case(text[bare], cases, LOWER)):
            capital, capital_words = word, words
        else:
            stop = end
            while stop > bare and _ends_word(text[stop - 1]):
                stop -= 1
            if match(matcher, text, bare, stop, bare, SMALL_WORD) != stop or stop == bare:
                broken = word
                break
        if words >= 3 and (text[word] == QUOTE or match(matcher, text, word, end, word, SENTENCE_START) == end):
            opening, opening_words = word, words
        words += 1
        i = end
    if broken < 0:
        return last if whole else start
    # The first word in small letters belongs to the next sentence, which begins before it: after a full stop, with a
    # word that opens sentences and seldom stands in titles, or else with the last capital.
    found = -1
    at = start
    while True:
        _, end = search(matcher, text, start, broken, at, broken, SENTENCE_END)
        if end < 0:
            break
        found = at = end
    if found >= 0:
        return found
    first, number = (opening, opening_words) if opening >= 0 else (capital, capital_words)
    return first if number >= 3 else start


@inlined
def _ends_word(c):
    return c in (COMMA, COLON, SEMICOLON, QUESTION, EXCLAMATION, FULL_STOP, QUOTE, APOSTROPHE, CLOSING, CLOSING_BRACKET)


@helper
def _line_end(text, i, last):
    while i < last and text[i] != NEWLINE:
        i += 1
    return i


@helper
def _after_title(matcher, cases, text, n, start):
    """Where the title that begins at `start` ends; `start` itself where that cannot be told."""
    while start < n and text[start] == SPACE:
        start += 1
    window = min(start + TITLE_LIMIT, n)
    quoted = match(matcher, text, start, window, start, QUOTED_TITLE)
    if quoted >= 0:
        return quoted
    line = _line_end(text, start, window)
    whole = line < window or line == n
    leftover, _ = search(matcher, text, start, line, start, line, NEXT_LEFTOVER)
    if leftover >= 0:
        line, whole = leftover, True
    glued, _ = search(matcher, text, start, line, start, line, GLUED)
    if glued - start >= 15:
        line, whole = glued, True
    if whole:
        sentence, _ = search(matcher, text, start, line, start, line, SENTENCE_END)
        end = line
        while end > start and text[end - 1] == SPACE:
            end -= 1
        stops = end > start and text[end - 1] == FULL_STOP
        if end > start + 1 and text[end - 1] == QUOTE:
            stops = stops or text[end - 2] == COMMA or text[end - 2] == FULL_STOP
        if sentence < 0 and not stops:
            return line
    return _title_case_run(matcher, cases, text, start, line, whole)


@helper
def _after_related(matcher, cases, text, n, start):
    """The end of a "Baca juga" whose label ends at `start`: its title is in brackets, on this line, or on the next."""
    opened = start - 1
    while opened >= max(0, start - 20) and text[opened] != OPENING_BRACKET and text[opened] != NEWLINE:
        opened -= 1
    if opened >= max(0, start - 20) and text[opened] == OPENING_BRACKET:
        closing = start
        limit = min(start + TITLE_LIMIT, n)
        while closing < limit and text[closing] != CLOSING_BRACKET and text[closing] != NEWLINE:
            closing += 1
        if closing < limit and text[closing] == CLOSING_BRACKET:
            return closing + 1
    if start >= n or text[start] != NEWLINE:
        return _after_title(matcher, cases, text, n, start)
    if text[start - 1] != COLON:  # a heading; the crawl has left its list of links out
        return start
    begin = start + 1
    end = _line_end(text, begin, min(begin + TITLE_LIMIT, n))
    is_title = 15 < end - begin < 150 and text[end - 1] != FULL_STOP
    if is_title and _title_case_run(matcher, cases, text, begin, end, True) == end:
        return end
    return start


@helper
def _apply(matcher, cases, rules, rule, text, n, first, last, spare, kept, trace):
    """Takes out what a rule finds, with a trigger that ends in text[first:last + 1], and returns the new length, -1 where it
    finds nothing."""
    row = RULE_WIDTH * rule
    new, ends, tail, kind = np.int64(rules[row]), rules[row + 1], rules[row + 2], np.int64(rules[row + 3])
    kept[0] = NOWHERE
    edits = 0
    at = max(START, first - rules[row + 4], n - tail if tail > 0 else START)
    while at <= n:
        start, end = search(matcher, text, START, n, at, last, rule)
        if start < 0:
            break
        at = end if end > start else end + 1
        if start < kept[0]:
            continue
        if ends == END_RELATED:
            end = _after_related(matcher, cases, text, n, end)
        elif ends == END_TITLE:
            end = _after_title(matcher, cases, text, n, end)
        if new > 0:
            groups = matcher[6]
            begin = groups[2 * new]
            size = groups[2 * new + 1] - begin
            _cut(text, n, start, end, spare, kept, NEW_NOTHING, begin, size, trace, kind)
        else:
            opens = start == 0 or text[start - 1] == NEWLINE
            closes = end >= n or text[end] == NEWLINE
            while opens and closes and end < n and text[end] == NEWLINE:  # a line of its own goes with its line break
                end += 1
            what = NEW_NOTHING if new == NEW_SPACE and (opens or closes) else new
            _cut(text, n, start, end, spare, kept, what, start, START, trace, kind)
        edits += 1
    return _finish(text, n, spare, kept, trace) if edits > 0 else -1


@helper
def _apply_all(matcher, cases, rules, first, last, found, hits, before, text, n, spare, kept, trace):
    """The new length after the rules of which a trigger was found, -1 where none of them fits. The text had `before`
    characters when they were found, of which any may have gone since."""
    changed = False
    kept[3] = n
    for rule in range(first, last):
        if (found >> U(rule)) & U_1 != ZERO:
            gone = before - n
            m = _apply(
                matcher, cases, rules, rule, text, n, hits[2 * rule] - gone, hits[2 * rule + 1], spare, kept, trace
            )
            if m >= 0:
                n = m
                changed = True
    return put_in_order(text, max(START, kept[3] - 2), n, trace[1], trace[0]) if changed else -1


@helper
def _after_repeated_title(matcher, cases, text, n, begin, title, title_length):
    """The end of the title that stands at `begin`, with the site's name after it; `begin` where it does not stand there."""
    fold = matcher[4]
    limit = min(n, begin + 2 * title_length + 20)
    words = capitals = 0
    same = upper = True
    i, j = begin, 0
    while True:
        while j < title_length and not is_word(title[j], fold):
            j += 1
        if j == title_length:
            break
        while i < limit and not is_word(text[i], fold):
            i += 1
        if i == limit:
            return begin
        if not _of_case(text[i], cases, LOWER):
            capitals += 1
        letters = True
        has_lower = has_upper = False
        while j < title_length and is_word(title[j], fold):
            if i == limit or not is_word(text[i], fold) or fold[text[i]] != fold[title[j]]:
                return begin
            same = same and text[i] == title[j]
            letters = letters and _of_case(text[i], cases, LETTER)
            has_lower = has_lower or _of_case(text[i], cases, LOWER)
            has_upper = has_upper or _of_case(text[i], cases, UPPER)
            i += 1
            j += 1
        if i < limit and is_word(text[i], fold):
            return begin
        upper = upper and not (letters and (has_lower or not has_upper))
        words += 1
    if words < TITLE_WORDS:
        return begin
    end = i
    while end < n and (
        text[end] == APOSTROPHE or text[end] == QUOTE or text[end] == QUESTION or text[end] == EXCLAMATION
        or text[end] == CLOSING or text[end] == FULL_STOP
    ):  # fmt: skip
        end += 1
    if end == n or text[end] == NEWLINE:
        return end
    suffix = match(matcher, text, begin, n, end, SITE_SUFFIX)
    if suffix >= 0:
        return suffix
    # Run into the first sentence, and not a first sentence that says the same: that one is in small letters.
    if (same or upper) and 2 * capitals > words and match(matcher, text, end, min(end + 5, n), end, NEW_SENTENCE) >= 0:
        return end
    return begin


@helper
def _without_preamble(matcher, cases, text, n, title, title_length, spare, kept, trace):
    """The length of the text without title, captions and dateline at its start, in whatever order they stand there."""
    begin = START
    kept[0] = NOWHERE
    for _ in range(PREAMBLE):
        kind = KIND_TITLE
        end = _after_repeated_title(matcher, cases, text, n, begin, title, title_length)
        if end == begin:
            kind = KIND_CAPTION
            end = max(begin, match(matcher, text, begin, n, begin, FIRST_CAPTION))
        if end == begin:
            kind = KIND_DATELINE
            end = max(begin, match(matcher, text, begin, n, begin, DATELINE))
        rest = end
        while rest < n and (text[rest] == SPACE or text[rest] == NEWLINE):
            rest += 1
        if end == begin or rest == n:
            break
        _cut(text, n, begin, end, spare, kept, NEW_NOTHING, START, START, trace, kind)
        kept[0] = begin = rest
    return _finish(text, n, spare, kept, trace) if begin > START else n


@helper
def clean_text(matcher, cases, rules, triggers, text, n, title, title_length, low, hits, spare, kept, trace):
    """Leaves in text[:n] what is the article's own, and returns its length."""
    before = n
    found = _triggered(text, n, triggers, low, hits)
    m = _apply_all(matcher, cases, rules, START, MARKUP_END, found, hits, before, text, n, spare, kept, trace)
    if m >= 0:
        n = before = m
        found = _triggered(text, n, triggers, low, hits)
    m = _apply_all(matcher, cases, rules, MARKUP_END, ANYWHERE_END, found, hits, before, text, n, spare, kept, trace)
    n = m if m >= 0 else n
    n = _without_preamble(matcher, cases, text, n, title, title_length, spare, kept, trace)
    m = _apply_all(matcher, cases, rules, ANYWHERE_END, RULES_END, found, hits, before, text, n, spare, kept, trace)
    return m if m >= 0 else n
