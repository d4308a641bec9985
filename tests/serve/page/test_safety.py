"""What others write stays text, keys stay in the tab, and refusals are said."""

import csv
from pathlib import Path
from typing import Any

from tests.serve.page.conftest import KEY

ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "</textarea><iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>klik</a>{{7*7}}${alert(1)}",
]
VISIT = (
    "Presiden menerima kunjungan kenegaraan Raja Yordania di Istana Merdeka. Upacara penyambutan berlangsung khidmat."
)
ELEMENTS = "document.querySelectorAll('img, svg, iframe, object, embed, script:not([src]), a[href^=javascript]').length"


def test_an_article_is_text(page):
    for attack in ATTACKS:
        page.fill("#title", attack)
        page.fill("#text", f"{VISIT} {attack} {VISIT}")
        page.wait_for_function("(title) => document.querySelector('#reading h3')?.textContent === title", arg=attack)
        assert page.evaluate(ELEMENTS) == 0


def test_a_file_is_text(page, tmp_path):
    attack = "<img src=x onerror=alert(1)>"
    file = tmp_path / f"{attack}.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow([attack, "judul", "isi"])
        table.writerows([attack, hostile, f"{hostile} {VISIT}"] for hostile in ATTACKS)
        out.write(f"{attack}\n")
    page.click("#tab-files")
    page.set_input_files("#file", file)
    page.wait_for_selector("#rows tr")
    assert page.locator("#rows button").all_inner_texts() == ATTACKS
    assert attack in page.locator(".file-name").inner_text()
    page.click(".rejected summary")
    assert page.evaluate(ELEMENTS) == 0
    page.click("#rows button >> nth=0")
    page.wait_for_selector("#assigned button")
    assert page.input_value("#title") == ATTACKS[0]
    assert page.evaluate(ELEMENTS) == 0


def test_a_header_is_text(page, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("<img src=x onerror=alert(1)>,b\n1,2\n", encoding="utf-8")
    page.click("#tab-files")
    page.set_input_files("#file", file)
    page.wait_for_selector("#files-error:has-text('<img src=x')")
    assert page.evaluate(ELEMENTS) == 0


def test_no_file_of_the_page_makes_elements_out_of_text():
    from serve.paths import ROOT

    for file in sorted((ROOT / "serve" / "page").glob("*.js")):
        source = file.read_text(encoding="utf-8")
        for call in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert call not in source, file.name


def enter_key(page: Any, key: str) -> None:
    page.wait_for_selector("#key-dialog[open]")
    page.fill("#key", key)
    page.keyboard.press("Enter")


def test_the_key_is_asked_for_and_kept_in_the_tab(open_page, strict_address):
    page = open_page(strict_address)
    enter_key(page, "salah")
    page.wait_for_selector("#key-refused", state="visible")
    enter_key(page, KEY)
    page.wait_for_selector("#key-dialog", state="hidden")
    page.fill("#text", VISIT)
    page.wait_for_selector("#assigned button")
    assert page.evaluate("JSON.stringify(localStorage)").count(KEY) == 0
    assert KEY not in page.content()
    page.reload()
    page.wait_for_selector("#model:has-text('Model')")
    assert not page.locator("#key-dialog").is_visible()


def test_who_gives_no_key_is_told_and_may_try_again(open_page, strict_address):
    page = open_page(strict_address)
    page.wait_for_selector("#key-dialog[open]")
    page.keyboard.press("Escape")
    page.fill("#text", VISIT)
    page.wait_for_selector("#article-error:has-text('kunci API')")
    page.click("#article-error button")
    enter_key(page, KEY)
    page.wait_for_selector("#assigned button")


def test_what_is_too_large_is_said(open_page, strict_address, tmp_path: Path):
    page = open_page(strict_address)
    enter_key(page, KEY)
    page.wait_for_selector("#key-dialog", state="hidden")
    page.fill("#text", VISIT * 10)
    page.wait_for_selector("#article-error:has-text('at most 500')")
    file = tmp_path / "besar.csv"
    file.write_text("isi\n" + f'"{VISIT}"\n' * 600, encoding="utf-8")
    page.click("#tab-files")
    page.set_input_files("#file", file)
    page.wait_for_selector("#files-error:has-text('Terlalu besar')")
