"""The day that a crawl's date means, however its site writes it."""

import re
from datetime import date
from functools import lru_cache

ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")
# Sites of Indonesia write the day first.
SETTINGS = {
    "PARSERS": ["absolute-time"],
    "DATE_ORDER": "DMY",
    "PREFER_DAY_OF_MONTH": "first",
    "REQUIRE_PARTS": ["day", "month", "year"],
}


@lru_cache(maxsize=65536)
def day_of(text: str) -> date | None:
    """The day of a date as ISO 8601 or as a site writes it, in Indonesian or English ("Rabu, 12 Agt 2026 10:20 WIB",
    "12/08/2026"); None for what is no date with a day, a month and a year."""
    text = text.strip()
    if ISO_DAY.match(text):
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            return None
    # Its tables take a fifth of a second to load, which files with ISO dates need not wait for.
    import dateparser

    found = dateparser.parse(text, languages=["id", "en"], settings=SETTINGS) if text else None
    return found.date() if found else None
