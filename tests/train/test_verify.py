import gzip
import json
import re
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from serve.errors import InputError
from serve.model import TopicModel
from train.experiment import Columns, Material, run_experiment
from train.fit import Settings
from train.origin import origin, sha256_of
from train.tune import tune
from train.verify import differences, verify

WORDS = {"olahraga": "gol wasit liga kiper stadion", "ekonomi": "rupiah saham bank kurs inflasi"}
CRAWL = "isi\nstriker gol penalti\nobligasi saham investor\nwasit liga striker\nkurs bank obligasi\n" * 4


@pytest.fixture
def material(tmp_path, monkeypatch) -> Material:
    monkeypatch.chdir(tmp_path)
    rows = [f"{a} {b},{label}" for label, text in WORDS.items() for a in text.split() for b in text.split()]
    Path("ours.csv").write_text("isi,kategori\n" + "\n".join(rows) + "\n")
    Path("lexicon.toml").write_text('olahraga = ["penalti", "striker utama"]\n')
    Path("crawl.csv").write_text(CRAWL)
    return Material(["ours.csv"], background="none", lexicon="lexicon.toml")


def trained(material: Material, settings: Settings = Settings(), crawl: tuple[str, ...] = ()) -> TopicModel:
    run_experiment(material, settings, crawl=crawl, out=Path("model"), tracked=False)
    return TopicModel.load("model")


def test_the_card_says_what_a_model_was_made_from(material):
    card = trained(material, Settings(seed=3)).card
    assert card["sources"]["data"] == [{"path": "ours.csv", "sha256": sha256_of("ours.csv"), "articles": 50}]
    assert card["sources"]["background"] is None
    assert card["sources"]["lexicon"] == {"path": "lexicon.toml", "sha256": sha256_of("lexicon.toml")}
    assert card["settings"]["seed"] == 3
    assert {"numpy", "scipy", "scikit-learn", "numba", "llvmlite"} <= set(card["origin"]["packages"])


def test_the_same_again(material):
    found = verify(trained(material))
    assert found.differences == []
    assert verify(trained(material, Settings(cost=3.0, seed=2))).differences == []


def test_settings_that_were_sought_are_taken_from_the_card(material, monkeypatch):
    # A search, but one whose best settings are not those that it begins with, as they are on so few words.
    searched = []

    def search(fit, settings):
        searched.append(tune(fit, settings)[0])
        return replace(searched[0], cost=3.0, ngram_max=2), []

    monkeypatch.setattr("train.tune.TRIALS", 2)
    monkeypatch.setattr("train.experiment.tune", search)
    run_experiment(material, out=Path("model"), tracked=False, tuned=True)
    model = TopicModel.load("model")
    assert model.card["settings"] == asdict(replace(searched[0], cost=3.0, ngram_max=2))
    assert verify(model).differences == []


def test_topics_left_out_are_left_out_again(material):
    Path("ours.csv").write_text(Path("ours.csv").read_text() + "hujan deras,cuaca\n")
    model = trained(replace(material, drop_rare=True, columns=Columns(label="kategori")))
    assert model.single_label
    assert verify(model).differences == []
    # Of a file of other bytes the articles are compared: those that are left.
    (other := Path("other/ours.csv")).parent.mkdir()
    other.write_text(Path("ours.csv").read_text() + "\n")
    assert verify(model, [other]).differences == []


def test_what_learnt_from_a_crawl_is_verified_with_it(material):
    model = trained(material, crawl=("crawl.csv",))
    assert verify(model).differences == []
    Path("crawl.csv").write_text(CRAWL + "penalti wasit\n")
    with pytest.raises(InputError, match=r"crawl\.csv: not what the model was trained with"):
        verify(model)


def test_the_same_articles_in_another_file_will_do(material, tmp_path):
    model = trained(material)
    (tmp_path / "moved").mkdir()
    Path("ours.csv").rename("moved/theirs.csv")
    with pytest.raises(InputError, match=r"ours\.csv: .* not there; .* --data"):
        verify(model)
    assert verify(model, ["moved/theirs.csv"]).differences == []
    # Packed the file is another, and the articles, whose ids are made from the file's name, the same.
    Path("ours.csv.gz").write_bytes(gzip.compress(Path("moved/theirs.csv").read_bytes()))
    assert verify(model, ["ours.csv.gz"]).differences == []
    rows = [json.dumps({"id": f"ours-{i}", "isi": line.split(",")[0], "kategori": line.split(",")[1]})
            for i, line in enumerate(Path("moved/theirs.csv").read_text().splitlines()[1:], 1)]  # fmt: skip
    Path("ours.jsonl").write_text("\n".join(rows) + "\n")
    assert verify(model, ["ours.jsonl"]).differences == []


