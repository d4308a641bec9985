"""All views: topics, languages, colours, addresses, keyboard, phones, and what axe finds."""

import csv
from pathlib import Path
from typing import Any

import pytest

VISIT = (
    "Presiden menerima kunjungan kenegaraan Raja Yordania di Istana Merdeka. Upacara penyambutan berlangsung khidmat."
)
LONG_WORD = "kata" * 60


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    file = tmp_path / f"berita-{LONG_WORD[:120]}.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["id", "judul", "isi"], ["1", LONG_WORD, VISIT], ["2", "Kosong", ""]])
        out.write("rusak\n")
    return file


def fill_all_views(page: Any, articles: Path) -> None:
    """Something in every part of every view."""
    page.fill("#title", f"Kunjungan {LONG_WORD}")
    page.fill("#text", f"JAKARTA, KOMPAS.com - {VISIT}\n\nBaca juga: Harga Beras Naik\n\n{LONG_WORD}")
    page.wait_for_selector("#assigned button")
    page.click("#assigned button")
    page.wait_for_selector("#reading mark")
    page.evaluate("document.getElementById('others').open = true")
    page.click("#tab-files")
    page.evaluate("document.getElementById('file-options').open = true")
    page.set_input_files("#file", articles)
    page.wait_for_selector("#rows tr")
    page.evaluate("document.querySelector('.rejected').open = true")
    page.click("#tab-topics")
    page.wait_for_selector(".definition")


VIEWS = ["article", "files", "topics"]


def test_axe_finds_nothing(open_page, articles):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(reduced_motion="reduce")

    def violations() -> list[object]:
        return [
            (found["id"], node["target"]) for found in axe.run(page).response["violations"] for node in found["nodes"]
        ]

    assert violations() == []
    fill_all_views(page, articles)
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        page.wait_for_selector(f"html[data-colours={colours}]")
        for language in ("id", "en"):
            page.select_option("#language", language)
            for view in VIEWS:
                page.click(f"#tab-{view}")
                assert violations() == [], (colours, language, view)


def test_no_sideways_scrolling_on_a_phone(open_page, articles):
    page = open_page(width=360, height=740)
    fill_all_views(page, articles)
    for view in VIEWS:
        page.click(f"#tab-{view}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, view


def test_topics_are_searched(page):
    page.click("#tab-topics")
    page.wait_for_selector(".definition")
    assert page.locator("#topics-found").inner_text() == "4 topik"
    football = page.locator("#topic-football")
    for told in ("Sepak bola", "Football", "medtop:"):
        assert told in football.inner_text()
    page.fill("#search", "KENEGARAAN")
    assert page.locator(".definition h4").all_inner_texts() == ["Kunjungan kenegaraan"]
    page.fill("#search", "medtop:20000641")
    assert page.locator(".definition h4").all_inner_texts() == ["Pakta keamanan & kerja sama pertahanan"]


def test_the_language_is_switched_and_kept(page):
    assert page.locator("html").get_attribute("lang") == "id"
    page.fill("#text", VISIT)
    page.wait_for_selector("#assigned :text('Kunjungan kenegaraan')")
    page.select_option("#language", "en")
    assert page.locator("html").get_attribute("lang") == "en"
    assert "State visit" in page.locator("#assigned").inner_text()
    assert page.title() == "Article – Kanal"
    page.reload()
    page.wait_for_selector("html[lang=en][data-ready]")
    assert page.locator("#language").input_value() == "en"
    assert page.locator("#tab-files").inner_text() == "Files"


def test_both_languages_name_the_same_things_and_all_of_them(page):
    from serve.rules import KINDS
    from serve.topics import load_topics

    texts = page.evaluate("""async () => (await import(new URL("page/texts.js", document.baseURI))).TEXTS""")
    assert list(texts["id"]) == list(texts["en"])
    assert [kind for kind in KINDS if f"kind_{kind}" not in texts["id"]] == []
    assert [topic.group for topic in load_topics().values() if f"group_{topic.group}" not in texts["id"]] == []


def test_colours_follow_the_system_until_they_are_chosen(open_page):
    page = open_page(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#dark")
    assert page.locator("#dark").get_attribute("aria-pressed") == "false"
    assert page.evaluate(ground) != dark
    page.reload()
    page.wait_for_selector("html[data-colours=light]")


def test_the_address_names_the_view(open_page, address):
    page = open_page(view="#/topics/football")
    page.wait_for_function("() => document.activeElement.id === 'topic-football'")
    page.click("#tab-files")
    assert page.url.endswith("#/files")
    page.go_back()
    assert page.locator("#topics").is_visible()
    page.goto(f"{address}#/<img src=x onerror=alert(1)>")
    assert page.locator("#article").is_visible()


def test_everything_by_keyboard(page, articles):
    press = page.keyboard.press
    # The browser is told to hand over its file choosers without waiting for its word: so here, long before there is one.
    page.on("filechooser", lambda _: None)

    def go_to(selector: str) -> None:
        """Presses Tab until what is wanted has the focus, and sees that the focus is seen."""
        for _ in range(60):
            press("Tab")
            if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                break
        else:
            pytest.fail(f"Tab does not lead to {selector}")
        outlined = "[document.activeElement, document.activeElement.closest('label')].some((one) => one && getComputedStyle(one).outlineStyle !== 'none')"
        assert page.evaluate(outlined), selector

    press("Tab")
    press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    go_to("#title")
    page.keyboard.type("Raja Yordania")
    go_to("#text")
    page.keyboard.insert_text(VISIT)
    page.wait_for_selector("#assigned button")
    go_to("#assigned button")
    press("Enter")
    page.wait_for_selector("#reading mark", state="visible")
    assert page.evaluate("document.activeElement.dataset.topic") == "state_visit"
    go_to("#others summary")
    press("Space")
    go_to("#others button")
    press("Space")
    page.wait_for_selector("#others [aria-pressed=true]")

    page.focus("#tab-article")
    press("ArrowRight")
    page.wait_for_selector("#files", state="visible")
    assert page.evaluate("document.activeElement.id") == "tab-files"
    go_to("#file")
    with page.expect_file_chooser() as chooser:
        press("Enter")
    chooser.value.set_files(articles)
    page.wait_for_selector("#rows tr")
    go_to(".chart [data-topic=state_visit]")
    press("Enter")
    page.wait_for_function("() => document.getElementById('rows-shown').textContent === '1–1 dari 1'")
    go_to("#rows button")
    press("Enter")
    page.wait_for_selector("#article", state="visible")

    page.focus("#tab-article")
    press("End")
    page.wait_for_selector(".definition")
    press("ArrowRight")
    page.wait_for_selector("#article", state="visible")
    press("ArrowLeft")
    page.wait_for_selector("#topics", state="visible")
    go_to("#search")
    page.keyboard.type("bola")
    page.wait_for_function("() => document.querySelectorAll('.definition').length === 1")
