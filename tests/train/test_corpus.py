import gzip
import json
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from serve.article import NEWS_WATCH
from serve.errors import InputError
from train.corpus import (
    COLUMNS,
    fingerprint,
    group_folds,
    load_corpus,
    read_table,
    split_corpus,
    topic_counts,
    topics_found,
)

BRIDGE = "Jembatan gantung di Desa Sukarela akhirnya dibuka setelah empat tahun warga menyeberang dengan rakit bambu."
CHILLI = "Harga cabai di Pasar Legi naik dua kali lipat, pedagang mengeluh pembeli berkurang sejak awal pekan."


def write_jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def frame_of(*texts: str, splits: list[str] | None = None) -> pd.DataFrame:
    n = len(texts)
    columns = {"id": [str(i) for i in range(n)], "date": "", "outlet": "", "title": "", "text": texts}
    lines = {"topics": [["crime"]] * n, "split": splits or [""] * n, "file": "a.csv", "line": range(2, n + 2)}
    return pd.DataFrame({**columns, **lines})


def random_texts(count: int, words: int = 60, seed: int = 0) -> list[str]:
    generator = np.random.default_rng(seed)
    return [" ".join(f"kata{number}" for number in generator.integers(0, 500, words)) for _ in range(count)]


def message(load: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        load()
    return str(caught.value)


def test_jsonl_gives_every_column(tmp_path: Path) -> None:
    row = {"id": "a-1", "date": "2024-05-06", "outlet": "Suara Hulu", "title": "Jembatan", "text": BRIDGE,
           "topics": ["transport", "government_policy"], "split": "test"}  # fmt: skip
    path = write_jsonl(tmp_path / "a.jsonl", row, {"title": "Cabai", "text": CHILLI, "topics": None})
    frame = load_corpus([path])
    assert list(frame.columns) == list(COLUMNS)
    assert frame.loc[0].to_dict() == {**row, "file": str(path), "line": 1}
    assert frame.loc[1].to_dict() == {
        "id": "a-2", "date": "", "outlet": "", "title": "Cabai", "text": CHILLI, "topics": [], "split": "",
        "file": str(path), "line": 2}  # fmt: skip


def test_csv_finds_usual_columns_and_the_line_where_a_row_begins(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        f'\njudul,isi,kategori\nJembatan,"{BRIDGE}\n\nBaris kedua, dengan ""kutipan"".",transport\n\nCabai,"{CHILLI}",\n',
        encoding="utf-8-sig",
    )
    frame = load_corpus([path])
    assert list(frame["line"]) == [3, 7]
    assert list(frame["title"]) == ["Jembatan", "Cabai"]
    assert list(frame["topics"]) == [["transport"], []]
    assert frame["text"][0].endswith('Baris kedua, dengan "kutipan".')


def test_an_empty_row_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\ttopics\nhalo dunia\tfootball\n\t\n")
    assert message(lambda: load_corpus([path])) == (
        f"{path}, line 3, column 'text': no text, and no title; write the article or delete it."
    )


def test_a_row_that_looks_blank_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('isi\n""\n\n"halo\n"\n \ndunia\n')
    assert [(line, row["isi"]) for line, row in read_table(path).rows] == [
        (2, ""),
        (4, "halo\n"),
        (6, " "),
        (7, "dunia"),
    ]


def test_lines_of_jsonl_count_blank_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    row = json.dumps({"text": BRIDGE + "\nBaris kedua", "topics": []})
    path.write_bytes(gzip.compress(f"\n{row}\n  \n{row}\n".encode()))
    assert list(load_corpus([path])["line"]) == [2, 4]


def test_parquet_keeps_lists_dates_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame(
        {
            "id": [7, 8],
            "date": [pd.Timestamp("2024-01-02"), None],
            "text": [BRIDGE, CHILLI],
            "topics": [["a", "b"], []],
        }
    ).to_parquet(path)
    frame = load_corpus([path])
    assert frame[["id", "date", "topics", "line"]].to_numpy().tolist() == [
        ["7", "2024-01-02", ["a", "b"], 1],
        ["8", "", [], 2],
    ]


@pytest.mark.parametrize(
    ("label", "labels"),
    [
        (["b", "a", "b"], ["b", "a"]),
        ("b | a|b|", ["b", "a"]),
        ("olahraga", ["olahraga"]),
        ('["b", "a|c"]', ["b", "a|c"]),
        ("[]", []),
        ("[arsip]", ["[arsip]"]),
        (3, ["3"]),
        (3.0, ["3"]),
        ([1, "1", 2.5], ["1", "2.5"]),
        ("", []),
        (None, []),
    ],
)
def test_labels(tmp_path: Path, label: object, labels: list[str]) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", {"text": BRIDGE, "topics": label}, {"text": CHILLI, "topics": ["x"]})
    assert load_corpus([path])["topics"][0] == labels


def test_named_columns_and_separator(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"a,b,c\nJudul,{BRIDGE},x;y\n", encoding="utf-8")
    named = {"title_column": "a", "text_column": "b", "label_column": "c"}
    assert load_corpus([path], **named, label_separator=";")["topics"][0] == ["x", "y"]
    assert load_corpus([path], **named, label_separator="")["topics"][0] == ["x;y"]


def test_several_files_follow_each_other(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path / "a.jsonl", {"text": BRIDGE, "topics": []})
    second = write_jsonl(tmp_path / "b.jsonl", {"text": CHILLI, "topics": []})
    frame = load_corpus([second, str(first)])
    assert list(frame["id"]) == ["b-1", "a-1"]
    assert list(frame["file"]) == [str(second), str(first)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"title": " ", "text": "", "topics": []}, "line 2, column 'text': no text, and no title"),
        ({"text": 12, "topics": []}, "line 2, column 'text': expected text, found int 12"),
        ({"text": CHILLI, "topics": {"crime": 1}}, "line 2, column 'topics': expected labels, found dict"),
        ({"text": CHILLI, "topics": [True]}, "line 2, column 'topics': expected labels, found bool True"),
        ({"text": CHILLI, "topics": [["crime"]]}, "line 2, column 'topics': expected labels, found list"),
        (["no object"], "line 2"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, row: object, said: str) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", {"title": "Jembatan", "text": BRIDGE, "topics": []}, row)
    assert f"{path}, {said}" in message(lambda: load_corpus([path]))


