import json
from pathlib import Path

import pytest

from train.check import Report, check_corpus
from train.corpus import load_corpus

WORDS = ["pagi", "siang", "sore", "malam", "hujan", "panas", "angin", "kabut", "embun", "petir", "mendung", "cerah"]


def text(number: int) -> str:
    """An article's text of its own for each number."""
    return " ".join(f"{word}{number}" for word in WORDS * 4)


def check(tmp_path: Path, *rows: dict[str, object], topics: tuple[str, ...] | None = ("crime", "court")) -> Report:
    path = tmp_path / "a.jsonl"
    lines = [
        {"id": str(i), "text": text(i), "topics": ["crime"], "split": "train", **row} for i, row in enumerate(rows)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return check_corpus(load_corpus([path]), topics)


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"topics": ["crimes"]}, "line 2: unknown topic 'crimes'; did you mean 'crime'?"),
        ({"topics": ["crime", "xyz"]}, "line 2: unknown topic 'xyz'; `kanal topics` lists those there are."),
        ({"date": "5 Mei 2024"}, "line 2: the date is '5 Mei 2024'; write it as YYYY-MM-DD or leave it empty."),
        ({"date": "20240505"}, "line 2: the date is '20240505'; write it as YYYY-MM-DD or leave it empty."),
        ({"split": "dev"}, "line 2: the split is 'dev'; write train or test, or leave it empty."),
        ({"id": "0"}, "line 2: the id '0' is that of {path}, line 1 too; give each article its own."),
        ({"text": text(0).upper()}, "line 2: the same title and text as {path}, line 1; delete one of the two."),
        (
            {"text": text(0) + " tambahan", "split": "test"},
            "line 2: shares most of its text with {path}, line 1, of the other split; put both in one.",
        ),
    ],
)
def test_each_error_is_told_once_with_its_line(tmp_path: Path, row: dict[str, object], error: str) -> None:
    path = tmp_path / "a.jsonl"
    assert check(tmp_path, {}, row).errors == [f"{path}, {error.format(path=path)}"]


def test_nothing_wrong(tmp_path: Path) -> None:
    both: dict[str, object] = {"topics": ["court", "crime"]}
    report = check(tmp_path, {"date": "2024-02-29"}, *[both] * 5, {"split": ""}, {"text": text(1) + " tambahan"})
    assert (report.errors, report.warnings) == ([], [])


def test_rare_topics_are_warned_of(tmp_path: Path) -> None:
    assert check(tmp_path, {"split": "test"}, {}, {}, {}, {}).warnings == [
        "topic 'crime': 4 articles to train on; write more, it takes 5 or more.",
        "topic 'court': 0 articles to train on; write more, it takes 5 or more.",
    ]


def test_any_topic_will_do_without_a_taxonomy(tmp_path: Path) -> None:
    assert check(tmp_path, {"topics": ["olahraga"]}, topics=None).errors == []


def test_table_counts_topics_and_splits(tmp_path: Path) -> None:
    report = check(tmp_path, {}, {"split": "test", "topics": ["court", "crime"]}, {"split": ""}, {"topics": []})
    assert report.table().splitlines() == [
        "articles           4 (2 train, 1 test, 1 without a split)",
        "words an article   48 to 48, median 48",
        "topics an article  0: 1, 1: 2, 2: 1",
        "near-duplicates    0",
        "",
        "topic                   train      test  no split       all",
        "crime                       1         1         1         3",
        "court                       0         1         0         1",
        "(no topic)                  1         0         0         1",
    ]
