"""A matcher of regular expressions on code points, as `serve.patterns` compiles them: backtracking, as Python's own `re`."""

from serve.native.compiler import helper, inlined
from serve.native.text import U
from serve.patterns import (
    ANCHOR_END,
    ANCHOR_LINE_END,
    ANCHOR_LINE_START,
    ANCHOR_START,
    ANYTHING,
    ATOMIC,
    BACK_REFERENCE,
    CHARACTER,
    CLOSE,
    FRAME,
    GROUPS,
    JUMP,
    LAZY,
    LOOK_AHEAD,
    LOOK_BEHIND,
    MATCH,
    NOT_AHEAD,
    NOT_BEHIND,
    OTHER,
    PATTERN_WIDTH,
    RUN,
    SAVE,
    SET,
    SET_WIDTH,
    SPLIT,
)

# Frames of the stack: what to do when a path fails.
TRY, SHORTEN, LENGTHEN, RESTORE, BARRIER = 0, 1, 2, 3, 4
NEWLINE = 10


@inlined
def is_word(c, fold):
    return c < len(fold) and fold[c] != 0


@inlined
def _in_set(c, s, sets, ranges, fold):
    row = s * SET_WIDTH
    if c < 256:
        return sets[U(row + c)] != 0
    row += 256
    inside = sets[row + 1] != 0 and is_word(c, fold)
    for k in range(sets[row + 2], sets[row + 3]):
        inside = inside or ranges[2 * k] <= c <= ranges[2 * k + 1]
    return inside != (sets[row] != 0)


