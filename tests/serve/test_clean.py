"""Cleaning: what goes, what stays, and that tracing, repeating and hostile input change nothing about it."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.clean import clean, clean_traced, normalise, normalise_traced
from serve.paths import DATA
from serve.rules import MAX_RULES, RULES

BODY = "Gubernur meresmikan jembatan itu pada Senin (3/2/2025). Warga menyambutnya dengan tarian."
SECOND = "Anggarannya Rp 480 juta, kata dia."


@pytest.mark.parametrize(
    "dateline",
    [
        "JAKARTA, KOMPAS.com -",
        "JAKARTA, KOMPAS.com–",
        "Jakarta (ANTARA) -",
        "Jakarta ( ANTARA News ) -",
        "Liputan6.com, Jakarta -",
        "Liputan6.com, Jakarta",
        "TRIBUNNEWS.COM, JAKARTA -",
        "TRIBUNNEWS.CO. JAKARTA -",
        "Laporan Wartawan Tribunnews.com, Adi Budi TRIBUNNEWS.COM, JAKARTA -",
        "TEMPO.CO, Jakarta -",
        "REPUBLIKA.CO.ID, CIREBON --",
        "Jakarta, CNBC Indonesia -",
        "Jakarta , CNN Indonesia - -",
        "SURABAYA -",
        "SURABAYA —",
        "KUALA LUMPUR/DILI –",
        "Majene, Sulbar -",
        "BEKASI, 21 November 2022 –",
        "PORT-AU-PRINCE -",
        "**BANDUNG** -",
    ],
)
def test_dateline_goes(dateline: str) -> None:
    assert clean(f"{dateline} {BODY}") == BODY


@pytest.mark.parametrize(
    "text",
    [
        "Paris Saint-Germain menang lagi di kandang sendiri.",
        "Laki-laki itu pulang ke desanya.",
        "Undang-Undang Desa disahkan kemarin.",
        "Honda HR-V baru itu dipamerkan di Senayan.",
        "Trent Alexander-Arnold cedera.",
        "Rapat itu - kata Budi - ditunda.",
    ],
)
def test_a_hyphen_in_the_first_words_is_no_dateline(text: str) -> None:
    assert clean(text) == text


TITLE = "Gubernur Resmikan Jembatan Baru di Sungai Malunda"


@pytest.mark.parametrize(
    "start",
    [
        f"{TITLE}\n",
        f"{TITLE}\n\n{TITLE}\n\n",
        f"{TITLE} - Kompas.com\n",
        f"{TITLE} - Kompas.com ",
        f"{TITLE.upper()}\nMAJENE, LENTERAPOS.COM - ",
        f"{TITLE} MAJENE, LENTERAPOS.COM - ",
        f"“{TITLE}!”\n"[1:],
        f"{TITLE}\nFoto: Andi/detikcom\nJakarta - ",
        f"Warga melintasi jembatan (ANTARA FOTO/Andi Baso)\n{TITLE}\nJakarta - ",
        f"{TITLE} ",
    ],
)
def test_repeated_title_goes(start: str) -> None:
    assert clean(start + BODY, TITLE) == BODY


def test_a_first_sentence_that_says_what_the_title_says_stays() -> None:
    text = "Harga emas Antam naik Rp 5.000 hari ini."
    assert clean(text, "Harga Emas Antam Naik") == text
    text = "Gubernur resmikan jembatan baru di Sungai Malunda pada Senin."
    assert clean(text, TITLE) == text


@pytest.mark.parametrize(
    "leftover",
    [
        "Baca juga: Jembatan Gantung Popenga Selesai Lebih Cepat",
        "BACA JUGA: Benarkah Jembatan Itu Aman? Ini Kata Ahli",
        "Baca Juga",
        "Lihat juga Video: Detik-detik Jembatan Diresmikan\n[Gambas:Video 20detik]",
        "Simak Video 'Jembatan 'Ajaib' Sulbar':\n[Gambas:Video 20detik]",
        'Tonton juga video "Warga Menari" di sini:',
        "SCROLL TO CONTINUE WITH CONTENT",
        "ADVERTISEMENT SCROLL TO CONTINUE WITH CONTENT",
        "Advertisement",
        "[Gambas:Instagram]",
        r"\[video.1\]",
        "![Jembatan](https://contoh.id/a/b.jpg)",
        "https://contoh.id/foto/jembatan.jpg",
        "Halaman Selanjutnya ...",
        "Cek Berita dan Artikel yang lain di Google News",
        "Ikuti kami di WhatsApp Channel Berita Segara.",
        "Dapatkan update berita pilihan setiap hari dari BeritaSegara.com.",
        "Editor: Andi Baso",
        "Sumber: Berita Segara",
        "Tags: jembatan, sulbar",
        "Saksikan Live DetikPagi:",
        "Artikel ini telah tayang di BeritaSegara.com dengan judul Jembatan Baru Popenga",
        "-------",
        "<p></p>",
        "<!-- iklan -->",
    ],
)
def test_a_line_that_is_no_part_of_the_article_goes(leftover: str) -> None:
    assert clean(f"{BODY}\n\n{leftover}\n\n{SECOND}") == f"{BODY}\n\n{SECOND}"
    assert clean(f"{BODY}\n{leftover}\n{SECOND}").split() == f"{BODY} {SECOND}".split()
    assert clean(f"{BODY}\n{leftover}") == BODY


@pytest.mark.parametrize(
    ("glued", "expected"),
    [
        (
            "ujarnya.Baca juga: Bupati Popenga soal Pasar: Belum Tentu PindahSalmah juga hadir.",
            "ujarnya. Salmah juga hadir.",
        ),
        (
            "ujarnya. Baca juga: Popenga Menang Lomba, Lurah Belum Lega Mereka juga menang.",
            "ujarnya. Mereka juga menang.",
        ),
        (
            'ujarnya.Baca juga: Jembatan dan Tarif yang Baru"Kalau besok," kata Budi.',
            'ujarnya. "Kalau besok," kata Budi.',
        ),
        (
            "ujarnya. Baca juga: Warga Popenga Menari Menurut Budi Santoso hal itu wajar.",
            "ujarnya. Menurut Budi Santoso hal itu wajar.",
        ),
        ("ujarnya. Baca juga: Warga Popenga Menari Lagi. Budi Santoso pulang.", "ujarnya. Budi Santoso pulang."),
        ("ujarnya. SCROLL TO CONTINUE WITH CONTENT Budi pulang.", "ujarnya. Budi pulang."),
        ("ujarnya. Simak Video 'Warga Menari': [Gambas:Video 20detik] Budi pulang.", "ujarnya. Budi pulang."),
        ("ujarnya. Lihat juga Video: Warga Menari [Gambas:Video 20detik]", "ujarnya."),
        ("ujarnya. Halaman 2 dari 2 (abc/def) jembatan sulbar tarian warga", "ujarnya."),
        ("Rapat di kantor wali kota. Foto: Andi Baso/detikcom Budi pulang.", "Rapat di kantor wali kota. Budi pulang."),
        ("Menteri hadir (Foto: Andi/detikcom) di sana.", "Menteri hadir di sana."),
        ("ujarnya. Editor: Andi Baso", "ujarnya."),
        ("ujarnya. (abc/def)", "ujarnya."),
    ],
)
def test_text_without_line_breaks(glued: str, expected: str) -> None:
    assert clean(glued) == expected


@pytest.mark.parametrize(
    "text",
    [
        'Ia berkata, "Saya baca juga bukunya," lalu pergi.',
        "Terlihat juga ketua dewan di sana. Simak juga penjelasan berikutnya.",
        "Halaman 12 buku itu robek. Halaman rumahnya luas.",
        "Pilihannya (pro/kontra) terserah warga.",
        "Nilainya x < 5 dan y > 3, sensornya keks****.",
        "Surat telegram Panglima TNI beredar di WhatsApp.",
        "Lihat https://contoh.id/daftar untuk mendaftar.",
        "Kutipannya [dari buku] (halaman 3) lengkap.",
    ],
)
def test_sentences_that_look_like_leftovers_stay(text: str) -> None:
    assert clean(text) == text


def test_a_title_in_small_letters_takes_only_the_label_with_it() -> None:
    assert clean("ujarnya. Baca juga: cara merawat bayi yang baik menurut dokter.") == (
        "ujarnya. cara merawat bayi yang baik menurut dokter."
    )


def test_characters() -> None:
    assert (
        normalise("“Ya,”\u00a0kata\u200b dia\u00ad &amp;quot;lagi&quot; &#39;x&#39; ﬁlm…")
        == '"Ya," kata dia "lagi" \'x\' film...'
    )
    assert normalise("satu \r\n\r\n\t \n\n dua  tiga\nempat ") == "satu\n\ndua tiga\nempat"
    assert normalise("LenteraScanÂ® Â\xa0AndrÃ©s â\x80\x9cya\u00e2\x80\x9d") == 'LenteraScan® Andrés "ya"'
    assert (
        clean("Salmah\\'s <b>Kafe</b> dan [tautan](https://contoh.id/x) **tebal**") == "Salmah's Kafe dan tautan tebal"
    )
    assert normalise("R&D Lentera&Co &tidakada; S&P;") == "R&D Lentera&Co &tidakada; S&P;"


@pytest.mark.parametrize(
    ("text", "expected", "origins"),
    [
        ("", "", []),
        ("  ya  ", "ya", [2, 3]),
        ("R&amp;D", "R&D", [0, 1, 6]),
        ("&amp;quot;ya", '"ya', [0, 10, 11]),
        ("y\u200ba\u00ad!", "ya!", [0, 2, 4]),
        ("“ya”\u00a0\t ya", '"ya" ya', [0, 1, 2, 3, 4, 7, 8]),
        ("ﬁlm…", "film...", [0, 0, 1, 2, 3, 3, 3]),
        ("a\r\n\r\n\n b", "a\n\nb", [0, 2, 4, 7]),
    ],
)
def test_normalise_traced_tells_where_each_character_comes_from(text: str, expected: str, origins: list[int]) -> None:
    traced = normalise_traced(text)
    assert traced.text == expected == normalise(text)
    assert traced.origins == origins
    assert traced.removed == ()


@pytest.mark.parametrize(
    "text", ["", " \n ", "\ud800", "a\udfff b\ud800\ud800", "\x00", "&#xD800;", "Baca juga:", "(", "Foto:"]
)
def test_odd_input_is_no_error(text: str) -> None:
    traced = clean_traced(text, text)
    assert traced.text == clean(text, text)
    assert len(traced.origins) == len(traced.text)


PIECES = st.sampled_from(
    "Baca juga: |BACA JUGA|\n|\n\n| |. |(abc/def)|[Gambas:Video 20detik]|Simak Video '|':|Jembatan Baru|Foto: |(Foto: Andi/detikcom)|&amp;|"
    "&quot;|<p>|</p>|![|](|)|\\|JAKARTA, KOMPAS.com - |Jakarta - |Halaman 2 dari 3|SCROLL TO CONTINUE WITH CONTENT|“|”|é|e\u0301|ﬁ|"
    "\u200b|\u00ad|Ã©|…|\ud800|kata dia|Menurut Budi hal itu wajar.|Editor: Andi|Dapatkan update|setiap hari dari|**|---".split(
        "|"
    )
)
MESSES = st.lists(PIECES | st.text(max_size=8), max_size=25).map("".join)


@settings(deadline=None, max_examples=300)
@given(MESSES, MESSES)
def test_the_trace_tells_the_truth(text: str, title: str) -> None:
    traced = clean_traced(text, title)
    assert traced.text == clean(text, title)
    assert len(traced.origins) == len(traced.text)
    assert all(0 <= origin < len(text) for origin in traced.origins)
    assert traced.origins == sorted(traced.origins)
    assert list(traced.removed) == sorted(traced.removed, key=lambda span: (span.start, span.end))
    assert all(0 <= span.start < span.end <= len(text) and span.kind for span in traced.removed)
    for character, origin in zip(traced.text, traced.origins, strict=True):
        if character.isascii() and character.isalnum() and text[origin].isascii() and text[origin].isalnum():
            assert character == text[origin]


@settings(deadline=None, max_examples=300)
@given(st.text())
def test_normalise_is_stable_and_plain(text: str) -> None:
    once = normalise(text)
    assert once == once.strip()
    assert "  " not in once and "\n\n\n" not in once and "\xa0" not in once
    if "&" not in text and not any("\xc2" <= character <= "\xf4" for character in text):
        assert unicodedata.is_normalized("NFKC", once)
        assert normalise(once) == once


WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzéü", min_size=1, max_size=9)
SENTENCES = st.lists(WORDS, min_size=4, max_size=12).map(lambda words: " ".join(words).capitalize() + ".")
ARTICLES = st.lists(SENTENCES, min_size=1, max_size=6)


@settings(deadline=None, max_examples=200)
@given(ARTICLES, st.sampled_from([" ", "  ", "\n", "\n\n", " \n\n\n ", "\xa0"]))
def test_only_spacing_changes_where_there_is_no_leftover(sentences: list[str], space: str) -> None:
    text = space.join(sentences)
    cleaned = clean_traced(text, "Judul yang lain sama sekali")
    assert cleaned.text.split() == unicodedata.normalize("NFKC", text).split()
    assert cleaned.removed == ()


def corpus() -> list[dict[str, str]]:
    lines = (DATA / "corpus" / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


# Whatever holds one of these may have a leftover; in the other articles nothing but spacing and quotes may change.
SUSPECTS = (
    "baca juga", "lihat juga", "simak", "tonton", "saksikan", "terkait", "video", "foto", "ilustrasi", "halaman", "scroll", "advert",
    "selengkapnya", "artikel ini", "editor", "penulis", "sumber:", "reporter", "pewarta", "kontributor", "tag:", "tags", "topik:",
    "whatsapp", "google news", "dapatkan", "ikuti", "cek ", "telegram", "http", "<", "&", "\\", "*", "[", "---", "(dok", "antara/",
    "/detik", "/kompas", "copyright",
)  # fmt: skip


def test_corpus_loses_nothing_but_leftovers_and_is_clean_after_one_pass() -> None:
    untouched = 0
    for article in corpus():
        text, title = article["text"], article["title"]
        cleaned = clean(text, title)
        assert clean(cleaned, title) == cleaned, article["id"]
        lowered = text.lower()
        starts_plainly = not any(dash in text[:80] for dash in ("-", "–", "—"))
        starts_plainly = starts_plainly and lowered[:12] != title.lower()[:12]
        if starts_plainly and "(" not in text[-100:] and not any(word in lowered for word in SUSPECTS):
            assert cleaned.split() == normalise(text).split(), article["id"]
            untouched += 1
    assert untouched > 500


@pytest.mark.parametrize(
    "unit",
    [
        "baca juga: ", "Baca juga: ", "Baca juga: Judul Besar ", "BACA JUGA ", "(", "((Foto: ", "<", "<p", "<!--", "<script>", "![", "![[[",
        "[", "[a](", "&", "&amp;", "&amp;amp", "&#", "\\", "\\\\a", " ", "\n", " \n", "\n ", "*", "**a", "-", "- ", "_", "Simak Video '", "'",
        "Foto: A/", "Foto: ", "(abc/def)", "(abc/", "Editor: ", "Editor: A\n", "Dapatkan ", "Dapatkan Cek WhatsApp ", "Halaman\n1\n",
        "Halaman 1 ", "https://", "https://a.jpg", "JAKARTA, ", "KOMPAS.com - ", "Jakarta - ", "Laporan Wartawan ", "Â", "é", "e\u0301",
        "\u0301", "ﬁ", "“", "\u200b", "\ud800", "A ", "Aa.", "[Gambas:", "Artikel ini telah tayang di ", "Ilustrasi ", "Selengkapnya ",
    ],
)  # fmt: skip
def test_long_repetitions_end(unit: str) -> None:
    text = unit * (50_000 // len(unit))
    assert isinstance(clean(text, unit * 20), str)
    assert isinstance(clean("Kalimat pertama. " + text + " tamat.", "Kalimat"), str)


def test_leftovers_far_apart_go_whatever_went_before():
    before = f"JAKARTA, KOMPAS.com - {BODY}"
    leftovers = [
        "Baca juga: Gubernur Tinjau Jembatan",
        "(Foto: Antara/Budi)",
        "Baca Juga: Warga Sambut Gubernur",
        "SCROLL TO CONTINUE",
    ]
    pages = [f"<p>{SECOND * 20}</p>\n<p>{leftover}</p>\n" for leftover in leftovers]
    cleaned = clean(before + "\n" + "".join(pages * 3) + SECOND + "\nEditor: Adi Budi")
    assert cleaned.split() == (BODY + " " + f"{SECOND * 20} " * 12 + SECOND).split()


def test_triggers_stand_where_rules_are_told_by_bits():
    assert len(RULES) <= MAX_RULES
    assert all(trigger for rule in RULES for trigger in rule.triggers)


@pytest.mark.parametrize("character", ["½", "㏂", "…", "ﬃ", "é", "𝐁", "x"])
def test_characters_of_several_have_room(character):
    plain = unicodedata.normalize("NFKC", character)
    assert clean("a" + character * 100_000 + "b") == f"a{plain * 100_000}b"
    assert clean_traced(character * 30_000).text == plain * 30_000
