import pytest

from serve.errors import InputError
from serve.topics import load_topics
from workbench.intake import read_columns
from workbench.sources import find_source, known_sources


def test_the_known_sets_map_onto_fields_and_topics_that_there_are() -> None:
    topics = load_topics()
    for source in known_sources().values():
        mapping = ",".join(f"{theirs}={ours}" for theirs, ours in source.columns.items())
        assert read_columns(mapping) == dict(source.columns), source.name
        assert {topic for mapped in source.mapped().values() for topic in mapped} <= set(topics), source.name
        assert source.hub or source.obtain, source.name
        assert source.licence, source.name
        assert source.labelled == bool(source.labels) == ("topics" in source.columns.values()), source.name


def test_sections_that_may_mean_anything_have_no_topic() -> None:
    for source in known_sources().values():
        assert not {"news", "bisnis", "finance", "sport"} & set(source.mapped()), source.name


def test_a_description_tells_the_licence_and_what_is_left_out() -> None:
    described = known_sources()["indonews"].description()
    assert "licence     CC BY 4.0" in described
    assert "bola -> football" in described
    assert "left out    bisnis, news" in described
    assert "unverified" in described


def test_a_name_is_a_known_set_a_path_or_a_name_on_the_hub(tmp_path) -> None:
    assert find_source("indonews", {}, None) == (known_sources()["indonews"], None)
    (tmp_path / "berita.csv").write_text("text\na\n")
    source, path = find_source(str(tmp_path / "berita.csv"), {}, None)
    assert (source.name, path) == ("berita", tmp_path / "berita.csv")
    assert find_source("owner/name", {}, None)[0].hub == "owner/name"
    with pytest.raises(InputError, match="indonewz: no such set; did you mean 'indonews'"):
        find_source("indonewz", {}, None)


def test_a_map_goes_before_what_is_known() -> None:
    source, _ = find_source("indonews", {"berita": "text"}, {"bola": ("sports",)})
    assert source.columns == {"label": "topics", "berita": "text"}
    assert source.mapped() == {"bola": ("sports",)}
    assert not find_source("id_clickbait", {}, None)[0].labelled
    assert find_source("id_clickbait", {"category": "topics"}, {"bola": ("football",)})[0].labelled
