"""Labelled articles from files and the hub as one pandas frame: loaded, validated and split."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from serve.article import TOPIC_SEPARATOR, find_column
from serve.errors import InputError
from serve.files.columns import values
from serve.files.formats import COMPRESSIONS, FORMATS, open_reader, plain_name
from train.duplicates import near_duplicates

if TYPE_CHECKING:
    import datasets

FIELDS = ("id", "date", "outlet", "title", "text", "topics")
COLUMNS = (*FIELDS, "split", "file", "line")
SPLITS = ("train", "test", "")
TEST_SHARE = 0.1
HUB_NAME = re.compile(r"([\w.-]+/[\w.-]+)(?::([\w.-]+))?")

Row = dict[str, Any]
Rows: TypeAlias = NDArray[np.int64]


def load_corpus(
    sources: "Sequence[str | Path | datasets.Dataset | datasets.DatasetDict]",
    *,
    title_column: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    label_separator: str = TOPIC_SEPARATOR,
) -> pd.DataFrame:
    """The articles of all `sources`, in order: JSONL, CSV or Parquet files, data sets of the Hugging Face hub by name
    ("owner/name", or "owner/name:split" for one of its splits), or data sets that `datasets` has loaded.

    Columns: id, date, outlet, title, text and split (text, "" where a source has none), topics (list of str), and file
    and line, where the article begins, for messages (for Parquet and data sets, line is the number of the row). Labels
    may be a list (in CSV its JSON), text joined by `label_separator`, or a number. Columns that are not named are found
    by their usual names; of a date under another name than our own only a day in ISO 8601 is kept. Raises InputError
    that names file, line and column.
    """
    from datasets import Dataset, Features, List, Value

    text = Value("large_string")
    features = Features({**dict.fromkeys(COLUMNS, text), "topics": List(text), "line": Value("int64")})
    articles: list[Row] = []
    for source in sources:
        table = read_table(source)
        given = {"title": title_column, "text": text_column, "topics": label_column}
        names = {
            field: find_column(
                field, table.columns, given.get(field), file=table.name, required=field in ("text", "topics")
            )
            for field in FIELDS
        }
        before = len(articles)
        for number, article in enumerate(table.articles(names, label_separator), 1):
            if not article["title"].strip() and not article["text"].strip():
                where = f"{place_of(table.name, article['line'])}, column '{names['text']}'"
                raise InputError(f"{where}: no text, and no title; write the article or delete it.")
            article["id"] = article["id"] or f"{plain_name(table.name)}-{number}"
            if names["date"] != "date":
                article["date"] = _iso_day(article["date"])
            articles.append(article)
        if len(articles) == before:
            raise InputError(f"{table.name}: has no articles; name a file that has some.")
    columns_of_all = {name: [article[name] for article in articles] for name in COLUMNS}
    frame: pd.DataFrame = Dataset.from_dict(columns_of_all, features=features).to_pandas()
    frame["topics"] = columns_of_all["topics"]
    return frame


@dataclass(frozen=True)
class Table:
    """A source of articles as it is: its columns, and its rows, read once, each with the line where it begins, or its
    number."""

    name: str
    columns: list[str]
    rows: Iterable[tuple[int, Row]]

    def articles(self, names: Mapping[str, str | None], separator: str = TOPIC_SEPARATOR) -> Iterator[Row]:
        """The articles, with the fields of a corpus' COLUMNS; `names` has the column of each of FIELDS, None
        where there is none. Dates are as written. Raises InputError that names file, line and column."""
        names = {**names, "split": "split" if "split" in self.columns else None}
        for line, row in self.rows:
            article = _article(row, names, separator, place_of(self.name, line))
            yield {**article, "file": self.name, "line": line}


def read_table(source: Any, name: str | None = None) -> Table:
    """The table in a source as `load_corpus` takes them, which may also be a data set that is streamed; `name` is what
    messages call a data set."""
    if not isinstance(source, str | Path):
        return _dataset_table(source, name or "dataset")
    source = str(source)
    if _is_hub_name(source):
        return _dataset_table(_from_hub(source), source)
    columns, rows = _file_rows(source)
    return Table(source, columns, rows)


def articles_of(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a corpus, their columns as attributes."""
    return iter(frame.itertuples(index=False))


def place(article: Any) -> str:
    """Where an article comes from, for messages."""
    return place_of(article.file, article.line)


def place_of(source: str, line: int) -> str:
    """A line of a source, or a row where it has no lines, for messages."""
    return f"{source}, {'row' if _kind(source) in ('parquet', None) else 'line'} {line}"


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
            article[field] = labels_in(value, separator, f"{where}, column '{column}'")
        elif isinstance(value, str):
            article[field] = value if field in ("title", "text") else value.strip()
        elif field == "date" and isinstance(value, date):
            article[field] = value.isoformat()[:10]
        elif field in ("date", "outlet") or (field == "id" and isinstance(value, int | float)):
            article[field] = str(value)
        else:
            raise InputError(f"{where}, column '{column}': expected text, found {_shown(value)}; write it in quotes.")
    return article


def _iso_day(text: str) -> str:
    """The day of a date in ISO 8601, "" for other text."""
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return ""


def labels_in(value: Any, separator: str, where: str) -> list[str]:
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


def _file_rows(source: str) -> tuple[list[str], Iterable[tuple[int, Row]]]:
    """The columns of a file, and its rows with the line where each begins (Parquet: the number of the row)."""
    rows: list[tuple[int, Row]] = []
    with open_reader(Path(source), with_lines=True) as reader:
        for part in reader.whole_parts():
            lines = part.numbers if part.lines is None else part.lines
            cells = zip(*map(values, part.batch.columns), strict=True)
            named = (dict(zip(part.batch.schema.names, row, strict=True)) for row in cells)
            rows += zip(lines.tolist(), named, strict=True)
        return reader.columns, rows


def _from_hub(source: str) -> Any:
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    name, wanted = HUB_NAME.fullmatch(source).groups()  # type: ignore[union-attr]
    try:
        return load_dataset(name, split=wanted)
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise InputError(
            f"{source}: no such file, and not on the Hugging Face hub ({reason}); check the name."
        ) from None


def _dataset_table(loaded: Any, name: str) -> Table:
    """The table of a data set, or of one in several splits; classes by their names.

    Of several splits all are taken. Where one is "test", the `split` of its rows and of those in "train" says so.
    """
    from datasets import DatasetDict, IterableDatasetDict

    parts = dict(loaded) if isinstance(loaded, DatasetDict | IterableDatasetDict) else {"": loaded}
    tested = "test" in parts
    first = next(iter(parts.values()), None)
    # Of files that are streamed the columns are often known by their first row only.
    features = getattr(first, "features", None) or dict.fromkeys(next(iter(first or ()), {}))

    def rows() -> Iterator[tuple[int, Row]]:
        number = 0
        for split, part in parts.items():
            for row in part:
                number += 1
                named = {column: _class_names(value, features.get(column)) for column, value in row.items()}
                yield number, {"split": split, **named} if tested and split in SPLITS else named

    return Table(name, list(dict.fromkeys([*features, *(["split"] if tested else [])])), rows())


def _class_names(value: Any, feature: Any) -> Any:
    """A value of a data set with the numbers of its classes, -1 for none, turned into their names."""
    from datasets import ClassLabel

    if isinstance(value, list):
        return [_class_names(item, getattr(feature, "feature", None)) for item in value]
    if isinstance(feature, ClassLabel) and isinstance(value, int):
        return feature.int2str(value) if value >= 0 else None
    return value
