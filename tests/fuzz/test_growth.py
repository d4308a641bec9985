"""Work grows with the size of the input: a small version of what `make fuzz` measures on 10 MB."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from serve.answers import Answers
from serve.batch import predict_file
from serve.clean import MOST_MARKS, clean, clean_traced
from serve.files.json_lines import MOST_COLUMNS
from serve.service.problems import MOST_LISTED, invalid
from serve.service.schemas import Articles, ManyArticles
from tests.fuzz import growth
from tests.fuzz.growth import Work, measure
from tests.serve.files.keywords import keywords

SIZE = 10_000


def test_cleaning_is_linear() -> None:
    assert [found.work.name for work in growth.cleaning(1) if not (found := measure(work, SIZE)).linear] == []


def test_finding_a_date_is_linear() -> None:
    works = [work for work in growth.regexes(("workbench",)) if work.name.startswith("workbench.dates")]
    assert works
    assert [found.work.name for work in works if not (found := measure(work, SIZE)).linear] == []


def test_what_is_not_linear_is_told() -> None:
    # Its ratio of 64 is far from what noise makes of 4.
    def cubic(text: str) -> int:
        return sum(text.count("b") for _ in range(len(text) ** 2 >> 16))

    assert not measure(Work("cubic", lambda size: "a" * size, cubic), 16_000).linear


def test_a_character_has_no_end_of_marks() -> None:
    marks = "\u0301\u0316" * 50_000
    assert len(clean("a" + marks + "b")) <= MOST_MARKS + 2
    assert clean("\u0f73" * 50_000 + " kata").endswith(" kata")
    traced = clean_traced("a" + marks + "b")
    assert traced.text[-1] == "b"
    assert traced.origins[-1] == len(marks) + 1
    assert clean("a" + "\u0301\u0316" * 10) == "\u00e1" + "\u0316" * 10 + "\u0301" * 9


def test_rows_with_ever_new_keys_are_rejected(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_text("".join(f'{{"isi":"panen","k{i}":1}}\n' for i in range(300)))
    outcome = predict_file(keywords(), source, target, keep=True, quiet=True)
    assert (outcome.rows, outcome.rejected) == (MOST_COLUMNS - 1, 300 - MOST_COLUMNS + 1)
    reason = (tmp_path / "b.jsonl.rejected.jsonl").read_text().splitlines()[0]
    assert f'"its keys make more than {MOST_COLUMNS} columns; give all rows the same keys' in reason


def test_columns_that_are_kept_have_names_of_their_own() -> None:
    columns = ["isi", "topics", "input_topics", "note", "k"]
    answers = Answers.of(keywords(), columns, "a.csv", keep=True)
    assert list(answers.names.values()) == ["isi", "input_topics", "input_input_topics", "input_note", "k"]


def test_faults_without_end_are_not_listed() -> None:
    with pytest.raises(ValidationError) as error:
        ManyArticles.model_validate_json(b'{"articles":[' + b"0," * 100_000 + b"0]}")
    assert error.value.error_count() == 1
    with pytest.raises(ValidationError) as error:
        Articles.model_validate_json(b'{"articles":[' + b"0," * MOST_LISTED + b"0]}")
    problem = invalid(error.value)
    assert (problem.status, len(problem.errors)) == (422, 0)
    assert "in 10,001 places" in problem.detail
