"""Kill -9 at random moments: of training, promotion, prediction, the service and the page for labels."""

import http.client
import json
import os
import random
import re
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from serve.files import journal, lines
from serve.files.journal import rejected_file
from serve.labelling.store import LabelStore, Task
from serve.model import TopicModel
from serve.registry import find_model
from tests.torture.material import TOPICS, Place, registered, whole_models, write_articles
from tests.torture.processes import PATIENCE, Process, ended_at_last, kanal, moments, run

SEED = 8


def training(place: Place, kills: int) -> str:
    """`kanal train --out`, tracked: after each kill registry and models are whole; at the end it works."""
    out = place.folder / "model"
    place.ran(*place.train("--out", out))
    done = run(kanal(*place.train("--out", out, seed=1)), place.folder)
    place.expect(done.status == 0, done.output)
    known = {TopicModel.load(find_model(f"models:/kanal/{number}")).version for number in (1, 2)}
    number = promoted = 0
    for moment in moments(done.seconds, kills, SEED):
        before, versions = registered(place.database)
        ended = run(kanal(*place.train("--out", out, seed=number % 2)), place.folder, moment)
        after, more = registered(place.database)
        place.expect(after == before or after in set(more) - set(versions), f"champion {before} became {after}")
        place.expect(TopicModel.load(find_model()).version in known, "the champion is not a trained model")
        place.expect(TopicModel.load(out).version in known, "the model in --out is not a trained model")
        place.expect(len(place.leftovers()) <= 1, f"left beside --out: {place.leftovers()}")
        place.expect("champion" in place.ran("models"), "`kanal models` shows no champion")
        promoted += after != before and ended.killed
        number += ended.killed
        if number == kills:
            break
    for version in more:
        place.expect(TopicModel.load(find_model(f"models:/kanal/{version}")).version in known, f"version {version}")
    wrong = {path: found for path, found in whole_models(place.registry).items() if found not in known}
    refused = [found for found in wrong.values() if found.startswith("ModelError")]
    place.expect(len(refused) == len(wrong), f"half models: {wrong}")
    place.ran(*place.train("--out", out))
    place.expect(not place.leftovers(), f"left after the next run: {place.leftovers()}")
    return (
        f"champion the old one or the new one ({promoted} times the new one), every version loads, {len(refused)} half "
        "folders in mlruns/artifacts that no version names and none loads, the next training works and clears up --out"
    )


def first_training(place: Place, kills: int) -> str:
    """The making of MLflow's database, which only the first training has to do: killed, it is made again."""
    from serve.registry import mlflow_client

    def make() -> None:
        with mlflow_client() as client:
            client.search_experiments()

    def fresh() -> None:
        for path in place.registry.iterdir():
            path.unlink()

    done = run(make, place.folder)
    place.expect(done.status == 0, done.output)
    number = again = 0
    for moment in moments(done.seconds, kills, SEED):
        fresh()
        ended = run(make, place.folder, moment)
        if not ended.killed:
            continue
        number += 1
        there = place.database.exists()
        again += not there
        ended = run(make, place.folder)
        place.expect(ended.status == 0, f"after a kill at {moment:.2f} s: {ended.output[-400:]}")
        place.expect({path.name for path in place.registry.iterdir()} == {"mlflow.db"}, "leftovers in mlruns")
        if number == kills:
            break
    return f"the next run makes the database ({again} times) or uses the one that is there, and leaves nothing else"


def tracking(place: Place, kills: int) -> str:
    """The last steps of a training, from the first call of MLflow to the promotion: the champion is the old or the new."""
    from train.evaluate import evaluate
    from train.experiment import Columns
    from train.tracking import track

    place.ran(*place.train())
    articles = Columns().load([place.articles])
    model = TopicModel.load(find_model())
    evaluation = evaluate(model, articles)

    def log() -> None:
        track(
            model, evaluation, settings={}, data={}, report_folder=None, compare=lambda other: evaluate(other, articles)
        )

    done = run(log, place.folder)
    place.expect(done.status == 0, done.output)
    number = promoted = unpromoted = 0
    for moment in moments(done.seconds, kills, SEED):
        before, versions = registered(place.database)
        ended = run(log, place.folder, moment)
        after, more = registered(place.database)
        new = set(more) - set(versions)
        place.expect(after == before or after in new, f"champion {before} became {after}")
        place.expect(TopicModel.load(find_model()).version == model.version, "the champion is another model")
        if not ended.killed:
            continue
        promoted += after in new
        unpromoted += bool(new) and after == before
        number += 1
        if number == kills:
            break
    for version in more:
        loaded = TopicModel.load(find_model(f"models:/kanal/{version}"))
        place.expect(loaded.version == model.version, f"version {version} is another model")
    place.expect(place.ran("models").count("champion") == 1, "`kanal models` does not show one champion")
    place.ran(*place.train())
    return (
        f"champion the old one or the new one ({promoted} times; {unpromoted} times a new version stayed without alias), "
        "every version loads, the next training works"
    )


