"""Bytes that a fuzzer invents -> texts, tables and JSON made of what Kanal looks for, so that few bytes reach far."""

from functools import cache

from serve.rules import RULES
from tests.fuzz.matches import example

# Kanal's own words, and what of Unicode, HTML and broken transfers comes with crawled pages.
WORDS = (
    *"abXY01é \n.,:;!?/()[]<>\"'*_-|\\&#=",
    *(" ", " ", "\n\n", ". ", "\r\n", "\r", "\t", "\0", "\x85", "\x1c", "\u2028", "\xa0", "\u3000", "\u200b", "\xad", "\ufeff"),
    *("presiden ", "Presiden", "istana merdeka", "kunjungan kenegaraan", "dan ", "yang ", "the ", "kata dia.", "zzqx", "Menurut Budi "),
    *("JAKARTA, KOMPAS.com - ", "Jakarta - ", "Laporan Wartawan ", "Foto: ", "Ilustrasi ", "Judul Besar Sekali", "KOMPAS.com"),
    *("&amp;", "&quot;", "&amp;amp;", "&#39;", "&#xD800;", "&#1114112;", "&bukan", "&copy;", "&AMP;"),
    *("Ã©", "Ã", "â\x80\x9c", "ð\x9f\x98\x80", "\xc2", "\xc2\xa0", "e\u0301", "\u0301", "\u0316", "\u0344", "\u0f73", "\u3099", "\uff9e"),
    *("½", "ﬁ", "…", "™", "㏂", "\ufdfa", "Σ", "ΟΔΟΣ", "İ", "aİ", "ŉ", "ǆ", "ß", "ẞ", "K", "Ⱥ", "𝐁", "\U0001f600", "\U0010ffff"),
    *("ᄀ", "ᅡ", "ᆨ", "가", "ก", "中", "ア", "ｱ", "ﾞ", "אב", "\u0627", "\u202e", "\ud800", "\udfff", "“", "”", "–", "—", "«"),
    *("<p>", "</p>", "<script>", "</script>", "<!--", "-->", "![", "](", "[a](https://", "**", "https://a/b.jpg"),
)  # fmt: skip
REPEAT = 250
# Repeats of repeats end here, in characters: a text that takes minutes finds nothing.
LONGEST_TEXT = 50_000
# Bytes from here on, with the one that follows, choose a rule's trigger or match.
RULED = 160


@cache
def ruled() -> list[str]:
    triggers = [trigger for rule in RULES for trigger in sorted(rule.triggers)]
    return triggers + [example(rule.pattern, seed, 3) for rule in RULES for seed in range(6)]


def text_of(data: bytes) -> str:
    """A text of pieces, a byte or two for each; a byte from REPEAT on repeats the latest, up to 512 times."""
    pieces = [""]
    left = LONGEST_TEXT
    following = iter(data)
    for byte in following:
        if byte >= REPEAT:
            latest = pieces[-1]
            pieces.append(latest * min(2 << (byte - REPEAT + 3), left // max(1, len(latest))))
            left -= len(pieces[-1])
        elif byte >= RULED:
            pieces.append(ruled()[((byte - RULED) * 256 + next(following, 0)) % len(ruled())])
        else:
            pieces.append(WORDS[byte % len(WORDS)])
    return "".join(pieces)


def parts_of(data: bytes, count: int) -> list[bytes]:
    """The bytes in so many parts; the first ones tell where they end."""
    parts = []
    for _ in range(count - 1):
        length, data = (data[0] if data else 0), data[1:]
        parts.append(data[: length % 64])
        data = data[length % 64 :]
    return [*parts, data]


TABLE = (
    *(b"a", b"b", b" ", b",", b",", b'"', b'"', b"\n", b"\n", b"\r\n", b"\r", b'""', b'","', b'",\n"', b";", b"\t", b"|", b"\0", b"\x0b"),
    *("é".encode(), b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", "\u2028".encode(), b"\x85", b"\x1c", b"x" * 9, b"1,2,3\n", b"\n\n"),
    *(b'"a\nb"', b'"a""b"', b"8,\"x,y\",z\r\n", b"padi", b"x" * 70),
)  # fmt: skip
LINES = (
    *(b'{"isi":"a"}\n', b'{"isi":"', b'"}\n', b'{"id":1,"isi":"b"}\n', b"{", b"}", b"[", b"]", b",", b":", b'"', b"\n", b"\r\n", b" ", b"\0"),
    *(b'"isi":', b'"id":', b'"k":', b"null", b"true", b"NaN", b"Infinity", b"-0.0", b"1e999", b"9" * 30, b"1" * 5000, b"\\", b"\\ud800"),
    *(b"\\u0000", b"\\n", b"[" * 2000, b'{"a":' * 300, "é".encode(), b"\xff", b"\xc3", b"\xef\xbb\xbf", "\u2028".encode(), b"\x85", b"x" * 50),
    *(b'{"isi":["a"]}\n', b'{"isi":{"a":"b"}}\n', b'{"isi":null}\n', b'{"isi":1,"isi":"c"}\n', b'{"":"","\\ud800":1}\n'),
)  # fmt: skip


def bytes_of(data: bytes, pieces: tuple[bytes, ...]) -> bytes:
    """A file of pieces."""
    return b"".join(pieces[byte % len(pieces)] for byte in data)
