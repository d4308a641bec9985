"""The columns that hold an article's fields are found by their names, however these are written."""

import pytest

from serve.article import doubtful_columns, find_column
from serve.errors import InputError


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("title", "JUDUL BERITA"),
        ("title", "Judul Artikel"),
        ("title", " judul-berita "),
        ("text", "ISI BERITA"),
        ("text", "Isi_Berita"),
        ("text", "isiBerita"),
        ("topics", "Kategori"),
        ("id", "Article ID"),
        ("date", "Publish Date"),
        ("date", "pubDate"),
        ("date", "published-at"),
        ("outlet", "Nama Media"),
        ("link", "URL"),
    ],
)
def test_names_are_compared_however_they_are_written(field: str, column: str) -> None:
    assert find_column(field, ["x", column], file="a.csv") == column


def test_the_scrapers_category_is_no_topic_however_it_is_written() -> None:
    columns = ["Title", "Publish Date", "Author", "Content", "Keyword", "Category", "Source", "Link"]
    assert find_column("topics", columns, file="a.csv", required=False) is None


def test_what_is_not_there_is_named_with_the_columns() -> None:
    with pytest.raises(
        InputError, match=r"^a\.csv: no column for the text found; its columns are: no, x\. Name it with"
    ):
        find_column("text", ["no", "x"], file="a.csv")
    with pytest.raises(InputError, match=r"^a\.csv: no column 'isi'; its columns are: no, x\. Name one of them with"):
        find_column("text", ["no", "x"], "isi", file="a.csv")


def test_a_file_without_a_header_is_told() -> None:
    with pytest.raises(InputError, match=r"its first line seems to be an article.*put a line of names above it"):
        find_column("text", ["1", "Harga cabai rawit di Pasar Legi naik. " * 5], file="a.csv")


@pytest.mark.parametrize(
    ("columns", "title", "text", "said"),
    [
        (["id", "judul", "isi"], None, None, ""),
        (["judul", "isi", "konten"], None, None, "the text is 'isi', not 'konten' (--text-column names another)"),
        (["judul", "isi", "konten"], None, "konten", ""),
        (["isi", "Kepala"], None, None, "no column of titles found (--title-column names it)"),
        (["No", "isi", "link", "tanggal"], None, None, ""),
        (["isi", "kepala"], "kepala", None, ""),
        (["title", "judul", "isi"], None, None, "the title is 'title', not 'judul' (--title-column names another)"),
    ],
)
def test_doubts_about_the_columns_that_were_found(
    columns: list[str], title: str | None, text: str | None, said: str
) -> None:
    assert doubtful_columns(columns, title, text) == said
