import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from serve.errors import InputError
from serve.topics import Topic
from train.corpus import COLUMNS
from workbench.audit import Audit, audit, label_issues
from workbench.audit_page import to_html, write_audit
from workbench.decisions import COLUMNS as CELLS
from workbench.decisions import read_decisions

WORDS = {
    "bola": "gol wasit penalti kiper liga striker stadion pelatih",
    "uang": "rupiah saham inflasi bank obligasi kurs investor bunga",
    "cuaca": "hujan angin badai mendung kemarau suhu awan petir",
}
TAXONOMY = {name: Topic(name) for name in WORDS}


def corpus(topics: list[list[str]], seed: int = 0) -> pd.DataFrame:
    """An article for each list of topics, in a file of this order."""
    generator = np.random.default_rng(seed)
    rows = []
    for line, ids in enumerate(topics, 1):
        words = " ".join(WORDS[topic] for topic in ids).split() + "dan yang di ke dari pada untuk dengan".split()
        row = {"id": f"a{line}", "title": "", "text": " ".join(generator.choice(words, 14)), "topics": list(ids)}
        rows.append({**dict.fromkeys(COLUMNS, ""), **row, "file": "koran.jsonl", "line": line})
    return pd.DataFrame(rows)


def planted(truth: list[list[str]], errors: dict[int, list[str]]) -> pd.DataFrame:
    """Articles about `truth`, some of which are labelled as in `errors`."""
    frame = corpus(truth)
    frame["topics"] = [errors.get(i, ids) for i, ids in enumerate(truth)]
    return frame


SEVERAL = [["bola"], ["uang"], ["cuaca"], ["bola", "uang"], ["uang", "cuaca"], []] * 20
ERRORS = {12: ["cuaca"], 25: ["uang", "bola"], 56: [], 63: ["bola"]}


@pytest.fixture(scope="module")
def found() -> Audit:
    return audit(planted(SEVERAL, ERRORS), TAXONOMY, number=6)


def test_planted_errors_come_first_and_their_topics_are_proposed(found: Audit) -> None:
    assert found.articles == 120
    assert found.doubted >= len(found.findings) >= len(ERRORS)
    first = {finding.suggestion.line - 1: finding.suggestion for finding in found.findings[: len(ERRORS)]}
    assert first.keys() == ERRORS.keys()
    for i, suggestion in first.items():
        assert (suggestion.id, suggestion.file, suggestion.given) == (f"a{i + 1}", "koran.jsonl", tuple(ERRORS[i]))
        assert set(suggestion.proposed) == set(SEVERAL[i])
    scores = [float(finding.suggestion.score) for finding in found.findings]
    assert scores == sorted(scores)


def test_the_words_are_those_of_the_topic_that_is_missing(found: Audit) -> None:
    (finding,) = (finding for finding in found.findings if finding.suggestion.line == 64)
    (doubt,) = finding.doubts
    assert (doubt.topic, doubt.given) == ("uang", False)
    assert doubt.probability > 0.5
    word, value = doubt.words[0]
    assert word in WORDS["uang"].split()
    assert value > 0


def test_of_single_label_data_exactly_one_topic_is_proposed() -> None:
    truth = [["bola"], ["uang"], ["cuaca"]] * 20
    result = audit(planted(truth, {7: ["bola"], 33: ["cuaca"]}), TAXONOMY)
    assert {finding.suggestion.line: finding.suggestion.proposed for finding in result.findings} == {
        8: ("uang",),
        34: ("bola",),
    }


def test_topics_that_are_not_looked_at_stay() -> None:
    frame = planted(SEVERAL, {12: ["kuliner", "cuaca"]})
    result = audit(frame, TAXONOMY)
    assert result.findings[0].suggestion.proposed == ("kuliner", "bola")


def test_right_labels_are_not_doubted() -> None:
    given = np.array([[True, False]] * 20 + [[False, True]] * 20)
    scores, proposed = label_issues(given, np.where(given, 0.95, 0.05))
    assert (proposed == given).all()
    np.testing.assert_allclose(scores, 0.95)


def hostile() -> Audit:
    frame = planted(SEVERAL, ERRORS)
    frame["title"] = '"><script>alert(1)</script>, {} \u2028 ' + frame["id"]
    frame["text"] += "\n</article><img src=x onerror=alert(1)>"
    return audit(frame, TAXONOMY, number=3)


def test_the_page_escapes_what_articles_hold_and_asks_for_nothing() -> None:
    page = to_html(hostile(), list(WORDS))
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "://" not in page
    assert page.count("<article ") == page.count("</article>") == 3


def test_suggestions_are_not_overwritten_once_something_is_decided(found: Audit, tmp_path: Path) -> None:
    assert write_audit(found, tmp_path / "audit", list(WORDS)) == tmp_path / "audit" / "index.html"
    write_audit(found, tmp_path / "audit", list(WORDS))
    file = tmp_path / "audit" / "suggestions.csv"
    assert read_decisions(file) == [finding.suggestion for finding in found.findings]
    with file.open(encoding="utf-8-sig", newline="") as lines:
        assert next(csv.reader(lines)) == list(CELLS)
    file.write_text(file.read_text(encoding="utf-8-sig").replace(",\n", ",accept\n", 1), encoding="utf-8")
    with pytest.raises(InputError, match="has 1 decision; move it away"):
        write_audit(found, tmp_path / "audit", list(WORDS))


def test_decisions_are_made_with_the_keyboard_kept_and_downloaded(browser: Any, tmp_path: Path) -> None:
    audited = hostile()
    page_file = write_audit(audited, tmp_path, list(WORDS))
    context = browser.new_context(viewport={"width": 360, "height": 700}, accept_downloads=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: (faults.append("a dialog"), dialog.dismiss()))
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for key in [*"nankpnnc", "Control+a"]:
        page.keyboard.press(key)
    page.keyboard.type("bola| hujan")
    assert not page.locator("article >> nth=2 >> [type=text]").evaluate("field => field.checkValidity()")
    page.keyboard.press("Control+a")
    page.keyboard.type("uang|cuaca")
    page.reload()
    assert page.locator("#progress").inner_text() == "3 of 3 decided"
    with page.expect_download() as download:
        page.click("#download")
    download.value.save_as(tmp_path / "decisions.csv")
    context.close()
    assert faults == []
    rows = [finding.suggestion for finding in audited.findings]
    decided = read_decisions(tmp_path / "decisions.csv")
    assert [(row.id, row.given, row.title) for row in decided] == [(row.id, row.given, row.title) for row in rows]
    assert [row.decision for row in decided] == ["accept", "keep", "change"]
    assert [row.proposed for row in decided] == [rows[0].proposed, rows[1].proposed, ("uang", "cuaca")]
