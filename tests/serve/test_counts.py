"""Numbers of things in sentences."""

from serve.counts import counted


def test_one_is_one_and_more_are_many() -> None:
    assert [counted(n, "article") for n in (0, 1, 2, 2000)] == [
        "0 articles",
        "1 article",
        "2 articles",
        "2,000 articles",
    ]
    assert [counted(n, "is", "are") for n in (1, 2)] == ["1 is", "2 are"]
