"""A Spark cluster answers as one machine does, also when one of its executors is killed."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve.batch import Outcome, predict_file
from serve.errors import InputError, KanalError
from serve.model import TopicModel
from serve.paths import ROOT
from serve.registry import quiet_mlflow
from serve.spark import _session, predict_frame, predict_spark
from serve.topics import Topic
from serve.vectorizer import TfidfVectorizer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HAS_JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
needs_java = pytest.mark.skipif(not HAS_JAVA, reason="Spark needs Java, and there is none here")
# No page, no address but this machine's, and a Java that starts fast and does not optimise for hours.
FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": FAST,
    "spark.executor.extraJavaOptions": FAST,
    "spark.task.maxFailures": "2",
    # A task a file, and several batches a task.
    "spark.sql.files.minPartitionNum": "8",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10",
}
ROWS: list[dict[str, Any]] = [
    {"id": 7, "judul": "Bola", "isi": 'Presiden "menendang" bola,\n\nlalu; presiden\tpergi \\', "tags": ["a", "b"]},
    {"id": 3, "judul": None, "isi": "  bola bola, bola presiden ", "tags": []},
    {"id": 12, "judul": "Presiden", "isi": None, "tags": None},
    {"id": 4, "judul": None, "isi": None, "tags": ["c"]},
    {"id": 5, "judul": "Wexlot", "isi": "brimfa dulyx kroptan vesk molfin trazzo", "tags": ['"']},
    *({"id": n, "judul": f"Liga {n}", "isi": "bola " * (n % 3) + "presiden " * (n % 2), "tags": []} for n in range(20, 80)),
]  # fmt: skip
SCHEMA = pa.schema({"id": pa.int32(), "judul": pa.string(), "isi": pa.string(), "tags": pa.list_(pa.string())})


@pytest.fixture(scope="module")
def model() -> TopicModel:
    """Files an article under the first topic for the word `bola`, under the second for `presiden`."""
    return TopicModel(
        taxonomy={topic: Topic(topic) for topic in ("olahraga", "politik")},
        vectorizer=TfidfVectorizer(dtype=np.float32).fit(["bola presiden"]),
        weights=np.array([[4, 0], [0, 5]], np.float32),
        bias=np.full(2, -1, np.float32),
        calibration=np.array([[1.0, 1.0], [0.0, 0.0]]),
        thresholds=np.full(2, 0.5),
        uncertain_below=0.2,
    )


@pytest.fixture(scope="module")
def session() -> "Iterator[SparkSession]":
    """A cluster of two executors, processes of their own."""
    arguments = " ".join(f"--conf '{name}={value}'" for name, value in SETTINGS.items())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"{arguments} pyspark-shell")
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        session = _session("local-cluster[2,1,1024]")
        yield session
        import pyspark

        work = Path(pyspark.__file__).with_name("work") / str(session.sparkContext.applicationId)
        session.stop()
        shutil.rmtree(work, ignore_errors=True)


def put(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA if "tags" in rows[0] else None), path)
    else:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(rows[0])
            writer.writerows([json.dumps(v) if isinstance(v, list) else v for v in row.values()] for row in rows)
    return path


def read(place: Path) -> list[dict[str, Any]]:
    """The rows of a file or of the files in a folder, by their ids."""
    if place.suffix == ".parquet":
        rows = pq.read_table(place).to_pylist()
    else:
        rows = []
        for file in place.glob("part-*.csv") if place.is_dir() else [place]:
            with file.open(encoding="utf-8", newline="") as lines:
                rows += csv.DictReader(lines)
    return sorted(rows, key=lambda row: int(row["id"]))


@needs_java
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_cluster_answers_as_one_machine(
    session: "SparkSession", model: TopicModel, tmp_path: Path, kind: str
) -> None:
    put(tmp_path / f"crawl-1.{kind}", ROWS[:20])
    put(tmp_path / f"crawl-2.{kind}", ROWS[20:])
    whole, source = put(tmp_path / f"whole.{kind}", ROWS), f"{tmp_path}/crawl-*.{kind}"
    for options in ({"keep": True, "all_topics": True}, {"text_column": "judul"}):
        expected, target = tmp_path / f"{len(options)}.{kind}", tmp_path / f"{len(options)}-spark.{kind}"
        predict_file(model, whole, expected, **options)
        assert predict_spark(model, source, str(target), **options) == Outcome(len(ROWS), 0)
        assert (target / "_SUCCESS").exists()
        assert read(target) == read(expected)
        assert list(read(target)[0]) == list(read(expected)[0])


@needs_java
def test_rows_without_ids_have_none(session: "SparkSession", model: TopicModel, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("isi\tjudul\tTopics\nbola\tx\told\n\tpresiden\t\n")
    assert predict_spark(model, f"{tmp_path}/a.tsv", f"{tmp_path}/b.parquet", keep=True) == Outcome(2, 0)
    filed = pq.read_table(tmp_path / "b.parquet")
    assert filed.column_names == ["id", "topics", "probabilities", "note", "isi", "judul", "Topics"]
    assert filed.to_pylist() == [
        {"id": None, "topics": "olahraga", "probabilities": "0.9526", "note": "", "isi": "bola", "judul": "x", "Topics": "old"},
        {"id": None, "topics": "politik", "probabilities": "0.9820", "note": "", "isi": "", "judul": "presiden", "Topics": ""},
    ]  # fmt: skip


@needs_java
def test_rows_that_cannot_be_read_are_told_of(session: "SparkSession", model: TopicModel, tmp_path: Path) -> None:
    whole = (
        b'id,isi\n1,"bola\r\n\r\nbola"\n2,"presiden ""bola""",x\n3\n4,"bola\n5,presiden\n\xff6,bola\n7,"bola"x\n8,bola'
    )
    (tmp_path / "a.csv").write_bytes(whole)
    # The columns of a second file are in another order, and a third has none.
    (tmp_path / "b.csv").write_bytes(b"isi,id\npresiden,11\nbola,12,x\n")
    (tmp_path / "c.csv").touch()
    for name in ("a", "b"):
        predict_file(model, tmp_path / f"{name}.csv", tmp_path / f"{name}-expected.csv")
    before = session.conf.get("spark.sql.files.maxPartitionBytes")
    outcome = predict_spark(model, f"{tmp_path}/[abc].csv", f"{tmp_path}/topics/")
    assert session.conf.get("spark.sql.files.maxPartitionBytes") == before
    expected = [*read(tmp_path / "a-expected.csv"), *read(tmp_path / "b-expected.csv")]
    expected = [{name: row[name] for name in ("id", "topics", "probabilities", "note")} for row in expected]
    assert read(tmp_path / "topics") == expected
    rejected, told = [], []
    for file in (tmp_path / "topics.rejected.jsonl").glob("part-*"):
        rejected += [json.loads(line) for line in file.read_text().splitlines()]
    for name in ("a", "b"):
        lines = (tmp_path / f"{name}-expected.csv.rejected.jsonl").read_text().splitlines()
        told += [{**json.loads(line), "file": f"file:{tmp_path}/{name}.csv"} for line in lines]
    assert sorted(rejected, key=str) == sorted(told, key=str) and len(told) >= 5
    assert outcome == Outcome(len(expected), len(told))


