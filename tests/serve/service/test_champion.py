"""The champion's watch of a real registry: new versions, broken ones, and requests that go on meanwhile."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import TEXT, ask, server_thread, small_model, wait_for

from serve.errors import InputError
from serve.model_files import WEIGHTS
from serve.registry import CHAMPION, MODEL_FOLDER, NAME, find_model, local_database, mlflow_client, version_uri
from serve.service.champion import Champion
from serve.service.settings import Settings
from train import tracking

SECONDS = 0.05
WEIGHTS_OF_VERSIONS = (4.0, 6.0, 8.0)


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MLflow's database and three versions of `kanal`, the first of them champion."""
    made, kept = (tmp_path_factory.mktemp("registry") / name for name in ("made", "kept"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{made / 'mlflow.db'}")
        made.mkdir()
        with mlflow_client() as client:
            client.create_registered_model(NAME)
            for number, weight in enumerate(WEIGHTS_OF_VERSIONS, 1):
                place = made / "artifacts" / "models" / f"m-{number}" / "artifacts"
                small_model(weight).save(place / MODEL_FOLDER)
                client.create_model_version(NAME, str(place))
            client.set_registered_model_alias(NAME, CHAMPION, "1")
    # The database still says the old place, so what is used is what lies beside a copy of it.
    return made.rename(kept)


@pytest.fixture
def promote(registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Points MLflow at a registry of the test's own; makes a version its champion."""
    folder = shutil.copytree(registered, tmp_path / "mlruns")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    return tracking.promote


@pytest.fixture
def champion(promote: Callable[[int], None]) -> Iterator[Champion]:
    watched = Champion(None, SECONDS)
    watched.start()
    yield watched
    watched.stop()


def test_the_champion_is_in_use_under_the_address_of_its_version(champion: Champion) -> None:
    assert champion.ready and champion.problem is None
    assert champion.serving.uri == "models:/kanal/1"
    assert champion.serving.version == small_model(WEIGHTS_OF_VERSIONS[0]).version
    champion.retire()
    assert not champion.ready and champion.serving


def test_a_new_champion_is_put_in_use(promote: Callable[[int], None], champion: Champion) -> None:
    changes = []
    champion.on_change = changes.append
    first = champion.serving
    promote(2)
    second = wait_for(lambda: champion.serving if champion.serving is not first else None, "version 2 in use")
    assert second.uri == "models:/kanal/2" and second.version == small_model(WEIGHTS_OF_VERSIONS[1]).version
    assert first.model.predict(TEXT) == ["politik", "olahraga"]
    assert second.model.predict(TEXT) == ["olahraga", "politik"]
    wait_for(lambda: changes == [second], "the change is told once")


def test_a_broken_version_leaves_the_old_one_in_use_until_it_is_whole(
    promote: Callable[[int], None], champion: Champion, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[None] = []
    champion.on_failure = lambda: failures.append(None)
    first = champion.serving
    weights = find_model("models:/kanal/2") / WEIGHTS
    content = weights.read_bytes()
    weights.write_bytes(content[:-1])
    promote(2)
    wait_for(lambda: failures, "version 2 is refused")
    assert champion.serving is first and champion.ready
    assert champion.problem == "models:/kanal/2 could not be loaded; models:/kanal/1 stays in use."
    assert "truncated or altered" in caplog.text

    weights.write_bytes(content)
    wait_for(lambda: champion.serving is not first, "version 2 in use")
    assert champion.serving.uri == "models:/kanal/2" and champion.problem is None
    assert len(failures) == 1


def test_a_problem_is_over_when_the_champion_is_the_old_one_again(
    promote: Callable[[int], None], champion: Champion
) -> None:
    first = champion.serving
    shutil.rmtree(find_model("models:/kanal/3"))
    promote(3)
    wait_for(lambda: champion.problem, "version 3 is refused")
    promote(1)
    wait_for(lambda: champion.problem is None, "the problem is over")
    assert champion.serving is first


def test_a_registry_that_is_away_for_a_while_changes_nothing(
    promote: Callable[[int], None], champion: Champion
) -> None:
    first = champion.serving
    database = local_database()
    assert database is not None
    away = database.rename(database.with_name("away.db"))
    wait_for(lambda: champion.problem, "the registry is missed")
    assert champion.problem == (
        "The registry does not say which version models:/kanal@champion is; models:/kanal/1 stays in use."
    )
    away.rename(database)
    wait_for(lambda: champion.problem is None, "the registry is back")
    assert champion.serving is first
    promote(2)
    wait_for(lambda: champion.serving.uri == "models:/kanal/2", "version 2 in use")


def test_a_version_is_not_watched_and_a_folder_has_no_address(promote: Callable[[int], None], tmp_path: Path) -> None:
    small_model().save(tmp_path / "model@home")
    for model, uri in (("models:/kanal/1", "models:/kanal/1"), (str(tmp_path / "model@home"), None)):
        before = threading.active_count()
        fixed = Champion(model, SECONDS)
        fixed.start()
        assert fixed.serving.uri == uri and threading.active_count() == before
        fixed.stop()


def test_what_cannot_be_loaded_at_the_start_is_an_error_with_a_sentence(tmp_path: Path) -> None:
    missing = Champion(str(tmp_path / "nowhere"), SECONDS)
    with pytest.raises(InputError, match="no such model folder"):
        missing.start()
    assert not missing.ready
    with pytest.raises(RuntimeError):
        _ = missing.serving


def test_every_answer_is_whole_and_of_one_version_while_the_champion_changes(promote: Callable[[int], None]) -> None:
    models = [small_model(weight) for weight in WEIGHTS_OF_VERSIONS]
    expected = {
        model.version: {
            topic: round(float(p), 4) for topic, p in zip(model.topics, model.predict_proba([TEXT])[0], strict=True)
        }
        for model in models
    }
    articles = [{"text": TEXT, "id": str(i)} for i in range(20)]
    seen: set[str] = set()
    faults: list[object] = []
    done = threading.Event()

    def keep_asking(port: int) -> None:
        while not done.is_set():
            status, answer, _ = ask(port, "POST", "/v1/predict?all=true", {"articles": articles})
            version = answer.get("model", {}).get("version")
            found = [
                {topic["id"]: topic["probability"] for topic in article["topics"]} for article in answer["articles"]
            ]
            if status != 200 or found != [expected.get(version)] * len(articles):
                faults.append((status, answer))
            seen.add(version)

    with server_thread(Settings(rate=0, lag_seconds=60), Champion(None, SECONDS)) as port:
        threads = [threading.Thread(target=keep_asking, args=(port,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for number in (2, 3, 1, 3):
                promote(number)
                version = models[number - 1].version
                wait_for(lambda v=version: ask(port, "GET", "/readyz")[1]["model"]["version"] == v, "the new champion")
                seen.clear()
                wait_for(lambda v=version: v in seen, "answers of the new champion")
        finally:
            done.set()
            for thread in threads:
                thread.join()
    assert not faults, faults[0]


def test_the_address_of_a_version(promote: Callable[[int], None]) -> None:
    assert version_uri() == version_uri("models:/kanal@champion") == "models:/kanal/1"
    assert version_uri("models:/kanal/7") == "models:/kanal/7"
    assert version_uri("some/folder") is None
    promote(3)
    assert version_uri() == "models:/kanal/3"
    with pytest.raises(InputError, match="no such alias"):
        version_uri("models:/kanal@best")
