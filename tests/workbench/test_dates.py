"""Days as sites write them."""

from datetime import date, timedelta

import pytest

from workbench.dates import MONTHS, day_of

AUGUST_12 = """
2026-08-12
2026-08-12 10:20:00
2026-08-12T10:20:00+07:00
2026-08-12 23:30:00+0800
2026-08-12T00:10+09
2026-08-12T10:20:00.123Z
2026-08-12T08:15:00-05:00
2026-8-12
2026/08/12
20260812
12/08/2026
12/8/2026 10:20:33
12-08-2026 | 10.20 WIB
12.08.2026
12 / 08 / 2026
12/08/26
12-08-26 10:20
10:20 WIB 12/08/2026
Rabu, 12 Agustus 2026
Rabu, 12 Agt 2026 | 10:20 WIB
Rabu 12 Agu 2026 10.20 WITA
Rabu,12 Agustus 2026 - 10:20 WIT
12Agustus 2026
12Agustus2026
12 AGUSTUS 2026, 10:20
Jakarta - 12 Agst 2026
Rabbu, 12 Agutus 2026
12 Ags. 2026
12 Agt 26 10:20
12 Agt '26
12-Aug-26
12 Agustus, 10:20, 2026
Diterbitkan 12 Agustus 2026 pukul 10.20
Wed, 12 Aug 2026 10:20:00 GMT
Wed, 12 Aug 2026 10:20:00 +0700
August 12, 2026
Aug. 12th, 2026 10:20 UTC
12th of August 2026
Wed Aug 12 10:20:00 WIB 2026
1786500000
1786500000.0
1786500000123
  12 Agustus 2026
""".strip("\n").splitlines()


@pytest.mark.parametrize("text", AUGUST_12)
def test_a_day_however_it_is_written(text):
    assert day_of(text) == date(2026, 8, 12)


@pytest.mark.parametrize(
    ("word", "month"),
    [
        *((name, month) for names in MONTHS.values() for month, name in enumerate(names, 1)),
        *((name[:3], month) for names in MONTHS.values() for month, name in enumerate(names, 1)),
        ("Pebruari", 2), ("Peb", 2), ("Mrt", 3), ("Agt", 8), ("Agus", 8), ("Sept", 9), ("Nopember", 11), ("Nop", 11),
        ("Janauri", 1), ("Febuari", 2), ("Agustsu", 8), ("Septmber", 9), ("Desmber", 12),
    ],
)  # fmt: skip
def test_months(word, month):
    assert day_of(f"Kamis, 5 {word} 2026 08:00 WIB") == date(2026, month, 5)


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "kemarin", "2 jam yang lalu", "Rabu", "Agustus 2026", "12 Agustus", "12 Agustus 10:20", "10.12.30 WIB", "10:20 WIB",
        "08/13/2026", "31/02/2026", "2026-02-30", "0000-00-00", "12 Agustus 1026", "9999-01-01", "2026081210", "12 Junli 2026",
        "harga 12 pasar 2026", "08123456789012", "12/08/2026" + " " * 100 + "x", "12 Agustus 2026" * 1000,
    ],
)  # fmt: skip
def test_what_is_no_day(text):
    assert day_of(text) is None


def test_a_time_of_another_country_counts_on_jakartas_day():
    next_day = date(2026, 8, 13)
    assert day_of("2026-08-12T20:15:00Z") == next_day
    assert day_of("Wed, 12 Aug 2026 17:00:00 GMT") == next_day
    assert day_of("2026-08-12 12:30:00-05:00") == next_day
    assert day_of("2026-08-13T00:30:00+10:00") == date(2026, 8, 12)
    assert day_of("2026-08-12T16:59:59Z") == next_day - timedelta(days=1)