@helper
def match(matcher, text, first, last, at, pattern):
    """Where the pattern stops matching text[first:last] from `at`, or -1.

    matcher: the arrays of `serve.patterns.Programs`, the fold table, and room for a stack and for groups, which takes
    where each group begins and ends, -1 where it took no part.
    """
    program, sets, ranges, patterns, fold, stack, groups = matcher
    for g in range(GROUPS):
        groups[g] = -1
    top = 0
    pc = patterns[PATTERN_WIDTH * pattern]
    i = at
    while True:
        op = program[U(pc)]
        failed = False
        if op == CHARACTER:
            if i < last and text[U(i)] == program[U(pc + 1)]:
                i += 1
                pc += 2
            else:
                failed = True
        elif op == SET:
            if i < last and _in_set(text[U(i)], program[U(pc + 1)], sets, ranges, fold):
                i += 1
                pc += 2
            else:
                failed = True
        elif (
            op == SPLIT
            and program[U(pc + 3)] != ANYTHING
            and (i == last or not _in_set(text[U(i)], program[U(pc + 3)], sets, ranges, fold))
        ):
            pc = program[U(pc + 2)]
        elif op == SPLIT:
            stack[U(top)], stack[U(top + 1)], stack[U(top + 2)] = TRY, program[U(pc + 2)], i
            top += FRAME
            pc = program[U(pc + 1)]
        elif op == RUN:
            low = i + program[U(pc + 2)]
            high = min(i + program[U(pc + 3)], last)
            while i < high and _in_set(text[U(i)], program[U(pc + 1)], sets, ranges, fold):
                i += 1
            pc += 4
            if i < low:
                failed = True
            elif i > low:
                stack[U(top)], stack[U(top + 1)], stack[U(top + 2)], stack[U(top + 3)] = SHORTEN, pc, i, low
                top += FRAME
        elif op == LAZY:
            low = i + program[U(pc + 2)]
            high = min(i + program[U(pc + 3)], last)
            while i < low and i < last and _in_set(text[U(i)], program[U(pc + 1)], sets, ranges, fold):
                i += 1
            if i < low:
                failed = True
            else:
                if i < high:
                    stack[U(top)], stack[U(top + 1)], stack[U(top + 2)], stack[U(top + 3)] = LENGTHEN, pc, i, high
                    top += FRAME
                pc += 4
        elif op == JUMP:
            pc = program[U(pc + 1)]
        elif op == SAVE:
            group = program[U(pc + 1)]
            stack[U(top)], stack[U(top + 1)], stack[U(top + 2)] = RESTORE, group, groups[group]
            top += FRAME
            groups[group] = i
            pc += 2
        elif op == ANCHOR_LINE_START:
            failed = not (i == first or text[U(i - 1)] == NEWLINE)
            pc += 1
        elif op == ANCHOR_LINE_END:
            failed = not (i == last or text[U(i)] == NEWLINE)
            pc += 1
        elif op == ANCHOR_START:
            failed = i != first
            pc += 1
        elif op == ANCHOR_END:
            failed = i != last
            pc += 1
        elif op == BACK_REFERENCE:
            begin, end = groups[program[U(pc + 1)]], groups[program[U(pc + 1)] + 1]
            size = end - begin
            failed = begin < 0 or end < 0 or i + size > last
            k = 0
            while not failed and k < size:
                failed = text[U(begin + k)] != text[U(i + k)]
                k += 1
            i += size
            pc += 2
        elif op in (LOOK_AHEAD, NOT_AHEAD, ATOMIC):
            stack[U(top)], stack[U(top + 1)], stack[U(top + 2)], stack[U(top + 3)] = BARRIER, pc, i, op == NOT_AHEAD
            top += FRAME
            pc += 2
        elif op in (LOOK_BEHIND, NOT_BEHIND):
            width = program[U(pc + 2)]
            if i - width < first:
                failed = op == LOOK_BEHIND
                pc = program[U(pc + 1)]
            else:
                stack[U(top)], stack[U(top + 1)], stack[U(top + 2)], stack[U(top + 3)] = (
                    BARRIER,
                    pc,
                    i,
                    op == NOT_BEHIND,
                )
                top += FRAME
                i -= width
                pc += 3
        elif op == CLOSE:
            # The end of what looks around or is atomic: its other paths are given up.
            top -= FRAME
            while stack[U(top)] != BARRIER:
                top -= FRAME
            opened = stack[U(top + 1)]
            if program[opened] == ATOMIC:
                pc = program[opened + 1]
            else:
                i = stack[U(top + 2)]
                failed = stack[U(top + 3)] != 0
                pc = program[opened + 1]
        elif op == MATCH:
            return i
        else:  # word boundary
            before = i > first and is_word(text[U(i - 1)], fold)
            after = i < last and is_word(text[U(i)], fold)
            failed = before == after
            pc += 1
        if top + FRAME >= len(stack):
            return -1
        if failed:
            while True:
                if top == 0:
                    return -1
                top -= FRAME
                kind = stack[U(top)]
                if kind == TRY:
                    pc, i = stack[U(top + 1)], stack[U(top + 2)]
                    break
                if kind == SHORTEN:
                    pc, i = stack[U(top + 1)], stack[U(top + 2)] - 1
                    if i > stack[U(top + 3)]:
                        stack[U(top + 2)] = i
                        top += FRAME
                    break
                if kind == LENGTHEN:
                    pc, i = stack[U(top + 1)], stack[U(top + 2)]
                    if _in_set(text[U(i)], program[U(pc + 1)], sets, ranges, fold):
                        i += 1
                        if i < stack[U(top + 3)]:
                            stack[U(top + 2)] = i
                            top += FRAME
                        pc += 4
                        break
                    continue
                if kind == RESTORE:
                    groups[stack[U(top + 1)]] = stack[U(top + 2)]
                    continue
                # A barrier: nothing within has matched.
                if stack[U(top + 3)] != 0:
                    pc, i = program[stack[U(top + 1)] + 1], stack[U(top + 2)]
                    break


@helper
def search(matcher, text, first, last, at, until, pattern):
    """The start of the first match that begins in text[at:until + 1], and its end; (-1, -1) where there is none."""
    patterns = matcher[3]
    row = PATTERN_WIDTH * pattern + 1
    stop = min(until + 1, last)
    i = at
    while True:
        while i < stop and patterns[U(row + min(text[U(i)], OTHER))] == 0:
            i += 1
        if i >= stop:
            break
        end = match(matcher, text, first, last, i, pattern)
        if end >= 0:
            return i, end
        i += 1
    if i == last and until >= last:
        end = match(matcher, text, first, last, i, pattern)
        if end >= 0:
            return i, end
    return -1, -1
