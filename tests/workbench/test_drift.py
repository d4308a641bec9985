"""Drift is called where something changed and nowhere else."""

from dataclasses import replace

import numpy as np

from workbench.crawl_figures import CrawlFigures
from workbench.drift import MIN_ARTICLES, Drift, compare

TOPICS = ("football", "prices", "court", "health")
OUTLETS = ("Harian A", "Harian B", "Harian C")
WEEKS = ("2026-06-01", "2026-06-08")


def crawl(n: int, seed: int, topics: tuple[float, ...] = (0.3, 0.3, 0.2, 0.1)) -> CrawlFigures:
    """Articles drawn from one source: half of them from the first outlet, each topic by its share."""
    random = np.random.default_rng(seed)
    words = random.integers(100, 400, n)
    return CrawlFigures(
        words=words,
        known=random.binomial(words, random.beta(80, 20, n)),
        confidence=random.gamma(2, 1, n),
        uncertain=random.random(n) < 0.1,
        assigned=random.random((n, len(topics))) < topics,
        notes=random.choice(np.array(["", "not Indonesian: English"], object), n, p=[0.99, 0.01]),
        outlets=random.choice(np.array(OUTLETS, object), n, p=[0.5, 0.3, 0.2]),
        weeks=random.choice(np.array(WEEKS, object), n),
        learnt=np.zeros(n, bool),
    )


def called(drift: Drift) -> set[tuple[str, str, str]]:
    return {(shift.kind, shift.name, shift.figure) for shift in drift.called}


def less_known(articles: CrawlFigures, rows: np.ndarray) -> CrawlFigures:
    """A tenth of the words that were known in these articles are not."""
    return replace(articles, known=np.where(rows, articles.known * 9 // 10, articles.known))


def test_another_crawl_of_the_same_source_is_called_seldom() -> None:
    calls = [compare(crawl(400, seed), crawl(n, 1000 + seed), TOPICS).called for seed in range(20) for n in (20, 300)]
    assert sum(map(bool, calls)) <= 1


def test_what_changed_is_called_and_nothing_else() -> None:
    reference, new = crawl(600, 1), crawl(400, 2)
    everywhere = called(compare(reference, less_known(new, np.ones(400, bool)), TOPICS))
    assert everywhere == {
        (kind, name, "unknown_words")
        for kind, names in (("all", [""]), ("outlet", OUTLETS), ("week", WEEKS))
        for name in names
    }
    outlet = compare(reference, less_known(new, new.outlets == "Harian C"), TOPICS)
    assert called(outlet) == {("outlet", "Harian C", "unknown_words")}
    week = compare(reference, less_known(new, new.weeks == WEEKS[1]), TOPICS)
    assert ("week", WEEKS[1], "unknown_words") in called(week) and ("week", WEEKS[0], "unknown_words") not in called(
        week
    )
    topic = compare(reference, crawl(400, 2, (0.3, 0.3, 0.2, 0.3)), TOPICS)
    assert ("topic", "health", "share") in called(topic) and ("topic", "football", "share") not in called(topic)
    malay = replace(new, notes=np.array(["not Indonesian: Malay"] * 40 + [""] * 360, object))
    assert ("all", "", "notes") in called(compare(reference, malay, TOPICS))


def test_the_limit_decides_what_is_large_enough() -> None:
    reference, new = crawl(2000, 1), crawl(2000, 2)
    longer = replace(new, words=new.words + 25)
    [shift] = [shift for shift in compare(reference, longer, TOPICS, limit=0.02).of("all") if shift.figure == "length"]
    assert shift.called and 0.02 < shift.beyond_chance < 0.2
    assert ("all", "", "length") not in called(compare(reference, longer, TOPICS, limit=0.2))


def test_few_articles_do_not_cry_wolf_though_the_index_is_high() -> None:
    drift = compare(crawl(100, 5), crawl(6, 6), TOPICS)
    assert max(shift.psi for shift in drift.shifts) > 0.5 and not drift.called
    assert not drift.of("outlet") and not drift.of("week"), f"fewer than {MIN_ARTICLES}"


def test_an_outlet_that_the_reference_lacks_is_shown_and_not_judged() -> None:
    new = crawl(300, 2)
    changed = replace(
        less_known(new, new.outlets == "Harian A"), outlets=np.where(new.outlets == "Harian A", "Baru", new.outlets)
    )
    shifts = compare(crawl(600, 1), changed, TOPICS).of("outlet")
    assert {shift.verdict for shift in shifts if shift.name == "Baru"} == {"not judged"}
    assert {shift.reference_articles for shift in shifts if shift.name == "Baru"} == {600}
    assert all(shift.judged and shift.reference_articles < 600 for shift in shifts if shift.name != "Baru")


def test_a_reference_that_the_model_learnt_is_no_yardstick_of_confidence() -> None:
    reference, new = crawl(600, 1), crawl(400, 2)
    learnt = replace(
        reference, confidence=reference.confidence + 3, uncertain=np.zeros(600, bool), known=reference.words
    )
    drift = compare(learnt, new, TOPICS)
    assert drift.learnt and not drift.called
    assert {shift.figure for shift in drift.of("all") if not shift.judged} == {"unknown_words", "confidence"}
    assert not compare(reference, new, TOPICS).learnt


def test_the_same_articles_give_the_same_answer() -> None:
    one, two = (compare(crawl(100, 1), crawl(80, 2), TOPICS).shifts for _ in range(2))
    assert one == two
