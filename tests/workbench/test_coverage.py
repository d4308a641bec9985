"""The figures of a report."""

from datetime import date, timedelta

import pytest

from serve.errors import InputError
from tests.workbench.crawls import article, five_days, write_filed
from workbench.coverage import Coverage, coverage
from workbench.filed import load_filed

TODAY = date(2026, 8, 12)


@pytest.fixture
def covered(tmp_path):
    """The coverage of rows of a filed crawl."""

    def cover(rows: list[list[str]], *arguments: object) -> Coverage:
        return coverage(load_filed(write_filed(tmp_path / "filed.csv", rows)), *arguments)

    return cover


def test_a_day_against_the_days_before(covered):
    found = covered(five_days())
    assert found.days == [TODAY - timedelta(number) for number in range(4, -1, -1)]
    assert found.per_day("articles").tolist() == [20] * 5
    assert found.per_day("no_topic").tolist() == [5, 5, 5, 5, 3]
    assert found.per_day("uncertain").tolist() == [2] * 5
    assert found.topics == ["disaster", "state_visit", "trade_relations", "football", "prices"]
    counts = dict(zip(found.topics, found.topics_per_day().tolist(), strict=True))
    assert counts["disaster"] == [0, 0, 0, 0, 10]
    assert counts["state_visit"] == counts["trade_relations"] == [5, 5, 5, 5, 3]
    assert found.outlets == ["Harian A", "Harian B"]
    assert found.topics_per_outlet().sum(axis=1).tolist() == [row[-1] for row in counts.values()]
    rise = found.changes()[0]
    assert (rise.topic, rise.articles, rise.share, rise.share_before) == ("disaster", 10, 0.5, 0)
    assert [change.topic for change in found.changes() if change.is_clear] == ["disaster"]
    assert [(pair.topics, pair.support) for pair in found.pairs] == [(("state_visit", "trade_relations"), 23)]
    assert set(found.headlines) == set(found.topics)


def test_tables_add_up(covered):
    found = covered(five_days())
    assert found.by_outlet["articles"].sum() == 100
    assert (found.by_outlet["articles"] >= found.by_outlet[["no_topic", "uncertain"]].max(axis=1)).all()
    assert found.by_topic.groupby("day")["articles"].sum().tolist() == found.topics_per_day().sum(axis=0).tolist()
    assert (found.by_topic["articles"] > 0).all()


def test_the_day_and_how_many_before_are_chosen(covered):
    found = covered(five_days(), date(2026, 8, 11), 2)
    assert found.days == [date(2026, 8, day) for day in (9, 10, 11)]
    assert found.left_out.other_days == 40
    assert "disaster" not in found.topics
    assert covered(five_days(), TODAY, 0).days == [TODAY]
    with pytest.raises(
        InputError, match="--day 2026-08-20: the crawl has no article of it; its days are 2026-08-08 to 2026-08-12"
    ):
        covered(five_days(), date(2026, 8, 20))


def test_a_slip_of_a_date_is_not_the_day_of_the_report(covered):
    stray = [article("football", "Nanti", "12/08/2062"), article("football", "Dulu", "12/08/2012")]
    found = covered(five_days() + stray)
    assert found.days[-1] == TODAY
    assert found.left_out.other_days == 2
    assert covered(five_days() + stray, date(2062, 8, 12)).days == [date(2062, 8, 12)]


def test_dates_that_cannot_be_read_are_counted(covered):
    found = covered([*five_days(), article("football", "Bola", "kemarin"), article("football", "Bola", "")])
    assert (found.left_out.undated, found.left_out.example) == (2, "kemarin")
    assert found.per_day("articles").sum() == 100


@pytest.mark.parametrize(("day", "example"), [("", ""), ("kemarin", "kemarin")])
def test_a_crawl_without_dates_is_one_day(covered, day, example):
    found = covered([article("football", "Bola", day, "A")] * 3)
    assert found.days == [None]
    assert found.per_day("articles").tolist() == [3]
    assert (found.left_out.undated, found.left_out.example) == (0, example)
    assert found.changes() == []
    with pytest.raises(InputError, match="leave out --day"):
        covered([article("football", "Bola", day)], TODAY)


def test_days_without_articles_count(covered):
    found = covered([article("football", "Bola", f"2026-08-{day}") for day in (8, 8, 12)])
    assert found.per_day("articles").tolist() == [2, 0, 0, 0, 1]


def test_a_crawl_without_topics(covered):
    found = covered([article("", "Bola", f"2026-08-{day}") for day in (11, 12)])
    assert found.topics == [] == found.pairs == found.changes()
    assert found.topics_per_day().shape == (0, 2)
    assert found.per_day("no_topic").tolist() == [1, 1]
