"""Disks that are full or read-only, and files that may not be read: a sentence, nothing half written, and it works afterwards."""

import gzip
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from serve.files.journal import rejected_file
from serve.labelling.store import LabelStore, StoreError, Task
from serve.model import TopicModel
from serve.registry import find_model
from tests.torture.kills import SEED, _ask, _service, _wait
from tests.torture.material import Place, registered, whole_models, write_articles
from tests.torture.processes import Ended, kanal, run

SIZE = 64 << 20


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A disk of its own at `folder`, where this system lets one be made."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        folder.rmdir()
        raise PermissionError("a small disk (tmpfs) can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(folder: Path, left: int) -> Iterator[None]:
    """The disk at `folder` filled up but for `left` bytes, with what is removed at the end."""
    ballast = folder / "ballast"
    status = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_frsize - left))
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The disk at `folder` so that nobody, not even root, can write there."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)


def full_disk(place: Place, times: int) -> str:
    """Each command that writes, on a disk with less room than it needs, then with enough."""
    failed = 0
    rng = random.Random(SEED)
    model = place.folder / "trained"
    place.ran(*place.train("--out", model, "--no-track"))
    expected = TopicModel.load(model).version
    crawl = place.folder / "crawl.csv"
    write_articles(crawl, 2000)
    for number in range(times):
        with disk(place.folder / f"disk{number}") as folder:
            for attempt in (_model, _registry, _output, _labels):
                failed += attempt(place, folder, rng, model, crawl)
    place.expect(TopicModel.load(model).version == expected, "another model")
    failed += _upload(place, model, crawl)
    return (
        f"{failed} times no room: each time a sentence and exit status 1 (over HTTP 503), nothing half written; the same "
        "command worked once there was room"
    )


def _needs(place: Place, ended: Ended, what: str) -> int:
    """1 where a command failed for want of room, as it should: with a sentence and exit status 1; 0 where it had room."""
    if ended.status == 0:
        return 0
    place.expect(ended.sentence and ended.status == 1, f"{what}: {ended.status} {ended.output[-600:]}")
    return 1


def _model(place: Place, folder: Path, rng: random.Random, model: Path, crawl: Path) -> int:
    """`kanal train --out`, over a model that is there."""
    out = folder / "model"
    command = kanal(*place.train("--out", out, "--no-track", seed=1))
    place.ran(*place.train("--out", out, "--no-track"))
    before = TopicModel.load(out).version
    size = sum(file.stat().st_size for file in out.iterdir())
    with full(folder, rng.randrange(size)):
        failed = _needs(place, run(command, place.folder), "train --out")
        place.expect(TopicModel.load(out).version == before, "train --out: the old model is not there")
        place.expect({path.name for path in folder.iterdir()} == {"model", "ballast"}, "train --out: leftovers")
    place.expect(run(command, place.folder).status == 0, "train --out: does not work with room")
    return failed


def _registry(place: Place, folder: Path, rng: random.Random, model: Path, crawl: Path) -> int:
    """A tracked training, mlruns on the disk."""
    registry = folder / "mlruns"
    registry.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{registry}/mlflow.db")
        place.ran(*place.train())
        before, versions = registered(registry / "mlflow.db")
        size = sum(file.stat().st_size for file in registry.rglob("*")) // 2
        with full(folder, rng.randrange(size)):
            failed = _needs(place, run(kanal(*place.train(seed=1)), place.folder), "train")
            after, more = registered(registry / "mlflow.db")
            place.expect(failed == 0 or (after, more) == (before, versions), "train: registered though it failed")
            TopicModel.load(find_model())
            place.expect("champion" in run(kanal("models"), place.folder).output, "models: does not work when full")
        place.ran(*place.train(seed=1))
        for path, found in whole_models(registry).items():
            place.expect("Error" not in found or found.startswith("ModelError"), f"{path}: {found}")
    return failed


def _output(place: Place, folder: Path, rng: random.Random, model: Path, crawl: Path) -> int:
    """`kanal predict`, OUT on the disk."""
    out = folder / f"topics.{rng.choice(['csv', 'jsonl.zst', 'parquet', 'csv.gz'])}"
    arguments = ("predict", crawl, out, "--model", model, "--keep")
    place.ran(*arguments)
    whole, size = out.read_bytes(), out.stat().st_size
    out.unlink()
    with full(folder, rng.randrange(size)):
        failed = _needs(place, run(kanal(*arguments), place.folder), "predict")
        place.expect(not (out.exists() or rejected_file(out).exists()) or not failed, "predict: OUT is there")
    place.ran(*arguments, "--resume")
    place.expect(out.read_bytes() == whole, "predict --resume: other bytes")
    left = {path.name for path in folder.iterdir()} - {"model", "mlruns", out.name}
    place.expect(not left, f"predict: left {left}")
    out.unlink()
    return failed


def _labels(place: Place, folder: Path, rng: random.Random, model: Path, crawl: Path) -> int:
    """The label store, filled until the disk is."""
    path = folder / "labels.db"
    kept = failed = 0
    with LabelStore(path, create=True) as store:
        store.add(Task(f"a{i}", "Judul", "Isi.") for i in range(300))
        with full(folder, rng.randrange(1 << 16)):
            try:
                for i in range(300):
                    store.save(f"a{i}", ["politik"] * 100, "Sari", 0)
                    kept += 1
            except StoreError as error:
                failed = 1
                place.expect("cannot be used at the moment" in str(error), str(error))
            place.expect(store.progress().labelled == kept, f"labels: {store.progress().labelled} of {kept} kept")
        store.save("a299", ["politik"], "Budi", store.get("a299").revision)
    with LabelStore(path) as store:
        place.expect(store.progress().labelled == min(300, kept + 1), "labels: lost after room was made")
    path.unlink()
    return failed


