import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

from serve.errors import InputError
from serve.paths import ROOT
from workbench.copies import Copies, find_copies, read_articles

WIRE = ROOT / "docs" / "files" / "wire.csv"


def copies_of(frame: pd.DataFrame, path: Path) -> Copies:
    frame.to_csv(path, index=False)
    return find_copies(read_articles([path]))


@pytest.fixture
def wire() -> pd.DataFrame:
    return pd.read_csv(WIRE)


def test_each_copy_has_its_kind_and_the_earliest_article(wire: pd.DataFrame, tmp_path: Path) -> None:
    copies = copies_of(wire[::-1], tmp_path / "a.csv")
    assert dict(zip(copies.articles["id"], zip(copies.copied_from, copies.kinds, strict=True), strict=True)) == {
        "samudra-01": ("pagi-17", "identical"),
        "pagi-17": ("", ""),
        "hulu-204": ("pagi-17", "partly the same"),
        "lini-88": ("pagi-17", "partly the same"),
        "samudra-02": ("", ""),
        "pagi-31": ("samudra-02", "nearly the same"),
        "hulu-210": ("", ""),
        "lini-90": ("", ""),
    }


def test_an_article_without_a_date_comes_after_those_with_one(wire: pd.DataFrame, tmp_path: Path) -> None:
    wire.loc[0, "tanggal"] = ""
    assert copies_of(wire, tmp_path / "a.csv").copied_from[:2] == ["pagi-17", ""]


def test_what_is_in_a_group_only_by_way_of_a_digest_is_no_copy(wire: pd.DataFrame, tmp_path: Path) -> None:
    ferry, salt = wire["isi"][0], wire["isi"][4]
    digest = {"id": "digest", "tanggal": "2026-03-09", "judul": "Sepekan di Pesisir", "isi": f"{ferry}\n\n{salt}"}
    copies = copies_of(pd.concat([wire.iloc[[0, 4]], pd.DataFrame([digest])]), tmp_path / "a.csv")
    assert len(set(copies.groups.tolist())) == 1
    assert copies.copied_from == ["", "", "samudra-01"]


def test_the_summary_tells_of_the_largest_group_first(wire: pd.DataFrame, tmp_path: Path) -> None:
    summary = copies_of(wire[::-1], tmp_path / "a.csv").summary()
    assert summary["articles"] == 8
    assert summary["copies"] == {"identical": 1, "nearly the same": 1, "partly the same": 2}
    first, second = summary["groups"]
    assert (len(first["articles"]), first["days"], first["outlets"][0]) == (4, 2, "Kabar Pagi Watuampar")
    assert second["articles"] == [
        {"id": "samudra-02", "copy_of": "", "likeness": ""},
        {"id": "pagi-31", "copy_of": "samudra-02", "likeness": "nearly the same"},
    ]


def test_the_table_stops_after_ten_groups(tmp_path: Path) -> None:
    words = [" ".join(f"kata{story}{place}" for place in range(40)) for story in range(12)]
    table = copies_of(pd.DataFrame({"text": words * 2}), tmp_path / "a.csv").table().splitlines()
    assert table[1].split() == ["copies", "12"]
    assert table[8].split()[:5] == ["0", "2", "-", "-", "kata00"]
    assert table[-1] == "... and 2 more groups"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".csv.gz", ".parquet"])
def test_files_are_marked_and_thinned_in_any_format(wire: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    read = {".parquet": pd.read_parquet, ".jsonl": lambda path: pd.read_json(path, lines=True)}.get(
        suffix, lambda path: pd.read_csv(path, keep_default_na=False, sep="\t" if suffix == ".tsv" else ",")
    )
    copies = find_copies(read_articles([WIRE]))
    copies.write([WIRE], tmp_path / f"marked{suffix}")
    marked = read(tmp_path / f"marked{suffix}")
    assert list(marked.columns) == [*wire.columns, "group", "copy_of", "likeness"]
    assert marked["isi"].tolist() == wire["isi"].tolist()
    assert marked["copy_of"].tolist() == copies.copied_from
    copies.write([WIRE], tmp_path / f"unique{suffix}", unique=True)
    unique = read(tmp_path / f"unique{suffix}")
    assert list(unique.columns) == list(wire.columns)
    assert unique["id"].tolist() == ["samudra-01", "samudra-02", "hulu-210", "lini-90"]


def test_a_labelled_file_keeps_its_labels(tmp_path: Path) -> None:
    rows = [{"text": f"kata{i} hari{i} " * 30, "topics": ["crime", "court"], "split": "train"} for i in (1, 1, 2)]
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    find_copies(read_articles([source])).write([source], target, unique=True)
    assert [json.loads(line) for line in target.read_text().splitlines()] == [rows[0], rows[2]]


def test_files_together(wire: pd.DataFrame, tmp_path: Path) -> None:
    first, second, target = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.parquet"
    wire[:2].drop(columns="id").to_csv(first, index=False)
    wire[2:].drop(columns="id")[["isi", "judul", "media", "tanggal"]].to_csv(second, index=False)
    copies = find_copies(read_articles([first, second]))
    assert copies.copied_from == ["", "a-1", "a-1", "a-1", "", "b-3", "", ""]
    copies.write([first, second], target)
    assert pyarrow.parquet.read_table(target)["judul"].to_pylist() == wire["judul"].tolist()


def test_files_of_other_columns_go_together_into_json_lines_alone(wire: pd.DataFrame, tmp_path: Path) -> None:
    other = tmp_path / "b.csv"
    wire[:1].drop(columns="media").to_csv(other, index=False)
    copies = find_copies(read_articles([WIRE, other]))
    with pytest.raises(InputError, match=r"b\.csv: its columns are not those of .*wire\.csv; write \.jsonl"):
        copies.write([WIRE, other], tmp_path / "c.csv")
    assert not (tmp_path / "c.csv").exists()
    copies.write([WIRE, other], tmp_path / "c.jsonl")
    last = json.loads((tmp_path / "c.jsonl").read_text().splitlines()[-1])
    assert (last["copy_of"], "media" in last) == ("samudra-01", False)


def test_a_column_that_is_there_already_is_named(wire: pd.DataFrame, tmp_path: Path) -> None:
    copies = copies_of(wire.assign(group=1), tmp_path / "a.csv")
    with pytest.raises(InputError, match="two columns are named 'group'"):
        copies.write([tmp_path / "a.csv"], tmp_path / "b.csv")


def test_a_file_without_articles_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("judul,isi\n")
    with pytest.raises(InputError, match=r"a\.csv: no articles; name a file that has some"):
        read_articles([tmp_path / "a.csv"])
