"""Labelled articles from files and the hub as one pandas frame: loaded, validated and split."""

import hashlib
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from serve.article import TOPIC_SEPARATOR, find_column
from serve.errors import InputError
from serve.files.formats import COMPRESSIONS, FORMATS, open_reader, values
from train.duplicates import near_duplicates

COLUMNS = ("id", "date", "outlet", "title", "text", "topics", "split", "file", "line")
SPLITS = ("train", "test", "")
TEST_SHARE = 0.1
HUB_NAME = re.compile(r"([\w.-]+/[\w.-]+)(?::([\w.-]+))?")

Row = dict[str, Any]
Rows: TypeAlias = NDArray[np.int64]


def load_corpus(
    sources: Sequence[str | Path],
    *,
    title_column: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    label_separator: str = TOPIC_SEPARATOR,
) -> pd.DataFrame:
    """The articles of all `sources`, in order: JSONL, CSV or Parquet files, or data sets of the Hugging Face hub by
    name ("owner/name", or "owner/name:split" for one of its splits).

    Columns: id, date, outlet, title, text and split (text, "" where a source has none), topics (list of str), and file
    and line, where the article begins, for messages (for Parquet and the hub, line is the number of the row). Labels
    may be a list (in CSV its JSON), text joined by `label_separator`, or a number. Columns that are not named are found
    by their usual names. Raises InputError that names file, line and column.
    """
    from datasets import Dataset, Features, List, Value

    text = Value("large_string")
    features = Features({**dict.fromkeys(COLUMNS, text), "topics": List(text), "line": Value("int64")})
    articles: list[Row] = []
    for source in map(str, sources):
        columns, rows = _hub_rows(source) if _is_hub_name(source) else _file_rows(source)
        names = {
            **{field: field if field in columns else None for field in ("date", "outlet", "split")},
            "id": find_column("id", columns, file=source, required=False),
            "title": find_column("title", columns, title_column, file=source, required=False),
            "text": find_column("text", columns, text_column, file=source),
            "topics": find_column("topics", columns, label_column, file=source),
        }
        before = len(articles)
        for number, (line, row) in enumerate(rows, 1):
            article = _article(row, names, label_separator, _place(source, line))
            article["id"] = article["id"] or f"{Path(source).stem}-{number}"
            articles.append({**article, "file": source, "line": line})
        if len(articles) == before:
            raise InputError(f"{source}: has no articles; name a file that has some.")
    columns_of_all = {name: [article[name] for article in articles] for name in COLUMNS}
    frame: pd.DataFrame = Dataset.from_dict(columns_of_all, features=features).to_pandas()
    frame["topics"] = columns_of_all["topics"]
    return frame


