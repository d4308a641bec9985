"""Files in, files out: the same as `kanal predict --keep` writes, and nothing left behind."""

import gzip
import io
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve.batch import predict_file
from serve.service.uploads import NO_ROOM
from tests.serve.service.conftest import SECONDS, Run, Service, small_model, wait_until

CSV = b'no,judul,isi,kanal\n1,Bola,Presiden menendang bola.,Olahraga\n2,,"presiden\nlagi",\n3,x,,\n'
ROWS = [{"id": "b7", "text": "bola", "n": 1}, {"id": "b8", "text": "presiden", "n": None}]
BROKEN = b"isi,kanal\nbola,a\nbola\npresiden,b\n"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where uploads are kept; afterwards nothing of them is there."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    wait_until(lambda: not list(folder.iterdir()))


def send(service: Service, content: bytes | Iterator[bytes], query: str = "", **headers: str) -> httpx.Response:
    return service.client.post(f"/v1/files{query}", content=content, headers=headers)


def compressed(content: bytes, compression: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, compression) as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def parquet(rows: list[dict[str, object]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def expected(folder: Path, name: str, content: bytes, all_topics: bool = False) -> bytes:
    """What the command line answers."""
    (folder / name).write_bytes(content)
    predict_file(small_model(), folder / name, folder / "expected.csv", keep=True, all_topics=all_topics)
    return (folder / "expected.csv").read_bytes()


def test_a_csv(service: Service, tmp_path: Path) -> None:
    answer = send(service, CSV, "?format=csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert (answer.headers["kanal-rows"], answer.headers["kanal-rejected"]) == ("3", "0")
    assert answer.headers["kanal-model"] == small_model().version
    assert "kanal-rejected-rows" not in answer.headers
    assert answer.content == expected(tmp_path, "a.csv", CSV)
    assert answer.text.splitlines()[0] == "id,topics,probabilities,note,no,judul,isi,kanal"


def test_all_topics(service: Service, tmp_path: Path) -> None:
    assert send(service, CSV, "?format=csv&all=true").content == expected(tmp_path, "a.csv", CSV, True)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.csv", CSV, "text/csv; charset=utf-8"),
        ("a.jsonl", "\n".join(map(json.dumps, ROWS)).encode(), "application/x-ndjson"),
        ("a.jsonl", "\n".join(map(json.dumps, ROWS)).encode(), "application/jsonl"),
        ("a.parquet", parquet(ROWS), "application/vnd.apache.parquet"),
    ],
)
def test_the_content_type_tells_the_format(
    service: Service, tmp_path: Path, name: str, content: bytes, media_type: str
) -> None:
    answer = send(service, content, **{"Content-Type": media_type})
    assert answer.status_code == 200
    assert answer.content == expected(tmp_path, name, content)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_compressed_file(service: Service, tmp_path: Path, compression: str) -> None:
    content = compressed(CSV, compression)
    plain = expected(tmp_path, "a.csv", CSV)
    assert send(service, content, "?format=csv").content == plain
    assert send(service, content, "?format=csv", **{"Content-Encoding": compression}).content == plain


def test_a_body_in_parts(service: Service, tmp_path: Path) -> None:
    assert send(service, (bytes([byte]) for byte in CSV), "?format=csv").content == expected(tmp_path, "a.csv", CSV)


def test_rejected_rows_are_told(service: Service) -> None:
    answer = send(service, BROKEN, "?format=csv")
    assert answer.status_code == 200
    assert (answer.headers["kanal-rows"], answer.headers["kanal-rejected"]) == ("2", "1")
    (row,) = json.loads(answer.headers["kanal-rejected-rows"])
    assert row["line"] == 3
    assert "expected 2 fields" in row["reason"]


def test_many_rejected_rows_fit_a_header(service: Service) -> None:
    answer = send(service, b"isi,kanal\n" + b"\xff\xfe bola\n" * 500, "?format=csv")
    assert answer.headers["kanal-rejected"] == "500"
    assert len(json.loads(answer.headers["kanal-rejected-rows"])) == 20


@pytest.mark.parametrize(
    ("content", "query", "told"),
    [
        (b"a,b\n1,2\n", "?format=csv", "The file: no column for the text found; its columns are: a, b. Name it with text_column="),
        (CSV, "?format=csv&text_column=teks", "The file: no column 'teks'; its columns are: no, judul, isi, kanal."),
        (CSV, "?format=csv&title_column=kepala", "title_column="),
        (CSV, "?format=parquet", "The file: not a Parquet file"),
        (parquet(ROWS)[:-20], "?format=parquet", "The file: not a Parquet file"),
        (compressed(CSV * 1000, "gzip")[:-20], "?format=csv", "The file: damaged"),
        (b"\x28\xb5\x2f\xfd" + b"bola" * 100, "?format=csv", "The file: damaged"),
        (b"", "?format=csv", "The file"),
        (b"", "?format=jsonl", "The file"),
    ],
)  # fmt: skip
def test_a_file_at_fault(service: Service, content: bytes, query: str, told: str) -> None:
    answer = send(service, content, query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    detail = answer.json()["detail"]
    assert told in detail
    assert "kanal-" not in detail
    assert "--" not in detail


def test_columns_may_be_named(service: Service) -> None:
    answer = send(service, b"a,b\nbola,presiden\n", "?format=csv&text_column=b&title_column=a")
    assert answer.text.splitlines()[1].split(",")[1] == "olahraga|politik"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/pdf"}, {"Content-Encoding": "br"}])
def test_a_file_of_another_kind(service: Service, headers: dict[str, str]) -> None:
    query = "?format=csv" if "Content-Encoding" in headers else ""
    assert send(service, CSV, query, **headers).status_code == 415


def test_too_large_a_file(run: Run) -> None:
    with run(file_bytes=1000) as service:
        assert send(service, b"isi\n" + b"bola\n" * 200, "?format=csv").status_code == 413
        assert send(service, iter([b"isi\n", b"bola\n" * 200]), "?format=csv").status_code == 413
        assert send(service, b"isi\n" + b"bola\n" * 100, "?format=csv").status_code == 200


def test_a_file_that_grows(run: Run) -> None:
    with run(disk_bytes=2**20) as service:
        bomb = gzip.compress(b"isi\n" + b"bola\n" * 2**22)
        assert len(bomb) < 2**16
        answer = send(service, bomb, "?format=csv")
        assert answer.status_code == 422
        assert "send it in parts" in answer.json()["detail"]


def test_a_parquet_that_grows(service: Service) -> None:
    """A few kilobytes that are gigabytes in memory: one long text, many times."""
    schema = pa.schema([("isi", pa.string())])
    long = "bola " * 100_000
    plain, coded = io.BytesIO(), io.BytesIO()
    with pq.ParquetWriter(plain, schema, compression="zstd", dictionary_pagesize_limit=2**24) as writer:
        writer.write_table(pa.table({"isi": [long] * 200}))
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 8192, pa.int32()), [long])
    pq.write_table(pa.table({"isi": words}), coded, compression="zstd")
    lists = pa.ListArray.from_arrays(pa.array([0, 4096, 8192], pa.int32()), words)
    nested = io.BytesIO()
    pq.write_table(pa.table({"isi": ["bola", "bola"], "lain": lists}), nested, compression="zstd")
    for bomb in (plain.getvalue(), coded.getvalue(), nested.getvalue()):
        assert len(bomb) < 2**16
        answer = send(service, bomb, "?format=parquet")
        assert answer.status_code == 422
        assert "too large" in answer.json()["detail"]


