import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.duplicates import MIN_SHARED, NEARLY, THRESHOLD, ShingleSets, near_duplicates

BRIDGE = (
    "Jembatan gantung di Desa Sukarela akhirnya dibuka setelah empat tahun warga menyeberang dengan rakit bambu. Pembangunannya "
    "memakan waktu tujuh bulan dan memakai dana desa serta sumbangan perantau, kata kepala desa saat pembukaan. Anak sekolah "
    "yang dulu berangkat sebelum subuh sekarang cukup berjalan sepuluh menit sampai gerbang, sedangkan pedagang sayur bisa "
    "membawa gerobak langsung menuju pasar kecamatan tanpa menunggu air sungai surut. Dinas perhubungan membatasi beban "
    "jembatan hanya untuk pejalan kaki dan sepeda motor, karena tiang sebelah timur masih akan diperkuat tahun depan."
)
NEW_LEAD = (
    "Penantian panjang penduduk di tepi Sungai Lirih berakhir pada hari Minggu, ketika pita merah digunting bupati."
)


def frame_of(*texts: str, titles: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"title": titles or [""] * len(texts), "text": list(texts)})


def random_text(generator: np.random.Generator, words: int, of: int = 500) -> str:
    return " ".join(f"kata{number}" for number in generator.integers(0, of, words))


def partition(groups: list[int]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(np.array(groups) == group).tolist()) for group in groups}


def alike(left: str, right: str, threshold: float = THRESHOLD) -> bool:
    return len(set(near_duplicates(frame_of(left, right), threshold))) == 1


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w\w+", text.lower())
    return {tuple(words[at : at + 5]) for at in range(max(1, len(words) - 4))}


@pytest.mark.parametrize("threshold", [0.4, THRESHOLD, 1.0])
def test_groups_are_those_that_a_comparison_of_all_pairs_makes(threshold: float) -> None:
    generator = np.random.default_rng(0)
    texts = [random_text(generator, int(generator.integers(30, 90))) for _ in range(20)]
    for text in texts[:12]:
        for changes in (0, 1, 3, 6):
            words = text.split()
            del words[: generator.integers(0, len(words) // 2)]
            for at in generator.integers(0, len(words), changes):
                words[at] = "lain"
            texts.append(" ".join(words))
    sets = list(map(shingles, texts))
    expected = list(range(len(texts)))
    for i, j in combinations(range(len(texts)), 2):
        shared, least, all_of_both = len(sets[i] & sets[j]), min(len(sets[i]), len(sets[j])), len(sets[i] | sets[j])
        if shared >= threshold * least and (shared >= MIN_SHARED or shared >= NEARLY * all_of_both):
            expected = [expected[i] if group == expected[j] else group for group in expected]
    groups = near_duplicates(frame_of(*texts), threshold)
    assert partition(groups) == partition(expected)
    assert list(dict.fromkeys(groups)) == list(range(len(set(groups))))


def test_an_agency_story_is_found_with_another_lead_headline_and_leftovers() -> None:
    own_lead = f"{NEW_LEAD} {BRIDGE.split('. ', 1)[1]}"
    crawled = f"SUKARELA, KabarHulu.id - {own_lead}\n\nBaca juga: Harga Cabai di Pasar Legi Naik Dua Kali Lipat"
    texts = frame_of(BRIDGE, crawled, titles=["Jembatan Sukarela Dibuka", "Warga Tak Lagi Naik Rakit"])
    assert len(set(near_duplicates(texts))) == 1
    assert len(set(near_duplicates(texts, 0.95))) == 2


def test_a_text_that_was_cut_is_found_and_a_quotation_is_not() -> None:
    assert alike(BRIDGE, BRIDGE[: len(BRIDGE) // 2])
    quotation = BRIDGE.split(". ")[2]
    other = random_text(np.random.default_rng(1), 120)
    assert not alike(BRIDGE, f"{other} {quotation} {other[::-1]}")


def test_case_spacing_and_leftovers_make_no_difference() -> None:
    sets = ShingleSets.of(frame_of(BRIDGE, BRIDGE.upper().replace(". ", ".\n\n") + "\n\nADVERTISEMENT"))
    assert sets.jaccard(np.array([0]), np.array([1])) == 1.0


def test_few_words_are_alike_only_as_wholes() -> None:
    stub = "Berita selengkapnya dapat dibaca pada halaman berikut ini"
    generator = np.random.default_rng(2)
    texts = [
        "",
        "",
        "satu dua",
        "Satu, dua",
        "satu tiga",
        *(f"{random_text(generator, 60)} {stub}" for _ in range(3)),
        stub,
    ]
    assert near_duplicates(frame_of(*texts)) == [0, 0, 1, 1, 2, 3, 4, 5, 6]


def test_no_articles_have_no_groups() -> None:
    assert near_duplicates(frame_of()) == []


def test_many_copies_and_many_of_one_form_make_their_groups() -> None:
    generator = np.random.default_rng(3)
    form, story = random_text(generator, 30), random_text(generator, 90)
    # A third of each report is its form: compared, and told apart.
    reports = [f"{form} {random_text(generator, 60, of=10**6)}" for _ in range(150)]
    copies = [f"{story} {random_text(generator, 5)}" for _ in range(150)]
    assert near_duplicates(frame_of(*reports, *copies)) == [*range(150), *[150] * 150]


PIECES = [random_text(np.random.default_rng(seed), 12) for seed in range(10, 16)]
ARTICLES = st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(ARTICLES, st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_the_articles(texts, random) -> None:  # type: ignore[no-untyped-def]
    order = random.sample(range(len(texts)), len(texts))
    groups = near_duplicates(frame_of(*texts))
    shuffled = near_duplicates(frame_of(*(texts[i] for i in order)))
    assert partition([groups[i] for i in order]) == partition(shuffled)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(ARTICLES, st.integers(0, 11), st.floats(0.1, 1.0))
def test_an_article_is_always_with_its_copy(texts: list[str], which: int, threshold: float) -> None:
    copied = texts[which % len(texts)]
    groups = near_duplicates(frame_of(*texts, f"{copied}\n\nADVERTISEMENT"), threshold)
    assert groups[-1] == groups[texts.index(copied)]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(ARTICLES)
def test_a_higher_threshold_makes_no_larger_groups(texts: list[str]) -> None:
    loose, strict = (near_duplicates(frame_of(*texts), threshold) for threshold in (0.5, 0.9))
    assert all(any(part <= whole for whole in partition(loose)) for part in partition(strict))
