"""Filed crawls for the tests of reports: what `kanal predict --keep` writes, without a model."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

HEAD = ("id", "topics", "probabilities", "note", "judul", "tanggal", "media", "url", "isi")


def article(
    topics: str = "", title: str = "", day: str = "", outlet: str = "", note: str = "", link: str = "", text: str = ""
) -> list[str]:
    """A row of a filed crawl; its topics are sure to 0.9."""
    return [topics, "|".join("0.9000" for _ in topics.split("|") if topics), note, title, day, outlet, link, text]


def write_filed(path: Path, rows: Iterable[Sequence[str]], head: Sequence[str] = HEAD) -> Path:
    """A CSV file of these rows, numbered from 1."""
    with path.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(head)
        table.writerows([number, *row] for number, row in enumerate(rows, 1))
    return path


def five_days(today: int = 20) -> list[list[str]]:
    """Four days of football and prices in equal parts, and one on which a flood came; a visit has always to do with trade."""
    rows = []
    for day in range(8, 13):
        for number in range(20):
            topic = ("football", "prices", "state_visit|trade_relations", "")[number % 4]
            if day == 12 and number < today // 2:
                topic = "disaster"
            title = f"Berita {topic.split('|')[0]} {'abcdefghij'[number // 2] * 3} dari hari {day}"
            note = "uncertain" if number % 10 == 0 else ""
            rows.append(article(topic, title, f"{day} Agt 2026", f"Harian {'AB'[number % 2]}", note))
    return rows
