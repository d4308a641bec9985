import numpy as np
import pytest

from serve.errors import InputError
from train.background import GROUP_SIZE, Background, build_background, read_crawl

# Ten kinds of articles, so that no word is in more than a tenth of them.
KINDS = [[f"kata{kind}{letter}" for letter in "abcdef"] for kind in "zyxwvutsrq"]


def articles(n: int = 600) -> list[str]:
    generator = np.random.default_rng(0)
    return [
        " ".join(generator.choice(KINDS[i % 10], 4, replace=False)) + " harga pasar" * (i % 15 == 0) for i in range(n)
    ]


@pytest.fixture(scope="module")
def background():
    return build_background(articles(), pairs={"harga pasar", "tidak ada"}, dimensions=10)


def test_document_frequencies_are_counted(background):
    frequency = dict(zip(background.terms, background.documents.tolist(), strict=True))
    assert background.n_documents == 600
    assert frequency["harga pasar"] == 40
    assert frequency["katazc"] == sum("katazc" in text.split() for text in articles())
    assert background.terms == sorted(background.terms)


def test_words_that_keep_company_lie_close(background):
    vectors = background.vectors()
    place = {
        term: vectors[i] / np.linalg.norm(vectors[i]) for i, term in enumerate(background.terms) if vectors[i].any()
    }
    assert place["katazc"] @ place["kataza"] > 0.9
    assert place["katazc"] @ place["katayc"] < 0.3


def test_pairs_have_a_frequency_and_no_vector(background):
    pairs = np.array([" " in term for term in background.terms])
    assert pairs.any()
    assert (background.scales[pairs] == 0).all()


def test_what_is_saved_is_what_is_loaded(background, tmp_path):
    background.save(tmp_path / "bg")
    again = Background.load(tmp_path / "bg")
    assert again.terms == background.terms
    assert again.n_documents == background.n_documents
    np.testing.assert_array_equal(again.documents, background.documents)
    np.testing.assert_array_equal(again.vectors(), background.vectors())
    np.testing.assert_allclose(again.profiles.toarray(), background.profiles.toarray(), atol=0.005)


def test_a_profile_is_the_mean_of_articles_of_one_kind(background):
    assert background.profiles.shape == (600 // GROUP_SIZE, len(background.terms))
    np.testing.assert_allclose(background.profiles.multiply(background.profiles).sum(axis=1), 1, atol=1e-5)
    kinds = [
        {background.terms[column][:5] for column in row.indices} - {"harga", "pasar"} for row in background.profiles
    ]
    assert sum(len(kind) == 1 for kind in kinds) > 0.8 * len(kinds)


def test_the_same_crawl_makes_the_same_figures(tmp_path):
    for name in ("a", "b"):
        build_background(articles(100), dimensions=5).save(tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_too_small_a_crawl_is_refused():
    with pytest.raises(InputError, match="give it a larger crawl"):
        build_background(["satu dua tiga"] * 10)


@pytest.mark.parametrize("damage", ["missing", "truncated", "mismatched"])
def test_a_damaged_background_is_refused(background, tmp_path, damage):
    folder = tmp_path / "bg"
    background.save(folder)
    if damage == "missing":
        (folder / "terms.txt").unlink()
    elif damage == "truncated":
        (folder / "figures.safetensors").write_bytes((folder / "figures.safetensors").read_bytes()[:100])
    else:
        (folder / "terms.txt").write_text("satu\n")
    with pytest.raises(InputError, match="not a usable background"):
        Background.load(folder)


def test_a_crawl_is_read_cleaned_and_composed(tmp_path):
    file = tmp_path / "crawl.csv"
    file.write_text('judul,isi\nHujan Deras,"JAKARTA, KABAR.com - Hujan turun. Baca juga: Harga Beras Naik"\nKosong,\n')
    assert list(read_crawl([file], title_weight=1)) == ["Hujan Deras\nHujan turun.", "Kosong\n"]
    with pytest.raises(InputError, match="no column 'teks'"):
        read_crawl([file], text_column="teks")
