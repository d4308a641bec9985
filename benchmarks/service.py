"""What `kanal serve` answers, how soon, and what it does with more than it can: beside `mlflow models serve`, on loopback.

python -m benchmarks.service [--quick | --full]

--full keeps the overload up for ten minutes. Requests come from `hey` (Debian's package of that name), on the same cores.
"""

import argparse
import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.articles import articles
from benchmarks.contenders import KanalWhole, ScikitLearn
from benchmarks.fitting import trained
from benchmarks.measure import WORK, Table, cores, spread

WORDS = 300
RATE = 500
BUSY_CONNECTIONS, RATE_CONNECTIONS, FLOOD_CONNECTIONS = 8, 20, 300
PARTS = 10
OVERLOAD = 1.5
RUNS = 5
SECONDS_TO_START = 120
KANAL, MLFLOW = "kanal serve", "mlflow models serve, scikit-learn"


@dataclass(frozen=True)
class Service:
    """A service that answers, and what a request to it is."""

    process: "subprocess.Popen[bytes]"
    url: str
    body: Path

    @property
    def megabytes(self) -> float:
        """Resident memory of its process and all that came of it."""
        pids, found = [self.process.pid], []
        while pids:
            found.append(pid := pids.pop())
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                pids += map(int, task.read_text().split())
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in found)
        return pages * 4096 / 1e6


class Answers(NamedTuple):
    """What became of the requests of one load."""

    seconds: float
    status: NDArray[np.int64]
    latency: NDArray[np.float64]
    """Seconds."""

    @property
    def rate(self) -> float:
        """Requests answered with 200, a second."""
        return float((self.status == 200).sum() / self.seconds)

    def milliseconds(self, percentile: float) -> float:
        """Of the requests answered with 200."""
        return float(np.percentile(self.latency[self.status == 200], percentile) * 1e3)


def load(service: Service, seconds: float, connections: int) -> Answers:
    """As many requests on so many connections as they can."""
    return _hey(service, seconds, ["-c", str(connections)])


