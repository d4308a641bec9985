"""The page that is sent round, and its figures as CSV."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.workbench.crawls import article, five_days, write_filed
from workbench.coverage_page import LANGUAGES
from workbench.coverage_report import TABLES

HOSTILE = [
    "<img src=x onerror=alert(1)>", "</title><script>alert(1)</script>", '"><svg onload=alert(1)>', "\u202eterbalik\u2066",
    "x" * 10_000, "=HYPERLINK(\"https://jahat.example\")", "عاجل: فيضان", "{{7*7}} ${alert(1)} %s",
]  # fmt: skip


@pytest.fixture
def report(run, tmp_path) -> Callable[..., tuple[str, str, str]]:
    """Runs `kanal report` on rows of a filed crawl and gives the page, what was said, and the warnings."""

    def make(rows: list[list[str]], *options: str) -> tuple[str, str, str]:
        filed = write_filed(tmp_path / "filed.csv", rows)
        status, said, warned = run("report", filed, tmp_path / "report.html", *options)
        assert status == 0, warned
        return (tmp_path / "report.html").read_text(encoding="utf-8"), said, warned

    return make


def text_of(page: str) -> str:
    """What a page says, without its style."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*</style>", "", page, flags=re.DOTALL)))


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_page_says_what_the_figures_are(report, tmp_path):
    page, said, warned = report(five_days())
    assert "20 articles of 2026-08-12 against 4 days before" in said
    assert warned == ""
    text = text_of(page)
    for expected in (
        "Liputan Rabu, 12 Agustus 2026", "20 artikel dari 2 media, sebanyak rata-rata 4 hari sebelumnya.",
        "Terbanyak: Bencana alam (10)", "Naik: Bencana alam.", "Bencana alam ▲ naik 10 50% 0%",
        "Kunjungan kenegaraan + Hubungan dagang 23 4,3", "Judul yang mewakili", "dari hari 12 Harian A",
    ):  # fmt: skip
        assert expected in text, expected
    assert sorted(file.name for file in (tmp_path / "report").iterdir()) == sorted(TABLES)
    changes = table(tmp_path / "report", "changes.csv")
    assert (changes[0]["topic"], changes[0]["share"], changes[0]["share_before"]) == ("disaster", "0.5", "0.0")
    assert table(tmp_path / "report", "pairs.csv")[0]["articles"] == "23"
    counted = pd.read_csv(tmp_path / "report" / "topics.csv")
    assert counted[counted["day"] == "2026-08-12"].groupby("topic")["articles"].sum()["disaster"] == 10
    assert pd.read_csv(tmp_path / "report" / "outlets.csv")["articles"].sum() == 100


def test_in_english(report):
    page, _, _ = report(five_days(), "--language", "en", "--day", "2026-08-11", "--days", "1")
    assert '<html lang="en">' in page
    text = text_of(page)
    assert "Coverage of Tuesday, 11 August 2026" in text
    assert "20 articles from 2 outlets, as many as the day before." in text
    assert "No topic has clearly risen or fallen." in text
    assert "On days that are not of this report: 60 articles." in text


def test_languages_fill_in_the_same():
    def blanks(words: object) -> dict[str, list[str]]:
        return {name: sorted(set(re.findall(r"{\w+}", str(value)))) for name, value in vars(words).items()}

    assert blanks(LANGUAGES["id"]) == blanks(LANGUAGES["en"])


def test_own_topics(report, tmp_path):
    (tmp_path / "topics.toml").write_text('[football]\nname_en = "Bola & <b>lagi</b>"\n', encoding="utf-8")
    page, _, _ = report(five_days(), "--topics", str(tmp_path / "topics.toml"))
    assert "Bola &amp; &lt;b&gt;lagi&lt;/b&gt;" in page
    assert "state_visit" in page


