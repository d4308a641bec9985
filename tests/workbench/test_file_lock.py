"""Of two that change a file at once none undoes the other's work."""

import json
import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from serve.labelling.store import LabelStore, Task
from serve.topics import Topic, load_topics
from workbench.corpus_file import append_articles
from workbench.corrections import correct_in_place
from workbench.decisions import SuggestedTopics
from workbench.exchange import import_files
from workbench.file_lock import changing
from workbench.label_import import import_labels
from workbench.topics import add_topic

PROCESSES, ARTICLES = 3, 30


def article(name: str) -> dict[str, object]:
    return {"id": name, "title": "", "text": f"Teks {name}", "topics": ["crime"]}


def append(corpus: Path, name: str) -> None:
    for number in range(ARTICLES):
        append_articles(corpus, [article(f"{name}-{number}")])


def test_processes_that_add_to_a_corpus_lose_no_article(tmp_path: Path) -> None:
    corpus = tmp_path / "new" / "corpus.jsonl"
    start = multiprocessing.get_context("fork").Process
    processes = [start(target=append, args=(corpus, str(number))) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    ids = {json.loads(line)["id"] for line in corpus.read_text().splitlines()}
    assert len(ids) == PROCESSES * ARTICLES


def _import_files(corpus: Path) -> None:
    other = corpus.with_name("other.csv")
    other.write_text("id,text,topics\nb,Lain,court\n")
    import_files([other], corpus, columns={})


def _import_labels(corpus: Path) -> None:
    with LabelStore(corpus.with_name("labels.db"), create=True) as store:
        store.add([Task("b", "Judul", "Lain")])
        store.save("b", ("court",), "sari", 0)
    import_labels(corpus.with_name("labels.db"), corpus)


def _correct(corpus: Path) -> None:
    correct_in_place([SuggestedTopics("a", str(corpus), 1, "Teks a", ("crime",), ("court",), "0.1", "accept")])


@pytest.mark.parametrize(
    ("change", "ids"), [(_import_files, ["a", "c", "b"]), (_import_labels, ["a", "c", "b"]), (_correct, ["a", "c"])]
)
def test_who_changes_a_corpus_waits_before_reading_it(
    tmp_path: Path, change: Callable[[Path], None], ids: list[str]
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    append_articles(corpus, [article("a") | {"title": "Teks a"}])
    if change is _correct:
        append_articles(corpus, [article("d") | {"topics": ["court"]}])
        ids = ["a", "d", "c"]
    # Once elsewhere: what is done for the first time takes long before it comes to the file.
    (tmp_path / "once").mkdir()
    change(Path(shutil.copy(corpus, tmp_path / "once")))
    (tmp_path / "link.jsonl").symlink_to(corpus)
    other = Thread(target=change, args=(corpus,))
    with changing(tmp_path / "link.jsonl"):
        other.start()
        other.join(0.5)
        assert other.is_alive()
        append_articles(corpus, [article("c")])
    other.join()
    articles = [json.loads(line) for line in corpus.read_text().splitlines()]
    assert [found["id"] for found in articles] == ids
    assert ["court"] in [found["topics"] for found in articles]


def test_who_adds_a_topic_waits_before_reading_the_files(tmp_path: Path) -> None:
    topics, lexicon = tmp_path / "topics.toml", tmp_path / "lexicon.toml"
    other = Thread(target=add_topic, args=(Topic("rail"), ["kereta"], topics, lexicon))
    with changing(lexicon):
        other.start()
        other.join(0.5)
        assert other.is_alive()
        add_topic(Topic("whoosh"), ["kereta cepat"], topics, lexicon)
    other.join()
    assert list(load_topics(topics))[-2:] == ["whoosh", "rail"]


def test_a_failure_ends_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), changing(tmp_path / "a"):
        raise ZeroDivisionError
    other = Thread(target=append_articles, args=(tmp_path / "a", [article("a")]))
    other.start()
    other.join(10)
    assert not other.is_alive()