@needs_java
def test_a_header_alone_gives_a_header(session: "SparkSession", model: TopicModel, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,isi\n")
    assert predict_spark(model, f"{tmp_path}/a.csv", f"{tmp_path}/b") == Outcome(0, 0)
    (part,) = (tmp_path / "b").glob("part-*.csv")
    assert part.read_text() == "id,topics,probabilities,note\n"


@needs_java
def test_a_killed_executor_costs_no_row(session: "SparkSession", model: TopicModel, tmp_path: Path) -> None:
    rows = [{"id": n, "text": "bola " * (n % 3) + "presiden " * (n % 5)} for n in range(400)]
    (tmp_path / "crawl").mkdir()
    for first in range(0, 400, 50):
        put(tmp_path / "crawl" / f"{first}.parquet", rows[first : first + 50])
    articles = session.read.parquet(f"{tmp_path}/crawl")
    assert articles.rdd.getNumPartitions() == 8
    running, never = tmp_path / "running", tmp_path / "never"
    os.mkfifo(running)
    os.mkfifo(never)

    def gate(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Lets everything through, but the first time that a certain task is half done, it tells so and stands still."""
        from pyspark import TaskContext

        task = TaskContext.get()
        for number, batch in enumerate(batches):
            if task and (task.partitionId(), task.attemptNumber(), number) == (3, 0, 2):
                running.write_text(str(os.getppid()))
                never.read_text()
            yield batch

    killed: list[str] = []

    def kill() -> None:
        daemon = Path("/proc", running.read_text())
        executor = Path("/proc", (daemon / "stat").read_text().rpartition(")")[2].split()[1])
        killed.append((executor / "cmdline").read_text())
        os.kill(int(executor.name), signal.SIGKILL)

    killer = Thread(target=kill, daemon=True)
    killer.start()
    filed = predict_frame(model, articles.mapInArrow(gate, articles.schema), all_topics=True)
    filed.write.parquet(f"{tmp_path}/topics.parquet")
    killer.join(timeout=1)
    assert len(killed) == 1
    assert "CoarseGrainedExecutorBackend" in killed[0]
    predict_file(model, put(tmp_path / "whole.parquet", rows), tmp_path / "expected.parquet", all_topics=True)
    assert read(tmp_path / "topics.parquet") == read(tmp_path / "expected.parquet")


@needs_java
def test_an_exported_model_is_a_function_of_spark(session: "SparkSession", model: TopicModel, tmp_path: Path) -> None:
    from pyspark.sql.functions import struct

    from train.export import export

    texts, titles = [row["isi"] or "" for row in ROWS[:12]], [row["judul"] or "" for row in ROWS[:12]]
    filed = model.file(texts, titles)
    articles = session.createDataFrame(list(zip(titles, texts, strict=True)), "title string, text string").coalesce(1)
    with quiet_mlflow():
        import mlflow

        folder = export(model, "mlflow", tmp_path / "exported")
        topics = mlflow.pyfunc.spark_udf(session, str(folder), env_manager="local")
        answers = [row.answer for row in articles.select(topics(struct("title", "text")).alias("answer")).collect()]
    assert [answer.topics for answer in answers] == ["|".join(t for t, _ in filed.topics(i)) for i in range(12)]
    assert [answer.note for answer in answers] == filed.notes


@needs_java
def test_mistakes_are_sentences(session: "SparkSession", model: TopicModel, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,isi\n1,bola\n")
    pq.write_table(pa.table({"isi": [["bola"]]}), tmp_path / "lists.parquet")
    (tmp_path / "wide.csv").write_text("id,isi\n1,bola\n", encoding="utf-16")
    (tmp_path / "none.csv").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    source, target = f"{tmp_path}/a.csv", f"{tmp_path}/b"
    mistakes: list[tuple[str, str, dict[str, Any], str]] = [
        (source, target, {"text_column": "teks"}, f"{source}: no column 'teks'; its columns are: id, isi. Name one of them with --text-column."),
        (f"{tmp_path}/c.csv", target, {}, f"{tmp_path}/c.csv: no such file or folder; check its name, and whether the cluster sees it."),
        (f"{tmp_path}/empty", target, {}, f"{tmp_path}/empty: holds no Parquet file; name CSV files by a pattern such as '*.csv'."),
        (f"{tmp_path}/lists.parquet", target, {}, f"{tmp_path}/lists.parquet: the column 'isi' holds a list, not text; write it as one string."),
        (f"{tmp_path}/wide.csv", target, {}, f"file:{tmp_path}/wide.csv: is in UTF-16, whose lines Spark does not tell apart; save it as UTF-8."),
        (f"{tmp_path}/none.csv", target, {}, f"{tmp_path}/none.csv: is empty; its first line must name the columns."),
        (f"{tmp_path}/a.jsonl", target, {}, f"{tmp_path}/a.jsonl: Spark files CSV and Parquet; write it as Parquet, or leave out --engine spark."),
        (source, f"{tmp_path}/full", {}, f"{tmp_path}/full: is there already; remove it (a run that failed leaves it without _SUCCESS), or name another folder."),
    ]  # fmt: skip
    for place, out, options, sentence in mistakes:
        with pytest.raises(InputError) as mistake:
            predict_spark(model, place, out, **options)
        assert str(mistake.value) == sentence
    assert not Path(target).exists()
    (tmp_path / "other.csv").write_text("id,teks\n" + "1,bola\n" * 9)
    with pytest.raises(
        InputError, match=r"\.csv: its columns are .*, those of .* are .*; give all files the same ones\.$"
    ):
        predict_spark(model, f"{tmp_path}/{{a,other}}.csv", f"{tmp_path}/c")
    with pytest.raises(KanalError, match=r'^Spark failed: .*No FileSystem for scheme "nowhere"$'):
        predict_spark(model, "nowhere://bucket/a.parquet", target)


@needs_java
def test_executors_without_kanal_are_a_sentence(session: "SparkSession", model: TopicModel, tmp_path: Path) -> None:
    # A Python that cannot import it.
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['serve'] = None\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}:$PYTHONPATH" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (tmp_path / "a.csv").write_text("id,isi\n1,bola\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session.sparkContext, "pythonExec", str(python))
        with pytest.raises(InputError, match=r"serve.*install Kanal there, and set PYSPARK_PYTHON"):
            predict_spark(model, f"{tmp_path}/a.csv", f"{tmp_path}/b.csv")
    assert not list(tmp_path.glob("b.csv/*"))


def test_pyspark_is_named_where_it_is_missing(model: TopicModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(InputError, match=r"needs PySpark: run `pip install 'kanal\[spark\]'`"):
        predict_spark(model, "a.csv", "b.csv")


def test_java_is_named_where_it_is_missing(model: TopicModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    code = (
        "import sys; from serve.model import TopicModel; from serve.spark import predict_spark\n"
        "from serve.errors import InputError\n"
        "try: predict_spark(TopicModel.load(sys.argv[1]), 'a.csv', 'b.csv', master='local[1]')\n"
        "except InputError as error: print(error)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model"],
        cwd=ROOT, env={**os.environ, "JAVA_HOME": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert out.stdout == "Spark cannot start Java: install Java 17 or newer, or set JAVA_HOME to where it is.\n"
