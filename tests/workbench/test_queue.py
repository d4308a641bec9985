"""What is worth a label in a crawl: chosen from files, with a model of two topics."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from serve.errors import InputError
from serve.labelling.store import LabelStore, Task
from serve.topics import Topic
from tests.serve.service.running import small_model
from train.corpus import load_corpus
from workbench import queue as queue_module
from workbench.queue import make_queue, write_tasks
from workbench.strategy import Strategy
from workbench.worth import entropy

# Twelve words of Indonesian, so that the language can be told; the model knows "bola" and "presiden".
FILLER = "pada hari ini para warga di desa itu sudah tidak lagi menunggu kabar dari kota untuk mereka semua"
SURE, UNSURE, UNKNOWN = "bola", "presiden bola", "cuaca"


def text(words: str, number: int) -> str:
    """An article that holds the words, and is no copy of one of another number."""
    return f"{words} {FILLER} " + " ".join(f"nomor{number}kata{i}" for i in range(20))


def crawl(path: Path, texts: Sequence[str], **columns: Any) -> Path:
    rows = [{"title": f"Judul {i}", "text": one, **columns} for i, one in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def texts_of(tasks: Sequence[Task]) -> list[str]:
    return [task.text for task in tasks]


def test_the_most_uncertain_come_first_with_their_reason_and_suggestions(tmp_path: Path) -> None:
    texts = [text(words, i) for i, words in enumerate((SURE, UNKNOWN, UNSURE, SURE))]
    model = small_model()
    filed = model.file(texts, [f"Judul {i}" for i in range(4)])
    found = make_queue(model, [crawl(tmp_path / "crawl.jsonl", texts)], 2, Strategy.uncertainty)
    assert found.read == 4 and len(found.tasks) == 2
    first = found.tasks[0]
    i = int(entropy(filed.probabilities, False).argmax())
    assert first.text == texts[i]
    closest = int(abs(filed.probabilities[i] - 0.5).argmin())
    assert first.reason.startswith(f"uncertain: {model.topics[closest]} {filed.probabilities[i, closest]:.2f}")
    assert [topic for topic, _ in first.suggested] == [model.topics[j] for j in (-filed.probabilities[i]).argsort()]


def test_of_near_copies_one_is_chosen(tmp_path: Path) -> None:
    original = text(UNSURE, 1)
    copies = [original, original, original + " tambahan", text(UNSURE, 2)]
    found = make_queue(small_model(), [crawl(tmp_path / "crawl.jsonl", copies)], 4, Strategy.uncertainty)
    assert len(found.tasks) == 2
    assert text(UNSURE, 2) in texts_of(found.tasks)


def test_empty_and_foreign_articles_are_left_out(tmp_path: Path) -> None:
    english = "The president said on Monday that the government would not change its policy because it had been agreed."
    path = tmp_path / "crawl.jsonl"
    rows = [{"title": "", "text": ""}, {"title": "", "text": english}, {"title": "", "text": text(UNSURE, 1)}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = make_queue(small_model(), [path], 9, Strategy.uncertainty)
    assert texts_of(found.tasks) == [text(UNSURE, 1)]
    assert (found.read, found.unfit) == (3, 2)


@pytest.mark.parametrize("strategy", Strategy)
def test_where_nothing_is_fit_nothing_is_chosen(tmp_path: Path, strategy: Strategy) -> None:
    file, corpus = crawl(tmp_path / "crawl.jsonl", [""]), crawl(tmp_path / "corpus.jsonl", ["apa"], topics=["politik"])
    file.write_text('{"text": ""}\n{"text": null}\n')
    found = make_queue(small_model(), [file], 3, strategy, labelled=load_corpus([corpus]))
    assert (found.tasks, found.read, found.unfit) == ([], 2, 2)


def test_articles_of_the_corpus_and_of_the_store_are_left_out_and_their_copies(tmp_path: Path) -> None:
    texts = [text(UNSURE, i) for i in range(4)]
    corpus = crawl(tmp_path / "corpus.jsonl", [texts[0] + " berubah"], topics=["politik"])
    waiting = [Task("x", "Judul lain", texts[1])]
    found = make_queue(
        small_model(), [crawl(tmp_path / "crawl.jsonl", texts)], 9, Strategy.uncertainty,
        labelled=load_corpus([corpus]), waiting=waiting,
    )  # fmt: skip
    assert sorted(texts_of(found.tasks)) == sorted(texts[2:])
    assert found.known == 2


def test_what_is_not_held_does_not_change_the_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text((SURE, UNKNOWN, UNSURE)[i % 3] + f" {UNSURE}" * (i % 7), i) for i in range(60)]
    files = [crawl(tmp_path / f"{i}.jsonl", texts[i : i + 10]) for i in range(0, 60, 10)]
    whole = make_queue(small_model(1.0), files, 1, Strategy.uncertainty)
    monkeypatch.setattr(queue_module, "HELD", 1)
    assert make_queue(small_model(1.0), files, 1, Strategy.uncertainty).tasks == whole.tasks


def test_the_same_article_has_the_same_id_in_another_crawl(tmp_path: Path) -> None:
    """Crawls number their articles from one, each anew."""
    first = crawl(tmp_path / "monday.jsonl", [text(UNSURE, 1)], id="1")
    second = crawl(tmp_path / "tuesday.jsonl", [text(UNSURE, 1)], id="2")
    other = crawl(tmp_path / "other.jsonl", [text(UNSURE, 3)], id="1")
    ids = [make_queue(small_model(), [file], 1, Strategy.uncertainty).tasks[0].id for file in (first, second, other)]
    assert ids[0] == ids[1] != ids[2]


def test_usual_columns_and_dates_of_a_site_are_read(tmp_path: Path) -> None:
    file = tmp_path / "crawl.csv"
    file.write_text(f'judul,isi,tanggal,media\nRapat,"{text(UNSURE, 1)}","Rabu, 12 Agt 2026 10:20 WIB",Warta Uji\n')
    (task,) = make_queue(small_model(), [file], 1, Strategy.uncertainty).tasks
    assert (task.title, task.date, task.outlet) == ("Rapat", "2026-08-12", "Warta Uji")


def test_rare_topics_are_told_by_the_corpus(tmp_path: Path) -> None:
    corpus = crawl(tmp_path / "corpus.jsonl", [text("apa", 90 + i) for i in range(8)], topics=["politik"])
    texts = [text("presiden " * 9, 1), text("bola " * 9, 2)]
    found = make_queue(
        small_model(2), [crawl(tmp_path / "crawl.jsonl", texts)], 1, Strategy.rare_topic, labelled=load_corpus([corpus])
    )
    assert texts_of(found.tasks) == [texts[1]]
    assert found.tasks[0].reason.startswith("rare topic: olahraga ") and found.tasks[0].reason.endswith(" 0 labelled")
    with pytest.raises(InputError, match="--skip"):
        make_queue(small_model(), [tmp_path / "crawl.jsonl"], 1, Strategy.rare_topic)


def test_a_crawl_without_articles_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.csv"
    file.write_text("judul,isi\n")
    with pytest.raises(InputError, match="no articles"):
        make_queue(small_model(), [file], 1, Strategy.uncertainty)


def test_a_store_is_added_to_and_keeps_the_topics_that_it_offers(tmp_path: Path) -> None:
    out = tmp_path / "labels.db"
    assert write_tasks([Task("a", "A", "A")], out, [Topic("crime"), Topic("new")]) == 1
    assert write_tasks([Task("a", "A", "A"), Task("b", "B", "B")], out, [Topic("crime"), Topic("court")]) == 1
    with LabelStore(out) as store:
        assert [task.id for task in store.tasks()] == ["a", "b"]
        assert [topic.id for topic in store.topics()] == ["crime", "new", "court"]


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.db"):
        write_tasks([], tmp_path / "tasks.csv", [])