def test_broken_files_are_named(tmp_path: Path) -> None:
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"text,topics\nbaik,crime\ncaf\xe9,crime\n")
    assert f"{latin}, line 3: not UTF-8: byte 0xE9" in message(lambda: load_corpus([latin]))
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("text,topics\nbaik,crime\nsatu,dua,tiga\n")
    assert f"{ragged}, line 3" in message(lambda: load_corpus([ragged]))
    empty = tmp_path / "empty.csv"
    empty.write_text("text,topics\n")
    assert message(lambda: load_corpus([empty])) == f"{empty}: has no articles; name a file that has some."


def test_missing_columns_and_files_are_named(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", {"text": BRIDGE, "topics": []})
    assert "no column 'isi'" in message(lambda: load_corpus([path], text_column="isi"))
    assert "--label-column" in message(lambda: load_corpus([write_jsonl(tmp_path / "b.jsonl", {"text": BRIDGE})]))
    assert "no such file" in message(lambda: load_corpus([tmp_path / "c.jsonl"]))
    assert "no such file" in message(lambda: load_corpus(["folder/c.csv"]))
    notes = tmp_path / "a.txt"
    notes.write_text("x")
    assert "unknown kind of file" in message(lambda: load_corpus([notes]))


def hub_part(*labels: int) -> datasets.Dataset:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bola", "politik"])}
    )
    return datasets.Dataset.from_dict({"text": [BRIDGE] * len(labels), "label": list(labels)}, features=features)


def test_hub_gives_class_names_and_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = datasets.DatasetDict({"train": hub_part(0, 1), "test": hub_part(-1), "validation": hub_part(1)})
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split=None: parts[split] if split else parts)
    frame = load_corpus(["owner/berita"])
    assert list(frame["topics"]) == [["bola"], ["politik"], [], ["politik"]]
    assert list(frame["split"]) == ["train", "train", "test", ""]
    assert list(frame["line"]) == [1, 2, 3, 4]
    part = load_corpus(["owner/berita:test"])
    assert (list(part["split"]), list(part["id"])) == ([""], ["berita:test-1"])


def test_a_hub_set_without_a_test_split_has_no_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = datasets.DatasetDict({"train": hub_part(0, 1)})
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split=None: parts)
    assert list(load_corpus(["owner/berita"])["split"]) == ["", ""]


def test_data_sets_that_are_loaded_are_sources_too() -> None:
    streamed = hub_part(1).to_iterable_dataset()
    frame = load_corpus([hub_part(0), datasets.DatasetDict({"test": hub_part(1)}), streamed])
    assert list(frame["topics"]) == [["bola"], ["politik"], ["politik"]]
    assert list(frame["split"]) == ["", "test", ""]
    assert message(lambda: load_corpus([datasets.Dataset.from_dict({"isi": ["a"]})])).startswith(
        "dataset: no column for the topics found; its columns are: isi."
    )


def test_days_and_outlets_under_their_usual_names(tmp_path: Path) -> None:
    days = ["2026-08-12 05:40:00", "2026-08-12T05:40:00+07:00", "Rabu, 12 Agt 2026", "", 1786500000]
    rows = [{"text": CHILLI, "label": "x", "publish_date": day, "sumber": "Suara Lembah"} for day in days]
    frame = load_corpus([write_jsonl(tmp_path / "a.jsonl", *rows)])
    assert list(frame["date"]) == ["2026-08-12", "2026-08-12", "", "", ""]
    assert set(frame["outlet"]) == {"Suara Lembah"}


