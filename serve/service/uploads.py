"""Files of articles that are sent whole: kept in a temporary folder, filed as `kanal predict --keep` does, and streamed back."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from serve.batch import Outcome, predict_file
from serve.errors import InputError, KanalError
from serve.files.formats import LONGEST_MAGIC, compression_of
from serve.files.journal import rejected_file
from serve.model import Filed
from serve.service import plain_parquet
from serve.service.champion import Serving
from serve.service.problems import Problem
from serve.service.settings import Settings
from serve.service.threads import Threads

if TYPE_CHECKING:
    from serve.model import TopicModel

CONTENT_TYPES = {
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}
ENCODINGS = ("", "identity", "gzip", "zstd")
CHUNK = 2**18
NO_ROOM = "There is no room for the file and its answer; try again later."
SECONDS_BETWEEN_CHECKS = 0.2
# So many rejected rows are told of in a header, each in so many characters.
MOST_REJECTED, LONGEST_REASON = 20, 160


@dataclass(frozen=True)
class Upload:
    """What a client wants to have filed, and how."""

    format: str
    title_column: str | None
    text_column: str | None
    all_topics: bool


@dataclass(frozen=True)
class Answered:
    """The answer to a file; the file has no name any more, and is gone when it is closed."""

    file: IO[bytes]
    size: int
    outcome: Outcome
    topics: dict[str, int]
    """How many rows were filed under each."""
    rejected: list[dict[str, Any]]

    def chunks(self) -> Iterator[bytes]:
        with self.file:
            while chunk := self.file.read(CHUNK):
                yield chunk


def format_of(request: Request, given: str | None) -> str:
    """The format of a body: the one that is named, or what its Content-Type says. Raises Problem when nothing does."""
    if request.headers.get("content-encoding", "").lower() not in ENCODINGS:
        raise Problem(415, "A file may be compressed with gzip or zstd; send it in one of these, or as it is.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    found = given or CONTENT_TYPES.get(media_type)
    if found is None:
        known = ", ".join(CONTENT_TYPES)
        raise Problem(415, f"The format of the file is not known; add ?format=csv, or a Content-Type of {known}.")
    return found


class Uploads:
    """Takes files, as many at a time as `settings.uploads` says."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.threads = Threads(settings.uploads, settings.uploads, "upload")
        self.unread: WeakKeyDictionary[IO[bytes], int] = WeakKeyDictionary()
        """The answers that are not read to their end, and how much of the disk each takes."""

    async def answer(self, request: Request, serving: Serving, upload: Upload) -> tuple[Response, Answered]:
        """The answer to the file that is the request's body, and what is in it. Raises Problem when it is broken or lacks columns."""
        if sum(self.unread.values()) > self.settings.disk_bytes:
            raise Problem(503, NO_ROOM, reason="disk")
        stopped = threading.Event()
        with ExitStack() as ended:
            self.threads.take()
            ended.callback(self.threads.places.release)
            try:
                folder = TemporaryDirectory(prefix="kanal-", ignore_cleanup_errors=True)
                ended.callback(folder.cleanup)
                source = Path(folder.name, f"articles.{upload.format}")
                await _save(request, source)
            except OSError:
                raise Problem(503, NO_ROOM, reason="disk") from None
            future = self.threads.pool.submit(self._file, Path(folder.name), source, serving, upload, stopped)
            # The thread may end long after nobody waits for it any more.
            end = ended.pop_all().close
            future.add_done_callback(lambda _: end())
        try:
            answered = await _unless_gone(request, asyncio.wrap_future(future))
        finally:
            stopped.set()
        self.unread[answered.file] = answered.size
        headers = {
            "Content-Length": str(answered.size),
            "Content-Disposition": 'attachment; filename="topics.csv"',
            "Kanal-Rows": str(answered.outcome.rows),
            "Kanal-Rejected": str(answered.outcome.rejected),
            "Kanal-Model": serving.version,
        }
        if answered.rejected:
            headers["Kanal-Rejected-Rows"] = json.dumps(answered.rejected)
        response = StreamingResponse(answered.chunks(), headers=headers, media_type="text/csv; charset=utf-8")
        return response, answered

    def _file(self, folder: Path, source: Path, serving: Serving, upload: Upload, stopped: threading.Event) -> Answered:
        watch = _Watch(folder, self.settings.disk_bytes, stopped)
        target = folder / "topics.csv"
        model = _WatchedModel(serving, watch)
        try:
            _unpack(source, watch)
            if upload.format == "parquet":
                _flatten(source, watch)
            outcome = predict_file(
                cast("TopicModel", model),
                source,
                target,
                title_column=upload.title_column,
                text_column=upload.text_column,
                keep=True,
                all_topics=upload.all_topics,
                workers=self.settings.upload_threads,
                quiet=True,
            )
        except InputError as error:
            raise Problem(422, _as_parameters(str(error), source)) from None
        except KanalError:
            raise Problem(503, NO_ROOM, reason="disk") from None
        return Answered(
            target.open("rb"), target.stat().st_size, outcome, model.counted(), _rejected(rejected_file(target))
        )


