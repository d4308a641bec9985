"""The day that a crawl's date means, however its site writes it.

Rules of our own: dateparser takes a millisecond a date, and reads 08/12/2026 and 08/13/2026 in two orders.
"""

import re
from datetime import date, datetime, timedelta, timezone
from difflib import get_close_matches
from functools import lru_cache

MONTHS = {
    "id": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split(),
    "en": "January February March April May June July August September October November December".split(),
}
# A month is known by the beginning of its name, and as these.
OTHER_SPELLINGS = {"pebruari": 2, "mrt": 3, "agt": 8, "ags": 8, "agst": 8, "nopember": 11}
SPELLINGS = {name.lower(): month for names in MONTHS.values() for month, name in enumerate(names, 1)} | OTHER_SPELLINGS
# How long a misspelt name has to be, and how alike the month's (difflib's ratio): "Agutus" is August, "pasar" no month.
LEAST_LETTERS, LIKENESS = 5, 0.8

# The longest month has nine letters, and what is so like it no more than 13.
DAY, ORDINAL, MONTH, YEAR = (
    r"(?P<day>\d{1,2})",
    r"(?:st|nd|rd|th)?",
    r"(?P<month>[a-z]{3,13})",
    r"(?P<year>\d{4})(?!\d)",
)
FORMS = [
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        # 2026-08-12, 20260812
        rf"(?<!\d)(?P<year>\d{{4}})([-/.])(?P<month>\d{{1,2}})\2{DAY}(?!\d)",
        r"(?<!\d)(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?!\d)",
        # 12/08/2026, 12-08-26: sites of Indonesia write the day first. What is no date this way is none: the other dates
        # of a file that has 08/13/2026 would be read wrongly.
        rf"(?<![\d/.-]){DAY} ?([-/.]) ?(?P<month>\d{{1,2}}) ?\2 ?{YEAR}",
        rf"(?<![\d/.-]){DAY}([-/])(?P<month>\d{{1,2}})\2(?P<year>\d{{2}})(?![\d/-])",
        # 12 Agustus 2026, 12Agt2026, 12th of August, 2026, 12-Aug-26
        rf"(?<!\d){DAY}{ORDINAL}[\s./-]*(?:of )?{MONTH}[\s.,/'’-]*(?:{YEAR}|(?P<short>\d{{2}})(?!\d))",
        # August 12, 2026
        rf"(?<![a-z]){MONTH}\.? *{DAY}{ORDINAL}(?: *,)? +{YEAR}",
    )
]
# 10:20 WIB, 10.20, 20:15:00.123Z, 20:15 +0000
TIME = re.compile(
    r"(?<![\d.:/-])(?P<hour>[01]?\d|2[0-3])[:.](?P<minute>[0-5]\d)(?:[:.][0-5]\d(?:[.,]\d+)?)?(?!\d|[.:]\d)"
    r" *(?:WIB|WITA|WIT|(?P<utc>Z|UTC|GMT)?(?: ?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?(?![\w/-]))?)"
)
# Seconds or milliseconds since 1970, of the years 2001 to 2033; the others of ten digits are times such as 2026081210.
EPOCH = re.compile(r"(1\d{9})(?:\d{3}|\.\d+)?")
YEARS = range(1900, 2100)
# Western, Central and Eastern Indonesia.
INDONESIAN_OFFSETS = [timedelta(hours=hours) for hours in (7, 8, 9)]
# No date is longer.
LONGEST = 100


def day_of(text: str) -> date | None:
    """The day, in Indonesia, of a date as ISO 8601 or as a site writes it in Indonesian or English ("Rabu, 12 Agt 2026 |
    10:20 WIB", "12/08/2026"), or of seconds since 1970; None for what is no date with a day, a month and a year.

    A misspelt month is read where only one is like it. A time with an offset that is not of Indonesia ("20:15Z") counts
    on the day that it is in Jakarta.
    """
    text = text.strip()
    if len(text) > LONGEST:
        return None
    if epoch := EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(epoch[1]), timezone(INDONESIAN_OFFSETS[0])).date()
    time = TIME.search(text)
    # Without their times, dates are few.
    day = _written_day(f"{text[: time.start()]} {text[time.end() :]}" if time else text)
    return _in_indonesia(day, time) if day and time and (time["utc"] or time["sign"]) else day


@lru_cache(maxsize=65536)
def _written_day(text: str) -> date | None:
    for form in FORMS:
        for written in form.finditer(text):
            parts = written.groupdict()
            # As POSIX has it, years of two digits begin with 1969.
            year = int(parts["year"] or parts["short"])
            year += 0 if year > 99 else 2000 if year < 69 else 1900
            month = int(parts["month"]) if parts["month"].isdecimal() else month_of(parts["month"].lower())
            if month and year in YEARS:
                try:
                    return date(year, month, int(parts["day"]))
                except ValueError:
                    continue
    return None


@lru_cache(maxsize=4096)
def month_of(word: str) -> int | None:
    """The month, from 1, that a word in small letters names: whole, shortened, or misspelt."""
    if word in OTHER_SPELLINGS:
        return OTHER_SPELLINGS[word]
    months = {month for name, month in SPELLINGS.items() if len(word) >= 3 and name.startswith(word)}
    if not months and len(word) >= LEAST_LETTERS:
        months = {SPELLINGS[name] for name in get_close_matches(word, SPELLINGS, len(SPELLINGS), LIKENESS)}
    return months.pop() if len(months) == 1 else None


def _in_indonesia(day: date, time: re.Match[str]) -> date:
    """The day in Jakarta of a time with an offset, unless that is one of Indonesia."""
    offset = timedelta(hours=int(time["hours"] or 0), minutes=int(time["minutes"] or 0))
    offset = -offset if time["sign"] == "-" else offset
    if offset in INDONESIAN_OFFSETS:
        return day
    there = datetime(day.year, day.month, day.day, int(time["hour"]), int(time["minute"]))
    return (there - offset + INDONESIAN_OFFSETS[0]).date()
