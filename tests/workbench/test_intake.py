from pathlib import Path

import pytest

from serve.errors import InputError
from train.corpus import Table
from workbench.intake import Intake, article_columns, read_columns, read_labels


def table(*rows: dict[str, object], name: str = "a.csv") -> Table:
    """A table whose rows begin in line 2, as after a head."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return Table(name, columns, list(enumerate(rows, 2)))


def test_columns_are_given_and_the_others_found() -> None:
    rows = table({"no": "1", "berita": "x", "judul": "t", "tanggal": "", "sumber": "", "kategori": ""})
    names = article_columns(rows, read_columns("no=, berita=text"))
    assert names == {
        "id": None, "title": "judul", "text": "berita", "topics": "kategori", "date": "tanggal", "outlet": "sumber",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [("judul", "is no COLUMN=FIELD"), ("judul=headline", "fields are id"), ("a=text,b=text", "two columns")],
)
def test_a_map_of_another_form_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_columns(text)


def test_columns_that_are_not_there_are_named() -> None:
    with pytest.raises(InputError, match=r"a\.csv: no column 'isi'; its columns are: x"):
        article_columns(table({"x": "1"}), {"isi": "text"})
    with pytest.raises(InputError, match=r"no column of texts found; its columns are: x\. Name it with --map"):
        article_columns(table({"x": "1"}), {})


def test_labels_are_read_without_regard_to_case(tmp_path: Path) -> None:
    file = tmp_path / "labels.toml"
    file.write_text('Bola = ["football"]\nnews = []\n')
    assert read_labels(file) == {"bola": ("football",), "news": ()}
    file.write_text('bola = "football"\n')
    with pytest.raises(InputError, match=r"labels\.toml: 'bola' = 'football'; expected a list"):
        read_labels(file)
    file.write_text("bola")
    with pytest.raises(InputError, match="not a TOML file"):
        read_labels(file)
    with pytest.raises(InputError, match="no such file"):
        read_labels(tmp_path / "none.toml")


def test_labels_become_topics_and_what_has_none_is_left_out_and_counted() -> None:
    intake = Intake({"bola": ("football",), "liga": ("football",), "uang": ("prices", "business"), "news": ()})
    rows = table(
        {"text": "a", "label": "BOLA|liga|news"}, {"text": "b", "label": "uang"}, {"text": "c", "label": "news"},
        {"text": "d", "label": "aneh"}, {"text": "e", "label": ""},
    )  # fmt: skip
    assert [article["topics"] for article in intake.take(rows, {})] == [["football"], ["prices", "business"]]
    assert intake.left_out == 3
    counted = {line.split()[0]: line.split(maxsplit=2)[1:] for line in intake.table().splitlines()[1:]}
    assert counted["BOLA"] == ["1", "football"]
    assert counted["news"] == ["2", "none of ours"]
    assert counted["aneh"] == ["1", "none: no mapping"]
    assert "(no label)" in intake.table()


def test_without_labels_a_cell_is_topics_and_an_empty_one_is_none_of_them() -> None:
    rows = table({"text": "a", "topics": "x|y"}, {"text": "b", "topics": ""})
    assert [article["topics"] for article in Intake().take(rows, {})] == [["x", "y"], []]


def test_unlabelled_articles_have_no_topics_at_all() -> None:
    (article,) = Intake(labelled=False).take(table({"text": "a", "split": "train"}), {})
    assert not {"topics", "split"} & set(article)


def test_ids_are_kept_or_made_of_the_content() -> None:
    first = list(Intake().take(table({"id": "7", "text": "a"}, {"id": "", "text": "b"}), {}))
    again, other = Intake().take(table({"text": "b"}, {"text": "c"}, name="other.csv"), {})
    assert first[0]["id"] == "7"
    assert first[1]["id"] == again["id"] != other["id"]


def test_exact_repeats_are_left_out_and_contradictions_named() -> None:
    intake = Intake()
    intake.know(table({"id": "k", "text": "a", "topics": "x"}, name="corpus.jsonl"))
    rows = table({"text": "a", "topics": "x"}, {"text": "b", "topics": "x"}, {"text": "b", "topics": "y"})
    assert [article["text"] for article in intake.take(rows, {})] == ["b"]
    assert intake.repeats == 2
    assert intake.contradictions == ["a.csv, line 4"]
    assert intake.remarks() == [
        "left out, exact repeats: 2", "repeats with other topics (the first stays): 1 (a.csv, line 4)",
    ]  # fmt: skip


def test_an_article_that_was_left_out_is_no_reason_to_leave_out_the_same_one_with_a_topic() -> None:
    intake = Intake({"bola": ("football",), "news": ()})
    rows = table({"text": "a", "label": "news"}, {"text": "a", "label": "bola"})
    assert [article["topics"] for article in intake.take(rows, {})] == [["football"]]


def test_an_id_of_two_articles_is_refused_with_both_places() -> None:
    intake = Intake()
    intake.know(table({"id": "1", "text": "a"}, name="corpus.jsonl"))
    with pytest.raises(
        InputError, match=r"a\.csv, line 2, column 'no': '1' is the id of corpus\.jsonl, line 2 too;.*--map no="
    ):
        list(intake.take(table({"no": "1", "text": "b"}), {}))


def test_days_are_iso_and_those_that_cannot_be_read_are_counted() -> None:
    intake = Intake()
    days = ("Rabu, 12 Agt 2026 10:20 WIB", "2026-08-12T03:00:00", "kemarin", "")
    rows = table(*({"text": day or "none", "tanggal": day} for day in days))
    assert [article["date"] for article in intake.take(rows, {})] == ["2026-08-12", "2026-08-12", "", ""]
    assert intake.no_days == ["a.csv, line 4: 'kemarin'"]


def test_days_of_a_known_format() -> None:
    rows = table({"text": "a", "date": "02/03/2020"}, {"text": "b", "date": "30/03/2020"})
    intake = Intake(date_format="%m/%d/%Y")
    assert [article["date"] for article in intake.take(rows, {})] == ["2020-02-03", ""]
    assert len(intake.no_days) == 1


def test_articles_without_words_are_left_out() -> None:
    intake = Intake()
    assert not list(intake.take(table({"judul": " ", "isi": ""}), {}))
    assert intake.empty == ["a.csv, line 2"]


def test_many_places_are_cut_short() -> None:
    intake = Intake()
    list(intake.take(table(*({"judul": "", "isi": ""} for _ in range(5))), {}))
    (remark,) = intake.remarks()
    assert remark.endswith("5 (a.csv, line 2; a.csv, line 3; a.csv, line 4; ...)")
