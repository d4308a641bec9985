"""Articles on a Spark cluster: tables of them in, tables of their topics out, the model sent to every executor once."""

import os
import sys
import tempfile
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from io import BufferedReader, RawIOBase
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from serve.answers import TEXT, Answers
from serve.batch import Outcome
from serve.errors import InputError, KanalError
from serve.files.columns import as_text
from serve.files.csv_records import read_csv
from serve.files.formats import BATCH_ROWS, FORMATS, refuse_twins
from serve.files.lines import Lines
from serve.files.parts import Part, no_text
from serve.model import TopicModel

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructType

Kind = Literal["csv", "parquet"]
# Of CSV files of any size each is one task: a record may begin in one line and end in another.
WHOLE_FILES = {"spark.sql.files.maxPartitionBytes": 2**45, "spark.sql.files.openCostInBytes": 2**45}
# The names of the columns are found in so many lines of a file.
HEAD_LINES = 100
# Lines that are put together at a time.
LINES = 1000


def predict_spark(
    model: TopicModel,
    source: str,
    target: str,
    *,
    master: str | None = None,
    title_column: str | None = None,
    text_column: str | None = None,
    keep: bool = False,
    all_topics: bool = False,
) -> Outcome:
    """Files each article of `source` into the new folder `target`.

    `source` is a file, a folder or a pattern, wherever Spark reads from: CSV if its name ends in .csv or .tsv, otherwise
    Parquet. `target` is of the kind that its name tells, else that of the source; `_SUCCESS` in it is written last.
    Rows of CSV that cannot be read go to the folder `rejected_folder(target)`, in place of one that is there.
    `master` is the cluster's address (None: as Spark's own settings say, this machine where they do not).
    Raises InputError when the columns are not there, or not the same in all files, `target` is, or Spark cannot be started.
    """
    kind = _kind(source, "parquet")
    target_kind = _kind(target, kind)
    with _sentences(source, target), _prepared(_session(master), kind) as session:
        from pyspark.sql import Observation
        from pyspark.sql.functions import count, lit

        # Counted while they are read and written: to count them again would be to file them again.
        counted, refused = Observation(), Observation()
        rows = _read_csv(session, source) if kind == "csv" else None
        if rows is None:
            articles = session.read.parquet(source)
        else:
            observed = rows.observe(refused, count("rejected").alias("rows"))
            articles = observed.where("rejected is null").select("article.*")
        filed = predict_frame(
            model,
            articles,
            name=source,
            title_column=title_column,
            text_column=text_column,
            keep=keep,
            all_topics=all_topics,
            plain=target_kind == "csv",
        )
        writer = filed.observe(counted, count(lit(1)).alias("rows")).write.mode("errorifexists")
        if target_kind == "csv":
            # By itself Spark puts a backslash before a quote, "" where nothing is, and takes spaces off the ends.
            writer.csv(
                target,
                header=True,
                escape='"',
                emptyValue="",
                ignoreLeadingWhiteSpace=False,
                ignoreTrailingWhiteSpace=False,
            )
        else:
            writer.parquet(target)
        rejected = int(refused.get["rows"]) if rows is not None else 0
        if rows is not None and rejected:
            # They are few: to read all again costs less than to keep what was read.
            reasons = rows.where("rejected is not null").select("rejected").repartition(1)
            reasons.write.mode("overwrite").text(rejected_folder(target))
        return Outcome(int(counted.get["rows"]), rejected)


def rejected_folder(target: str) -> str:
    """Where the rows go that cannot be read, as JSON Lines: their file, line, reason and content."""
    return f"{target.rstrip('/')}.rejected.jsonl"


def predict_frame(
    model: TopicModel,
    articles: "DataFrame",
    *,
    name: str = "The data frame",
    title_column: str | None = None,
    text_column: str | None = None,
    keep: bool = False,
    all_topics: bool = False,
    plain: bool = False,
) -> "DataFrame":
    """The answers to the articles of a data frame: the columns that `serve.answers.Answers` tells of, but that `id` is
    null where the articles have none, since the rows of a cluster have no numbers. `plain` makes every column text, as it
    stands in a CSV. The executors' Python needs Kanal. Raises InputError, which calls the frame `name`.
    """
    from pyspark.sql.types import ArrayType, MapType, StructType

    answers_of = partial(
        Answers.of,
        columns=articles.columns,
        name=name,
        title_column=title_column,
        text_column=text_column,
        keep=keep,
        all_topics=all_topics,
    )
    answers = answers_of(model)
    for column in answers.texts:
        kind = articles.schema[column].dataType
        if isinstance(kind, ArrayType | MapType | StructType):
            raise InputError(f"{name}: {no_text([] if isinstance(kind, ArrayType) else {}, column)}")
    if not keep:
        articles = articles.drop(*{*articles.columns} - {*answers.texts, answers.id_column})
    files, version = articles.sparkSession.sparkContext.broadcast(_files(model)), model.version

    def answered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        answers = answers_of(_loaded(version, files))
        for batch in batches:
            answer = answers.answer(batch, np.ma.MaskedArray(np.zeros(batch.num_rows, np.int64), True))
            yield _plain(answer) if plain else answer

    return articles.mapInArrow(answered, _schema(answers, articles.schema, plain))


