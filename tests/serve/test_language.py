"""The language of a text: each neighbour of Indonesian is told from it, and Indonesian is taken for none of them."""

import json

import pytest

from serve.language import language_of
from serve.paths import DATA

TEXTS = {
    "Indonesian": [
        "Presiden tiba di Surabaya pada Senin pagi untuk meresmikan jembatan yang menghubungkan kedua kota tersebut.",
        "Harga cabai naik karena hujan terus turun, kata pedagang di pasar itu.",
        'Ia menamai kafenya "The Last of the Summer Rain" karena lagu itu yang diputar saat ia melamar istrinya.',
        "Kerajaan itu runtuh pada abad ke-15, dan lelaki tua itu ialah satu-satunya orang yang masih tahu makam rajanya.",
    ],
    "Malay": [
        "Polis menahan dua lelaki kerana disyaki mencuri kereta di hadapan sebuah hospital di Ipoh, petang Khamis.",
        "Beliau berkata kerajaan akan memberi bantuan kepada syarikat kecil, manakala cukai bagi pelbagai barang dikurangkan.",
    ],
    "Javanese": [
        "Wong-wong padha teka ing alun-alun wiwit esuk, nanging udan deres nganti wayah sore lan pasar ora sida dibukak.",
        "Bupati ngendika yen dalan anyar iku kudu rampung sadurunge riyaya, amarga akeh wong sing bakal mulih.",
    ],
    "Sundanese": [
        "Barudak sakola di eta desa geus dua minggu diajar di masjid, lantaran kelasna can diomean sabada lini bulan kamari.",
        "Ceuk bapa tani, usum halodo taun ieu leuwih panjang, jadi cai pikeun sawah teu nyukupan jeung loba nu gagal panen.",
    ],
    "English": [
        "The minister said on Friday that the new railway would open in March, two years later than planned.",
        "Fishermen who lost their boats in the storm have been waiting for help since the end of last year.",
    ],
    "Arabic script": ["وصل الرئيس إلى جاكرتا صباح اليوم في زيارة رسمية تستغرق ثلاثة أيام."],
    "Chinese script": ["总统今天上午抵达雅加达,开始为期三天的国事访问。"],
    "Japanese": ["だいとうりょうはきょうのあさジャカルタにとうちゃくした。"],
    "Cyrillic script": ["Президент прибыл в Джакарту с официальным визитом на три дня."],
}


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language, texts in TEXTS.items() for text in texts]
)
def test_each_language_is_told(language, text):
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Harga beras naik",
        "The Last of Us tamat",
        "Hasil: 2-1 3-0 4-2 1-1 0-0 2-2 5-1 3-3 1-0",
        "Tsunami 津波",
        "\ud800 " * 20,
        "…" * 50,
        "Ò Ð Þ Ø Æ Å Ä Ö Ü É È",
        "Chúng tôi đã đến Hà Nội vào buổi sáng và gặp nhiều người bạn cũ ở đó",
    ],
)
def test_what_cannot_be_told_is_not_named(text):
    assert language_of(text) == ""


def test_case_and_punctuation_do_not_matter():
    text = TEXTS["Malay"][0]
    assert language_of(text.upper()) == language_of(text.replace(" ", ",  ")) == "Malay"


def test_articles_of_the_corpus_are_indonesian():
    with (DATA / "corpus" / "articles.jsonl").open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    foreign = [text[:60] for text in texts if language_of(text) not in ("Indonesian", "")]
    # The corpus has some articles in other languages, so that a model has seen them.
    assert len(foreign) <= max(10, len(texts) // 500), foreign