def test_a_parquet_of_many_types(service: Service, tmp_path: Path) -> None:
    table = pa.table(
        {
            "isi": pa.array(["bola", "presiden", None]).dictionary_encode(),
            "kapan": pa.array([0, 1, None], pa.timestamp("s")),
            "tag": [["a", "b"], [], None],
            "skor": [0.5, None, 1.0],
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    answer = send(service, sink.getvalue(), "?format=parquet")
    assert answer.status_code == 200
    assert answer.content == expected(tmp_path, "a.parquet", sink.getvalue())


def test_so_many_files_at_a_time(run: Run) -> None:
    with run(uploads=1) as service, service.connect() as first, ThreadPoolExecutor(1) as pool:
        first.sendall(b"POST /v1/files?format=csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nisi\n")

        def refused() -> bool:
            answer = send(service, CSV, "?format=csv")
            return answer.status_code == 503 and answer.headers["retry-after"] == "1"

        wait_until(refused)
        first.close()
        wait_until(lambda: pool.submit(send, service, CSV, "?format=csv").result(SECONDS).status_code == 200)


def test_a_client_that_goes_away_leaves_nothing(run: Run, temporary: Path) -> None:
    with run(uploads=1) as service, service.connect() as connection:
        content = b"isi\n" + b"Presiden menendang bola.\n" * 400_000
        connection.sendall(
            b"POST /v1/files?format=csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(content)
            + content
        )
        wait_until(lambda: list(temporary.rglob("topics.csv.partial")))
        connection.close()
        wait_until(lambda: send(service, CSV, "?format=csv").status_code == 200)
        assert not list(temporary.rglob("*.partial"))


def test_without_a_folder_no_place_stays_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with run(uploads=1) as service:
        with monkeypatch.context() as patch:
            patch.setattr(tempfile, "tempdir", "/nowhere")
            for _ in range(2):
                answer = send(service, CSV, "?format=csv")
                assert (answer.status_code, answer.json()["detail"]) == (503, NO_ROOM)
        assert send(service, CSV, "?format=csv").status_code == 200


def test_answers_that_are_not_read(run: Run) -> None:
    content = b"isi\n" + (b"bola " * 20_000 + b"\n") * 80
    head = b"POST /v1/files?format=csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(content)
    with run(disk_bytes=20_000_000) as service:
        assert len(send(service, content, "?format=csv").content) > len(content)
        with ExitStack() as stack:
            for _ in range(3):
                connection = stack.enter_context(service.connect(SO_RCVBUF=4096))
                connection.sendall(head + content)
                assert connection.recv(12) == b"HTTP/1.1 200"
            answer = send(service, CSV, "?format=csv")
            assert (answer.status_code, answer.json()["detail"]) == (503, NO_ROOM)
        wait_until(lambda: send(service, CSV, "?format=csv").status_code == 200)


def test_a_file_that_takes_too_long(run: Run) -> None:
    with run(file_seconds=0.3) as service:
        answer = send(service, b"isi\n" + b"Presiden menendang bola.\n" * 1_000_000, "?format=csv")
        assert answer.status_code == 504