def _schema(answers: Answers, articles: "StructType", plain: bool) -> "StructType":
    """The schema of the answers to articles of a schema."""
    from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType

    types: dict[str, DataType] = {"id": articles[answers.id_column].dataType if answers.id_column else LongType()}
    types |= dict.fromkeys(("topics", "probabilities", "note"), StringType())
    types |= {name: articles[column].dataType for column, name in answers.names.items()}
    types |= dict.fromkeys(answers.model.topics if answers.all_topics else (), DoubleType())
    return StructType([StructField(name, StringType() if plain else kind) for name, kind in types.items()])


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same with every value as text, null as none."""
    columns = [pc.fill_null(as_text(column), pa.scalar("", TEXT)) for column in batch.columns]
    return pa.record_batch(columns, names=batch.schema.names)


def _files(model: TopicModel) -> dict[str, bytes]:
    """The content of the files of a model's folder."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, "model"))
        return {file.name: file.read_bytes() for file in Path(folder, "model").iterdir()}


# The models that this process of an executor has loaded, by version; it works on one task after another.
_models: dict[str, TopicModel] = {}


def _loaded(version: str, files: "Broadcast[dict[str, bytes]]") -> TopicModel:
    """The model of these files, loaded once a process."""
    if version not in _models:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.value.items():
                Path(folder, name).write_bytes(content)
            _models[version] = TopicModel.load(folder)
    return _models[version]


def _kind(place: str, otherwise: Kind) -> Kind:
    """What the name of a file, a folder or a pattern tells of what is in it; `otherwise` where it tells nothing."""
    found = [FORMATS[suffix] for suffix in PurePosixPath(place.lower()).suffixes if suffix in FORMATS]
    if "jsonl" in found:
        raise InputError(f"{place}: Spark files CSV and Parquet; write it as Parquet, or leave out --engine spark.")
    if found:
        return "parquet" if found[-1] == "parquet" else "csv"
    return otherwise


def _session(master: str | None) -> "SparkSession":
    """The session that there is, or else a new one."""
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None:
        # With --keep there may be an `ID` beside `id`.
        builder = SparkSession.builder.appName("kanal").config("spark.sql.caseSensitive", True)
        builder = builder.config("spark.ui.showConsoleProgress", sys.stderr.isatty())
        session = (builder.master(master) if master else builder).getOrCreate()
        context = session.sparkContext
        if str(context.master).startswith("local") and "PYSPARK_PYTHON" not in os.environ:
            # On this machine the executors' Python is this one, not the first on the PATH.
            context.pythonExec = sys.executable
    return session


@contextmanager
def _prepared(session: "SparkSession", kind: Kind) -> "Iterator[SparkSession]":
    """The session, which inside of the block parts no file of CSV."""
    settings = WHOLE_FILES if kind == "csv" else {}
    before = {name: session.conf.get(name, None) for name in settings}
    for name, value in settings.items():
        session.conf.set(name, value)
    try:
        yield session
    finally:
        for name, former in before.items():
            if former is None:
                session.conf.unset(name)
            else:
                session.conf.set(name, former)


