"""A topic is added behind what stands in the files, or not at all."""

import tomllib
from pathlib import Path

import pytest

from serve.errors import InputError
from serve.topics import EMBEDDED_TOPICS, Topic, load_topics
from train.lexicon import EMBEDDED_LEXICON, load_lexicon
from workbench.topics import add_topic

TRAIN = Topic("fast_train", "city", "Kereta cepat", "Fast train", ("medtop:20000337",), (), 'Of "rails".')


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    topics, lexicon = tmp_path / "topics.toml", tmp_path / "lexicon.toml"
    topics.write_bytes(b'# Ours.\r\n[sports]  # all of it\nname_en="Sports"')
    lexicon.write_bytes(b'sports = ["gol",\n  "Whoosh"]  # sic\n')
    return topics, lexicon


def test_what_stands_in_the_files_stays_byte_for_byte(files: tuple[Path, Path]) -> None:
    topics, lexicon = files
    before = [file.read_bytes() for file in files]
    words = ["kereta cepat", "whoosh", 'a "quoted\\" word', "del\x7f", *(f"kata {i}x" for i in range(20))]
    shared = add_topic(TRAIN, words, topics, lexicon)
    assert [file.read_bytes()[: len(old)] for file, old in zip(files, before, strict=True)] == before
    assert load_topics(topics) == {"sports": Topic("sports", name_en="Sports"), "fast_train": TRAIN}
    assert load_lexicon(lexicon) == {"sports": ["gol", "Whoosh"], "fast_train": words}
    assert shared == {"whoosh": ["sports"]}
    assert sorted(file.name for file in topics.parent.iterdir()) == ["lexicon.toml", "topics.toml"]


def test_a_new_file_begins_with_kanals_own_or_with_nothing(tmp_path: Path) -> None:
    topics, lexicon = tmp_path / "ours.toml", tmp_path / "words.toml"
    add_topic(TRAIN, ["whoosh"], topics, lexicon)
    assert topics.read_bytes().startswith(EMBEDDED_TOPICS.read_bytes())
    assert lexicon.read_bytes().startswith(EMBEDDED_LEXICON.read_bytes())
    assert list(load_topics(topics)) == [*load_topics(), "fast_train"]
    add_topic(TRAIN, ["whoosh"], tmp_path / "alone.toml", tmp_path / "alone-words.toml", empty=True)
    assert list(load_topics(tmp_path / "alone.toml")) == ["fast_train"]
    assert tomllib.loads((tmp_path / "alone-words.toml").read_text()) == {"fast_train": ["whoosh"]}


@pytest.mark.parametrize(
    ("topic", "words", "message"),
    [
        (Topic("sports"), ["x y"], "has a topic 'sports' already"),
        (Topic("Fast train"), ["whoosh"], "small letters, digits and _"),
        (Topic("1st"), [], "a letter first"),
        (Topic("fast_train"), ["whoosh", "3"], "'3' holds no word of two letters"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    files: tuple[Path, Path], topic: Topic, words: list[str], message: str
) -> None:
    before = [file.read_bytes() for file in files]
    with pytest.raises(InputError, match=message):
        add_topic(topic, words, *files)
    assert [file.read_bytes() for file in files] == before


def test_the_lexicon_is_another_file_than_the_taxonomy(tmp_path: Path) -> None:
    (tmp_path / "link.toml").symlink_to(tmp_path / "ours.toml")
    for lexicon in ("ours.toml", "link.toml"):
        with pytest.raises(InputError, match=r"ours\.toml: cannot be both the taxonomy and the lexicon"):
            add_topic(TRAIN, ["whoosh"], tmp_path / "ours.toml", tmp_path / lexicon)
    assert not (tmp_path / "ours.toml").exists()


def test_words_need_a_lexicon_that_lacks_them(files: tuple[Path, Path]) -> None:
    topics, lexicon = files
    with pytest.raises(InputError, match="--lexicon"):
        add_topic(TRAIN, ["whoosh"], topics)
    lexicon.write_text('fast_train = ["kcic"]\n')
    with pytest.raises(InputError, match="lists words of 'fast_train' already"):
        add_topic(TRAIN, ["whoosh"], topics, lexicon)
    assert "fast_train" not in load_topics(topics)
    add_topic(TRAIN, [], topics)
    assert "fast_train" in load_topics(topics)
