"""A corpus in the forms of others, and theirs as ours: files that are imported and exported, and `datasets.Dataset`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import pyarrow as pa

from serve.article import TOPIC_SEPARATOR
from serve.atomic import Kind, atomic_file, atomic_folder
from serve.errors import InputError
from serve.files.encoders import encoder
from serve.files.formats import format_of
from serve.labelling.store import Task
from train.corpus import Table, articles_of, load_corpus, read_table, topics_found
from workbench.corpus_file import FIELDS, append_articles, corpus_table
from workbench.decisions import joined
from workbench.fasttext import read_fasttext, write_fasttext
from workbench.file_lock import changing
from workbench.intake import Intake, Labels, article_columns
from workbench.label_studio import CONTROL, OBJECT, task_json
from workbench.pull import open_set
from workbench.sources import Source

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict


Form = Literal["hf", "label-studio", "fasttext", "csv"]
# As `datasets` saves one.
DATA_SET = Kind("a data set", ("dataset_*.json", "state.json", "*.arrow"))


def to_dataset(corpus: pd.DataFrame, topics: Sequence[str] = ()) -> "Dataset":
    """A corpus as a data set with columns id, date, outlet, title, text, topics and split.

    Topics are lists of classes, whose names are `topics` in their order and then the others that articles have.
    """
    from datasets import ClassLabel, Dataset, Features, List, Value

    names = list(dict.fromkeys([*topics, *topics_found(corpus)]))
    number = {name: i for i, name in enumerate(names)}
    features = Features({
        **dict.fromkeys(FIELDS, Value("string")), "text": Value("large_string"), "topics": List(ClassLabel(names=names)),
    })  # fmt: skip
    columns = {name: list(corpus[name]) for name in FIELDS}
    columns["topics"] = [[number[topic] for topic in article] for article in corpus["topics"]]
    return Dataset.from_dict(columns, features=features)


def from_dataset(dataset: "Dataset | DatasetDict", columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The articles of a data set as `load_corpus` gives them; `columns` has the field of a column ({"judul": "title"}),
    the others are found by their usual names. Raises InputError for columns that are not there, and as `load_corpus` does.
    """
    try:
        renamed = dataset.rename_columns(dict(columns)) if columns else dataset
    except ValueError as error:
        raise InputError(f"columns: {error}") from None
    return load_corpus([renamed])


def import_files(
    files: Sequence[Path],
    into: Path,
    *,
    columns: Mapping[str, str],
    labels: Labels | None = None,
    separator: str = TOPIC_SEPARATOR,
) -> tuple[int, Intake]:
    """Adds the articles of files, or of folders that `datasets` reads, to the file `into`, or to none of it.

    `columns` has the field of a column. Files without a column of topics give articles without topics, which are not to be
    mixed with labelled ones. Returns how many were added, and what became of the others. Raises InputError that names file,
    line and column.
    """
    tables = [_table(file) for file in files]
    labelled = [article_columns(table, columns)["topics"] is not None for table in tables]
    with changing(into):
        there = corpus_table(into)
        for table, has_topics in zip(tables, labelled, strict=True):
            if labels is not None and not has_topics:
                raise InputError(f"{table.name}: no column of labels to translate; name it with --map COLUMN=topics.")
            if has_topics != ("topics" in there.columns if there else labelled[0]):
                unlabelled = table.name if not has_topics else there.name if there else tables[0].name
                raise InputError(
                    f"{table.name} into {into}: {unlabelled} has no topics, which among labelled articles would mean that "
                    "they are about none; keep labelled and unlabelled articles in files of their own."
                )
        intake = Intake(labels, labelled[0])
        if there:
            intake.know(there)
        articles = [article for table in tables for article in intake.take(table, columns, separator)]
        return (append_articles(into, articles) if articles else 0), intake


def _table(file: Path) -> Table:
    if not file.exists():
        raise InputError(f"{file}: no such file; check its name and folder.")
    if file.is_dir():
        return open_set(Source(str(file)), file)
    return read_fasttext(file) if file.suffix == ".txt" else read_table(file)


def export_corpus(corpus: pd.DataFrame, form: Form, out: Path, topics: Sequence[str] = ()) -> None:
    """Writes a corpus in another form to `out`, whole or not at all: for hf a folder, otherwise a file.

    `topics` are the first classes of a data set, as for `to_dataset`. Raises InputError for a place that cannot be used.
    """
    if form == "hf":
        with atomic_folder(out, DATA_SET) as folder:
            to_dataset(corpus, topics).save_to_disk(folder)
        return
    if form == "csv" and format_of(out)[0] not in ("csv", "tsv"):
        raise InputError(f"{out}: the name of a CSV file ends in .csv, or in .tsv for tabs; name it so.")
    if out.is_dir():
        raise InputError(f"{out}: is a folder; name a file.")
    with atomic_file(out) as temporary:
        if form == "csv":
            temporary.write_bytes(_csv(corpus, out))
        elif form == "fasttext":
            write_fasttext(temporary, articles_of(corpus))
        else:
            tasks = [_labelled_task(article) for article in articles_of(corpus)]
            temporary.write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def refuse_loss(out: Path, files: Sequence[str]) -> None:
    """Raises InputError where writing `out` would replace what is there: with FILE forgotten, OUT is what was to be FILE."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        what = "" if files else " with the embedded corpus"
        raise InputError(
            f"{out}: is there already; name a new file (kanal data export FILE OUT), or replace it{what} with --force."
        )


def _csv(corpus: pd.DataFrame, out: Path) -> bytes:
    columns = {name: list(corpus[name]) for name in FIELDS}
    columns["topics"] = [joined(topics) for topics in corpus["topics"]]
    batch = pa.record_batch({name: pa.array(cells, pa.large_string()) for name, cells in columns.items()})
    encoded = encoder(out, batch.schema)
    return encoded.header + encoded.encode(batch)


def _labelled_task(article: Any) -> dict[str, Any]:
    """An article as a task that Label Studio imports as labelled already."""
    task = Task(article.id, article.title, article.text, date=article.date, outlet=article.outlet)
    choices = {"from_name": CONTROL, "to_name": OBJECT, "type": "choices", "value": {"choices": article.topics}}
    return {**task_json(task, ()), "annotations": [{"result": [choices] if article.topics else []}]}