def promotion(place: Place, kills: int) -> str:
    """`kanal promote`: the champion is the old one or the one that was named."""
    place.ran(*place.train())
    place.ran(*place.train(seed=1))
    done = run(kanal("promote", 1), place.folder)
    number = changed = 0
    for moment in moments(done.seconds, kills, SEED):
        before, _ = registered(place.database)
        named = 3 - (before or 0)
        ended = run(kanal("promote", named), place.folder, moment)
        after, versions = registered(place.database)
        place.expect(after in (before, named) and versions == [1, 2], f"champion {before} became {after}")
        TopicModel.load(find_model())
        changed += ended.killed and after == named
        number += ended.killed
        if number == kills:
            break
    place.ran("promote", 1)
    place.expect(registered(place.database)[0] == 1, "the next promotion did nothing")
    place.expect(place.ran("models").count("champion") == 1, "`kanal models` does not show one champion")
    return f"champion the old one or the one named ({changed} times), never another or none"


def prediction(place: Place, kills: int) -> str:
    """`kanal predict`, to files of four kinds: with --resume the same bytes as without a kill."""
    model = place.folder / "model"
    place.ran(*place.train("--out", model, "--no-track"))
    crawl, whole = place.folder / "crawl.csv", place.folder / "whole"
    write_articles(crawl, 4000)
    whole.mkdir()
    out = place.folder / "out"
    out.mkdir()

    def predict(target: Path, *options: str) -> Callable[[], None]:
        def call() -> None:
            # So that a small file has as many places to go on from as a large one.
            lines.BLOCK_SIZE, journal.SECONDS_BETWEEN_CHECKPOINTS = 20_000, 0
            kanal("predict", crawl, target, "--model", model, "--keep", *options)()

        return call

    seconds = {}
    for name in ("a.csv", "a.csv.gz", "a.jsonl.zst", "a.parquet"):
        done = run(predict(whole / name), place.folder)
        place.expect(done.status == 0, done.output)
        seconds[name] = done.seconds
    number = resumed = 0
    names = list(seconds) * kills
    for share in moments(1.0, kills, SEED):
        name = names[number]
        target = out / name
        ended = run(predict(target, "--resume"), place.folder, share * seconds[name])
        if ended.killed:
            number += 1
            there = [path for path in (target, rejected_file(target)) if path.exists()]
            same = target.exists() and target.read_bytes() == (whole / name).read_bytes()
            place.expect(not there or same, f"{name}: something half under its final name: {there}")
            # A run from the start would give the same bytes too: the journal must not be refused.
            resumed += Path(f"{target}.journal").exists()
            ended = run(predict(target, "--resume"), place.folder)
        place.expect(ended.status == 0, ended.output)
        place.expect(target.read_bytes() == (whole / name).read_bytes(), f"{name}: other bytes")
        place.expect(list(out.iterdir()) == [target], f"left: {list(out.iterdir())}")
        target.unlink()
        if number == kills:
            break
    return f"the same bytes with --resume ({resumed} times there was a journal to go on from), nothing else left"


def service(place: Place, kills: int) -> str:
    """`kanal serve` with two workers under load: a worker is replaced, workers end with their parent, a restart serves."""
    place.ran(*place.train())
    log = place.folder / "service"
    asked = place.folder / "asked"
    rng = random.Random(SEED)
    for number in range(0, kills, 2):
        with _service(place.folder, log) as (process, port), ended_at_last(Process(_load(port), asked)):
            _wait(lambda: asked.exists() and asked.stat().st_size > 20, process)
            _pause(rng.uniform(0, 0.5))
            workers = _another_worker(process, rng)
            place.expect(_ask(port)[0] == 200, "it does not answer after a worker was killed")
            if number + 1 < kills:
                _pause(rng.uniform(0, 0.5))
                process.kill()
                _all_end(workers)
        told = asked.read_text()
        place.expect(not re.search(r"[^.x]", told), f"answers that were wrong: {told}")
        place.expect("Traceback" not in log.read_text(), log.read_text()[-500:])
    with _service(place.folder, log) as (process, port):
        place.expect(_ask(port)[0] == 200, "it does not answer after a restart")
    return (
        "a killed worker was replaced and the service answered; workers ended with a killed parent; a restart served; no "
        "answer was wrong, those in flight were cut off"
    )


