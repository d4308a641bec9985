"""The article view: topics as one types, their words marked, what cleaning took out greyed."""

from typing import Any

import pytest

from tests.serve.page.conftest import service

TITLE = "Raja Yordania Tiba di Jakarta"
VISIT = (
    "Presiden menerima kunjungan kenegaraan Raja Yordania di Istana Merdeka. Upacara penyambutan berlangsung khidmat."
)
MATCH = "Timnas menang 2-1 lewat gol penalti pada menit akhir. Pelatih memuji para pemain dan kiper di stadion."


def write(page: Any, text: str, title: str = "") -> None:
    page.fill("#title", title)
    page.fill("#text", text)


def wait_for_topic(page: Any, topic: str) -> None:
    page.wait_for_selector(f"#assigned [data-topic={topic}]")


def read(page: Any, topic: str) -> None:
    """Looks at a topic's words once they are there."""
    page.click(f"[data-topic={topic}]")
    page.wait_for_selector("#reading mark")


def test_topics_of_what_is_pasted(page):
    page.focus("#text")
    page.keyboard.insert_text(VISIT)
    wait_for_topic(page, "state_visit")
    button = page.locator("#assigned [data-topic=state_visit]")
    assert "Kunjungan kenegaraan" in button.inner_text()
    assert "ambang" in button.text_content()
    assert "%" in button.text_content()
    assert page.locator("#said").text_content() == "Topik: Kunjungan kenegaraan."
    assert page.locator("#others [data-topic]").count() == 3
    assert not page.locator("#others ul").is_visible()


def test_the_answer_follows_the_text(page):
    write(page, VISIT)
    wait_for_topic(page, "state_visit")
    page.fill("#text", MATCH)
    wait_for_topic(page, "football")
    assert page.locator("#assigned [data-topic=state_visit]").count() == 0
    page.click("#clear")
    page.wait_for_selector("#empty", state="visible")
    assert page.locator("#assigned button").count() == 0


def test_a_call_that_is_overtaken_is_given_up(page):
    held, given_up = [], []
    page.route("**/v1/predict*", lambda route: route.continue_() if held else held.append(route))
    page.on("requestfailed", lambda request: given_up.append(request.url))
    with page.expect_request("**/v1/predict*"):
        write(page, VISIT)
    page.fill("#text", MATCH)
    wait_for_topic(page, "football")
    assert any("predict" in url for url in given_up)
    assert page.locator("#assigned [data-topic=state_visit]").count() == 0


def marks_of(page: Any, place: str) -> list[str]:
    return page.locator(f"#reading {place} mark.for").all_text_contents()


def test_the_very_words_are_marked(page):
    write(page, VISIT, TITLE)
    wait_for_topic(page, "state_visit")
    read(page, "state_visit")
    assert page.locator("#reading h3").text_content() == TITLE
    assert page.locator("#reading .body").text_content() == VISIT
    words = " ".join(marks_of(page, ".body")).split()
    assert {"kunjungan", "kenegaraan"} <= set(words)
    assert set(words) <= set(VISIT.replace(".", "").split())
    assert set(" ".join(marks_of(page, "h3")).split()) <= set(TITLE.split())
    assert page.locator("#words .term").all_text_contents()[0] in VISIT.lower()


def test_words_against_a_topic_have_another_sign(page):
    write(page, f"{VISIT} {MATCH}")
    page.wait_for_selector("#assigned button")
    page.evaluate("document.getElementById('others').open = true")
    read(page, "disaster")
    against = page.locator("#reading mark.against").first
    supporting = "getComputedStyle(document.querySelector('.legend mark.for, #reading mark.for')).textDecorationStyle"
    assert against.evaluate("(mark) => getComputedStyle(mark).textDecorationStyle") == "wavy"
    page.click("[data-topic=football]")
    page.wait_for_selector("#reading mark.for")
    assert page.evaluate(supporting) == "solid"


def test_marks_stand_right_after_characters_of_two_units(page):
    for before in ("😀 ", "👩‍👩‍👧‍👦🇮🇩 ", "𝕂 é "):
        page.click("#edit")
        write(page, before + VISIT, before + TITLE)
        page.wait_for_function("(text) => document.querySelector('.body')?.textContent === text", arg=before + VISIT)
        read(page, "state_visit")
        assert {"kunjungan", "kenegaraan"} <= set(" ".join(marks_of(page, ".body")).split())
        assert set(" ".join(marks_of(page, "h3")).split()) <= set(TITLE.split())


