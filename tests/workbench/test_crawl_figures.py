"""A crawl as the model sees it: read from any file of articles, in parts."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from serve.errors import InputError
from serve.files.formats import BATCH_ROWS
from tests.serve.service.running import small_model
from workbench.crawl_figures import read_crawl_figures


def test_figures_of_a_scraper_s_file(tmp_path: Path) -> None:
    file = tmp_path / "crawl.csv"
    file.write_text(
        "tanggal,media,judul,isi\n"
        '"Rabu, 12 Agt 2026 10:20 WIB", Harian A ,Bola,bola itu bundar\n'
        "kapan-kapan,,,presiden\n"
        "2026-08-17,Harian B,,\n"
    )
    crawl = read_crawl_figures(file, small_model())
    assert crawl.words.tolist() == [5, 1, 0], "the title counts twice"
    assert crawl.known.tolist() == [3, 1, 0]
    assert crawl.assigned.tolist() == [[True, False], [False, True], [False, False]]
    assert crawl.weeks.tolist() == ["2026-08-10", "", "2026-08-17"]
    assert crawl.outlets.tolist() == ["Harian A", "", "Harian B"]
    assert crawl.notes.tolist() == ["", "", "empty"]


def test_a_file_is_read_in_parts_and_labels_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "crawl.jsonl.gz"
    texts = ["bola"] * BATCH_ROWS + ["presiden presiden"] * 10
    with gzip.open(file, "wt") as out:
        out.writelines(
            json.dumps({"text": text, "topics": ["olahraga"], "date": "2026-01-01"}) + "\n" for text in texts
        )
    crawl = read_crawl_figures(file, small_model())
    assert len(crawl) == len(texts) == len(crawl.outlets)
    assert crawl.words[-10:].tolist() == [2] * 10 and crawl.assigned.sum(axis=0).tolist() == [BATCH_ROWS, 10]
    assert set(crawl.weeks) == {"2025-12-29"}


def test_uncertain_is_no_note_of_the_articles(tmp_path: Path) -> None:
    from dataclasses import replace

    file = tmp_path / "crawl.csv"
    english = "the president said that he would not have been there if they were with us and their people"
    file.write_text(f"text\nbola\n{english}\n")
    crawl = read_crawl_figures(file, replace(small_model(), uncertain_below=100.0))
    assert crawl.uncertain.tolist() == [True, True]
    assert crawl.notes[0] == "" and crawl.notes[1].startswith("not Indonesian: English")


def test_articles_that_models_learn_from_are_told_from_the_others(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text(
        "".join(json.dumps({"text": "bola", "split": split}) + "\n" for split in ("train", "test", "train"))
    )
    crawl = read_crawl_figures(file, small_model())
    held_out = crawl.held_out()
    assert len(held_out) == 1 and held_out.left_out == 2
    learnt = crawl.rows(np.array([True, False, True]))
    assert len(learnt.held_out()) == 2, "there are no others"


def test_rows_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "crawl.jsonl"
    file.write_text('{"text": "bola"}\n{"text": \n{"text": ["bola"]}\n{"text": "presiden"}\n')
    crawl = read_crawl_figures(file, small_model())
    assert len(crawl) == 2 and crawl.unreadable == 2


def test_a_file_without_articles_or_texts_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "crawl.csv"
    file.write_text("title,text\n")
    with pytest.raises(InputError, match=r"crawl\.csv: has no articles"):
        read_crawl_figures(file, small_model())
    file.write_text("judul,badan\nBola,bola\n")
    with pytest.raises(InputError, match="no column for the text"):
        read_crawl_figures(file, small_model())
    assert read_crawl_figures(file, small_model(), text_column="badan").words.tolist() == [3]
    file.write_text("judul,isi\nBola,bola\n")
    with pytest.raises(InputError, match="no column 'badan'"):
        read_crawl_figures(file, small_model(), text_column="badan")
    assert len(read_crawl_figures(file, small_model(), text_column="badan", usual=True)) == 1
