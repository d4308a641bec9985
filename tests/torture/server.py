"""An MLflow server that is away for the whole or a part of a training, or does not answer; and trainings at the same time."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serve.model import TopicModel
from serve.registry import find_model
from tests.torture.kills import SEED, _pause, _wait
from tests.torture.material import Place, registered
from tests.torture.processes import Ended, Process, kanal, moments, run


@contextmanager
def mlflow_server(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A real MLflow server on this machine, which answers."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", f"{folder}/kept"]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(lambda: _answers(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "server.log").read_text()[-1000:]
        yield process
    finally:
        kill_server(process)
        process.wait()


def kill_server(process: "subprocess.Popen[bytes]") -> None:
    """Kills the server and its workers."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def away(place: Place, times: int) -> str:
    """The training finishes, keeps everything, and is uploaded when the server is back."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    unsent = place.registry / "unsent"
    kept = tracked = 0

    def here(*arguments: object) -> Callable[[], None]:
        def call() -> None:
            import serve.registry
            import train.unsent

            # Beside the checkout otherwise, as the registry is a server.
            serve.registry.MLRUNS = train.unsent.MLRUNS = place.registry
            kanal(*arguments)()

        return call

    def checked(ended: Ended) -> bool:
        """Whether a training was kept; that or tracked it has to be."""
        folders = list(unsent.iterdir()) if unsent.exists() else []
        place.expect(ended.status == len(folders) <= 1, f"train: {ended.status}, {folders}, {ended.output[-500:]}")
        place.expect("politik" in ended.output, "the training did not print its figures")
        for folder in folders:
            place.expect(ended.sentence and f"`kanal models upload {folder}`" in ended.output, ended.output[-500:])
            place.expect(len(TopicModel.load(folder / "model").topics) == 3, "the kept model")
        return bool(folders)

    def uploaded() -> None:
        [folder] = unsent.iterdir()
        ended = run(here("models", "upload", folder), place.folder)
        place.expect(ended.status == 0 and "Version " in ended.output, f"upload: {ended.output[-500:]}")
        place.expect(not list(unsent.iterdir()), "the kept training is there after its upload")
        ended = run(here("models"), place.folder)
        place.expect(ended.output.count("champion") == 1, f"models: {ended.output}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        never = run(here(*place.train()), place.folder)
        place.expect(checked(never), "nothing was kept though there was no server")
        folder = next(unsent.iterdir())
        ended = run(here("models", "upload", folder), place.folder)
        place.expect(ended.sentence and folder.exists(), "the upload without a server")
        with mlflow_server(place.folder, port) as server:
            uploaded()
            done = run(here(*place.train()), place.folder)
            place.expect(done.status == 0, done.output)
            hung = Process(here(*place.train(seed=1)), place.folder / "output")
            os.killpg(server.pid, signal.SIGSTOP)
            waited = hung.end()
            os.killpg(server.pid, signal.SIGCONT)
            place.expect(checked(waited), "nothing was kept though the server did not answer")
            uploaded()
        for number, moment in zip(range(times), moments(done.seconds, times, SEED), strict=False):
            with mlflow_server(place.folder, port) as server:
                training = Process(here(*place.train(seed=number)), place.folder / "output")
                _pause(moment)
                kill_server(server)
                ended = training.end()
            if checked(ended):
                kept += 1
                with mlflow_server(place.folder, port):
                    uploaded()
            else:
                tracked += 1
    return (
        f"without a server kept after {never.seconds:.0f} s, with one that hangs after {waited.seconds:.0f} s (undisturbed: "
        f"{done.seconds:.0f} s); killed meanwhile: {kept} trainings kept, {tracked} had been tracked; each uploaded later"
    )


def together(place: Place, times: int) -> str:
    """Two first trainings, then two trainings and two promotions, at once."""
    for number in range(times):
        for path in (place.registry / "mlflow.db",) if number % 2 == 0 else ():
            path.unlink(missing_ok=True)
        before = registered(place.database)[1] if place.database.exists() else []
        out = place.folder / "model"
        both = [Process(kanal(*place.train("--out", out, seed=seed)), place.folder / f"{seed}") for seed in (0, 1)]
        for process in both:
            ended = process.end()
            place.expect(ended.status == 0, f"training: {ended.status} {ended.output[-600:]}")
        champion, versions = registered(place.database)
        new = set(versions) - set(before)
        place.expect(len(new) == 2 and champion in new, f"{len(new)} new versions, champion {champion}")
        for version in versions:
            TopicModel.load(find_model(f"models:/kanal/{version}"))
        TopicModel.load(out)
        both = [Process(kanal("promote", version), place.folder / f"{version}") for version in new]
        for process in both:
            ended = process.end()
            place.expect(ended.status == 0, f"promote: {ended.status} {ended.output[-600:]}")
        place.expect(registered(place.database)[0] in new, "the champion is neither of the two")
        place.expect(place.ran("models").count("champion") == 1, "`kanal models` does not show one champion")
        place.expect(not place.leftovers(), f"left: {place.leftovers()}")
    return "both finished, two versions more, one champion, each version and --out load"


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
    except OSError:
        return False
    return True
