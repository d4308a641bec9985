"""The headlines that stand for a topic."""

import pandas as pd

from workbench.headlines import headlines

FLOOD = "Banjir Rendam Rumah Warga Tirtasari"


def frame(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Articles of one topic: title, outlet, probability."""
    titles, outlets, probabilities = zip(*rows, strict=True)
    return pd.DataFrame({
        "title": titles, "outlet": outlets, "link": "", "topics": [["disaster"]] * len(rows),
        "probabilities": [[probability] for probability in probabilities],
    })  # fmt: skip


def titles(articles: pd.DataFrame) -> list[str]:
    return [headline.title for headline in headlines(articles)["disaster"]]


def test_close_to_what_most_are_about_and_sure():
    about = [
        ("Banjir Tirtasari Surut", "A", 0.9),
        ("Banjir Tirtasari Meluas", "A", 0.9),
        ("Korban Banjir Tirtasari Mengungsi", "A", 0.9),
    ]
    other = ("Resep Sambal Terasi Nenek", "A", 0.9)
    assert other[0] not in titles(frame(other, *about))
    unsure = ("Banjir Tirtasari Ditangani", "A", 0.1)
    assert unsure[0] not in titles(frame(unsure, *about))


def test_a_story_once_and_how_many_tell_it():
    found = headlines(
        frame((FLOOD, "A", 0.9), (FLOOD + " Kota", "B", 0.8), (FLOOD, "C", 0.7), ("Longsor Tutup Jalan Desa", "D", 0.6))
    )["disaster"]
    assert [headline.title for headline in found] == [FLOOD, "Longsor Tutup Jalan Desa"]
    assert [headline.similar for headline in found] == [2, 0]


def test_outlets_take_turns():
    rows = [("Banjir Tirtasari Merendam Sekolah", "A", 0.95), ("Banjir Tirtasari Memutus Jembatan", "A", 0.94), ("Banjir Tirtasari Menghanyutkan Perahu", "B", 0.9), ("Banjir Tirtasari Menggenangi Pasar", "C", 0.9)]  # fmt: skip
    found = headlines(frame(*rows))["disaster"]
    assert {headline.outlet for headline in found} == {"A", "B", "C"}
    # But not one that hardly stands for the topic.
    found = headlines(
        frame(*rows[:2], ("Banjir Tirtasari Menggenangi Pasar", "A", 0.9), ("Agenda Kota Pekan Depan", "B", 0.5))
    )["disaster"]
    assert {headline.outlet for headline in found} == {"A"}


def test_titles_without_words():
    assert titles(frame(("?!", "A", 0.9), ("?!", "B", 0.8), ("…", "C", 0.7))) == ["?!", "…"]
    assert headlines(frame(("", "A", 0.9))) == {}


def test_each_topic_of_an_article():
    both = pd.DataFrame(
        {
            "title": ["Raja Tiba"],
            "outlet": "A",
            "link": "",
            "topics": [["visit", "trade"]],
            "probabilities": [[0.9, 0.6]],
        }
    )
    assert {topic: found[0].probability for topic, found in headlines(both).items()} == {"visit": 0.9, "trade": 0.6}
