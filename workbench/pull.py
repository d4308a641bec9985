"""A public set, or files in the same layout, as a file of our articles: read as a stream, sets by `datasets`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from serve.errors import InputError
from serve.files.columns import values
from serve.files.formats import FORMATS, open_reader
from serve.progress import progress
from train.corpus import Table, read_table
from workbench.corpus_file import write_articles
from workbench.intake import Intake, article_columns
from workbench.sources import Source

# What Kanal reads itself. In Parquet of the hub classes are numbers, whose names `datasets` knows.
OURS = [ending for ending, format in FORMATS.items() if format != "parquet"]
# What `datasets` leaves in a folder that it has saved.
SAVED = ("dataset_dict.json", "state.json")


def pull(source: Source, out: Path, *, path: Path | None = None, limit: int | None = None) -> tuple[int, Intake]:
    """Writes the articles of a set to `out`, whole or not at all; the first `limit` of those that are to be in it.

    The set is read from `path`, a file or a folder, or else fetched from the hub. A set with labels gives a corpus file,
    another one articles without topics. Returns how many were written, and what became of the others. Raises InputError
    when the set cannot be had, does not have the columns, or has no article to be written.
    """
    table = open_set(source, path)
    labelled = source.labelled and article_columns(table, source.columns)["topics"] is not None
    intake = Intake(source.labels, labelled, source.date_format)
    articles = intake.take(table, source.columns)
    first = list(islice(articles, 1))
    if not first:
        reasons = "; ".join(intake.remarks()) or "it is empty"
        raise InputError(f"{source.name}: no article to write ({reasons}).")
    with progress(source.name, lambda rows: None, done="read") as report:
        written = write_articles(out, _seen(islice(chain(first, articles), limit), intake, report))
    return written, intake


def _seen(
    articles: Iterator[dict[str, Any]], intake: Intake, report: Callable[[int], None]
) -> Iterator[dict[str, Any]]:
    for article in articles:
        report(intake.read)
        yield article


def open_set(source: Source, path: Path | None = None) -> Table:
    """The table of a set, which is read as it is gone through. Raises InputError when it cannot be had."""
    if path is None and source.obtain:
        raise InputError(f"{source.name}: {source.obtain}; then name them with --from.")
    if path is not None and not path.exists():
        raise InputError(f"{path}: no such file or folder; check its name.")
    if path is not None and path.is_file() and Path(path.name.removesuffix(".gz").removesuffix(".zst")).suffix in OURS:
        return _file_table(path, source.name)
    with _sentences(source, path):
        table = read_table(_load(source, path), source.name)
    return replace(table, rows=_rows(table, source, path))


def _file_table(path: Path, name: str) -> Table:
    """The table in a file of a kind that Kanal reads itself, part by part."""
    with open_reader(path) as reader:
        columns = reader.columns

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        with open_reader(path) as reader:
            number = 0
            for batch in reader:
                for row in zip(*map(values, batch.columns), strict=True):
                    number += 1
                    yield number, dict(zip(batch.schema.names, row, strict=True))

    return Table(name, columns, rows())


def _load(source: Source, path: Path | None) -> Any:
    from datasets import load_dataset, load_from_disk

    if path is None:
        options = {"data_files": source.files or None, "revision": source.revision or None}
        return load_dataset(source.hub, source.config or None, streaming=True, **options)
    if path.is_dir():
        saved = any((path / name).exists() for name in SAVED)
        return load_from_disk(str(path)) if saved else load_dataset(str(path), streaming=True)
    return load_dataset(str(path.resolve().parent), data_files=path.name, streaming=True)


def _rows(table: Table, source: Source, path: Path | None) -> Iterator[tuple[int, dict[str, Any]]]:
    with _sentences(source, path):
        yield from table.rows


@contextmanager
def _sentences(source: Source, path: Path | None) -> Iterator[None]:
    """What `datasets` cannot load or read, as a sentence for the user."""
    name = str(path or source.hub)
    try:
        yield
    except (InputError, ImportError):
        raise
    # Its own errors, and those of the readers, the network and the hub beneath it, are of no one kind.
    except Exception as error:
        reason = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
        if "dataset script" in reason.lower():
            raise InputError(
                f"{name}: is read by a script, which `datasets` no longer runs ({reason}). Download the files that the "
                "script reads, or save the set as Parquet where an older `datasets` runs, and name them with --from."
            ) from None
        remedy = "check the files" if path else "check the name and the network, or download it and name it with --from"
        raise InputError(f"{name}: cannot be read ({reason}); {remedy}.") from None