class _Abandoned(Exception):  # noqa: N818
    pass


@dataclass(frozen=True)
class _Watch:
    """Whether work on an upload is to go on."""

    folder: Path
    disk_bytes: int
    stopped: threading.Event

    def check(self) -> None:
        """Raises when nobody waits for the answer any more, or it takes too much of the disk."""
        if self.stopped.is_set():
            raise _Abandoned
        if sum(file.stat().st_size for file in self.folder.iterdir()) > self.disk_bytes:
            raise InputError(
                f"the file and its answer take more than {self.disk_bytes:,} bytes uncompressed; send it in parts."
            )


@dataclass(frozen=True)
class _WatchedModel:
    """A model for one upload: before each batch it asks whether to go on, and of each it counts the topics."""

    serving: Serving
    watch: _Watch
    counts: list[NDArray[np.int64]] = field(default_factory=list)
    """(k,): of each batch; several threads add to it."""

    @property
    def topics(self) -> list[str]:
        return self.serving.model.topics

    @property
    def version(self) -> str:
        return self.serving.version

    def file(self, *texts: Any, n_threads: int | None = None) -> Filed:
        self.watch.check()
        filed = self.serving.model.file(*texts, n_threads=n_threads)
        self.counts.append(filed.assigned.sum(axis=0))
        return filed

    def counted(self) -> dict[str, int]:
        """How many articles were filed under each topic."""
        return {
            topic: int(n)
            for topic, n in zip(self.topics, sum(self.counts, np.zeros(len(self.topics), np.int64)), strict=True)
            if n
        }


async def _save(request: Request, path: Path) -> None:
    """Writes the body to a file, off the event loop."""
    with path.open("wb") as file:
        waiting: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            waiting.append(chunk)
            size += len(chunk)
            if size >= CHUNK:
                await asyncio.to_thread(file.writelines, waiting)
                waiting, size = [], 0
        file.writelines(waiting)


async def _unless_gone(request: Request, future: "asyncio.Future[Answered]") -> Answered:
    """The future's result. Raises ClientDisconnect when the client goes away first."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    leaving = asyncio.create_task(gone())
    waited: list[asyncio.Future[Any]] = [future, leaving]
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            future.cancel()
            raise ClientDisconnect
        return await future
    finally:
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving


def _unpack(source: Path, watch: _Watch) -> None:
    """Replaces a compressed file by what is in it. What it says of itself is not believed: its first bytes tell."""
    with source.open("rb") as file:
        compression = compression_of(file.read(LONGEST_MAGIC))
    if compression is None:
        return
    unpacked = source.with_name("unpacked")
    try:
        with pa.input_stream(source, compression=compression) as packed, unpacked.open("wb") as plain:
            while chunk := packed.read(2**22):
                plain.write(chunk)
                watch.check()
    except pa.ArrowException as error:
        raise InputError(f"{source}: damaged ({_first_line(error)}); compress it again.") from None
    except OSError as error:
        if error.errno is not None:
            raise KanalError(str(error)) from None
        raise InputError(f"{source}: damaged ({_first_line(error)}); compress it again.") from None
    unpacked.replace(source)


def _flatten(source: Path, watch: _Watch) -> None:
    """Replaces a Parquet file by a plain one, of which it is known how large its rows are in memory."""
    plain = source.with_name("plain")
    command = [sys.executable, "-I", plain_parquet.__file__, str(source), str(plain), str(watch.disk_bytes)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            while process.poll() is None:
                watch.check()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(SECONDS_BETWEEN_CHECKS)
        finally:
            process.kill()
        assert process.stderr is not None
        told = process.stderr.read(1000).decode(errors="replace").strip()
    if process.returncode == plain_parquet.NO_ROOM:
        raise KanalError(NO_ROOM)
    if process.returncode in (1, -signal.SIGSEGV):
        raise InputError(f"{source}: not a Parquet file, or not a whole one ({told or 'unreadable'}); write it again.")
    if process.returncode:
        raise InputError(f"{source}: its rows are too large to be read; send it as CSV or JSON Lines.")
    plain.replace(source)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def _as_parameters(message: str, source: Path) -> str:
    """A message about a file on the command line, as one about a body."""
    for option in ("title", "text"):
        message = message.replace(f"--{option}-column", f"{option}_column=")
    message = message.replace(str(source), "the file")
    return message[:1].upper() + message[1:]


def _rejected(path: Path) -> list[dict[str, Any]]:
    """The first rejected rows: their lines and what is wrong with them."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(MOST_REJECTED), strict=False)]
    return [{"line": row["line"], "reason": row["reason"][:LONGEST_REASON]} for row in rows]