def _read_csv(session: "SparkSession", source: str) -> "DataFrame":
    """The rows of CSV files as one machine reads them: a column `article` of their fields, or else `rejected`, the JSON
    that says which row cannot be read and why.

    Spark's own reader files a row that is too long or too short, and loses rows behind a quote that is never closed.
    """
    from pyspark.sql.types import StringType, StructField, StructType

    lines = session.read.text(source, lineSep="\n").selectExpr("_metadata.file_path", "cast(value as binary) as line")
    head = [(row.file_path, bytes(row.line)) for row in lines.head(HEAD_LINES)]
    if not head:
        raise InputError(f"{source}: is empty; its first line must name the columns.")
    first = head[0][0]
    columns, _ = _records(first, (line for file, line in head if file == first))

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        pairs = (pair for batch in batches for pair in zip(*(c.to_pylist() for c in batch.columns), strict=True))
        for file, of_file in groupby(pairs, key=itemgetter(0)):
            found, parts = _records(file, (line for _, line in of_file))
            if sorted(found) != sorted(columns):
                raise InputError(
                    f"{file}: its columns are {', '.join(found)}, those of {first} are {', '.join(columns)}; "
                    "give all files the same ones."
                )
            for part in parts:
                yield _articles(part, columns, file)

    article = StructType([StructField(column, StringType()) for column in columns])
    schema = StructType([StructField("article", article), StructField("rejected", StringType())])
    return lines.mapInArrow(read, schema)


def _records(file: str, lines: Iterator[bytes]) -> tuple[list[str], Iterator[Part]]:
    """The columns of a CSV file, whose lines lack their line feeds, and its rows. Raises InputError where it has none."""
    begin = next(lines, b"")
    if begin.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise InputError(f"{file}: is in UTF-16, whose lines Spark does not tell apart; save it as UTF-8.")
    content = BufferedReader(_Content(chain([begin], lines)))
    schema, parts = read_csv(Lines(lambda: content, file), BATCH_ROWS)
    refuse_twins(schema.names, file)
    return schema.names, parts((), None)


def _articles(part: Part, columns: Sequence[str], file: str) -> pa.RecordBatch:
    """A part of a file as a batch of what `_read_csv` tells of, its rejected rows last."""
    fields = [part.batch.column(name).cast(pa.string()) for name in columns]
    article = pa.StructArray.from_arrays(fields, list(columns))
    rejected = [replace(row, file=file).to_json().rstrip("\n") for row in part.rejected]
    return pa.record_batch({
        "article": pa.concat_arrays([article, pa.nulls(len(rejected), article.type)]),
        "rejected": pa.array([None] * len(article) + rejected, pa.string()),
    })  # fmt: skip


class _Content(RawIOBase):
    """A file that has these lines."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines = lines
        self.left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self.left:
            self.left = memoryview(b"".join(line + b"\n" for line in islice(self.lines, LINES)))
        size = min(len(buffer), len(self.left))
        buffer[:size], self.left = self.left[:size], self.left[size:]
        return size


@contextmanager
def _sentences(source: str, target: str) -> Iterator[None]:
    """What goes wrong with Spark inside of the block as InputError or KanalError."""
    try:
        from py4j.protocol import Py4JError, Py4JJavaError
        from pyspark.errors import AnalysisException, PySparkException, PythonException
    except ModuleNotFoundError:
        raise InputError("--engine spark needs PySpark: run `pip install 'kanal[spark]'`.") from None
    try:
        with warnings.catch_warnings():
            # Spark warns of a new pandas, which is not used here.
            warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
            yield
    except PythonException as error:
        last = str(error).strip().splitlines()[-1]
        if last.startswith("ModuleNotFoundError"):
            raise InputError(
                f"The executors' Python lacks a package ({last}): install Kanal there, and set PYSPARK_PYTHON to it."
            ) from None
        ours = f"{InputError.__module__}.{InputError.__name__}: "
        if last.startswith(ours):
            raise InputError(last.removeprefix(ours)) from None
        raise KanalError(f"Spark failed: {last}") from error
    except PySparkException as error:
        sentences = {
            "JAVA_GATEWAY_EXITED": "Spark cannot start Java: install Java 17 or newer, or set JAVA_HOME to where it is.",
            "PATH_NOT_FOUND": f"{source}: no such file or folder; check its name, and whether the cluster sees it.",
            "UNABLE_TO_INFER_SCHEMA": f"{source}: holds no Parquet file; name CSV files by a pattern such as '*.csv'.",
            "PATH_ALREADY_EXISTS": f"{target}: is there already; remove it (a run that failed leaves it without "
            "_SUCCESS), or name another folder.",
        }
        sentence = sentences.get(error.getCondition() or "")
        if sentence or isinstance(error, AnalysisException):
            raise InputError(sentence or f"{source}: {_first_line(error)}") from None
        raise KanalError(f"Spark failed: {_first_line(error)}") from error
    except Py4JJavaError as error:
        raise KanalError(f"Spark failed: {_first_line(error.java_exception)}") from error
    except Py4JError as error:
        raise KanalError(f"Spark failed: {_first_line(error)}") from error


def _first_line(error: object) -> str:
    return str(error).strip().splitlines()[0]
