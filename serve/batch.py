"""Files of articles in, files of their topics out: read ahead, filed on all cores, written in order."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serve.answers import Answers
from serve.article import doubtful_columns
from serve.errors import InputError
from serve.files.encoders import encoder
from serve.files.folder import article_files
from serve.files.formats import STREAM, open_reader
from serve.files.journal import Checkpoint, Run, open_output
from serve.files.parts import Part, Position
from serve.pipeline import cores, map_ahead
from serve.progress import progress

if TYPE_CHECKING:
    from serve.model import TopicModel

# So many bytes of a file, beside its size and the time of its last change, tell it from others.
HEAD = 2**20


@dataclass(frozen=True)
class Outcome:
    """What became of the rows of a source."""

    rows: int
    """Rows filed."""
    rejected: int
    """Rows that could not be read."""


@dataclass(frozen=True)
class _Filed:
    """A part of the source as it is to be written."""

    answers: bytes
    rejected: str
    rows: int
    rejected_rows: int
    end: Position | None


def predict_file(
    model: "TopicModel",
    source: str | Path,
    target: str | Path | None,
    *,
    title_column: str | None = None,
    text_column: str | None = None,
    keep: bool = False,
    all_topics: bool = False,
    strict: bool = False,
    resume: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> Outcome:
    """Files each article of `source`, a file, a folder or "-"; `target` None or "-" is standard output.

    The target has one row for each of the source, in its order, with the columns that `serve.answers.Answers` tells of.
    A row that cannot be read goes to `serve.files.journal.rejected_file(target)`, which is there only when there are such
    rows, or to standard error; with `strict` the first one raises InputError. `resume` goes on where an interrupted run
    stopped, if one did, and the target is the same as if it had not. `workers` is the number of threads that predict
    (None: all cores); `quiet` prints no progress and no remarks. Raises InputError for a source that is broken or lacks
    the columns; then there is no target.
    """
    target = None if target == STREAM else target
    if resume and (target is None or source == STREAM):
        raise InputError("--resume needs a file to read and a file to write; name both.")
    if target and not keep and source != STREAM and _same(source, target):
        raise InputError(f"{target}: is what is read, and would be lost; name another file, or keep all with --keep.")
    with ExitStack() as stack:
        reader = stack.enter_context(open_reader(source, folders=True))
        answers = Answers.of(model, reader.columns, reader.name, title_column, text_column, keep, all_topics)
        if not quiet:
            doubts = doubtful_columns(reader.columns, title_column, text_column)
            for remark in filter(None, (reader.remark, doubts and f"{reader.name}: {doubts}.")):
                print(remark, file=sys.stderr)
        encoded = encoder(target, answers.schema(reader.schema))
        # A pipe cannot be read again.
        again = source != STREAM and (os.path.isfile(source) or os.path.isdir(source))
        run = _run(model, source, [answers.texts, keep, all_topics, strict]) if target and again else None
        output = stack.enter_context(open_output(target, encoded, run, resume))
        reached = output.reached
        answers.see(reached.columns)

        def parts() -> Iterator[Part]:
            for part in reader.parts(answers.texts, reached.position if reached.rows + reached.rejected else None):
                answers.see(part.batch.schema.names)
                yield part

        def file(part: Part) -> _Filed:
            rows = part.batch.num_rows
            data = encoded.encode(answers.answer(part.batch, part.numbers)) if rows else b""
            if strict and part.rejected:
                raise part.rejected[0].error(reader.name)
            rejected = "".join(row.to_json() for row in part.rejected)
            return _Filed(data, rejected, rows, len(part.rejected), part.end)

        if reached.whole:
            return Outcome(reached.rows, reached.rejected)
        rows, rejected = reached.rows, reached.rejected
        shown = nullcontext(_say_nothing) if quiet else progress(reader.name, reader.fraction, rows)
        report = stack.enter_context(shown)
        for filed in stack.enter_context(closing(map_ahead(file, parts(), workers or cores()))):
            rows, rejected = rows + filed.rows, rejected + filed.rejected_rows
            done = Checkpoint(filed.end, rows, rejected, list(answers.names)) if filed.end else None
            output.write(filed.answers, filed.rejected, done)
            report(rows)
        return Outcome(rows, rejected)


def _say_nothing(rows: int) -> None:
    pass


def _same(one: str | Path, other: str | Path) -> bool:
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)


def _run(model: "TopicModel", source: str | Path, options: list[Any]) -> Run:
    """What has to be the same for an interrupted run to be resumed."""
    digest = hashlib.sha256()
    if os.path.isdir(source):
        files = {path: os.lstat(os.path.join(source, path)) for path in article_files(Path(source))}
    else:
        files = {"": os.stat(source)}
        with open(source, "rb") as file:
            digest.update(file.read(HEAD))
    for path, facts in files.items():
        digest.update(json.dumps([path, facts.st_size, facts.st_mtime_ns]).encode())
    return {"the source": digest.hexdigest(), "the model": model.version, "the options": options}
