"""The files view: a file goes to the service, and what comes back is counted, filtered and downloaded."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from serve.article import USUAL_NAMES

VISIT = "Presiden menerima kunjungan kenegaraan Raja Yordania di Istana Merdeka dengan upacara penyambutan."
MATCH = "Timnas menang 2-1 lewat gol penalti, kata pelatih; para pemain dan kiper dipuji di stadion."
NOTHING = "Warung itu menjual kopi, teh, dan kue basah kepada para tetangga setiap pagi."


def rows() -> list[list[str]]:
    articles = [('Kunjungan, "resmi"', f"{VISIT}\nBaris kedua."), ("Bola", MATCH), ("Warung", NOTHING)]
    return [[f"a{i}", *articles[i % 3]] for i in range(120)]


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    file = tmp_path / "berita.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["id", "judul", "isi"], *rows()])
        out.write("baris,rusak\n")
    return file


def send(page: Any, file: Path) -> None:
    page.click("#tab-files")
    page.set_input_files("#file", file)
    page.wait_for_selector("#rows tr")


def shown(page: Any, said: str) -> None:
    page.wait_for_function("(said) => document.getElementById('rows-shown').textContent === said", arg=said)


def test_counts_rows_and_filters(page, articles):
    send(page, articles)
    told = page.locator("#result").inner_text()
    assert "120 artikel" in told
    assert "1 baris ditolak" in told
    counts = {
        button.get_attribute("data-topic"): button.locator(".figure").inner_text()
        for button in page.locator(".chart button").all()
    }
    assert counts["state_visit"] == counts["football"] == "40"
    shown(page, "1–50 dari 120")
    assert page.locator("#rows button").first.inner_text() == 'Kunjungan, "resmi"'
    assert page.locator("#rows .snippet").first.text_content().endswith("\nBaris kedua.")

    page.click(".chart [data-topic=football]")
    shown(page, "1–40 dari 40")
    assert set(page.locator("#rows button").all_inner_texts()) == {"Bola"}
    assert page.locator(".chart [data-topic=football]").get_attribute("aria-pressed") == "true"
    page.select_option("#only-topic", "=")
    shown(page, f"1–{counts['']} dari {counts['']}")
    page.select_option("#only-topic", "*")
    page.click("#next")
    page.click("#next")
    shown(page, "101–120 dari 120")
    assert page.locator("#next").is_disabled()


def test_uncertain_rows_and_rejected_rows(page, articles):
    articles.write_text(articles.read_text(encoding="utf-8") + "k,,\n", encoding="utf-8")
    send(page, articles)
    page.select_option("#only-note", "any")
    page.wait_for_function("() => document.querySelector('#only-note').value === 'any'")
    answer = csv.DictReader(io.StringIO(_answer_of(page)))
    notes = [row["note"] for row in answer if row["note"]]
    shown(page, f"1–{len(notes)} dari {len(notes)}")
    assert "kosong" in page.locator("#rows").inner_text()
    page.select_option("#only-note", "uncertain")
    uncertain = sum("uncertain" in note for note in notes)
    shown(page, f"1–{uncertain} dari {uncertain}" if uncertain else "Tidak ada artikel yang cocok.")
    page.click(".rejected summary")
    assert page.locator(".rejected li").inner_text().startswith("Baris 162:")


def _answer_of(page: Any) -> str:
    with page.expect_download() as downloaded:
        page.click("#download")
    return downloaded.value.path().read_text(encoding="utf-8")


def test_the_download_is_the_answer_of_the_server(page, address, articles):
    page.click("#tab-files")
    page.click("#file-options summary")
    page.check("#all-topics")
    send(page, articles)
    with page.expect_download() as downloaded:
        page.click("#download")
    assert downloaded.value.suggested_filename == "berita-kanal.csv"
    answer = httpx.post(f"{address}v1/files?format=csv&all=true", content=articles.read_bytes())
    assert downloaded.value.path().read_bytes() == answer.content


@pytest.mark.parametrize("name", ["berita.jsonl", "berita.csv.gz"])
def test_other_formats(page, articles, tmp_path, name):
    file = tmp_path / name
    if name.endswith("gz"):
        file.write_bytes(gzip.compress(articles.read_bytes()))
    else:
        lines = [json.dumps({"id": row[0], "title": row[1], "text": row[2]}) for row in rows()]
        file.write_text("\n".join(lines), encoding="utf-8")
    send(page, file)
    shown(page, "1–50 dari 120")
    assert page.locator(".chart [data-topic=football] .figure").inner_text() == "40"


def test_columns_by_name(page, tmp_path):
    file = tmp_path / "lain.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["kepala", "badan"], ["Bola", MATCH]])
    page.click("#tab-files")
    page.set_input_files("#file", file)
    page.wait_for_selector("#files-error:has-text('kepala, badan')")
    page.fill("#title-column", "kepala")
    page.fill("#text-column", "badan")
    page.click("#files-error button")
    page.wait_for_selector("#rows tr")
    assert page.locator("#rows button").inner_text() == "Bola"


def test_a_row_is_opened_as_an_article(page, articles):
    send(page, articles)
    page.click("#rows button >> nth=0")
    page.wait_for_selector("#assigned [data-topic=state_visit]")
    assert page.input_value("#title") == rows()[0][1]
    assert page.input_value("#text") == rows()[0][2]
    page.go_back()
    page.wait_for_selector("#rows tr")


def test_work_is_cancelled(page, articles):
    held: list[Any] = []
    page.route("**/v1/files*", lambda route: held.append(route))
    page.click("#tab-files")
    page.set_input_files("#file", articles)
    page.wait_for_selector("#cancel", state="visible")
    with page.expect_event("requestfailed"):
        page.click("#cancel")
    page.wait_for_selector("#cancel", state="hidden")
    assert page.locator("#files-said").text_content() == "Dibatalkan."
    assert not page.locator("#files-error").is_visible()


def test_a_file_of_another_kind_is_refused_before_it_is_sent(page, tmp_path):
    file = tmp_path / "surat.docx"
    file.write_bytes(b"PK")
    page.click("#tab-files")
    page.set_input_files("#file", file)
    page.wait_for_selector("#files-error:has-text('surat.docx: bukan CSV')")


PARSE = """async ([text, size]) => {
    const { fields, Records } = await import(new URL("page/csv.js", document.baseURI));
    const bytes = new TextEncoder().encode(text);
    const found = [];
    const records = new Records((record, start) => {
        const again = bytes.subarray(start, start + record.length);
        found.push([fields(record), fields(again)]);
    });
    for (let i = 0; i < bytes.length; i += size) records.push(bytes.subarray(i, i + size));
    records.end();
    return found;
}"""


def test_csv_is_read_as_rfc_4180_has_it(page):
    table = [["a", "b, c", ""], ['"', 'x""y', "baris\r\nlain"], ["", "é😀", ' "petik" '], ["", "", ""]]
    for ends in ("\n", "\r\n"):
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator=ends).writerows(table)
        for size in (1, 7, 1000):
            found = page.evaluate(PARSE, [out.getvalue(), size])
            assert [record for record, _ in found] == table
            assert [record for _, record in found] == table


def test_the_usual_names_are_those_of_the_service(page):
    names = page.evaluate("""async () => (await import(new URL("page/columns.js", document.baseURI))).USUAL_NAMES""")
    assert names == {field: list(USUAL_NAMES[field]) for field in ("title", "text")}
