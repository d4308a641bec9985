"""Records of CSV found in bytes: what Python's csv module finds, what is rejected, and where reading goes on."""

import csv
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serve.errors import InputError
from serve.files import lines
from serve.files.formats import open_reader
from serve.files.parts import LONGEST_RAW, Part

WIDTH = 3
HEADER = "a,b,c\n"

fields = st.text(st.sampled_from('a é,;"\n\r'), max_size=6)
written = st.builds(
    lambda rows, quoting, newline: written_by_csv(rows, quoting, newline),
    st.lists(st.lists(fields, min_size=WIDTH, max_size=WIDTH), max_size=8),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)
anything = st.text(st.sampled_from('ab é,,""\n\n\r'), max_size=40)


def written_by_csv(rows: list[list[str]], quoting: "csv._QuotingType", newline: str) -> str:
    file = io.StringIO()
    csv.writer(file, quoting=quoting, lineterminator=newline).writerows(rows)
    # The csv module leaves a lone carriage return bare, which it cannot read.
    return file.getvalue() if newline == "\r\n" else file.getvalue().replace("\r", "")


def expected(body: str, width: int = WIDTH) -> Iterator[tuple[int, int, list[str]] | int]:
    """The rows with their numbers and lines, and the lines of those that are rejected, told line by line."""
    begin, number = 0, 0
    rows = body.split("\n")
    rows = [row + "\n" for row in rows[:-1]] + rows[-1:] * bool(rows[-1])
    while begin < len(rows):
        drawn = 0

        def draw(first: int = begin) -> Iterator[str]:
            nonlocal drawn
            for row in rows[first:]:
                drawn += 1
                yield row

        try:
            row = next(csv.reader(draw(), strict=True))
        except csv.Error:
            row, drawn = ["broken"] * (width + 1), 1
        line, begin = begin + 2, begin + drawn
        if len(row) == width and row:
            number += 1
            yield number, line, row
        elif len(row) > 1 or "".join(row).strip():
            number += 1
            yield line


def parts_of(path: Path, batch_rows: int = 100) -> list[Part]:
    with open_reader(path, batch_rows=batch_rows, with_lines=True) as reader:
        return list(reader.parts((), None))


def found(path: Path, batch_rows: int) -> tuple[list[tuple[int, int, list[str]]], list[int | None]]:
    """The rows with their numbers and lines, and the lines of those that are rejected."""
    rows, rejected = [], []
    for part in parts_of(path, batch_rows):
        columns = [column.to_pylist() for column in part.batch.columns]
        assert part.lines is not None or not len(part.numbers)
        begun = [] if part.lines is None else part.lines.tolist()
        rows += list(zip(part.numbers.tolist(), begun, map(list, zip(*columns, strict=True)), strict=True))
        rejected += [row.line for row in part.rejected]
        part.batch.validate(full=True)
    return rows, rejected


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv") / "a.csv"


@settings(max_examples=400, deadline=None)
@given(body=written | anything, block=st.sampled_from([1, 7, 30, 2**22]), batch_rows=st.sampled_from([1, 2, 100]))
@example(body='1,2,"a\n2,3,"b"\n', block=2**22, batch_rows=100)
@example(body='1,2,""""\n"",,"a""b"\r\n', block=7, batch_rows=2)
@example(body='1,2,a"b"\n1,2,"a"\r3,4,5\n\r\n1,2,"a\r"\r\r\n', block=2**22, batch_rows=100)
@example(body="1,2,3\n \n1,2,3,4\n1,2,3", block=2**22, batch_rows=100)
@example(body='1,2,3\r\r\n\r\r\n1,"2","3"\r\r\n1,2,3\r', block=2**22, batch_rows=100)
@example(body="1,2,3\n1,2\n" * 40, block=2**22, batch_rows=100)
def test_rows_are_those_of_the_csv_module(place: Path, body: str, block: int, batch_rows: int) -> None:
    place.write_bytes((HEADER + body).encode())
    told = list(expected(body))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK_SIZE", block)
        rows, rejected = found(place, batch_rows)
    assert rows == [row for row in told if isinstance(row, tuple)]
    assert rejected == [line for line in told if isinstance(line, int)]


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.lists(fields, min_size=WIDTH, max_size=WIDTH), max_size=8))
def test_what_the_csv_module_writes_is_read_whole(place: Path, rows: list[list[str]]) -> None:
    place.write_bytes((HEADER + written_by_csv(rows, csv.QUOTE_ALL, "\r\n")).encode())
    heights = [1 + sum(field.count("\n") for field in row) for row in rows]
    begun = itertools.accumulate(heights, initial=2)
    assert found(place, 100) == (list(zip(range(1, len(rows) + 1), begun, rows, strict=False)), [])