def _upload(place: Place, model: Path, crawl: Path) -> int:
    """Files sent to the service, its temporary folder on the disk: no room for what is sent, for what is unpacked of it, or
    for the answer."""
    packed = _packed(crawl)
    plain, size = crawl.stat().st_size, {form: file.stat().st_size for form, file in packed.items()}
    failed = 0
    with disk(place.folder / "temporary") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr("tempfile.tempdir", str(folder))
        log = place.folder / "service"
        with _service(place.folder, log, "--model", model, workers=1) as (_, port):
            empty = os.statvfs(folder).f_bavail
            for form, file in packed.items():
                unpacked = (size[form], size[form] + plain // 2, size[form] + plain) if form != "csv" else (plain,)
                for left in (1000, size[form] // 2, *(room + 50_000 for room in unpacked)):
                    with full(folder, left):
                        status = _send(port, file)
                        failed += status == 503
                        place.expect(status == 503, f"upload of {file.name} with {left} bytes left: {status}")
                        place.expect(_ask(port)[0] == 200, "the service does not answer when the disk is full")
                    place.expect(_send(port, file) == 200, "upload: does not work with room")
                    # The answer takes room as long as it is sent.
                    _wait(lambda: os.statvfs(folder).f_bavail >= empty)
        place.expect("Traceback" not in log.read_text(), f"service: {log.read_text()[-800:]}")
        left_over = [path for path in folder.iterdir() if list(path.iterdir())]
        place.expect(not left_over, f"upload: left {left_over}")
    return failed


def _packed(crawl: Path) -> dict[str, Path]:
    """The same articles in each form that is unpacked before it is read, and as they are."""
    frame = pd.read_csv(crawl)
    packed = {"csv": crawl, **{form: crawl.with_suffix(f".{form}") for form in ("csv.gz", "csv.zst", "parquet")}}
    packed["csv.gz"].write_bytes(gzip.compress(crawl.read_bytes()))
    packed["csv.zst"].write_bytes(pa.compress(crawl.read_bytes(), codec="zstd", asbytes=True))
    frame.to_parquet(packed["parquet"])
    return packed


def _send(port: int, file: Path) -> int:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    form = "parquet" if file.suffix == ".parquet" else "csv"
    try:
        connection.request("POST", f"/v1/files?format={form}", file.read_bytes())
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def unwritable(place: Place, times: int) -> str:
    """Each command that writes, on a disk that is read-only, and each that reads, where it may not."""
    model = place.folder / "trained"
    place.ran(*place.train("--out", model))
    place.ran(*place.train(seed=1))
    with LabelStore(place.folder / "labels.db", create=True) as store:
        store.add([Task("a", "Judul", "Isi.")])
    tried = 0
    with disk(place.folder / "disk") as folder:
        for name in ("mlruns", "labels.db", "trained"):
            subprocess.run(["cp", "-r", place.folder / name, folder], check=True)
        with pytest.MonkeyPatch.context() as patch, read_only(folder):
            patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlruns/mlflow.db")
            for writing in (
                place.train("--out", folder / "model", "--no-track"),
                place.train("--out", folder / "trained", "--no-track"),
                place.train(),
                ["promote", 1],
                ["predict", place.articles, folder / "topics.csv", "--model", model],
                ["serve", "--port", 0, "--model", model, "--labels", folder / "labels.db"],
                ["export", folder / "exported", "--format", "sklearn", "--model", model],
                ["evaluate", place.articles, "--model", model, "--report", folder / "report"],
            ):
                _refused(place, kanal(*writing))
                tried += 1
            for reading in (["models"], ["predict", place.articles, "--model", folder / "trained"]):
                place.ran(*reading)
    tried += _unreadable(place, model)
    return f"{tried} commands: each time a sentence and exit status 1 or 2; what is only read is read"


def _unreadable(place: Place, model: Path) -> int:
    """Each command on a file that its user may not read."""
    tried = 0
    theirs = place.folder / "theirs"
    theirs.mkdir()
    for name in ("articles.csv", "labels.db", "mlruns/mlflow.db", "trained/model.json", "trained/weights.safetensors"):
        subprocess.run(["rm", "-rf", theirs], check=True)
        theirs.mkdir()
        for copied in ("articles.csv", "labels.db", "mlruns", "trained"):
            subprocess.run(["cp", "-r", place.folder / copied, theirs], check=True)
        subprocess.run(["chmod", "-R", "a+rwX", theirs], check=True)
        subprocess.run(["chmod", "a+rx", place.folder, place.folder.parent], check=True)
        (theirs / name).chmod(0)
        commands = {
            "articles.csv": [
                ["predict", theirs / "articles.csv", "--model", model],
                ["train", "--data", theirs / "articles.csv", "--no-track", "--background", "none"],
                ["evaluate", theirs / "articles.csv", "--model", model],
            ],
            "labels.db": [["serve", "--port", 0, "--model", model, "--labels", theirs / "labels.db"]],
            "mlruns/mlflow.db": [["models"], ["promote", 1], ["predict", place.articles]],
        }
        for arguments in commands.get(name, [["predict", place.articles, "--model", theirs / "trained"]]):
            _refused(place, _as_nobody(theirs, kanal(*arguments)))
            tried += 1
    return tried


def _refused(place: Place, command: Callable[[], object]) -> None:
    ended = run(command, place.folder)
    place.expect(ended.sentence, f"{ended.status}: {ended.output[-900:]}")


def _as_nobody(folder: Path, function: Callable[[], object]) -> Callable[[], None]:
    """What calls the function as a user who owns nothing."""

    def call() -> None:
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlruns/mlflow.db"
        os.chdir("/")
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        function()

    return call