def test_the_same_bytes(report, tmp_path):
    def written() -> dict[str, bytes]:
        report(five_days())
        return {file.name: file.read_bytes() for file in [tmp_path / "report.html", *(tmp_path / "report").iterdir()]}

    assert written() == written()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([article("football", "Bola", "2026-08-12", "A")] * 2, "Tidak ada hari sebelumnya untuk dibandingkan."),
        ([article("football", "Bola", "", "A")], "Berkas tidak memuat tanggal"),
        ([article("football", "Bola", "kemarin", "A")], "Tidak ada tanggal yang terbaca (misalnya “kemarin”)"),
        ([article("football", "Bola", "2026-08-12")], "Berkas tidak memuat kolom media."),
        ([article("football", "", f"2026-08-{day}") for day in (11, 12)], "Artikel di berkas ini tidak punya judul."),
        ([article("", "Bola", f"2026-08-{day}") for day in (11, 12)], "Tanpa topik 100%"),
        ([article("football", "Bola", "2026-08-12", f"Media {number}") for number in range(30)], "20 media lain"),
        ([*five_days(), article("football", "Bola", "entah")], "tanggalnya tidak terbaca: 1 artikel (misalnya “entah”)"),
        (five_days()[:80] + [article("football", "Bola", "2026-08-14")] * 5, "Jumat, 14 Agustus 2026"),
    ],
)  # fmt: skip
def test_crawls_that_lack_something(report, rows, expected):
    page, _, _ = report(rows)
    assert expected in text_of(page)


def test_what_is_left_out_is_said(report):
    _, _, warned = report([*five_days(), article("football", "Bola", "kemarin")])
    assert 'Warning: 1 article is left out, as it has no date that can be read (such as "kemarin").' in warned
    _, said, warned = report([article("football", "Bola", "kemarin")])
    assert "1 article\n" in said
    assert "all articles count as one day" in warned


def test_mistakes_are_sentences(run, tmp_path):
    filed = write_filed(tmp_path / "filed.csv", five_days())
    status, _, error = run("report", filed, tmp_path / "report.pdf")
    assert (status, "name that ends in .html" in error) == (2, True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "novel.txt").touch()
    status, _, error = run("report", filed, tmp_path / "mine.html")
    assert (status, "holds 'novel.txt'" in error) == (2, True)
    assert not (tmp_path / "mine.html").exists()
    status, _, error = run("report", tmp_path / "none.csv", tmp_path / "report.html")
    assert (status, "no such file" in error) == (2, True)
    status, _, error = run("report", filed, tmp_path / "report.html", "--outlet-column", "koran")
    assert (status, "no column 'koran'" in error) == (2, True)


def hostile_days() -> list[list[str]]:
    attacks = [
        article(
            "football|<b>topik</b>", title, f"{day} Agt 2026", f"{title} {number}", link='https://a.example/"><script>'
        )
        for day in (11, 12)
        for number, title in enumerate(HOSTILE)
    ]
    return five_days() + attacks


def test_cells_are_no_formulas(report, tmp_path):
    report(hostile_days())
    for name in TABLES:
        for row in table(tmp_path / "report", name):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row.values()), row


def test_what_others_write_is_text(report):
    page, _, _ = report(hostile_days())
    assert "<script" not in page
    assert "<img" not in page
    assert "onerror=alert(1)&gt;" in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page)
    assert "x" * 300 not in page


@pytest.fixture
def open_page(browser: Any, report: Any, tmp_path: Path):
    """Opens a report; nothing ran in it, nothing was asked for, and its policy refused nothing."""
    faults: list[str] = []

    def opened(rows: list[list[str]], width: int, colours: str) -> Any:
        report(rows)
        page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=colours).new_page()
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("console", lambda message: faults.append(message.text))
        page.on("request", lambda request: faults.append(request.url) if not request.url.startswith("file:") else None)
        page.goto((tmp_path / "report.html").as_uri())
        return page

    yield opened
    assert faults == []


@pytest.mark.parametrize(("width", "colours"), [(1200, "light"), (360, "dark")])
def test_readable_anywhere(open_page, width, colours):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(hostile_days(), width, colours)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.querySelector('.now')).fill") != "rgb(0, 0, 0)"
    # The policy lets the page's own style through and nothing that was put in.
    assert page.evaluate("document.querySelectorAll('script, img, iframe, [style]').length") == 0
    links = page.locator(".headlines a")
    assert links.count() > 0
    assert set(links.evaluate_all("all => all.map((a) => a.protocol + a.rel)")) == {"https:noopener noreferrer"}
    found = axe.run(page)
    violations = [(each["id"], node["target"]) for each in found.response["violations"] for node in each["nodes"]]
    assert violations == []
    page.context.close()
