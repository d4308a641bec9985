"""Targets whose input is a file: CSV, JSON Lines, and runs that are interrupted and resumed."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from serve.batch import predict_file
from serve.errors import InputError
from serve.files import journal, lines
from serve.files.formats import open_reader
from serve.files.journal import rejected_file
from serve.files.parts import Part
from tests.fuzz.pieces import LINES, TABLE, bytes_of
from tests.fuzz.target import Target
from tests.serve.files.keywords import Keywords, Stopped
from tests.serve.files.test_csv_records import HEADER, expected

if TYPE_CHECKING:
    from serve.model import TopicModel

BLOCKS = (2**22, 1, 7, 30, 200)


@cache
def folder() -> Path:
    memory = Path("/dev/shm")  # where waiting for the disk takes no time
    return Path(tempfile.mkdtemp(prefix="kanal-fuzz-", dir=memory if memory.is_dir() else None))


@contextmanager
def small_blocks(size: int) -> Iterator[None]:
    """Files are read in blocks of `size` bytes, and every part is a checkpoint."""
    before = lines.BLOCK_SIZE, journal.SECONDS_BETWEEN_CHECKPOINTS
    lines.BLOCK_SIZE, journal.SECONDS_BETWEEN_CHECKPOINTS = size, 0
    try:
        yield
    finally:
        lines.BLOCK_SIZE, journal.SECONDS_BETWEEN_CHECKPOINTS = before


def _drawn(data: bytes, pieces: tuple[bytes, ...], head: str = "") -> dict[str, Any]:
    block = BLOCKS[data[0] % len(BLOCKS)] if data else BLOCKS[0]
    return {"file": head + bytes_of(data[1:], pieces).decode("latin-1"), "block": block}


def draw_csv(data: bytes) -> dict[str, Any]:
    return _drawn(data, TABLE, HEADER)


def draw_headless(data: bytes) -> dict[str, Any]:
    return _drawn(data, TABLE)


def draw_lines(data: bytes) -> dict[str, Any]:
    return _drawn(data, LINES)


def read(path: Path, batch_rows: int = 2) -> list[Part]:
    """The parts of a file; each one's arrays are sound, and reading can be taken up at each one's end."""
    with open_reader(path, batch_rows=batch_rows, with_lines=True) as reader:
        parts = list(reader.parts((), None))
    for part in parts:
        part.batch.validate(full=True)
    left = len(parts) // 2
    if parts and parts[left].end:
        with open_reader(path, batch_rows=batch_rows) as reader:
            again = list(reader.parts((), parts[left].end))
        assert [(p.batch, p.numbers.tolist(), p.rejected, p.end) for p in again] == [
            (p.batch, p.numbers.tolist(), p.rejected, p.end) for p in parts[left + 1 :]
        ]
    numbers = [number for part in parts for number in part.numbers.tolist()]
    assert numbers == sorted(set(numbers))
    if numbers:
        assert numbers[-1] <= len(numbers) + sum(len(part.rejected) for part in parts)
    return parts


def check_csv(given: dict[str, Any]) -> None:
    """Rows and rejected lines are those of Python's csv module; bytes that are no text are rejected alone."""
    data = given["file"].encode("latin-1")
    path = folder() / "a.csv"
    path.write_bytes(data)
    with small_blocks(given["block"]):
        try:
            parts = read(path)
        except InputError as error:
            assert not data.startswith(HEADER.encode()) or not data[len(HEADER) :], error
            return
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    if not text.startswith(HEADER) or "\0" in text:
        return
    told = list(expected(text[len(HEADER) :]))
    rows = [
        (number, line, list(row.values()))
        for part in parts
        if part.lines is not None
        for number, line, row in zip(part.numbers.tolist(), part.lines.tolist(), part.batch.to_pylist(), strict=True)
    ]
    assert rows == [row for row in told if isinstance(row, tuple)]
    assert [row.line for part in parts for row in part.rejected] == [line for line in told if isinstance(line, int)]


def check_lines(given: dict[str, Any]) -> None:
    """Every line is a row, rejected, or blank; strings are those that Python's json reads."""
    data = given["file"].encode("latin-1")
    path = folder() / "a.jsonl"
    path.write_bytes(data)
    with small_blocks(given["block"]):
        try:
            parts = read(path)
        except InputError:
            return
    rejected = {row.line for part in parts for row in part.rejected}
    rows = iter([row for part in parts for row in part.batch.to_pylist()])
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if number in rejected:
            continue
        if raw.decode().isspace() or not raw:
            continue
        value, row = json.loads(raw), next(rows)
        for name, cell in value.items():
            if isinstance(cell, str) and name.isascii() and cell.isascii():
                assert cell in (row[name], _loaded(row[name]))
    assert next(rows, None) is None


def _loaded(cell: Any) -> Any:
    try:
        return json.loads(cell)
    except (TypeError, ValueError, RecursionError):
        return cell


def check_resuming(given: dict[str, Any]) -> None:
    """A run that is interrupted at any batch and resumed writes the same bytes as one that is not."""
    data = given["file"].encode("latin-1")
    path = folder() / ("a.jsonl" if data.lstrip()[:1] == b"{" else "a.csv")
    path.write_bytes(data)
    whole, target = folder() / "whole.csv", folder() / "target.csv"
    for file in (target, rejected_file(target), whole, rejected_file(whole)):
        file.unlink(missing_ok=True)
    with small_blocks(given["block"]):
        try:
            outcome = predict_file(_model(Keywords()), path, whole, keep=True, workers=1, quiet=True)
        except InputError:
            assert not whole.exists()
            return
        for batch in (1, 2):
            try:
                predict_file(_model(Stopped(batch)), path, target, keep=True, workers=1, quiet=True, resume=True)
            except KeyboardInterrupt:
                assert not target.exists()
        again = predict_file(_model(Keywords()), path, target, keep=True, workers=1, quiet=True, resume=True)
    assert again == outcome
    assert target.read_bytes() == whole.read_bytes()
    assert rejected_file(target).exists() == rejected_file(whole).exists()
    if outcome.rejected:
        assert rejected_file(target).read_bytes() == rejected_file(whole).read_bytes()


def _model(model: Keywords) -> "TopicModel":
    return cast("TopicModel", model)


def draw_table(data: bytes) -> dict[str, Any]:
    lines_wanted = bool(data) and data[0] % 2 == 1
    return _drawn(data[1:], LINES, '{"isi":"a"}\n') if lines_wanted else _drawn(data[1:], TABLE, "id,isi,a\n")


FILES = (
    Target("csv", "rows and rejected lines are those of Python's csv module", draw_csv, check_csv),
    Target("csv_header", "any bytes as a CSV file: rows or one sentence", draw_headless, check_csv),
    Target(
        "json_lines", "every line a row, rejected or blank; strings as Python's json has them", draw_lines, check_lines
    ),
    Target("resuming", "interrupted and resumed: the same bytes", draw_table, check_resuming),
)
