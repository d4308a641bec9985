"""`kanal monitor`: what it prints and writes, and the exit status that a cron job goes by."""

import csv
import json
import random
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from serve.errors import InputError
from tests.serve.service.running import small_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    small_model().save(tmp_path / "model")
    return tmp_path / "model"


def crawl(path: Path, seed: int, new_words: float = 0.1, n: int = 200) -> Path:
    """Articles of two words that the model knows, and a share of others; the second outlet's name is hostile."""
    chosen = random.Random(seed)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["tanggal", "media", "isi"])
        for _ in range(n):
            words = ["kata" if chosen.random() < new_words else chosen.choice(["bola", "presiden"]) for _ in range(40)]
            outlet = chosen.choice(["Harian A", "<script>alert(1)</script>"])
            rows.writerow([f"{chosen.randint(1, 28)}/06/2026", outlet, " ".join(words)])
    return path


def monitor(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["monitor", *map(str, arguments)])


def test_a_crawl_as_last_month_s_ends_with_0(tmp_path: Path, model: Path) -> None:
    files = crawl(tmp_path / "a.csv", 1), crawl(tmp_path / "b.csv", 2)
    done = monitor(*files, "--model", model, "--limit", 0.5)
    assert done.exit_code == 0, done.output
    assert "Nothing is over the limit of 0.5." in done.output and "200 articles, 2 outlets, weeks of" in done.output
    # The confidence of one week is over the smaller limit, as the table shows.
    done = monitor(*files, "--model", model)
    assert done.exit_code == 0 and re.search(r"^2026-06-01 +38 +0\.02 +0\.00 +0\.21 ", done.output, re.MULTILINE)
    assert "No drift: what is over the limit of 0.2 may be chance (p above 0.01)." in done.output


def test_drift_ends_with_4_and_says_where(tmp_path: Path, model: Path) -> None:
    files = crawl(tmp_path / "a.csv", 1), crawl(tmp_path / "b.csv", 2, new_words=0.3)
    done = monitor(*files, "--model", model)
    assert done.exit_code == 4
    assert re.search(r"unknown words \(of all words\) +1\d\.\d% +\d\d\.\d% +\d\.\d+ +<0\.001  drift", done.output)
    assert "Drift over the limit of 0.2: unknown words" in done.output
    assert monitor(*files, "--model", model, "--limit", 50).exit_code == 0


def test_too_few_articles_are_no_all_clear(tmp_path: Path, model: Path) -> None:
    many, one = crawl(tmp_path / "a.csv", 1), crawl(tmp_path / "b.csv", 2, n=1)
    for files in ((many, one), (one, many)):
        done = monitor(*files, "--model", model, "--out", tmp_path / "out")
        sentence = f"Too few articles to tell: {one} has 1. It takes 30 or more."
        assert isinstance(done.exception, InputError) and str(done.exception) == sentence
        assert done.output.splitlines()[-3] == sentence and ": 1 article, 1 outlet, week of" in done.output
        assert sentence in (tmp_path / "out" / "index.html").read_text()
    assert json.loads(monitor(many, one, "--model", model, "--json").stdout)["too_few"]


def test_json_holds_all_comparisons(tmp_path: Path, model: Path) -> None:
    done = monitor(crawl(tmp_path / "a.csv", 1), crawl(tmp_path / "b.csv", 2, 0.3), "--model", model, "--json")
    found = json.loads(done.stdout)
    assert found["drift"] and found["limit"] == 0.2
    assert {shift["kind"] for shift in found["shifts"]} == {"all", "topic", "outlet", "week"}
    [first] = [shift for shift in found["shifts"] if (shift["kind"], shift["figure"]) == ("all", "unknown_words")]
    assert first["verdict"] == "drift" and 0.05 < first["reference"] < 0.15 < first["new"]


def test_a_page_with_charts_and_all_figures(tmp_path: Path, model: Path) -> None:
    out = tmp_path / "out"
    files = crawl(tmp_path / "a.csv", 1), crawl(tmp_path / "b.csv", 2, 0.3)
    done = monitor(*files, "--model", model, "--out", out)
    assert f"Report written: {out / 'index.html'}" in done.output
    assert {path.name for path in out.iterdir()} == {
        "index.html",
        "figures.csv",
        "distributions.png",
        "topics.png",
        "weeks.png",
    }
    page = (out / "index.html").read_text()
    assert not re.search(r"https?:|<script|<link|@import|url\(", page) and "&lt;script&gt;alert(1)" in page
    assert page.count("data:image/png;base64,iVBOR") == 3
    with (out / "figures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["verdict"] for row in rows if row["figure"] == "unknown_words"} == {"drift"}
    before = (out / "index.html").read_bytes(), (out / "figures.csv").read_bytes()
    monitor(*files, "--model", model, "--out", out)
    assert before == ((out / "index.html").read_bytes(), (out / "figures.csv").read_bytes())
    (out / "mine.txt").write_text("")
    refused = monitor(*files, "--model", model, "--out", out)
    assert isinstance(refused.exception, InputError) and "mine.txt" in str(refused.exception)


def test_where_mlflow_fails_the_answer_stands(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://there")
    done = monitor(crawl(tmp_path / "a.csv", 1), crawl(tmp_path / "b.csv", 2, 0.3), "--model", model, "--track")
    assert done.exit_code == 4 and "Drift over the limit" in done.stdout
    assert done.stderr.startswith("Warning: not logged to MLflow: MLflow failed")


def test_mistakes(tmp_path: Path, model: Path) -> None:
    file = crawl(tmp_path / "a.csv", 1)
    missing = monitor(file, tmp_path / "none.csv", "--model", model)
    assert isinstance(missing.exception, InputError) and "no such file" in str(missing.exception)
    assert monitor(file, file, "--model", model, "--limit", "-1").exit_code == 2
