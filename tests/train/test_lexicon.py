import pytest

from serve.errors import InputError
from train.lexicon import lexicon_pairs, lexicon_pieces, load_lexicon

LEXICON = {"pakta": ["Perjanjian Pertahanan", "NATO", "kerja sama militer"], "bola": ["gol"]}


def test_pieces_hold_every_entry_twice():
    pieces = lexicon_pieces(LEXICON, ["pakta", "bola", "lain"], size=2)
    assert [topic for _, topic in pieces] == ["pakta", "pakta", "bola"] * 2
    words = sorted(" ".join(text for text, topic in pieces if topic == "pakta").split())
    assert words == sorted(" ".join(LEXICON["pakta"] * 2).split())
    assert pieces == lexicon_pieces(LEXICON, ["pakta", "bola", "lain"], size=2)


def test_pairs_are_neighbours_within_an_entry():
    assert lexicon_pairs(LEXICON, ["pakta"]) == {"perjanjian pertahanan", "kerja sama", "sama militer"}


def test_the_embedded_lexicon_loads():
    assert "NATO" in load_lexicon()["security_pact"]


@pytest.mark.parametrize(
    ("content", "message"), [("a = [", "not a TOML file"), ("a = 'b'", "'a' is not a list"), (None, "no such lexicon")]
)
def test_a_broken_lexicon_is_named(tmp_path, content, message):
    file = tmp_path / "lexicon.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=message):
        load_lexicon(file)