def paced(service: Service, seconds: float, connections: int, rate: float) -> Answers:
    """Requests on so many connections, `rate` a second in all, each connection waiting for its answers.

    The connections of one `hey` all ask at the same moments, so there are several, which begin one after the other.
    """
    interval = connections / rate
    pace = ["-c", str(connections // PARTS), "-q", f"{1 / interval:.6f}"]
    with ThreadPoolExecutor(PARTS) as pool:
        parts = []
        for _ in range(PARTS):
            parts.append(pool.submit(_hey, service, seconds, pace))
            time.sleep(interval / PARTS)
        taken = [part.result() for part in parts]
    status, latency = (np.concatenate([getattr(part, name) for part in taken]) for name in ("status", "latency"))
    return Answers(max(part.seconds for part in taken), status, latency)


def _hey(service: Service, seconds: float, pace: list[str]) -> Answers:
    begin = time.perf_counter()
    done = subprocess.run(
        ["hey", "-z", f"{seconds:g}s", *pace, "-o", "csv",
         "-m", "POST", "-T", "application/json", "-D", str(service.body), service.url],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    took = time.perf_counter() - begin
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    return Answers(
        took,
        np.array([int(row["status-code"]) for row in rows]),
        np.array([float(row["response-time"]) for row in rows]),
    )


def measure(quick: bool, full: bool = False) -> list[Table]:
    if shutil.which("hey") is None:
        raise SystemExit("hey is needed to ask for answers: install Debian's package of that name.")
    runs, seconds = (1, 2.0) if quick else (RUNS, 10.0)
    overload_seconds = 600 if full else 4 if quick else 60
    rows, figures = [], {}
    with kanal_service() as kanal, mlflow_service() as mlflow:
        services = {KANAL: kanal, MLFLOW: mlflow}
        for service in services.values():
            load(service, seconds / 2, BUSY_CONNECTIONS)
        busy: dict[str, list[Answers]] = {name: [] for name in services}
        steady: list[Answers] = []
        for _ in range(runs):
            for name, service in services.items():
                busy[name].append(load(service, seconds, BUSY_CONNECTIONS))
            steady.append(paced(kanal, seconds, RATE_CONNECTIONS, RATE))
        for name, taken in busy.items():
            rates = [one.rate for one in taken]
            figures[name] = {"requests a second": float(np.median(rates))}
            times = [a.rate / b.rate for a, b in zip(busy[KANAL], taken, strict=True)]
            rows.append([name, f"as many as it can, {BUSY_CONNECTIONS} connections", spread(rates, ".0f"), *_cells(taken), spread(times, ".1f")])  # fmt: skip
        rows.append([KANAL, f"{RATE} a second", spread([one.rate for one in steady], ".0f"), *_cells(steady), ""])
        note = (
            f"One article of {WORDS} words a request, over HTTP on loopback, one worker each, server and client on the same "
            f"{cores()} cores; medians of {runs} runs of {seconds:g} s in turn (least-most); milliseconds as the client sees them. "
            "MLflow serves scikit-learn's pipeline, which answers with topics only and cleans nothing."
        )
        head = ["", "asked for", "answers a second", "p50 ms", "p99 ms", "times"]
        served = Table("One article over HTTP", note, head, rows, "answers a second", figures)
        hold = float(np.median([one.rate for one in busy[KANAL]]))
        return [served, _overload(kanal, OVERLOAD * hold, overload_seconds)]


def _cells(taken: list[Answers]) -> list[str]:
    return [spread([one.milliseconds(percentile) for one in taken], ".1f") for percentile in (50, 99)]


def _overload(service: Service, rate: float, seconds: float) -> Table:
    before = service.megabytes
    taken = paced(service, seconds, FLOOD_CONNECTIONS, rate)
    counts = Counter(taken.status.tolist())
    others = sum(count for status, count in counts.items() if status not in (200, 503))
    note = (
        f"{OVERLOAD:g} times the rate that it can hold, on {FLOOD_CONNECTIONS} connections for {seconds:g} s; the client "
        "takes its part of the cores, and asks for less than it should when it is late."
    )
    row = [
        f"{rate:.0f}",
        f"{len(taken.status) / taken.seconds:.0f}",
        f"{taken.rate:.0f}",
        f"{counts[503]:,}",
        f"{others:,}",
    ]
    row += [f"{taken.milliseconds(percentile):.1f}" for percentile in (50, 99)]
    row += [f"{before:.0f}", f"{service.megabytes:.0f}", "yes" if service.process.poll() is None else "no"]
    head = [
        "wanted a second",
        "asked a second",
        "answered a second",
        "refused (503)",
        "other answers",
        "p50 ms",
        "p99 ms",
    ]
    head += ["MB before", "MB after", "alive"]
    return Table("More requests than can be answered", note, head, [row])


@contextmanager
def kanal_service() -> Iterator[Service]:
    model = KanalWhole.files(trained(KanalWhole.name))
    title, text = _article()
    body = _written("kanal.json", {"articles": [{"title": title, "text": text}]})
    port = _free_port()
    command = [sys.executable, "-m", "kanal", "serve", "--model", str(model), "--port", str(port), "--rate-limit", "0"]
    with _running(command, f"http://127.0.0.1:{port}/readyz") as process:
        yield Service(process, f"http://127.0.0.1:{port}/v1/predict", body)


@contextmanager
def mlflow_service() -> Iterator[Service]:
    import joblib
    import mlflow.sklearn

    folder = WORK / "mlflow-scikit-learn"
    shutil.rmtree(folder, ignore_errors=True)
    pipeline = joblib.load(ScikitLearn.files(trained(ScikitLearn.name)))
    mlflow.sklearn.save_model(
        pipeline, folder, pip_requirements=[], skops_trusted_types=None, serialization_format="cloudpickle"
    )
    body = _written("mlflow.json", {"inputs": ["\n".join(_article())]})
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder), "-p", str(port)]
    command += ["--env-manager", "local", "--workers", "1"]
    with _running(command, f"http://127.0.0.1:{port}/ping") as process:
        yield Service(process, f"http://127.0.0.1:{port}/invocations", body)


@contextmanager
def _running(command: list[str], ready: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A server's process, from when it is ready."""
    # MLflow looks for its server there.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=environment
    )
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)}: did not start")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(SECONDS_TO_START)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _article() -> tuple[str, str]:
    article = articles(1).to_pylist()[0]
    return article["title"], " ".join(article["text"].split(" ")[:WORDS])


def _written(name: str, body: object) -> Path:
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / name).write_text(json.dumps(body), encoding="utf-8")
    return WORK / name


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description="Articles over HTTP")
    parser.add_argument("--quick", action="store_true", help="few and short runs: to see that everything works")
    parser.add_argument("--full", action="store_true", help="ten minutes of overload")
    for table in measure(**vars(parser.parse_args())):
        print(table.markdown())


if __name__ == "__main__":
    main()
