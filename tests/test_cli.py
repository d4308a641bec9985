"""The command line: what tools rely on, and what a user's mistake looks like."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kanal
from serve.paths import DATA, ROOT

SAMPLE = str(DATA / "samples" / "articles.csv")


@pytest.fixture
def own_data(tmp_path) -> Path:
    words = {"olahraga": "gol wasit liga kiper stadion", "ekonomi": "rupiah saham bank kurs inflasi"}
    rows = [
        f"{word} {other},{label}" for label, text in words.items() for word in text.split() for other in text.split()
    ]
    (tmp_path / "ours.csv").write_text("isi,kategori\n" + "\n".join(rows) + "\n")
    return tmp_path / "ours.csv"


def test_predict_files_every_row_in_order(run, embedded_model_folder, tmp_path):
    out = tmp_path / "topics.csv"
    status, said, _ = run("predict", SAMPLE, out, "--model", embedded_model_folder)
    assert status == 0
    with open(SAMPLE, encoding="utf-8", newline="") as source, out.open(encoding="utf-8", newline="") as target:
        given, filed = list(csv.DictReader(source)), list(csv.DictReader(target))
    assert [row["id"] for row in filed] == [row["id"] for row in given]
    assert list(filed[0]) == ["id", "topics", "probabilities", "note"]
    assert str(len(given)) in said
    for row in filed:
        topics, probabilities = row["topics"].split("|"), row["probabilities"].split("|")
        assert len(topics) == len(probabilities)
        assert probabilities == sorted(probabilities, reverse=True)


def test_keep_and_all_add_columns(run, embedded_model_folder, tmp_path):
    status, _, _ = run("predict", SAMPLE, tmp_path / "x.jsonl", "--model", embedded_model_folder, "--keep", "--all")
    assert status == 0
    row = json.loads((tmp_path / "x.jsonl").read_text().splitlines()[0])
    assert {"id", "topics", "probabilities", "judul", "isi", "security_pact", "sports"} <= set(row)
    assert 0 <= row["security_pact"] <= 1


def test_standard_streams(embedded_model_folder):
    command = [sys.executable, "-m", "kanal", "predict", "-", "--model", str(embedded_model_folder)]
    done = subprocess.run(
        command, cwd=ROOT, input="isi\nTimnas menang lewat gol penalti\n", capture_output=True, text=True
    )
    assert done.stderr == ""
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["id"] == "1"
    assert row["topics"].startswith("football")


def test_train_on_own_single_label_data(run, own_data, tmp_path):
    status, said, told = run("train", "--data", own_data, "--out", tmp_path / "model", "--no-track", "--json")
    assert status == 0
    assert told == f"\nModel written to {tmp_path / 'model'}\n"
    figures = json.loads(said)
    assert figures["accuracy"] == figures["micro_f1"] == 1
    assert {"macro_f1", "precision", "recall", "subset_accuracy", "per_topic", "n", "intervals"} <= set(figures)
    assert kanal.load(tmp_path / "model").predict("kurs rupiah") == ["ekonomi"]


def test_train_on_a_test_file_of_ones_own(run, own_data, tmp_path):
    test = tmp_path / "test.jsonl"
    test.write_text('{"isi": "bank saham", "kategori": "ekonomi"}\n{"isi": "gol kiper", "kategori": "olahraga"}\n')
    status, said, _ = run("train", "--data", own_data, "--test", test, "--no-track", "--json")
    assert status == 0
    assert json.loads(said)["n"] == 2


def test_train_tracks_registers_and_serves_the_champion(run, own_data, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    assert run("predict", SAMPLE)[0] == 2
    status, said, told = run("train", "--data", own_data, "--json")
    assert status == 0
    assert json.loads(said)["accuracy"] == 1
    assert "Version 1" in told
    assert kanal.load().predict("gol liga") == ["olahraga"]
    status, said, _ = run("models")
    assert "champion" in said
    (listed,) = json.loads(run("models", "--json")[1])
    assert (listed["number"], listed["aliases"], listed["micro_f1"]) == (1, ["champion"], 1)
    assert "Version 2: Not worse than" in run("train", "--data", own_data, "--no-promote")[1]
    assert [found["aliases"] for found in json.loads(run("models", "--json")[1])] == [["challenger"], ["champion"]]
    assert run("models", "verify", 1)[1].startswith("The same, byte for byte: model ")
    status, _, err = run("promote", 7)
    assert status == 2
    assert "No version 7" in err
    assert run("promote", 1)[0] == 0


def test_evaluate_prints_figures(run, embedded_model_folder, tmp_path):
    file = tmp_path / "labelled.jsonl"
    file.write_text('{"id": "a", "text": "Timnas menang lewat gol penalti kiper", "topics": ["football"]}\n')
    status, said, _ = run("evaluate", file, "--model", embedded_model_folder, "--json")
    assert status == 0
    assert json.loads(said)["per_topic"]["football"]["recall"] == 1
    status, said, _ = run("evaluate", file, "--model", embedded_model_folder)
    assert said.startswith("1 article, 38 topics;")
    assert "micro-F1" in said
    assert re.search(r"^football +1 +1\.000 +1\.000 +1\.000$", said, re.MULTILINE)
    assert re.search(r"^health +0 +- +- +-$", said, re.MULTILINE)
    said = run("compare", embedded_model_folder, embedded_model_folder, file)[1]
    assert re.search(r"^health +0 +- +-  -$", said, re.MULTILINE) and "\n0 articles are filed otherwise" in said


def test_labels_that_the_model_does_not_know_are_told_of(run, embedded_model_folder, own_data, tmp_path):
    file = tmp_path / "labelled.jsonl"
    line = '{"id": "a", "text": "Timnas menang lewat gol penalti kiper", "topics": ["Olahraga", "sepakbola"]}\n'
    file.write_text(line)
    evaluate = "the model", ("evaluate", file, "--model", embedded_model_folder)
    compare = "either model", ("compare", embedded_model_folder, embedded_model_folder, file)
    for models, command in (evaluate, compare):
        status, said, err = run(*command)
        assert (status, said) == (2, "")
        assert f"Error: {file}: none of its labels is a topic of {models}: Olahraga (1), sepakbola (1); there " in err
        assert "Did you mean 'sports' for 'Olahraga', 'football' for 'sepakbola'? `kanal data import FILE" in err
        file.write_text(line + line.replace("sepakbola", "football").replace('"a"', '"b"'))
        status, said, err = run(*command)
        labels = "Olahraga (2), sepakbola (1); they count for nothing, also not as missed."
        assert (status, err) == (0, f"Warning: {file}: labels that are no topics of {models}: {labels}\n")
        file.write_text(line)
    status, _, err = run("train", "--data", own_data, "--test", file, "--no-track")
    assert status == 2 and "'olahraga' for 'Olahraga'" in err
    file.write_text(line.replace("Olahraga", "olahraga"))
    status, _, err = run("train", "--data", own_data, "--test", file, "--no-track")
    assert status == 0 and "Warning: " in err and "sepakbola (1); they count" in err


def test_a_folder_with_other_files_is_refused_before_the_work(run, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for command in (("evaluate", "none.jsonl", "--report"), ("monitor", "none.csv", "none.csv", "--out")):
        status, _, err = run(*command, tmp_path)
        assert status == 2 and "holds 'notes.txt'" in err


def test_explain_names_the_words(run, embedded_model_folder):
    text = "Timnas menang lewat gol penalti. Baca juga: Harga Beras Naik"
    status, said, _ = run("explain", text, "--model", embedded_model_folder)
    assert status == 0
    assert "football" in said
    assert "timnas" in said
    assert "removed: baca_juga" in said
    status, said, _ = run("explain", text, "--model", embedded_model_folder, "--json", "--topic", "health")
    assert [topic["topic"] for topic in json.loads(said)["topics"]] == ["health"]
    status, _, err = run("explain", text, "--model", embedded_model_folder, "--topic", "healt")
    assert status == 2
    assert "health" in err


def test_topics_lists_codes(run):
    status, said, _ = run("topics")
    assert status == 0
    head, *rows = said.splitlines()
    # Each cell begins under its head, two spaces after the one before.
    begin = head.index("IAB")
    assert len(rows) == 38 and all(row[begin - 2 : begin + 1].lstrip() in row[begin] for row in rows)
    assert "medtop:20000641" in said
    said = run("topics", "--definitions")[1]
    assert "security_pact: Security pact; Pakta keamanan" in said and "  does not cover: An integrity pledge" in said
    listed = json.loads(run("topics", "--json")[1])
    assert len(listed) == 38
    assert listed[0]["iab"] == ["388"]


def test_data_audit_and_correct(run, own_data, tmp_path, monkeypatch):
    text = own_data.read_text()
    own_data.write_text(text.replace("liga kiper,olahraga", "liga kiper,ekonomi"))
    plain = ("--background", "none", "--lexicon", "none")
    status, said, _ = run("data", "audit", own_data, *plain, "--json", "--out", tmp_path / "audit")
    assert status == 0
    (found,) = json.loads(said)
    assert (found["given"], found["proposed"]) == (["ekonomi"], ["olahraga"])
    assert found["doubts"][0]["topic"] == "olahraga"
    assert "olahraga" in run("data", "audit", own_data, *plain)[1].splitlines()[1]

    decisions = tmp_path / "audit" / "suggestions.csv"
    decisions.write_text(decisions.read_text().rstrip() + "accept\n")
    monkeypatch.chdir(tmp_path)
    status, said, told = run("data", "correct", decisions)
    assert said.splitlines()[-6:].count("+liga kiper,olahraga") == 1
    assert told == "Corrections in the patch: 1 (1 accept, 0 change, 0 keep, 0 undecided)\n"
    assert run("data", "correct", decisions, "--write", "--out", "x.patch")[0] == 2
    assert "is read; name another for --out" in run("data", "correct", decisions, "--out", decisions)[2]
    assert run("data", "correct", decisions, "--write")[0] == 0
    assert own_data.read_text() == text


def test_data_check_names_file_and_line(run, tmp_path):
    assert run("data", "check")[0] == 0
    file = tmp_path / "bad.jsonl"
    file.write_text('{"id": "a", "text": "x y z", "topics": []}\n{"id": "a", "text": "x y w", "topics": ["futball"]}\n')
    status, _, err = run("data", "check", file, "--topics", DATA / "topics.toml")
    assert status == 2
    assert "bad.jsonl, line 2" in err
    assert "football" in err


def test_export_to_scikit_learn_gives_the_same_answers(run, embedded_model, embedded_model_folder, samples, tmp_path):
    import joblib
    import numpy as np
    import pandas as pd

    status, _, _ = run("export", tmp_path / "sk", "--format", "sklearn", "--model", embedded_model_folder)
    assert status == 0
    pipeline = joblib.load(tmp_path / "sk" / "pipeline.joblib")
    frame = samples
    filed = embedded_model.file(list(frame["text"]), list(frame["title"]))
    probabilities = np.stack([two[:, 1] for two in pipeline.predict_proba(frame)], axis=1)
    np.testing.assert_allclose(probabilities, filed.probabilities, atol=1e-5)
    assert (pipeline.predict(frame) == filed.assigned).all()
    assert pipeline.topics_ == embedded_model.topics
    texts = [*frame["text"][:5], None]
    for given in (texts, pd.Series(texts), np.array(texts, object)):
        assert (pipeline.predict(given) == embedded_model.file(texts).assigned).all()


def test_export_to_mlflow_loads(run, embedded_model_folder, tmp_path):
    import mlflow.pyfunc
    import pandas as pd

    status, _, _ = run("export", tmp_path / "ml", "--format", "mlflow", "--model", embedded_model_folder)
    assert status == 0
    answer = mlflow.pyfunc.load_model(str(tmp_path / "ml")).predict(
        pd.DataFrame({"text": ["Timnas menang lewat gol penalti"]})
    )
    assert answer["topics"][0].startswith("football")


@pytest.fixture
def samples():
    import pandas as pd

    frame = pd.read_csv(SAMPLE).rename(columns={"judul": "title", "isi": "text"})
    return frame.astype(object).where(frame.notna(), None)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"judul,kosong\na,b\n", (), r"no column for the text"),
        (b"isi\na\n", ("--text-column", "teks"), r"no column 'teks'; its columns are: isi"),
        (b"isi\nsatu\ndua \xff tiga\n", ("--strict",), r"line 3.*0xFF"),
        (b"isi,judul\na,b\nc,d,e\n", ("--strict",), r"line 3"),
        (b"", (), r"empty"),
        (b"isi\na\n", ("--model", "nowhere"), r"nowhere: no such model folder"),
    ],
)
def test_bad_input_is_a_sentence_and_leaves_nothing(run, embedded_model_folder, tmp_path, content, options, message):
    file, out = tmp_path / "in.csv", tmp_path / "out" / "topics.csv"
    file.write_bytes(content)
    model = () if "--model" in options else ("--model", embedded_model_folder)
    status, _, err = run("predict", file, out, *model, *options)
    assert status == 2
    assert err.splitlines()[-1].startswith("Error: ")
    assert re.search(message, err), err
    assert not out.parent.exists() or not list(out.parent.iterdir())


def test_an_unknown_extension_is_refused(run, embedded_model_folder, tmp_path):
    (tmp_path / "a.docx").write_text("x")
    status, _, err = run("predict", tmp_path / "a.docx", tmp_path / "o.csv", "--model", embedded_model_folder)
    assert status == 2
    assert ".csv" in err


def test_rare_topics_are_named(run, own_data):
    own_data.write_text(own_data.read_text() + "hujan deras,cuaca\n")
    status, _, err = run("train", "--data", own_data, "--no-track")
    assert status == 2
    assert "cuaca (1)" in err
    status, said, _ = run("train", "--data", own_data, "--no-track", "--drop-rare")
    assert status == 0
    assert said.endswith("Articles left out, whose topic has fewer than 5 to train on: 1\n")
    plain = ("--background", "none", "--lexicon", "none", "--drop-rare", "--json")
    status, said, told = run("data", "audit", own_data, *plain)
    assert (status, json.loads(said)) == (0, [])
    assert told == "Articles left out, whose topic has fewer than 5: 1\n"
    # One article of each of four topics, of which some are set aside for the test: all are named.
    few = "isi,kategori\n" + "".join(f"{text},{text}\n" for text in ("bola", "prices", "court", "health"))
    (own_data.parent / "few.csv").write_text(few)
    status, _, err = run("train", "--data", own_data.parent / "few.csv", "--no-track")
    assert status == 2 and re.search(r"\(0, 1 more set aside for the test\)", err)
    assert all(f"{topic} (" in err for topic in ("bola", "prices", "court", "health"))


@pytest.fixture
def small(tmp_path) -> dict[str, Path]:
    """A labelled corpus of two topics, a test file and a crawl in which other words keep the same company."""
    words = {"olahraga": "gol wasit liga kiper stadion", "ekonomi": "rupiah saham bank kurs inflasi"}
    other = {"olahraga": "striker penalti", "ekonomi": "obligasi investor"}
    lines = [
        f"{a} {b} {c},{label}"
        for label, text in words.items()
        for a in text.split()
        for b in text.split()
        for c in "xy"
    ]
    crawl = [
        f"{a} {b} {c}"
        for label, text in words.items()
        for a in text.split()
        for b in text.split()
        for c in other[label].split()
    ]
    files = {"data": tmp_path / "data.csv", "crawl": tmp_path / "crawl.csv", "background": tmp_path / "background"}
    files["data"].write_text("isi,kategori\n" + "\n".join(lines) + "\n")
    files["crawl"].write_text("isi\n" + "\n".join(crawl * 2) + "\n")
    return files


def test_background_brings_words_that_no_article_holds(run, small, tmp_path):
    status, said, _ = run("background", small["crawl"], "--out", small["background"], "--dimensions", 20)
    assert status == 0
    assert said.startswith("200 articles of the crawl and 4,367 of the embedded corpus: ")
    for name, choice in (("with", small["background"]), ("without", "none")):
        out = tmp_path / name
        assert run("train", "--data", small["data"], "--background", choice, "--out", out, "--no-track")[0] == 0
    assert kanal.load(tmp_path / "with").predict("penalti") == ["olahraga"]
    assert kanal.load(tmp_path / "with").predict("obligasi") == ["ekonomi"]
    assert "penalti" not in kanal.load(tmp_path / "without").vectorizer.terms_.names
    status, _, err = run("train", "--data", small["data"], "--background", tmp_path, "--no-track")
    assert status == 2
    assert "kanal background" in err


def test_adapt_learns_from_a_crawl_and_says_what_it_changed(run, small, tmp_path):
    assert run("background", small["crawl"], "--out", small["background"], "--dimensions", 20)[0] == 0
    options = ["--data", small["data"], "--background", small["background"], "--no-track"]
    status, said, _ = run("adapt", small["crawl"], *options, "--out", tmp_path / "model")
    assert status == 0
    assert "crawl filed before" in said
    assert "test micro_f1" in said
    status, said, told = run("adapt", small["crawl"], *options, "--json")
    assert status == 0
    assert json.loads(said)["accuracy"] == 1
    assert "crawl filed before" in told
    model = kanal.load(tmp_path / "model")
    assert model.card["data"]["crawl_articles"] == 200
    assert model.predict("penalti striker") == ["olahraga"]


def test_tune_seeks_settings(run, small, monkeypatch):
    import train.tune

    monkeypatch.setattr(train.tune, "TRIALS", 3)
    status, said, _ = run("train", "--data", small["data"], "--background", "none", "--tune", "--no-track", "--json")
    assert status == 0
    assert json.loads(said)["accuracy"] == 1


def test_topics_words_shows_both_columns(run):
    status, said, _ = run("topics", "words", "security_pact", "--number", "5")
    assert status == 0
    assert len(said.splitlines()) == 6
    assert "perjanjian" in said
    status, _, err = run("topics", "words", "nothing")
    assert status == 2
    assert "No topic 'nothing'" in err


def test_duplicates_are_counted_and_left_out(run, tmp_path):
    wire, unique = ROOT / "docs" / "files" / "wire.csv", tmp_path / "unique.csv"
    status, said, _ = run("data", "duplicates", wire, "--json", "--unique", unique)
    assert (status, sum(json.loads(said)["copies"].values())) == (0, 4)
    assert "copies                     0" in run("data", "duplicates", unique)[1]


def test_no_output_takes_the_place_of_another_or_of_an_input(run, tmp_path):
    file, other = tmp_path / "a.csv", tmp_path / "b.csv"
    file.write_text("id,text,topics\n1,Panen raya,b\n")
    before = file.read_bytes()
    status, _, errors = run("data", "duplicates", file, "--out", other, "--unique", other)
    assert (status, errors) == (2, f"Error: {other}: is what --out writes; name another for --unique.\n")
    (tmp_path / "link.csv").symlink_to(file)
    for command in (
        ("duplicates", file, "--unique", tmp_path / "link.csv"),
        ("export", file, tmp_path / "link.csv", "--format", "fasttext"),
        ("pull", file, "--out", file),
        ("pull", "indonews", "--from", file, "--out", file),
    ):
        status, _, errors = run("data", *command)
        assert status == 2
        assert "is read; name another for" in errors
    assert file.read_bytes() == before
    assert not other.exists()


def test_duplicates_are_not_sought_in_a_stream(run):
    status, _, errors = run("data", "duplicates", "-")
    assert (status, errors) == (2, "Error: standard input cannot be read twice; name a file.\n")
