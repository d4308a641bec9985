"""Filed crawls as frames."""

import json
import tracemalloc
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from serve.errors import InputError
from serve.files.formats import open_reader
from tests.serve.service.running import TEXT, small_model
from tests.workbench.crawls import HEAD, article, write_filed
from workbench.filed import COLUMNS, TITLE_CHARACTERS, load_filed


def test_what_predict_writes_is_read(tmp_path):
    from serve.batch import predict_file

    source = tmp_path / "crawl.csv"
    source.write_text(
        f"judul,publish_date,sumber,link,isi\nBola,12/08/2026 10:20,Harian A,https://a.example/1,{TEXT}\n,kemarin,,,\n"
    )
    for name in ("filed.csv", "filed.jsonl", "filed.parquet"):
        predict_file(small_model(), source, tmp_path / name, keep=True)
        frame = load_filed(tmp_path / name)
        assert list(frame.columns) == list(COLUMNS)
        first, second = frame.to_dict("records")
        assert first["day"] == date(2026, 8, 12)
        assert [first[column] for column in ("outlet", "title", "link")] == ["Harian A", "Bola", "https://a.example/1"]
        with open_reader(tmp_path / name) as reader:
            written = next(iter(reader)).column("topics").to_pylist()[0]
        assert "|".join(first["topics"]) == written != ""
        assert len(first["probabilities"]) == len(first["topics"])
        assert second["topics"] == second["probabilities"] == []
        assert second["day"] is pd.NaT
        assert (second["date"], second["outlet"], second["link"]) == ("kemarin", "", "")


def test_notes_and_columns_that_are_not_there(tmp_path):
    file = tmp_path / "filed.jsonl"
    rows = [
        {"id": 7, "topics": "crime", "probabilities": "0.7", "note": "uncertain; not Indonesian: English"},
        {"id": 8, "topics": "", "probabilities": "", "note": "not Indonesian: English", "terbit": "2026-08-12"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    frame = load_filed(file)
    assert frame["uncertain"].tolist() == [True, False]
    assert frame["id"].tolist() == ["7", "8"]
    assert frame["day"].isna().all()
    assert (frame[["date", "outlet", "title", "link"]] == "").all(axis=None)
    assert load_filed(file, date_column="terbit")["day"].tolist()[1] == date(2026, 8, 12)


def test_dates_of_parquet(tmp_path):
    moments = pa.array([1786500000], pa.timestamp("s", "UTC"))
    table = pa.table({"id": ["1"], "topics": [""], "probabilities": [""], "note": [""], "date": moments})
    pyarrow.parquet.write_table(table, tmp_path / "filed.parquet")
    assert load_filed(tmp_path / "filed.parquet")["day"].tolist() == [date(2026, 8, 12)]


def test_titles_are_one_line_without_what_is_not_seen(tmp_path):
    hostile = "a\u202eb\u200b\u2066c\n\td\x07" + "x" * 10_000
    frame = load_filed(
        write_filed(
            tmp_path / "filed.csv", [article("", hostile, outlet=hostile, text="isi"), article(text="Isi\n\nlagi")]
        )
    )
    assert frame["title"].tolist()[0].startswith("abc d x")
    assert len(frame["title"][0]) == TITLE_CHARACTERS
    assert frame["title"][0].endswith("x…")
    assert len(frame["outlet"][0]) < 100
    # An article without a title is called by its first words.
    assert frame["title"][1] == "Isi lagi"


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "//a.example", "http://", "https://a.example/ b", "https://a.example/\u202e", "ftp://a.example", " jAvascript:https://a.example", "https://a.example/" + "x" * 2000],
)  # fmt: skip
def test_links_that_are_none(tmp_path, link):
    assert load_filed(write_filed(tmp_path / "filed.csv", [article(link=link)]))["link"].tolist() == [""]


def test_links(tmp_path):
    links = ["HTTPS://a.example/x?y=1&z=<b>#c", " http://b.example "]
    frame = load_filed(write_filed(tmp_path / "filed.csv", [article(link=link) for link in links]))
    assert frame["link"].tolist() == [link.strip() for link in links]


@pytest.mark.parametrize("probabilities", ["0.9", "0.9|x", "0.9|1.5", "0.9|nan", ""])
def test_probabilities_that_do_not_fit(tmp_path, probabilities):
    rows = [article("crime"), ["crime|court", probabilities, "", "", "", "", "", ""]]
    with pytest.raises(InputError, match=r"filed.csv, row 2, column 'probabilities'"):
        load_filed(write_filed(tmp_path / "filed.csv", rows))


def test_what_is_no_filed_crawl(tmp_path):
    with pytest.raises(InputError, match=r"no column 'note'.*kanal predict"):
        load_filed(write_filed(tmp_path / "a.csv", [["crime", "0.9"]], HEAD[:3]))
    with pytest.raises(InputError, match="has no articles"):
        load_filed(write_filed(tmp_path / "b.csv", []))
    with pytest.raises(InputError, match=r"no column 'terbit'.*--date-column"):
        load_filed(write_filed(tmp_path / "c.csv", [article()]), date_column="terbit")


def test_the_file_is_not_kept_in_memory(tmp_path):
    file = write_filed(tmp_path / "filed.csv", [article("football", "Bola", text="isi " * 5000) for _ in range(500)])
    tracemalloc.start()
    try:
        frame = load_filed(file)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(frame) == 500
    assert held < file.stat().st_size / 5
