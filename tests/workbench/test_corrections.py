import json
import subprocess
from pathlib import Path

import pytest

from serve.errors import InputError
from train.corpus import load_corpus
from train.experiment import Columns
from workbench.audit import title_of
from workbench.corrections import correct, correct_in_place, patch
from workbench.decisions import SuggestedTopics, read_decisions, write_suggestions


def decided(file: Path | str, *changes: tuple[int, list[str], str], separator: str = "|") -> list[SuggestedTopics]:
    """Decisions on the articles that begin at these lines, given as the file has them."""
    articles = {article["line"]: article for _, article in load_corpus([file], label_separator=separator).iterrows()}
    return [
        SuggestedTopics(
            articles[line]["id"], str(file), line, title_of(articles[line]), tuple(articles[line]["topics"]),
            tuple(proposed), "0.1", decision,
        )
        for line, proposed, decision in changes
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a user works."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


JSON_LINES = "\r\n".join(
    [
        '\ufeff{"id":"a", "topics" : [ "satu" ,"dua"],"text":"Kata \\"topics\\": [] \\u00e9 \u2028 \\\\", "x": {"topics": 1}}',
        "",
        '{"id": "b", "text": "Tanpa topik"}',
        '{"topics": "satu|dua", "id": "c", "text": "Satu teks, dua topik"  }',
        '{"id": "d", "text": "Tetap", "topics": ["tiga"]}',
        '{"id": "e", "text": "Kosong", "topics": null}',
    ]
)


def test_only_the_topics_change_in_json_lines(folder: Path) -> None:
    file = folder / "koran kita.jsonl"
    file.write_bytes(JSON_LINES.encode())
    decisions = decided(
        file, (6, ["tiga"], "accept"), (3, ["dua"], "change"), (1, [], "accept"), (4, ["tiga"], "accept"), (5, ["satu"], "keep")
    )  # fmt: skip
    correct_in_place(decisions)
    expected = (
        JSON_LINES.replace('[ "satu" ,"dua"]', "[]")
        .replace('"Tanpa topik"', '"Tanpa topik", "topics": ["dua"]')
        .replace('"satu|dua"', '"tiga"')
        .replace("null", '["tiga"]')
    )
    assert file.read_bytes() == expected.encode()


CSV = (
    "nomor;judul;kategori;isi\n"
    '1;"Judul; dengan ""kutip""\ndan baris baru";satu;Isi pertama\n'
    '2;Tanpa;"";Isi kedua\n'
    "\n"
    '3;Akhir;"satu|dua";Isi "ketiga"\n'
    "4;Lain;;Isi keempat"
)


def test_only_the_topics_change_in_csv(folder: Path) -> None:
    file = folder / "koran.csv"
    file.write_text(CSV)
    correct_in_place(
        decided(file, (2, ["dua"], "accept"), (4, ["satu"], "accept"), (6, [], "accept"), (7, ["satu"], "accept"))
    )
    expected = (
        CSV.replace(";satu;", ";dua;").replace(';"";', ';"satu";').replace('"satu|dua"', '""').replace(";;", ";satu;")
    )
    assert file.read_text() == expected


@pytest.mark.parametrize(("old", "new"), [("3", "5"), ("[3]", "[5]"), ('"3"', '"5"'), ('["3"]', '["5"]')])
def test_labels_stay_numbers_or_text(folder: Path, old: str, new: str) -> None:
    file = folder / "angka.jsonl"
    rest = '{"text": "b", "label": 5}\n'
    file.write_text(f'{{"text": "a", "label": {old}}}\n{rest}')
    correct_in_place(decided(file, (1, ["5"], "accept")))
    assert file.read_text() == f'{{"text": "a", "label": {new}}}\n{rest}'


def test_a_csv_cell_of_json_stays_json(folder: Path) -> None:
    file = folder / "koran.csv"
    file.write_text('isi,topik\na,"[""satu""]"\nb,"dua,tiga"\n')
    columns = Columns(label_separator=",")
    correct_in_place(decided(file, (2, ["dua"], "accept"), (3, ["satu", "dua"], "accept"), separator=","), columns)
    assert file.read_text() == 'isi,topik\na,"[""dua""]"\nb,"satu,dua"\n'


@pytest.mark.parametrize("name", ["koran.jsonl", "bagian/koran kita.jsonl"])
@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
def test_git_applies_the_patch(folder: Path, name: str, end: str) -> None:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    lines = [json.dumps({"id": str(i), "text": f"Teks {i}", "topics": [["satu"], ["dua"]][i % 2]}) for i in range(20)]
    before = ((end or "\n").join(lines) + end).encode()
    file.write_bytes(before)
    decisions = decided(name, (1, ["dua"], "accept"), (9, [], "accept"), (20, ["satu"], "change"))
    (folder / "corrections.patch").write_bytes(patch(correct(decisions)).encode())
    correct_in_place(decisions)
    after = file.read_bytes()
    assert after != before
    file.write_bytes(before)
    subprocess.run(["git", "apply", "--check", "corrections.patch"], check=True)
    subprocess.run(["git", "apply", "corrections.patch"], check=True)
    assert file.read_bytes() == after


def test_nothing_decided_is_an_empty_patch(folder: Path) -> None:
    file = folder / "koran.jsonl"
    file.write_text('{"text": "a", "topics": ["satu"]}\n')
    decisions = decided(file, (1, ["dua"], ""), (1, ["dua"], "keep"), (1, ["satu"], "accept"))
    assert patch(correct(decisions)) == ""


def test_what_is_no_longer_as_it_was_is_refused(folder: Path) -> None:
    file = folder / "koran.jsonl"
    lines = ['{"id": "a", "text": "Satu", "topics": ["satu"]}\n', '{"id": "b", "text": "Dua", "topics": ["dua"]}\n']
    file.write_text("".join(lines))
    decisions = decided(file, (2, ["satu"], "accept"))
    for now, error in (
        (
            lines[0] + lines[1].replace('["dua"]', '["dua", "satu"]'),
            "line 2: its topics are dua|satu now, and were dua",
        ),
        (lines[0] + lines[1].replace('["dua"]', "[]"), "line 2: its topics are none now, and were dua"),
        (lines[0] * 2 + lines[1], "line 2: is no longer where 'b' begins, 'Dua'"),
        (lines[0] + lines[1].replace("Dua", "Lain"), "line 2: is no longer where 'b' begins, 'Dua'"),
        (lines[0], "line 2: is no longer where 'b' begins, 'Dua'"),
    ):
        file.write_text(now)
        with pytest.raises(InputError) as refused:
            correct(decisions)
        assert str(refused.value).startswith(f"{file}, {error}")


def test_decisions_that_cannot_be_carried_out_are_refused(folder: Path) -> None:
    file = folder / "koran.jsonl"
    file.write_text('{"id": "a", "text": "Satu", "topics": ["olahraga"]}\n{"id": "b", "text": "Dua", "topics": []}\n')
    with pytest.raises(InputError, match=r"line 2: no article has the topic 'olahrga'.*did you mean 'olahraga'\?"):
        correct(decided(file, (2, ["olahrga"], "change")))
    with pytest.raises(InputError, match="line 2: is decided on twice"):
        correct(decided(file, (2, ["olahraga"], "accept"), (2, ["olahraga"], "accept")))
    corrected = correct(decided(file, (2, ["olahraga"], "accept")))
    (folder / "dalam").mkdir()
    with pytest.MonkeyPatch.context() as patched, pytest.raises(InputError, match="lies outside the current folder"):
        patched.chdir(folder / "dalam")
        patch(corrected)
    for name in ("koran.jsonl.gz", "koran.parquet"):
        with pytest.raises(InputError, match=f"{name}: only JSONL and CSV, not compressed"):
            correct([SuggestedTopics("a", name, 1, "Satu", (), ("olahraga",), "0.1", "accept")])


def test_one_label_a_cell_has_no_room_for_two(folder: Path) -> None:
    file = folder / "koran.csv"
    file.write_text("isi,kategori\na,satu\nb,dua\n")
    with pytest.raises(InputError, match="line 2: has room for one topic"):
        correct(decided(file, (2, ["satu", "dua"], "accept")), Columns(label_separator=""))


def test_decisions_are_read_as_they_were_written(folder: Path) -> None:
    rows = [
        SuggestedTopics("a", "x, y.csv", 3, 'Judul "satu"', ("satu", "dua"), (), "0.0010", ""),
        SuggestedTopics("b", "x, y.csv", 9, "Lain", ("a|b", "c"), ("[c",), "0.2000", ""),
    ]
    write_suggestions(folder / "s.csv", rows)
    assert read_decisions(folder / "s.csv") == rows


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("decision\n", "putusan\n", "no column 'decision'; give it a file that `kanal data audit` wrote"),
        (",0.1,", ",0.1,ya", "s.csv, line 2, column 'decision': holds 'ya'; write accept, keep, change or nothing"),
        (",7,", ",tujuh,", "s.csv, line 2, column 'line': holds 'tujuh'; it has to be as the audit wrote it"),
    ],
)
def test_files_that_hold_no_decisions_are_refused(folder: Path, old: str, new: str, error: str) -> None:
    text = "id,file,line,title,given,proposed,score,decision\na,k.jsonl,7,Judul,satu,dua,0.1,\n"
    (folder / "s.csv").write_text(text.replace(old, new))
    with pytest.raises(InputError) as refused:
        read_decisions(folder / "s.csv")
    assert error in str(refused.value)