def articles_of(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a corpus, their columns as attributes."""
    return iter(frame.itertuples(index=False))


def place(article: Any) -> str:
    """Where an article comes from, for messages."""
    return _place(article.file, article.line)


def topics_found(frame: pd.DataFrame) -> list[str]:
    """The topics that articles have, sorted."""
    return sorted(topic_counts(frame))


def topic_counts(frame: pd.DataFrame) -> Counter[str]:
    """How many articles have each topic."""
    return Counter(topic for topics in frame["topics"] for topic in topics)


def label_matrix(topics: Iterable[list[str]], names: list[str]) -> NDArray[np.bool_]:
    """(n, k): which of the named topics each article has."""
    column = {name: j for j, name in enumerate(names)}
    rows = list(topics)
    matrix = np.zeros((len(rows), len(names)), bool)
    for i, ids in enumerate(rows):
        matrix[i, [column[name] for name in ids if name in column]] = True
    return matrix


def fingerprint(frame: pd.DataFrame) -> str:
    """The SHA-256, in hex, of the articles' ids, titles, texts and topics in their order."""
    digest = hashlib.sha256()
    for article in zip(frame["id"], frame["title"], frame["text"], frame["topics"], strict=True):
        digest.update(json.dumps(article).encode() + b"\n")
    return digest.hexdigest()


def split_corpus(frame: pd.DataFrame, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The articles to train on and those to test on.

    The `split` column decides where it is filled. Of the other articles a tenth, drawn by `seed`, is for the test;
    near-duplicates go to one side, with those whose side is given. Raises InputError for a split of another name.
    """
    for article in articles_of(frame[~frame["split"].isin(SPLITS)]):
        remedy = "write train or test, or leave it empty."
        raise InputError(f"{place(article)}, column 'split': holds '{article.split}'; {remedy}")
    splits = np.array(frame["split"], dtype=object)
    if "" in splits:
        groups = near_duplicates(frame)
        # Of a group that is on both sides already the others are for training, which makes it no worse.
        sides = {
            group: side
            for side in ("test", "train")
            for group, split in zip(groups, splits, strict=True)
            if split == side
        }
        sizes = Counter(group for group in groups if group not in sides)
        wanted = max(round(TEST_SHARE * sizes.total()), int(len(sizes) > 1))
        for group in np.random.default_rng(seed).permutation(sorted(sizes)).tolist():
            sides[group] = "test" if sizes[group] <= wanted else "train"
            wanted -= sizes[group] if sides[group] == "test" else 0
        splits = np.array([split or sides[group] for split, group in zip(splits, groups, strict=True)], dtype=object)
    return frame[splits == "train"].reset_index(drop=True), frame[splits == "test"].reset_index(drop=True)


def group_folds(groups: Sequence[int], n_folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    """The articles to learn from and those held out, `n_folds` times (fewer where there are fewer groups), drawn by
    `seed`: each article is held out once, together with its group. `groups` are numbers from 0 on, one an article.

    Raises InputError where all are in one group.
    """
    from sklearn.model_selection import KFold

    numbers = np.asarray(groups)
    n_groups = int(numbers.max(initial=-1)) + 1
    if n_groups < 2:
        raise InputError("The articles to train on are all nearly the same; a model needs different ones.")
    folds = KFold(min(n_folds, n_groups), shuffle=True, random_state=seed).split(np.arange(n_groups))
    held_out = [np.isin(numbers, tested) for _, tested in folds]
    return [(np.flatnonzero(~rows), np.flatnonzero(rows)) for rows in held_out]


def _article(row: Row, names: dict[str, str | None], separator: str, where: str) -> Row:
    """The fields of an article out of a file's row. `names` has the column of each field."""
    article: Row = {}
    for field, column in names.items():
        value = row.get(column) if column else None
        if value is None or (isinstance(value, float) and math.isnan(value)):
            article[field] = [] if field == "topics" else ""
        elif field == "topics":
            article[field] = _labels(value, separator, f"{where}, column '{column}'")
        elif isinstance(value, str):
            article[field] = value if field in ("title", "text") else value.strip()
        elif field == "id" and isinstance(value, int | float):
            article[field] = str(value)
        elif field == "date" and isinstance(value, date):
            article[field] = value.isoformat()[:10]
        else:
            raise InputError(f"{where}, column '{column}': expected text, found {_shown(value)}; write it in quotes.")
    if not article["title"].strip() and not article["text"].strip():
        raise InputError(f"{where}, column '{names['text']}': no text, and no title; write the article or delete it.")
    return article


def _labels(value: Any, separator: str, where: str) -> list[str]:
    """The labels that a cell holds, each once, in their order."""
    if isinstance(value, str):
        listed = _json_list(value)
        value = listed if listed is not None else value.split(separator) if separator else [value]
    labels = value if isinstance(value, list) else [value]
    for label in labels:
        if isinstance(label, bool) or not isinstance(label, str | int | float):
            remedy = "write text, a number or a list of them."
            raise InputError(f"{where}: expected labels, found {_shown(label)}; {remedy}")
    # Whole numbers become floats in a data frame's column that has a gap.
    whole = (int(label) if isinstance(label, float) and label.is_integer() else label for label in labels)
    return list(dict.fromkeys(label for label in (str(label).strip() for label in whole) if label))


def _json_list(cell: str) -> list[Any] | None:
    """The list whose JSON a cell of CSV holds, None for other text."""
    try:
        value = json.loads(cell) if cell.lstrip().startswith("[") else None
    except ValueError:
        return None
    return value if isinstance(value, list) else None


def _shown(value: Any) -> str:
    shown = str(value)
    return f"{type(value).__name__} {shown[:40] + '...' if len(shown) > 40 else shown}"


def _is_hub_name(source: str) -> bool:
    return not Path(source).exists() and _kind(source) is None and HUB_NAME.fullmatch(source) is not None


def _kind(source: str) -> str | None:
    """The format that a file's name tells, None for other names."""
    suffixes = [suffix.lower() for suffix in Path(source).suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return FORMATS.get(suffixes[-1]) if suffixes else None


def _place(source: str, line: int) -> str:
    return f"{source}, {'row' if _kind(source) in ('parquet', None) else 'line'} {line}"


def _file_rows(source: str) -> tuple[list[str], Iterable[tuple[int, Row]]]:
    """The columns of a file, and its rows with the line where each begins (Parquet: the number of the row)."""
    with open_reader(Path(source)) as reader:
        columns = reader.columns
        rows = [
            dict(zip(batch.schema.names, row, strict=True))
            for batch in reader
            for row in zip(*map(values, batch.columns), strict=True)
        ]
    if _kind(source) == "parquet":
        return columns, enumerate(rows, 1)
    if _kind(source) == "jsonl":
        return columns, zip(_beginnings(source, [1] * len(rows)), rows, strict=True)
    # A cell in quotes may have line breaks, so a row of CSV may have several lines.
    heights = [1 + sum(cell.count("\n") for cell in cells) for cells in (columns, *(row.values() for row in rows))]
    return columns, zip(_beginnings(source, heights)[1:], rows, strict=True)


def _beginnings(source: str, heights: list[int]) -> list[int]:
    """The line where each row begins, given how many lines each has; there may be blank lines between them."""
    with io.BufferedReader(pa.input_stream(source)) as file:
        blank = [line.decode("utf-8-sig").strip() in ("", '""') for line in file]
    lines = []
    line = 0
    for height in heights:
        while blank[line]:
            line += 1
        lines.append(line + 1)
        line += height
    return lines


def _hub_rows(source: str) -> tuple[list[str], Iterable[tuple[int, Row]]]:
    """The columns of a data set of the hub, and its rows with their numbers; classes by their names.

    When no split is named all are taken, and the `split` of rows in "train" and "test" says so.
    """
    from datasets import DatasetDict, load_dataset
    from datasets.exceptions import DatasetsError

    name, wanted = HUB_NAME.fullmatch(source).groups()  # type: ignore[union-attr]
    try:
        loaded = load_dataset(name, split=wanted)
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise InputError(
            f"{source}: no such file, and not on the Hugging Face hub ({reason}); check the name."
        ) from None
    parts = dict(loaded) if isinstance(loaded, DatasetDict) else {"": loaded}
    features = next(iter(parts.values())).features

    def rows() -> Iterator[tuple[int, Row]]:
        number = 0
        for split, part in parts.items():
            for row in part:
                number += 1
                named = {column: _class_names(value, features[column]) for column, value in row.items()}
                yield number, {"split": split if split in SPLITS else "", **named}

    return [*dict.fromkeys([*features, "split"])], rows()


def _class_names(value: Any, feature: Any) -> Any:
    """A value of a data set with the numbers of its classes, -1 for none, turned into their names."""
    from datasets import ClassLabel

    if isinstance(value, list):
        return [_class_names(item, getattr(feature, "feature", None)) for item in value]
    if isinstance(feature, ClassLabel) and isinstance(value, int):
        return feature.int2str(value) if value >= 0 else None
    return value
