"""The report: the reliability figures, and a page that holds everything and asks for nothing from outside."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from train.evaluate import Evaluation
from train.report import reliability, write_report


def evaluation(topics: list[str], n: int = 60) -> Evaluation:
    generator = np.random.default_rng(0)
    truth = generator.random((n, len(topics))) < 0.3
    probabilities = np.clip(truth * 0.6 + generator.random(truth.shape) * 0.4, 0, 1)
    return Evaluation(topics, [str(i) for i in range(n)], truth, probabilities > 0.5, probabilities)


def test_reliability_of_probabilities_that_hold() -> None:
    found = reliability(np.array([[0.25, 0.25], [0.25, 0.25]]), np.array([[True, False], [False, False]]))
    assert found.counts.tolist() == [0, 0, 4, 0, 0, 0, 0, 0, 0, 0]
    assert (found.predicted[2], found.observed[2], found.error) == (0.25, 0.25, 0)
    assert np.isnan(found.predicted[0])


def test_reliability_weighs_bins_with_their_decisions() -> None:
    # Three decisions are off by 0.1, one by 0.5; a probability of 1 belongs to the last bin.
    found = reliability(np.array([[0.1, 0.1, 0.1, 0.5, 1.0]]), np.array([[False, False, False, True, True]]))
    assert found.error == pytest.approx((3 * 0.1 + 0.5 + 0) / 5)
    assert found.counts[-1] == 1


def test_reliability_of_nothing() -> None:
    assert reliability(np.zeros((0, 3)), np.zeros((0, 3), dtype=bool)).error == 0


def test_the_page_holds_figures_plots_and_facts(tmp_path: Path) -> None:
    topics = ["politik", "olahraga", "ekonomi"]
    groups = {"politik": "negara", "olahraga": "gaya hidup"}
    page = write_report(evaluation(topics), tmp_path / "report", title="Kanal", facts={"seed": 7}, groups=groups)
    assert page == tmp_path / "report" / "index.html"
    assert {path.name for path in page.parent.iterdir()} == {
        "index.html", "precision_recall.png", "reliability.png", "confusion.png", "co_occurrence.png",
    }  # fmt: skip
    text = page.read_text(encoding="utf-8")
    for expected in (*topics, "negara", "seed", "micro-F1", f"{evaluation(topics).metrics['micro_f1']:.3f}"):
        assert expected in text
    assert text.count("data:image/png;base64,iVBOR") == 4


def test_the_page_asks_for_nothing_from_outside_and_works_on_a_phone_and_in_the_dark(tmp_path: Path) -> None:
    text = write_report(evaluation(["politik"]), tmp_path / "report", title="Kanal").read_text(encoding="utf-8")
    assert not re.search(r"https?:|<script|<link|@import|url\(", text)
    assert all(source.startswith("data:image/png") for source in re.findall(r'src="([^"]*)"', text))
    assert 'name="viewport"' in text and "prefers-color-scheme: dark" in text


def test_names_are_shown_as_they_are_written(tmp_path: Path) -> None:
    topics = ["<script>alert(1)</script>", "Ekonomi & 'Bisnis' \"baru\"", "$x_{$", "{kurung}", "财经"]
    page = write_report(
        evaluation(topics), tmp_path / "report", title="<b>", facts={"<i>": "<u>"}, groups={topics[0]: "<em>"}
    )
    shown: set[str] = set()
    tags: set[str] = set()

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            shown.add(data.strip())

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)

    Reader().feed(page.read_text(encoding="utf-8"))
    assert {*topics, "<b>", "<i>", "<u>", "<em>"} <= shown
    assert not tags & {"script", "b", "i", "u", "em"}


def test_the_report_is_the_same_twice_and_replaces_the_one_before(tmp_path: Path) -> None:
    for name in ("one", "two", "two"):
        write_report(evaluation(["politik", "olahraga"]), tmp_path / name, title="Kanal")
    assert (tmp_path / "one" / "index.html").read_bytes() == (tmp_path / "two" / "index.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_labels_without_a_positive_article_give_a_report_too(tmp_path: Path) -> None:
    nothing = np.zeros((4, 2), dtype=bool)
    rare = Evaluation(["politik", "olahraga"], list("abcd"), nothing, nothing, np.zeros((4, 2)))
    assert write_report(rare, tmp_path / "report", title="Kanal").exists()


def test_of_very_many_topics_the_plots_show_the_frequent_ones(tmp_path: Path) -> None:
    page = write_report(evaluation([f"topik {i}" for i in range(70)], n=30), tmp_path / "report", title="Kanal")
    assert "topik 69" in page.read_text(encoding="utf-8")