@settings(max_examples=100, deadline=None)
@given(body=written | anything, block=st.sampled_from([1, 7, 30]))
def test_reading_is_taken_up_at_the_end_of_any_part(place: Path, body: str, block: int) -> None:
    place.write_bytes((HEADER + body).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK_SIZE", block)
        parts = parts_of(place, 2)
        for left in range(1, len(parts)):
            if parts[left - 1].end:
                with open_reader(place, batch_rows=2) as reader:
                    again = list(reader.parts((), parts[left - 1].end))
                assert [(part.numbers.tolist(), part.rejected, part.end) for part in again] == [
                    (part.numbers.tolist(), part.rejected, part.end) for part in parts[left:]
                ]
                assert [part.batch for part in again] == [part.batch for part in parts[left:]]


@pytest.mark.parametrize("width", [1, 2])
def test_narrow_tables(tmp_path: Path, width: int) -> None:
    body = 'a\n\n""\n  \n"b"\na,b\n"c\nd"\n'
    path = tmp_path / "a.csv"
    path.write_text(",".join("ab"[:width]) + "\n" + body)
    told = list(expected(body, width))
    assert found(path, 100) == (
        [row for row in told if isinstance(row, tuple)],
        [line for line in told if isinstance(line, int)],
    )


def test_one_stray_quote_does_not_eat_the_file(tmp_path: Path) -> None:
    good = "".join(f'{row},judul {row},"isi, {row}"\n' for row in range(1000))
    for broken in ('x,"judul,isi\n', 'x,judul,"isi\n', '"x,judul,isi\n', 'x,ju"dul,"isi" a"\n'):
        path = tmp_path / "a.csv"
        path.write_text(HEADER + good + broken + good)
        (rows, rejected) = found(path, 5000)
        assert len(rows) == 2000
        assert rejected == [1002]
        path.write_text(HEADER + good + broken + good.replace('"', "").replace(", ", " "))
        (rows, rejected) = found(path, 5000)
        assert len(rows) == 2000
        assert rejected == [1002]


def test_what_is_rejected_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [
        b"1,2,3\n",
        b"1,2\r\n",
        b'1,2,"a\nb",4\n',
        b"1,2,caf\xe9\n",
        b'1,2,"a\nb\0"\n',
        b'1,2,"a" b\n',
        b"1,2,\xff" + b"x" * 3 * LONGEST_RAW + b"\n",
        b'1,2,"a\n',
        b"4,5,6",
    ]
    path.write_bytes(HEADER.encode() + b"".join(rows))
    with open_reader(path) as reader:
        told = [json.loads(row.to_json()) for part in reader.parts((), None) for row in part.rejected]
    length = "put quotes around a field that holds separators or line breaks."
    assert [(row["line"], row["reason"]) for row in told] == [
        (3, f"broken CSV row: expected 3 fields, as in the header, found 2; {length}"),
        (4, f"broken CSV row: expected 3 fields, as in the header, found 4; {length}"),
        (6, "not UTF-8: byte 0xE9 at offset 36 of the file; save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')."),
        (7, "line 8: a NUL byte at offset 46 of the file; save it as UTF-8 text, or remove the byte."),
        (
            9,
            "broken CSV in the row that begins in line 9: ',' expected after '\"'; "
            'put quotes around a field that holds quotes, and double each of those inside ("").',
        ),
        (10, "not UTF-8: byte 0xFF at offset 63 of the file; save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')."),
        (11, 'broken CSV: a quote (") opened in the row that begins here is never closed; close it, or double it.'),
    ]
    assert [row["raw"] for row in told[:5]] == ["1,2", '1,2,"a\nb",4', "1,2,caf\ufffd", '1,2,"a\nb\0"', '1,2,"a" b']
    assert told[5]["raw"] == "1,2,\ufffd" + "x" * (LONGEST_RAW - 5) + " ... (cut)"
    assert found(path, 100)[0] == [(1, 2, ["1", "2", "3"]), (9, 12, ["4", "5", "6"])]


def test_a_line_that_is_too_long_is_rejected_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    monkeypatch.setattr(lines, "BLOCK_SIZE", 20)
    path = tmp_path / "a.csv"
    path.write_text(f'{HEADER}1,2,3\n1,2,{"x" * 500}\n4,5,6\n7,8,"a\n{"y" * 300}\n7,8,9\n')
    assert found(path, 100) == ([(1, 2, ["1", "2", "3"]), (3, 4, ["4", "5", "6"]), (6, 7, ["7", "8", "9"])], [3, 5, 6])


def test_an_article_of_many_blocks(tmp_path: Path) -> None:
    text = 'baris "satu"\n' * 1_000_000
    path = tmp_path / "a.csv"
    path.write_text('id,isi\n1,a\n2,"' + text.replace('"', '""') + '"\n3,b\n')
    assert found(path, 100) == ([(1, 2, ["1", "a"]), (2, 3, ["2", text]), (3, 1_000_004, ["3", "b"])], [])


def test_a_header_of_too_many_columns(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    names = [f"{i:x}" for i in range(100_000)]
    file.write_text(",".join(names) + "\n")
    with open_reader(file) as reader:
        assert reader.columns == names
    for header, said in (
        ("a," * 2**20 + "isi\n", "more than 1,048,576 bytes"),
        ('"\n",' * 2**19 + "isi\n", "never closed"),
    ):
        file.write_text(header + "bola\n")
        with pytest.raises(InputError, match=said), open_reader(file):
            pass


@pytest.mark.parametrize("rest", ["", "\nbola,x" * 2**18])
def test_a_header_of_two_lines(tmp_path: Path, rest: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text('isi,"kanal\nutama"' + rest)
    with open_reader(file) as reader:
        assert reader.columns == ["isi", "kanal\nutama"]