def test_what_cleaning_took_out_is_greyed_and_named(page):
    write(page, f"JAKARTA, KOMPAS.com - {VISIT}\n\nBaca juga: Harga Beras Naik Lagi\n\n{VISIT}")
    wait_for_topic(page, "state_visit")
    read(page, "state_visit")
    removed = page.locator("#reading del")
    # What is hidden is for those who hear the page.
    said = [one.replace("\n", "").strip() for one in removed.all_text_contents()]
    assert said == [
        "dibuang, nama kota: JAKARTA, KOMPAS.com -",
        "dibuang, “baca juga”: Baca juga: Harga Beras Naik Lagi",
    ]
    assert removed.first.get_attribute("title") == "dibuang, nama kota"
    assert "nama kota" in page.locator("#legend").inner_text()
    assert page.locator("#reading del mark").count() == 0


def test_words_in_too_many_places_are_said_to_be_marked_in_part(open_page, page, small_model_folder):
    write(page, VISIT)
    wait_for_topic(page, "state_visit")
    read(page, "state_visit")
    assert "tempat-tempat pertamanya" not in page.locator("#legend").inner_text()
    with service(small_model_folder, explained_spans=100) as url:
        other = open_page(url)
        write(other, f"{VISIT} " * 20)
        wait_for_topic(other, "state_visit")
        read(other, "state_visit")
        other.get_by_text("tempat-tempat pertamanya").wait_for()
        other.select_option("#language", "en")
        assert "first places only" in other.locator("#legend").inner_text()


def test_notes_are_said_in_words(page):
    write(page, "The minister said on Monday that the government would not sign the agreement with any of the others.")
    page.wait_for_selector("#notes li")
    assert "Bukan bahasa Indonesia (Inggris)" in page.locator("#notes").inner_text()
    page.select_option("#language", "en")
    assert "Not Indonesian (English)" in page.locator("#notes").inner_text()


def test_a_chosen_topic_stays_while_the_text_is_edited(page):
    write(page, VISIT)
    wait_for_topic(page, "state_visit")
    page.evaluate("document.getElementById('others').open = true")
    page.click("[data-topic=football]")
    page.wait_for_selector("#words h3:has-text('Sepak bola')")
    page.click("#edit")
    with page.expect_response("**/v1/explain*") as answered:
        page.fill("#text", VISIT + " Timnas menang.")
    assert answered.value.request.post_data_json["topics"] == ["football"]
    page.wait_for_selector("#words .term:text-is('timnas')")


@pytest.mark.parametrize("name", ["artikel.txt", "artikel.html"])
def test_an_article_is_opened_from_a_file(page, tmp_path, name):
    file = tmp_path / name
    content = (
        VISIT
        if name.endswith("txt")
        else f"<title>x</title><h1>{TITLE}</h1><nav>Menu</nav><p>{VISIT}</p><p>Dua</p><script>alert(1)</script><img src=//contoh.test/x onerror=alert(1)>"
    )
    file.write_text(content, encoding="utf-8")
    page.set_input_files("#open-article", file)
    wait_for_topic(page, "state_visit")
    if name.endswith("html"):
        assert page.input_value("#title") == TITLE
        assert page.input_value("#text") == f"{VISIT}\n\nDua"
    else:
        assert page.input_value("#text") == VISIT


def test_a_dropped_file_is_opened(page):
    page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.items.add(new File([text], "a.txt", { type: "text/plain" }));
            const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
            document.getElementById("text").dispatchEvent(drop);
        }""",
        MATCH,
    )
    wait_for_topic(page, "football")
    assert page.input_value("#text") == MATCH


def test_what_the_server_refuses_is_said_and_tried_again(page):
    refusals = []

    def refuse_once(route: Any) -> None:
        if refusals:
            return route.continue_()
        refusals.append(route.request.url)
        problem = '{"status": 503, "detail": "The service is busy."}'
        return route.fulfill(
            status=503, headers={"Retry-After": "1"}, content_type="application/problem+json", body=problem
        )

    page.route("**/v1/predict*", refuse_once)
    write(page, VISIT)
    page.wait_for_selector("#article-error:has-text('Server sedang sibuk')")
    assert "The service is busy." in page.locator("#article-error").inner_text()
    wait_for_topic(page, "state_visit")
    assert not page.locator("#article-error").is_visible()


def test_no_server(page):
    page.context.set_offline(True)
    write(page, VISIT)
    page.wait_for_selector("#article-error:has-text('Server tidak menjawab')")
    page.context.set_offline(False)
    page.click("#article-error button")
    wait_for_topic(page, "state_visit")
