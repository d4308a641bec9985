"""The labelling view: by keys alone, two at once, undone, offline, and nothing of an article but text."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serve.labelling.store import LabelStore, Task
from serve.topics import load_topics
from tests.serve.page.conftest import KEY, service
from tests.serve.page.test_safety import ATTACKS, ELEMENTS, enter_key

LONG_WORD = "kata" * 60
PACT = "Lontar dan Samudra Sepakati Pakta Pertahanan"


def tasks(n: int) -> list[Task]:
    suggested = (("security_pact", 0.62), ("state_visit", 0.41))
    return [
        Task(f"a{i}", f"{PACT} {i}", "Paragraf satu.\n\nParagraf dua.", "2026-03-02", "Warta Lontar", suggested)
        for i in range(n)
    ]


@dataclass(frozen=True)
class Labelling:
    """A service with a label store."""

    url: str
    path: Path

    def labels(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        with LabelStore(self.path) as store:
            return {label.task.id: (label.annotator, label.topics) for label in store.labelled()}


@pytest.fixture
def labelling(small_model_folder: Path, tmp_path: Path) -> Iterator[Labelling]:
    """Eight articles and all topics of the embedded taxonomy."""
    path = tmp_path / "labels.db"
    with LabelStore(path, create=True) as store:
        store.add(tasks(8))
        store.offer(load_topics().values())
    with service(small_model_folder, labels=path) as url:
        yield Labelling(url, path)


def begin(page: Any, name: str = "Sari") -> None:
    page.fill("#annotator", name)
    page.keyboard.press("Enter")
    wait_for_article(page)


def wait_for_article(page: Any, title: str = "") -> None:
    page.wait_for_function(
        "(title) => !document.getElementById('label').ariaBusy && document.querySelector('#label-task:not([hidden]) h2')?.textContent.includes(title)",
        arg=title,
    )


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_the_view_is_there_only_with_a_store(page, open_page, labelling):
    assert not page.locator("#tab-label").is_visible()
    page.evaluate("location.hash = '/label'")
    page.wait_for_selector("#article", state="visible")
    assert open_page(labelling.url).locator("#tab-label").is_visible()


def test_labels_by_keys_alone(open_page, labelling):
    page = open_page(labelling.url)
    page.focus("#tab-article")
    press(page, "End")
    page.wait_for_selector("#annotator", state="visible")
    # Past the language and the colours.
    press(page, "Tab", "Tab", "Tab")
    page.keyboard.type(" Sari  Dewi ")
    press(page, "Enter")
    wait_for_article(page, f"{PACT} 0")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    press(page, "2", "1", "d", "d", "Shift+C")
    assert page.locator("#label-chosen").inner_text() == (
        "Pilihan: Kunjungan kenegaraan (utama), Pakta keamanan & kerja sama pertahanan, Sepak bola"
    )
    press(page, "Enter")
    wait_for_article(page, f"{PACT} 1")
    assert page.locator("#label-said").inner_text() == f"Tersimpan: {PACT} 0"
    assert page.locator("#label-topics :checked").count() == 0
    press(page, "s")
    wait_for_article(page, f"{PACT} 2")
    press(page, "/")
    page.keyboard.type("bola")
    assert page.locator(".choice:visible").all_inner_texts() == ["⇧C\nSepak bola"]
    press(page, "Enter", "Enter")
    wait_for_article(page, f"{PACT} 3")
    press(page, "?")
    page.wait_for_selector("#shortcuts-dialog[open]")
    press(page, "1", "Escape", "Tab", "Tab", "Space", "Enter")
    wait_for_article(page, f"{PACT} 4")
    sari = "Sari Dewi"
    assert labelling.labels() == {
        "a0": (sari, ("state_visit", "security_pact", "football")),
        "a2": (sari, ("football",)),
        "a3": (sari, ("security_pact",)),
    }
    assert page.locator("#label-count").inner_text() == "3 dari 8 berlabel · oleh Anda 3"


def test_every_topic_has_a_key_of_its_own(open_page, labelling):
    page = open_page(labelling.url, "#/label")
    begin(page)
    boxes = page.locator("#label-topics input")
    keys = [box.get_attribute("aria-keyshortcuts") for box in boxes.all()]
    assert len(set(keys)) == len(load_topics()) == len(keys)
    assert not {"S", "U"} & set(keys)
    press(page, *(key.lower() if len(key) == 1 else key for key in keys))
    assert page.locator("#label-topics :checked").count() == len(keys)
    # With Caps Lock on, letters come in capitals, without Shift.
    press(page, "A")
    assert not page.locator("[aria-keyshortcuts=A]").is_checked()
    assert page.locator("[aria-keyshortcuts='Shift+A']").is_checked()
    press(page, "Control+1", "Alt+b")
    assert page.locator("[aria-keyshortcuts='1']").is_checked()


def test_what_the_model_expects_is_shown_and_not_chosen(open_page, labelling):
    page = open_page(labelling.url, "#/label")
    begin(page)
    assert [" ".join(text.split()) for text in page.locator(".choice.likely").all_text_contents()] == [
        "1Pakta keamanan & kerja sama pertahanan model 62%",
        "2Kunjungan kenegaraan model 41%",
    ]
    assert page.locator("#label-article p").all_inner_texts() == [
        "Warta Lontar · 2026-03-02", "Paragraf satu.", "Paragraf dua.",
    ]  # fmt: skip
    press(page, "Enter")
    assert "sekali lagi" in page.locator("#label-chosen").inner_text()
    press(page, "1", "1", "Enter")
    assert labelling.labels() == {}
    press(page, "Enter")
    wait_for_article(page, f"{PACT} 1")
    assert labelling.labels() == {"a0": ("Sari", ())}


def test_undo_shows_what_was_chosen(open_page, labelling):
    page = open_page(labelling.url, "#/label")
    begin(page)
    press(page, "u")
    page.wait_for_selector("#label-said:has-text('Tidak ada yang dapat diurungkan')")
    press(page, "3", "Enter")
    wait_for_article(page, f"{PACT} 1")
    press(page, "s")
    wait_for_article(page, f"{PACT} 2")
    press(page, "Backspace")
    wait_for_article(page, f"{PACT} 1")
    press(page, "u")
    wait_for_article(page, f"{PACT} 0")
    assert labelling.labels() == {}
    assert page.locator("#label-chosen").inner_text() == "Pilihan: Diplomasi & KTT"
    press(page, "3", "4", "Enter")
    wait_for_article(page, f"{PACT} 1")
    assert labelling.labels() == {"a0": ("Sari", ("armed_conflict",))}


def test_two_people_at_once(open_page, labelling):
    pages = {name: open_page(labelling.url, "#/label") for name in ("Sari", "Budi")}
    for name, page in pages.items():
        begin(page, name)
    for _ in range(4):
        for page in pages.values():
            press(page, "1", "Enter")
        for page in pages.values():
            page.wait_for_function("() => !document.getElementById('label').ariaBusy")
    for page in pages.values():
        page.wait_for_selector("#label-done", state="visible")
    found = labelling.labels()
    assert len(found) == 8
    assert sorted(name for name, _ in found.values()) == ["Budi"] * 4 + ["Sari"] * 4


def open_from_list(page: Any, title: str) -> None:
    if not page.evaluate("document.getElementById('label-list').open"):
        page.click("#label-list summary")
    page.click(f"#label-list button:has-text('{title}')")
    wait_for_article(page, title)


def test_who_comes_second_is_asked(open_page, labelling):
    sari, budi = (open_page(labelling.url, "#/label") for _ in range(2))
    begin(sari, "Sari")
    press(sari, "1", "Enter")
    wait_for_article(sari, f"{PACT} 1")
    begin(budi, "Budi")
    for kept, button in (("Sari", "Biarkan seperti itu"), ("Budi", "Simpan pilihan saya")):
        for page in (sari, budi):
            open_from_list(page, f"{PACT} 0")
        assert "Label sekarang" in budi.locator("#label-article").inner_text()
        press(sari, "2", "Enter")
        wait_for_article(sari, f"{PACT} 1")
        press(budi, "5", "Enter")
        budi.wait_for_selector("#label-question", state="visible")
        told = budi.locator("#label-question").inner_text()
        assert "Sari menyimpan: Pakta keamanan" in told
        assert "Anda memilih: Pakta keamanan & kerja sama pertahanan (utama), " in told
        # It outlives the page, and is decided by keys alone.
        budi.reload()
        budi.wait_for_selector("#label-question", state="visible")
        budi.focus(f"#label-question button:has-text('{button}')")
        press(budi, "Enter")
        wait_for_article(budi, f"{PACT} 2")
        assert labelling.labels()["a0"][0] == kept
        assert budi.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('kanal.label.')).length") == 0


def test_offline_and_online_again(open_page, labelling):
    page = open_page(labelling.url, "#/label")
    begin(page)
    page.context.set_offline(True)
    press(page, "1", "Enter")
    page.wait_for_selector("#label-unsent:has-text('Server belum menerima 1 label')")
    assert not page.locator("#label-task").is_visible()
    press(page, "u")
    assert "harus terkirim dahulu" in page.locator("#label-said").inner_text()
    assert labelling.labels() == {}
    page.context.set_offline(False)
    wait_for_article(page, f"{PACT} 1")
    assert page.locator("#label-unsent").inner_text() == ""
    assert labelling.labels() == {"a0": ("Sari", ("security_pact",))}


def test_a_label_that_could_not_be_sent_outlives_the_page(open_page, labelling):
    page = open_page(labelling.url, "#/label")
    begin(page)
    page.route("**/v1/labels/save", lambda route: route.fulfill(status=503, headers={"Retry-After": "600"}, body="{}"))
    press(page, "1", "Enter")
    page.wait_for_selector("#label-unsent button")
    page.reload()
    page.wait_for_selector("#label-unsent button")
    # The server has it, and only the answer was lost.
    page.unroute("**/v1/labels/save")
    with LabelStore(labelling.path) as store:
        store.save("a0", ["security_pact"], "Sari", 0)
    page.click("#label-unsent button")
    wait_for_article(page, f"{PACT} 1")
    with LabelStore(labelling.path) as store:
        assert [(label.task.id, label.topics) for label in store.labelled()] == [("a0", ("security_pact",))]


def test_a_label_that_is_refused_is_told(open_page, labelling):
    page = open_page(labelling.url, "#/label")
    begin(page)
    with LabelStore(labelling.path) as store:
        store.offer(topic for topic in load_topics().values() if topic.id != "security_pact")
    press(page, "1", "Enter")
    page.wait_for_selector("#label-question:has-text('/topics/0 is not one of the topics')")
    page.click("#label-question button:has-text('Buang')")
    wait_for_article(page, f"{PACT} 0")
    assert labelling.labels() == {}


def test_keys_can_be_switched_off(open_page, labelling):
    page = open_page(labelling.url, "#/label")
    begin(page)
    press(page, "?")
    page.uncheck("#shortcuts-on")
    press(page, "Escape", "1", "s", "u")
    assert page.locator("#label-topics :checked").count() == 0
    page.check("[aria-keyshortcuts='1']")
    page.click("#label-task button[type=submit]")
    wait_for_article(page, f"{PACT} 1")
    assert labelling.labels() == {"a0": ("Sari", ("security_pact",))}


def test_an_article_is_text(open_page, small_model_folder, tmp_path):
    path = tmp_path / "labels.db"
    with LabelStore(path, create=True) as store:
        store.add(
            Task(f"{attack}{i}", attack, f"{attack}\n\n{attack}", attack, attack, ((attack, 0.5),), attack)
            for i, attack in enumerate(ATTACKS)
        )
        store.save(f"{ATTACKS[0]}0", [ATTACKS[0]], ATTACKS[1], 0)
    with service(small_model_folder, labels=path) as url:
        page = open_page(url, "#/label")
        begin(page, ATTACKS[0])
        page.click("#label-list summary")
        page.wait_for_selector("#label-list li")
        for attack in ATTACKS[1:]:
            wait_for_article(page, attack)
            assert page.locator("#label-article h2").text_content() == attack
            assert page.locator("#label-article p").all_text_contents()[1:] == [attack, attack]
            assert page.evaluate(ELEMENTS) == 0
            press(page, "1", "Enter")
        page.wait_for_selector("#label-done", state="visible")
        open_from_list(page, ATTACKS[0])
        assert ATTACKS[1] in page.locator("#label-article .before").inner_text()
        press(page, "1")
        with LabelStore(path) as store:
            version = store.get(f"{ATTACKS[0]}0")
            store.save(version.task.id, [], ATTACKS[2], version.revision)
        press(page, "Enter")
        page.wait_for_selector("#label-question", state="visible")
        assert ATTACKS[2] in page.locator("#label-question").inner_text()
        assert page.evaluate(ELEMENTS) == 0


def test_a_key_is_asked_for(open_page, small_model_folder, tmp_path):
    path = tmp_path / "labels.db"
    with LabelStore(path, create=True) as store:
        store.add(tasks(1))
    with service(small_model_folder, labels=path, keys=(KEY,)) as url:
        page = open_page(url, "#/label")
        enter_key(page, KEY)
        begin(page)


def test_axe_and_a_phone(open_page, labelling):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with LabelStore(labelling.path) as store:
        store.save("a1", ["football"], "Budi", 0)
        store.skip("a2", "Sari")
        store.add([Task("long", LONG_WORD, LONG_WORD, LONG_WORD, LONG_WORD, reason=LONG_WORD)])
    page = open_page(labelling.url, "#/label", reduced_motion="reduce")

    def check(*all_colours: str) -> None:
        for colours in all_colours:
            page.emulate_media(color_scheme=colours)
            page.wait_for_selector(f"html[data-colours={colours}]")
            found = axe.run(page).response["violations"]
            assert [(one["id"], node["target"]) for one in found for node in one["nodes"]] == []
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.set_viewport_size({"width": 1280, "height": 800})

    check("light")
    begin(page)
    page.select_option("#language", "en")
    page.click("#label-list summary")
    page.wait_for_selector("#label-list li")
    page.check("[aria-keyshortcuts='1']")
    check("light", "dark")
    press(page, "?")
    check("dark")
    press(page, "Escape")
    with LabelStore(labelling.path) as store:
        store.save("a0", ["state_visit"], "Budi" * 25, 0)
    press(page, "Enter")
    page.wait_for_selector("#label-question", state="visible")
    check("light")
    page.click("#label-question button")
    wait_for_article(page)
    page.context.set_offline(True)
    press(page, "1", "Enter")
    page.wait_for_selector("#label-unsent button")
    check("dark")