def test_other_data_are_refused(material):
    model = trained(material)
    lines = Path("ours.csv").read_text().splitlines()
    Path("ours.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    with pytest.raises(InputError, match=r"ours\.csv: not the data that the model was trained on"):
        verify(model)


def test_what_differs_is_said_with_how_much(material):
    model = trained(material)
    other = replace(model, weights=model.weights + np.float32(0.25), thresholds=model.thresholds * 0)
    altered = verify(replace(other, card=model.card))
    assert altered.differences[0].startswith(
        f"weights: {model.weights.size} of {model.weights.size} numbers differ, by 0.25 at most"
    )
    assert altered.again.version == model.version
    negated = replace(model, weights=-model.weights, bias=-model.bias)
    articles = Columns().load(["ours.csv"])
    assert differences(model, negated, articles)[-1] == "decisions: other topics for 50 of 50 test articles"


def test_other_packages_and_code_are_remarked_on(material):
    model = trained(material)
    made_by = model.card["origin"]
    other = {**made_by, "commit": "0" * 40, "dirty": True, "packages": {**made_by["packages"], "numpy": "1.0"}}
    remarks = verify(model.with_card(origin=other)).remarks
    assert any(remark.startswith("numpy: 1.0 then, ") for remark in remarks)
    assert any(remark.startswith("commit: 000") for remark in remarks)
    assert "dirty: the code when the model was made is not that of its commit" in remarks


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("settings", {}), ("settings.cost", "1"), ("settings.further", 1), ("sources", []), ("sources.data", {}), ("sources.data[0]", "ours.csv"),
        ("sources.data[0].path", 7), ("sources.background", []), ("sources.lexicon.sha256", 1), ("sources.columns.title", 1), ("origin", None),
        ("origin.commit", 7), ("origin.packages", []), ("data.fingerprint", None), ("data", ...),
    ],
)  # fmt: skip
def test_a_card_that_does_not_say_enough_is_refused(material, part, value):
    model = trained(material)
    card = json.loads(json.dumps(model.card))
    *path, last = re.findall(r"[a-z_]\w*|[0-9]+", part)
    inner = card
    for key in path:
        inner = inner[int(key) if key.isdigit() else key]
    if value is ...:
        del inner[last]
    else:
        inner[int(last) if last.isdigit() else last] = value
    with pytest.raises(InputError, match="does not say what it was trained from") as refused:
        verify(replace(model, card=card))
    assert f"({part}" in str(refused.value)


def test_a_checkout_is_dirty_when_what_git_keeps_was_changed(tmp_path, monkeypatch):
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        return subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    monkeypatch.setattr("train.origin.ROOT", tmp_path)
    assert (origin()["commit"], origin()["dirty"]) == (None, None)
    git("init")
    (tmp_path / "code.py").write_text("a = 1\n")
    git("add", "code.py")
    git("commit", "-m", "first")
    (tmp_path / "model.json").write_text("{}")
    assert (origin()["commit"], origin()["dirty"]) == (git("rev-parse", "HEAD"), False)
    (tmp_path / "code.py").write_text("a = 2\n")
    assert origin()["dirty"] is True
    # Below another repository it is no checkout of its own.
    (tmp_path / "site").mkdir()
    monkeypatch.setattr("train.origin.ROOT", tmp_path / "site")
    assert origin()["commit"] is None


def test_the_commands(run, material):
    model = trained(material)
    assert run("models", "verify", "model")[:2] == (
        0,
        f"The same, byte for byte: model {model.version} trained again.\n",
    )
    status, said, _ = run("models", "show", "model")
    assert status == 0
    assert f"data        ours.csv, 50 articles, sha256 {sha256_of('ours.csv')}" in said
    assert "background  none" in said
    replace(model, bias=model.bias + np.float32(1)).save("altered")
    status, said, _ = run("models", "verify", "altered")
    assert status == 4
    assert "bias: 2 of 2 numbers differ, by 1 at most" in said
    assert run("models", "verify", "nowhere")[0] == 2
    replace(model, card={}).save("bare")
    assert run("models", "show", "bare")[0] == 0
    assert run("models", "verify", "bare")[0] == 2
