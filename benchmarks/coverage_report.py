"""How long a coverage report takes and how much memory, by the number of articles in the filed crawl.

python -m benchmarks.coverage_report [--quick]
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from benchmarks.articles import first
from benchmarks.measure import WORK, Table, python, run, show, spread

ARTICLES = (10_000, 100_000, 400_000)
RUNS = 3
DAYS, OUTLETS = 8, 40


def write_filed(path: Path, n: int) -> None:
    """A crawl of made-up articles with the topics that they were made from, as `kanal predict --keep` would write it."""
    random = np.random.default_rng(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        writer = None
        for table in first(n):
            size = len(table)
            topics = table["topics"].to_pylist()
            days = [date(2026, 8, 5) + timedelta(number) for number in random.integers(0, DAYS, size).tolist()]
            times = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in random.integers(0, 1440, size).tolist()]
            part = pa.table({
                "id": table["id"],
                "topics": ["|".join(own) for own in topics],
                "probabilities": ["|".join(f"{p:.4f}" for p in random.uniform(0.5, 1, len(own))) for own in topics],
                "note": np.where(random.random(size) < 0.08, "uncertain", ""),
                "title": table["title"],
                "tanggal": [f"{day.day} Agustus {day.year} | {time} WIB" for day, time in zip(days, times, strict=True)],
                "media": [f"Harian {number}" for number in random.integers(1, OUTLETS + 1, size)],
                "url": [f"https://berita.example/{key}" for key in table["id"].to_pylist()],
                "text": table["text"],
            })  # fmt: skip
            writer = writer or pyarrow.csv.CSVWriter(file, part.schema)
            writer.write_table(part)
        if writer:
            writer.close()


def measure(quick: bool) -> list[Table]:
    rows = []
    for n in (1000,) if quick else ARTICLES:
        filed = WORK / f"filed-{n}.csv"
        write_filed(filed, n)
        command = python("kanal", "report", filed, WORK / "report.html")
        took = [run(command) for _ in range(1 if quick else RUNS)]
        page = (WORK / "report.html").stat().st_size / 1000
        figures = [spread([getattr(one, name) for one in took], form)
                   for name, form in (("seconds", ".1f"), ("cpu", ".1f"), ("megabytes", ".0f"))]  # fmt: skip
        rows.append([f"{n:,}", f"{filed.stat().st_size / 1e6:,.0f}", *figures, f"{page:.0f}"])
        filed.unlink()
    note = f"`kanal report` as a whole, {DAYS} days, {OUTLETS} outlets; medians of {RUNS} runs (least-most)."
    head = ["articles", "input MB", "seconds", "CPU seconds", "memory MB", "page kB"]
    return [Table("A coverage report against the size of the crawl", note, head, rows)]


if __name__ == "__main__":
    show(measure, "A coverage report against the size of the crawl")