def labels(place: Place, kills: int) -> str:
    """`kanal serve --labels` while labels are saved: no label is lost that the service has said to be kept."""
    place.ran(*place.train())
    store, log, kept = place.folder / "labels.db", place.folder / "service", place.folder / "kept"
    with LabelStore(store, create=True) as made:
        made.add(Task(f"a{i}", f"Judul {i}", "Isi.") for i in range(200 * kills))
    rng = random.Random(SEED)
    acknowledged: dict[str, list[str]] = {}
    for _ in range(kills):
        kept.unlink(missing_ok=True)
        with (
            _service(place.folder, log, "--labels", store, workers=1) as (process, port),
            ended_at_last(Process(_label(port), kept)),
        ):
            _wait(lambda: kept.exists() and kept.stat().st_size > 0, process)
            _pause(rng.uniform(0, 0.5))
            process.kill()
        for line in kept.read_text().splitlines(keepends=True):
            if line.endswith("\n") and line.startswith("["):
                task, topics = json.loads(line)
                acknowledged[task] = topics
        with LabelStore(store) as opened:
            there = {label.task.id: list(label.topics) for label in opened.labelled()}
        lost = {task for task, topics in acknowledged.items() if there.get(task) != topics}
        place.expect(not lost, f"lost labels: {sorted(lost)[:5]}")
    return f"{len(acknowledged)} labels acknowledged, all there; every restart served the store"


@contextmanager
def _service(folder: Path, log: Path, *options: object, workers: int = 2) -> Iterator[tuple[Process, int]]:
    """A service that answers, and its port."""
    log.unlink(missing_ok=True)
    with ended_at_last(Process(kanal("serve", "--port", 0, "--workers", workers, *options), log)) as process:
        listens = _wait(lambda: log.exists() and re.search(r"http://\S+:(\d+), model \w+", log.read_text()), process)
        port = int(listens[1])
        _wait(lambda: _ask(port)[0] == 200, process)
        yield process, port


def _another_worker(process: Process, rng: random.Random) -> list[int]:
    """Kills a worker; the workers when another one has taken its place."""
    workers = _workers(process.pid)
    os.kill(rng.choice(workers), signal.SIGKILL)
    _wait(lambda: len(set(_workers(process.pid)) - set(workers)) == 1, process)
    return _workers(process.pid)


def _all_end(pids: list[int]) -> None:
    _wait(lambda: not any(map(_runs, pids)))


def _ask(port: int, path: str = "/v1/predict", body: Any = None) -> tuple[int, Any]:
    """Status and JSON of an answer; status 0 where the connection ends before."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(
            "POST",
            path,
            json.dumps(body or {"articles": [{"text": " ".join(f"{TOPICS[0]}{i}" for i in range(40))}]}),
            {"Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()


def _load(port: int) -> Callable[[], None]:
    """Asks without end: a dot for each right answer, an x where the connection ends, anything else for a wrong one."""

    def ask() -> None:
        while True:
            status, answer = _ask(port)
            right = status == 200 and [topic["id"] for topic in answer["articles"][0]["topics"]] == [TOPICS[0]]
            print("." if right else "x" if status == 0 else f"[{status}]", end="", flush=True)

    return ask


def _label(port: int) -> Callable[[], None]:
    """Labels articles, and prints of each its id and topics once the service has said that the label is kept."""

    def work() -> None:
        rng = random.Random(port)
        while True:
            _, answer = _ask(port, "/v1/labels/next", {"annotator": "Sari"})
            if answer is None:
                return
            task, topics = answer["task"]["id"], rng.sample(TOPICS, rng.randrange(3))
            decision = {"id": task, "topics": topics, "annotator": "Sari", "revision": answer["task"]["revision"]}
            status, _ = _ask(port, "/v1/labels/save", decision)
            if status == 200:
                print(json.dumps([task, topics]), flush=True)

    return work


def _wait(condition: Callable[[], Any], process: Process | None = None) -> Any:
    """What `condition` gives as soon as it is true, while a process lives that has to."""
    for _ in range(int(PATIENCE * 100)):
        if found := condition():
            return found
        if process is None:
            _pause(0.01)
        elif select.select([process.handle], [], [], 0.01)[0]:
            raise AssertionError(f"it ended: {process.log.read_text()[-1000:]}")
    raise AssertionError("waited in vain")


def _pause(seconds: float) -> None:
    select.select([], [], [], seconds)


def _workers(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
