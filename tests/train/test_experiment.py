"""What an experiment trains on, what it measures on, and what it leaves out."""

from dataclasses import replace
from pathlib import Path

import pytest

from serve.errors import InputError
from train.experiment import Experiment, Material, run_experiment

WORDS = {"olahraga": "gol wasit liga kiper stadion", "ekonomi": "rupiah saham bank kurs inflasi"}


@pytest.fixture
def material(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Material:
    """Of two topics 20 articles each to train on and five to test on."""
    monkeypatch.chdir(tmp_path)
    rows = [
        f"{a} {b},{label},{'test' if a == b else 'train'}"
        for label, text in WORDS.items()
        for a in text.split()
        for b in text.split()
    ]
    Path("ours.csv").write_text("isi,kategori,split\n" + "\n".join(rows) + "\n")
    return Material(["ours.csv"], background="none", lexicon="none", drop_rare=True)


def add(*rows: str) -> None:
    with Path("ours.csv").open("a") as file:
        file.writelines(row + "\n" for row in rows)


def experiment(material: Material) -> Experiment:
    return run_experiment(material, tracked=False)


RARE = ("hujan deras,cuaca,train", "hujan badai,cuaca,train", "angin badai,cuaca,train", "angin hujan,cuaca,test")


@pytest.mark.parametrize("further", [(), ("banjir bandang,bencana,test",)])
def test_where_each_article_has_one_topic_those_of_dropped_topics_are_left_out(
    material: Material, further: tuple[str, ...]
) -> None:
    without = experiment(material)
    assert without.left_out == 0
    add(*RARE, *further)
    found = experiment(material)
    assert found.left_out == len(RARE + further)
    assert found.model.single_label
    assert found.model.card["data"]["articles"] == 40
    assert found.evaluation.metrics["accuracy"] == 1
    assert len(found.evaluation.ids) == 10
    assert found.model.version == without.model.version


def test_they_are_left_out_of_a_test_file_too(material: Material) -> None:
    add(*RARE[:3])
    Path("test.csv").write_text("isi,kategori\ngol kiper,olahraga\nhujan angin,cuaca\n")
    assert experiment(replace(material, test="test.csv")).evaluation.metrics["n"] == 1
    Path("test.csv").write_text("isi,kategori\nhujan angin,cuaca\n")
    with pytest.raises(
        InputError, match=r"All test articles are of topics that --drop-rare leaves out; .* --test FILE"
    ):
        experiment(replace(material, test="test.csv"))


def test_they_are_articles_of_no_topic_where_articles_may_have_none(material: Material) -> None:
    add(*RARE, "lain lagi,,train")
    found = experiment(material)
    assert (found.left_out, found.model.single_label) == (0, False)
    assert found.model.card["data"]["articles"] == 44


def test_a_topic_of_articles_set_aside_alone_is_rare(material: Material) -> None:
    add(RARE[3])
    with pytest.raises(InputError, match=r"cuaca \(0, 1 more set aside for the test\)"):
        experiment(replace(material, drop_rare=False))


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        (("train", "train"), "ours.csv: no article is left to test on, .*; name labelled articles for the test with --test FILE"),
        (("test", "test"), "ours.csv: no article is left to train on, .*; name them with --test FILE, and others with --data"),
        (("", ""), "ours.csv: no article is left to test on, "),
    ],
)  # fmt: skip
def test_articles_to_train_on_and_to_test_on_are_needed(material: Material, splits: tuple[str, str], said: str) -> None:
    # The six articles of a topic are nearly the same.
    rows = [
        f"{' '.join(text.split() * 8)} nomor {i},{label},{split}"
        for i in range(6)
        for split, (label, text) in zip(splits, WORDS.items(), strict=True)
    ]
    Path("ours.csv").write_text("isi,kategori,split\n" + "\n".join(rows) + "\n")
    with pytest.raises(InputError, match=said):
        experiment(material)
