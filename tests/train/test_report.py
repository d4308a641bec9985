"""The report: a page that holds everything and asks for nothing from outside, and the same as Markdown."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cli.app import app
from serve.errors import InputError
from serve.model import TopicModel
from serve.topics import Topic
from serve.vectorizer import TfidfVectorizer
from train.evaluate import Evaluation, evaluate
from train.learning_curve import Point
from train.report import write_report


def evaluation(topics: list[str], n: int = 60) -> Evaluation:
    generator = np.random.default_rng(0)
    truth = generator.random((n, len(topics))) < 0.3
    probabilities = np.clip(truth * 0.6 + generator.random(truth.shape) * 0.4, 0, 1)
    return Evaluation(topics, [str(i) for i in range(n)], truth, probabilities > 0.5, probabilities)


def test_the_page_holds_figures_plots_and_facts(tmp_path: Path) -> None:
    topics = ["politik", "olahraga", "ekonomi"]
    groups = {"politik": "negara", "olahraga": "gaya hidup"}
    page = write_report(evaluation(topics), tmp_path / "report", title="Kanal", facts={"seed": 7}, groups=groups)
    assert page == tmp_path / "report" / "index.html"
    assert {path.name for path in page.parent.iterdir()} == {
        "index.html", "report.md", "precision_recall.png", "reliability.png", "confusion.png", "co_occurrence.png",
        "coverage.png",
    }  # fmt: skip
    text = page.read_text(encoding="utf-8")
    for expected in (*topics, "negara", "seed", "micro-F1", f"{evaluation(topics).metrics['micro_f1']:.3f}"):
        assert expected in text
    assert text.count("data:image/png;base64,iVBOR") == 5


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
    folder = tmp_path / "report"
    one, two = (
        {path.name: path.read_bytes() for path in page.parent.iterdir()}
        for page in (write_report(evaluation(["politik", "olahraga"]), folder, title="Kanal") for _ in range(2))
    )
    assert one == two
    assert list(tmp_path.iterdir()) == [folder]


def test_labels_without_a_positive_article_give_a_report_too(tmp_path: Path) -> None:
    nothing = np.zeros((4, 2), dtype=bool)
    rare = Evaluation(["politik", "olahraga"], list("abcd"), nothing, nothing, np.zeros((4, 2)))
    assert write_report(rare, tmp_path / "report", title="Kanal").exists()


def test_of_very_many_topics_the_plots_show_the_frequent_ones(tmp_path: Path) -> None:
    page = write_report(evaluation([f"topik {i}" for i in range(70)], n=30), tmp_path / "report", title="Kanal")
    assert "topik 69" in page.read_text(encoding="utf-8")


def articles(evaluation: Evaluation, title: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": evaluation.ids, "title": title, "text": "Kiper, bola, kiper!", "date": "2025-03-04", "outlet": "Koran Kita",
            "topics": [[] for _ in evaluation.ids],
        }
    )  # fmt: skip


@pytest.fixture
def model() -> TopicModel:
    return TopicModel(
        taxonomy={topic: Topic(topic) for topic in ("olahraga", "politik")},
        vectorizer=TfidfVectorizer(dtype=np.float32).fit(["bola kiper"]),
        weights=np.array([[4, -1], [3, -2]], np.float32),
        bias=np.zeros(2, np.float32),
        calibration=np.array([[1.0, 1.0], [0.0, 0.0]]),
        thresholds=np.full(2, 0.5),
    )


def test_mistakes_are_shown_with_title_and_words_and_slices_by_outlet(tmp_path: Path, model: TopicModel) -> None:
    labelled = articles(evaluation(["olahraga", "politik"], n=6), "Bola <i>kiper</i> | *hari ini*")
    page = write_report(evaluate(model, labelled), tmp_path / "report", title="Kanal", articles=labelled, model=model)
    text = page.read_text(encoding="utf-8")
    assert "Bola &lt;i&gt;kiper&lt;/i&gt; | *hari ini*" in text
    assert "bola\u00a0+" in text and "Koran Kita" in text and "2025" in text
    markdown = page.with_name("report.md").read_text(encoding="utf-8")
    assert r"Bola \<i\>kiper\</i\> \| \*hari ini\*" in markdown
    assert "bola +" in markdown


def test_of_an_article_without_a_title_the_beginning_is_shown(tmp_path: Path) -> None:
    found = evaluation(["olahraga"], n=20)
    wrong = Evaluation(found.topics, found.ids, found.truth, ~found.truth, found.probabilities)
    page = write_report(wrong, tmp_path / "report", title="Kanal", articles=articles(found, ""))
    assert "Kiper, bola, kiper!" in page.read_text(encoding="utf-8")


def test_articles_must_be_those_of_the_evaluation(tmp_path: Path) -> None:
    found = evaluation(["olahraga"])
    with pytest.raises(ValueError, match="in its order"):
        write_report(found, tmp_path / "report", title="Kanal", articles=articles(found, "")[::-1])


def test_markdown_tables_are_whole_and_name_charts_that_are_there(tmp_path: Path) -> None:
    page = write_report(evaluation(["a|b", "c"]), tmp_path / "report", title="# Kanal", facts={"seed": "1\n2"})
    markdown = page.with_name("report.md").read_text(encoding="utf-8")
    assert markdown.startswith("# \\# Kanal\n")
    for chart in re.findall(r"!\[[\w ]+\]\(([^)]*)\)", markdown):
        assert page.with_name(chart).exists()
    for table in re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_learning_curves_are_shown_when_there_are_some(tmp_path: Path) -> None:
    found = evaluation(["politik", "olahraga"])
    curves = {"with background": [Point(1000, found.surest(0.5)), Point(2000, found)], "without": [Point(1000, found)]}
    page = write_report(found, tmp_path / "report", title="Kanal", curves=curves)
    assert page.with_name("learning_curve.png").exists()
    assert "with background" in page.read_text(encoding="utf-8")


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear")
    with pytest.raises(InputError, match=r"dear\.txt"):
        write_report(evaluation(["politik"]), tmp_path / "letters", title="Kanal")
    with pytest.raises(InputError, match="is a file"):
        write_report(evaluation(["politik"]), tmp_path / "letters" / "dear.txt", title="Kanal")
    assert (tmp_path / "letters" / "dear.txt").read_text() == "Dear"


def test_the_command_writes_a_report_of_a_file(tmp_path: Path, model: TopicModel) -> None:
    model.save(tmp_path / "model")
    (tmp_path / "labelled.jsonl").write_text('{"judul": "Bola & kiper", "isi": "Bola", "topics": ["politik"]}\n')
    arguments = [tmp_path / "labelled.jsonl", "--model", tmp_path / "model", "--report", tmp_path / "report", "--json"]
    done = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["n"] == 1
    assert "Bola &amp; kiper" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
