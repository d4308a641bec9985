"""A folder of articles, one a file."""

import json
import sys
from pathlib import Path

import pytest

from serve.batch import Outcome, predict_file
from serve.errors import InputError
from serve.files import lines
from serve.files.formats import open_reader
from serve.files.journal import rejected_file
from tests.serve.files.keywords import keywords

PAGE = """<html><head><title>Panen Raya | Situs</title></head><body><nav>Beranda</nav><article><h1>Panen Raya</h1>
<p>Petani di Sukamaju memulai panen raya pada hari Senin, dan kereta barang membawa gabah ke kota.</p>
<p>Lurah berkata bahwa banjir tahun lalu tidak terulang; saluran air sudah diperbaiki oleh warga desa.</p>
</article></body></html>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "berita"
    for name, content in {
        "b.txt": b"\xef\xbb\xbfpanen",
        "a/z.md": "# Banjir é\n\nbanjir".encode(),
        "a/y.TXT": b"",
        "c.html": PAGE.encode(),
        "kosong.htm": b"<html></html>",
        "latin.txt": b"caf\xe9",
        "a/gambar.png": b"\x89PNG",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_articles_in_the_order_of_their_paths(folder: Path) -> None:
    pytest.importorskip("trafilatura")
    with open_reader(folder, folders=True) as reader:
        rows = [row for batch in reader.parts((), None) for row in batch.batch.to_pylist()]
    assert [row["id"] for row in rows] == ["a/y.TXT", "a/z.md", "b.txt", "c.html", "kosong.htm"]
    assert [row["title"] for row in rows] == [None, None, None, "Panen Raya", None]
    texts = [row["text"] for row in rows]
    assert texts[:3] == ["", "# Banjir é\n\nbanjir", "panen"]
    assert "kereta barang membawa gabah" in texts[3]
    assert "Beranda" not in texts[3]
    assert texts[4] == ""


def test_a_folder_is_filed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trafilatura")
    monkeypatch.setattr(lines, "BLOCK_SIZE", 1)
    target = folder.parent / "topik.jsonl"
    assert predict_file(keywords(), folder, target) == Outcome(5, 1)
    filed = {row["id"]: row["topics"] for row in map(json.loads, target.read_text().splitlines())}
    assert filed["a/z.md"] == "banjir"
    assert set(filed["c.html"].split("|")) == {"banjir", "panen", "kereta"}
    assert [json.loads(line) for line in rejected_file(target).read_text().splitlines()] == [
        {
            "line": None,
            "reason": "not UTF-8: byte 0xE9 at offset 3 of the file; save it as UTF-8 (in an editor: 'Save as', encoding UTF-8).",
            "raw": "caf\ufffd",
            "file": "latin.txt",
        }
    ]
    with pytest.raises(InputError, match=r"berita, latin\.txt: not UTF-8"):
        predict_file(keywords(), folder, target, strict=True)


def test_a_file_that_cannot_be_read(folder: Path) -> None:
    for page in (folder / "c.html", folder / "kosong.htm"):
        page.unlink()
    (folder / "putus.txt").symlink_to("tiada.txt")
    target = folder.parent / "topik.csv"
    assert predict_file(keywords(), folder, target) == Outcome(3, 2)
    last = json.loads(rejected_file(target).read_text().splitlines()[-1])
    assert (last["file"], last["reason"]) == ("putus.txt", "cannot be read (No such file or directory); is it whole?")


def test_pages_need_trafilatura(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(InputError, match=r"needs trafilatura; install it with `pip install 'kanal\[html\]'`"):
        predict_file(keywords(), folder, folder.parent / "topik.csv")


def test_a_folder_without_articles(tmp_path: Path) -> None:
    (tmp_path / "gambar.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"holds no files that end in \.txt, \.md, \.html, \.htm"):
        predict_file(keywords(), tmp_path, tmp_path.parent / "topik.csv")


def test_files_of_other_kinds_are_counted(folder: Path) -> None:
    with open_reader(folder, folders=True) as reader:
        assert reader.remark == f"{folder}: 1 file left out, not .txt, .md, .html, .htm."
    (folder / "surat.pdf").write_bytes(b"%PDF")
    (folder / ".DS_Store").write_bytes(b"")
    with open_reader(folder, folders=True) as reader:
        assert reader.remark == f"{folder}: 2 files left out, not .txt, .md, .html, .htm."


def test_a_text_alone_is_told_to_be_in_a_folder(folder: Path) -> None:
    with pytest.raises(InputError, match="read from a folder, one article a file; name the folder that holds it"):
        predict_file(keywords(), next(folder.rglob("*.txt")), None)