def test_sections_of_news_watch_are_topics_only_when_named(tmp_path: Path) -> None:
    row = dict.fromkeys(NEWS_WATCH, "") | {"content": CHILLI, "category": "Ekonomi", "source": "lembah.example"}
    path = write_jsonl(tmp_path / "a.jsonl", row)
    assert "no column for the topics found" in message(lambda: load_corpus([path]))
    assert list(load_corpus([path], label_column="category")["topics"]) == [["Ekonomi"]]


def test_hub_failures_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, split: str | None = None) -> None:
        raise ConnectionError("Couldn't reach the Hub.\nTraceback")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    assert message(lambda: load_corpus(["owner/berita"])) == (
        "owner/berita: no such file, and not on the Hugging Face hub (Couldn't reach the Hub); check the name."
    )


def test_topics_and_their_counts() -> None:
    frame = frame_of("a", "b", "c")
    frame["topics"] = [["x", "y"], [], ["x"]]
    assert topics_found(frame) == ["x", "y"]
    assert topic_counts(frame) == {"x": 2, "y": 1}


def test_fingerprint_is_of_ids_titles_texts_and_topics_in_order() -> None:
    frame = frame_of(BRIDGE, CHILLI)
    assert fingerprint(frame) == "a76b5e451e2146c240514bb4ed73609db0a9d974bff91803cf4318c3be27c8bf"
    assert fingerprint(frame.assign(file="elsewhere.csv", split="train")) == fingerprint(frame)
    assert fingerprint(frame[::-1]) != fingerprint(frame)
    assert fingerprint(frame.assign(title="x")) != fingerprint(frame)


def test_split_column_decides() -> None:
    train, test = split_corpus(frame_of("a", "b", "c", splits=["test", "train", "test"]))
    assert (list(train["text"]), list(test["text"])) == (["b"], ["a", "c"])


def test_split_draws_a_tenth_by_seed() -> None:
    frame = frame_of(*random_texts(100))
    train, test = split_corpus(frame, seed=1)
    assert (len(train), len(test)) == (90, 10)
    assert set(train["id"]) | set(test["id"]) == set(frame["id"])
    assert list(split_corpus(frame, seed=1)[1]["id"]) == list(test["id"])
    assert list(split_corpus(frame, seed=2)[1]["id"]) != list(test["id"])


def test_split_keeps_near_duplicates_on_one_side() -> None:
    texts = random_texts(30)
    frame = frame_of(*texts, *(text + " tambahan" for text in texts))
    for seed in range(5):
        train, test = split_corpus(frame, seed=seed)
        assert len(test) == 6
        assert not {int(i) % 30 for i in train["id"]} & {int(i) % 30 for i in test["id"]}


def test_split_follows_near_duplicates_whose_side_is_given() -> None:
    texts = random_texts(2)
    both = [*texts, *(text + " tambahan" for text in texts)]
    train, test = split_corpus(frame_of(*both, splits=["train", "test", "", ""]))
    assert (list(train["id"]), list(test["id"])) == (["0", "2"], ["1", "3"])


def test_split_of_few_articles_leaves_some_to_train_on() -> None:
    assert [len(part) for part in split_corpus(frame_of(BRIDGE, CHILLI))] == [1, 1]
    assert [len(part) for part in split_corpus(frame_of(BRIDGE))] == [1, 0]
    assert [len(part) for part in split_corpus(frame_of(BRIDGE, BRIDGE))] == [2, 0]


def test_split_of_another_name_is_refused() -> None:
    assert message(lambda: split_corpus(frame_of("a", "b", splits=["train", "dev"]))) == (
        "a.csv, line 3, column 'split': holds 'dev'; write train or test, or leave it empty."
    )


def test_folds_hold_out_each_article_once_and_its_group_with_it() -> None:
    groups = [0, 1, 0, 2, 3, 4, 4, 4, 5, 1]
    folds = group_folds(groups, 3, seed=0)
    assert sorted(np.concatenate([held_out for _, held_out in folds])) == list(range(10))
    for learnt, held_out in folds:
        assert sorted([*learnt, *held_out]) == list(range(10))
        assert not {groups[i] for i in learnt} & {groups[i] for i in held_out}
    assert len(group_folds(groups, 20, seed=0)) == 6


def test_folds_of_articles_that_are_all_different_are_those_of_scikit_learn() -> None:
    expected = KFold(4, shuffle=True, random_state=7).split(np.zeros(30))
    for (learnt, held_out), (train, test) in zip(group_folds(range(30), 4, seed=7), expected, strict=True):
        assert np.array_equal(learnt, train)
        assert np.array_equal(held_out, test)


def test_one_group_makes_no_folds() -> None:
    assert message(lambda: group_folds([0, 0, 0], 4, seed=0)) == (
        "The articles to train on are all nearly the same; a model needs different ones."
    )
