"""Articles on a Spark cluster: tables of them in, tables of their topics out, the model sent to every executor once."""

import os
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from serve.answers import TEXT, Answers
from serve.errors import InputError, KanalError
from serve.files.columns import as_text
from serve.files.csv_records import separator_of
from serve.files.formats import FORMATS
from serve.files.parts import no_text
from serve.model import TopicModel

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructType

Kind = Literal["csv", "parquet"]


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
) -> int:
    """Files each article of `source` into the new folder `target`, and returns how many there were.

    `source` is a file, a folder or a pattern, wherever Spark reads from: CSV if its name ends in .csv or .tsv, otherwise
    Parquet. As Spark reads CSV, a row that is too short ends in nulls, and one that is too long is cut. `target` is of
    the kind that its name tells, else that of the source; `_SUCCESS` in it is written last.
    `master` is the cluster's address (None: as Spark's own settings say, this machine where they do not).
    Raises InputError when the columns are not there, `target` is, or Spark cannot be started.
    """
    kind = _kind(source, "parquet")
    target_kind = _kind(target, kind)
    with _sentences(source, target):
        from pyspark.sql import Observation
        from pyspark.sql.functions import count, lit

        filed = predict_frame(
            model,
            _read(_session(master), source, kind),
            name=source,
            title_column=title_column,
            text_column=text_column,
            keep=keep,
            all_topics=all_topics,
            plain=target_kind == "csv",
        )
        # Counted while they are written: to count them again would be to file them again.
        counted = Observation()
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
        return int(counted.get["rows"])


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


def _read(session: "SparkSession", source: str, kind: Kind) -> "DataFrame":
    if kind == "parquet":
        return session.read.parquet(source)
    header = session.read.text(source).head()
    separator = separator_of(header.value if header else "")
    return session.read.csv(source, sep=separator, header=True, multiLine=True, escape='"')


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
