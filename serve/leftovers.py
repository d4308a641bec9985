"""What news sites put around and between an article's paragraphs: the table of rules by which cleaning knows it.

A rule costs next to nothing where none of its trigger words occurs, and its pattern repeats a bounded number of times
only, so that cleaning takes time linear in the text, whatever the text holds.
When in doubt a rule leaves the text alone: a leftover that stays does less harm than a sentence that goes.
"""

from enum import IntEnum
from typing import NamedTuple


class End(IntEnum):
    """Where a removal ends."""

    MATCH = 0
    """Where the match does."""
    TITLE = 1
    """With the title that follows, as far as it can be told."""
    RELATED = 2
    """With the title that follows: in brackets, on this line, or on the next."""


class Rule(NamedTuple):
    """What one kind of leftover looks like, and what stands in its place. Patterns are as in `serve.patterns`."""

    kind: str
    triggers: frozenset[str]  # one of these is in what the pattern matches
    pattern: str
    new: str | int  # what stands there instead; a number: that group of the match
    end: End
    tail: int  # looked for in so many characters at the end only; 0: everywhere


def _rule(kind: str, triggers: str, pattern: str, new: str | int = " ", end: End = End.MATCH, tail: int = 0) -> Rule:
    return Rule(kind, frozenset(triggers.split("|")), pattern, new, end, tail)


# Where the title that follows "Baca juga:" ends. Crawls that lost their line breaks run it into the next sentence.

TITLE_LIMIT = 220
QUOTED_TITLE = r"""(["'])(?:[^\n]{2,200}?\1(?= ?:| ?\[| di sini| ?\n|\Z)|[^\n]{2,200}?\1(?= ))(?: ?di sini)? ?:?"""
NEXT_LEFTOVER = (
    r"\[ ?Gambas|(?:Baca|BACA|Simak|SIMAK|Lihat|LIHAT|Tonton|Saksikan) (?:juga|Juga|JUGA|[Vv]ideo)"
    r"|Dapatkan update|SCROLL TO|ADVERTISEMENT|\bHalaman \d"
)
# "PindahSalmah": the line break was there. Names with a capital inside have a shorter first part, or are listed.
GLUED = (
    r"(?:(?<=[a-z]{4}|\d{4})(?<!Whats)(?<!Linked)(?<!Black)(?<!Shopee)(?<!detik)(?<!Deep)(?<!Grab)|(?<=[?!]))(?=[A-Z][a-z]+ )"
    r"""|(?<=[\w?!])(?="[A-Z])"""
)
SENTENCE_END = r"(?<=[^\s.]{2})[.?!][\"')]? ?(?=[\"'(]?[A-Z0-9])"
# Words that headlines write in small letters, and words that open sentences and seldom stand in a headline.
SMALL_WORD = (
    "(?:"
    + "|".join(
        """a agar akan akibat ala alias antara atas atau bagai bagi bahwa bak berkat buat cs dalam dan dari demi dengan di gara-gara
    gegara hingga ini itu jadi jika juta kala kalau karena ke kepada ketimbang lalu lewat melalui menjadi meski miliar mulai of oleh
    pada para per persen saat sambil sampai sang sebagai sebelum secara sejak selama seperti serta setelah si soal tak tanpa tapi
    tentang terhadap terkait tetapi the triliun untuk usai v versus via vs yang yg""".split()
    )
    + r")\Z"
)
SENTENCE_START = (
    "(?:"
    + "|".join(
        """Adapun Bahkan Dalam Dari Dengan Di Dia Diketahui Hal Ia Karena Kemudian Kendati Lebih Melansir Menurut Menurutnya Mereka Meski
    Namun Oleh Pada Padahal Pasalnya Saat Sebab Sebelumnya Sehingga Selain Selanjutnya Sementara Seperti Setelah Untuk""".split()
    )
    + r")\Z"
)

# The rules: four tables, each applied in the order of its rows; the preamble goes after `ANYWHERE`.

# A pattern that begins with plain letters or a bracket is found fast; one that begins with `^` or a look-behind is not.
_READ = "|".join(
    f"{verb} {also}"
    for verb in ("Baca", "BACA", "Lihat", "LIHAT", "Simak", "SIMAK", "Tonton", "TONTON", "Saksikan", "SAKSIKAN")
    for also in (("juga", "Juga", "JUGA") if verb.istitle() else ("JUGA",))
)
_WATCH = _READ.replace("juga", "video").replace("Juga", "Video").replace("JUGA", "VIDEO")
_VERBS = "Baca|BACA|Lihat|LIHAT|Simak|SIMAK|Tonton|TONTON|Saksikan|SAKSIKAN"
_NAMES = r"[A-Z][\w.'-]{0,20}(?: [A-Z][\w.'-]{0,20}){0,4}"
_SITE = (
    r"(?:[A-Z0-9][\w-]{1,25}\.(?:com|co\. ?id|co|id|net|news|tv|org)\b|ANTARA(?: News)?|Antara(?: News)?|CNN Indonesia"
    r"|CNBC Indonesia|detik[A-Z]?\w{2,12}|KOMPAS|Okezone|Republika|Tribun\w{0,15}|VIVA|Tempo|TEMPO|Liputan ?6)"
)
_LABELS = "foto|photo|dok|dokumentasi|ilustrasi|sumber foto|antara foto|antara|reuters|afp|ap photo|epa"
_AGENCIES = (
    "shutterstock|freepik|getty images|unsplash|pixabay|pexels|istock|iStock|thinkstock|tangkapan layar|screenshot"
)
_CREDIT = rf"\( ?(?i:(?:{_LABELS}) ?[:/.]|istimewa(?= ?\))|ap photo|{_AGENCIES})[^()\n]{{0,140}}\)"
_CREDIT_WORDS = "|".join(
    bracket + form
    for word in f"{_LABELS}|istimewa|{_AGENCIES}".split("|")
    for form in (word, word.capitalize(), word.title(), word.upper())
    for bracket in ("(", "( ")
)
_CREDIT_OF_SITE = rf"\([^()\n]{{2,80}}/ ?{_SITE} ?\)"
# "(abc/def)" after the end of a sentence, not the "(pro/kontra)" within one
_INITIALS = r"""\((?:(?<=[.!?"'\]:] \()|(?<=[.!?"'\]:\n]\()|(?<=\A\()) ?[a-z]{2,6} ?(?:/ ?[a-z]{2,6} ?){1,3}\)"""
_BLOCKS = "article|blockquote|br|div|figure|figcaption|footer|h[1-6]|header|hr|li|ol|p|section|table|td|th|tr|ul"
_TAGS = (
    "a|abbr|b|body|center|em|font|head|html|i|iframe|img|ins|link|meta|noscript|picture|script|small|source|span|strong"
    "|style|sub|sup|tbody|thead|u|video"
)

MARKUP = (
    _rule("tag", "<", r"<(?i:(script|style)\b[^<>]{0,500}>[^<]{0,5000}</\1>)", "\n\n"),
    _rule("tag", "<", r"<!--[^<>]{0,1000}-->", ""),
    _rule("tag", "<", rf"</?(?i:{_BLOCKS})\b[^<>]{{0,1000}}>", "\n\n"),
    _rule("tag", "<", rf"</?(?i:{_TAGS})\b[^<>]{{0,1000}}>", ""),
    _rule("picture", "[", r"!\[[^\[\]\n]{0,300}\]\([^()\n]{0,1000}\)"),
    _rule("link", "[", r"\[([^\[\]\n]{0,300})\]\((?:https?:|www\.|mailto:|/|#)[^()\n]{0,1000}\)", 1),
    _rule("escape", "\\", r"""\\{1,8}(?=[`*_{}\[\]()#+\-.!|>'"~])""", ""),
    _rule("bold", "**", r"\*\*(?<![\w*]\*\*)(?=[^\s*])([^*\n]{1,300})(?<!\s)\*\*(?![\w*])", 1),
    _rule(
        "picture",
        ".jpg|.jpeg|.png|.gif|.webp|.JPG|.PNG",
        r"""https?://[^\s<>"':]{1,300}\.(?i:jpe?g|png|gif|webp)\b[^\s<>"':]{0,300}""",
    ),
)
ANYWHERE = (
    _rule(
        "baca_juga",
        _READ + "|Baca_Juga|BACA_JUGA|Baca JUGA",
        rf"(?:{_VERBS}|\[ ?Baca|\[ ?BACA|\[ ?Lihat|\[ ?Simak)[ _](?:juga|Juga|JUGA)"
        r"(?: (?:[Vv]ideo|VIDEO|[Bb]erita|[Aa]rtikel|[Ff]oto|FOTO|[Ii]nfografis)(?: [a-z]{2,12})?)?"
        # In a sentence of the article these words go on in small letters.
        r"""(?: ?[:>]| ?-(?= )|(?= ?["'])|$|(?<=JUGA)(?= [A-Z])|(?<=Juga)(?= [A-Z]\w{0,20},? [A-Z0-9"'])"""
        r"|(?<=[Vv]ideo)(?= [A-Z]))",
        end=End.RELATED,
    ),
    _rule(
        "baca_juga",
        "Pilihan Editor|Pilihan editor|Plihan Editor|PILIHAN EDITOR|Artikel Terkait|Berita Terkait|ARTIKEL TERKAIT|BERITA TERKAIT",
        "(?:Pilihan|Plihan|PILIHAN) (?:[Ee]ditor|EDITOR) ?:|(?:Artikel|Berita|ARTIKEL|BERITA) (?:Terkait|TERKAIT)(?: ?:|$)",
        end=End.RELATED,
    ),
    _rule("video", _WATCH, rf"""(?:{_VERBS}) (?:[Vv]ideo|VIDEO)(?:nya)?(?: ?:|(?= ?["']))""", end=End.RELATED),
    _rule(
        "video",
        "Saksikan Live|Simak Live|Tonton Live|SaksikanLive",
        rf"(?:{_VERBS}) ?Live ?\w{{3,15}} ?:(?: di sini:?)?",
    ),
    _rule("video", "[", r"\[ ?(?i:gambas|video|image)[ .:][^\[\]\n]{0,80}\]"),
    _rule(
        "republished",
        "Artikel ini",
        r"Artikel ini (?:telah|sudah)(?: lebih dulu| pernah)? (?:tayang|terbit|naik|dimuat|ditayangkan) (?:di|pada) ?"
        r"[\w.-]{3,25} dengan judul:?",
        end=End.TITLE,
    ),
    _rule(
        "republished",
        "Artikel ini",
        r"Artikel ini (?:telah|sudah)(?: lebih dulu| pernah)? (?:tayang|terbit|naik|dimuat|ditayangkan)[^\n.!]{0,60}"
        r"(?:\.(?:com|id|co)\b)?[^\n.!]{0,60}[.!]?",
    ),
    _rule(
        "read_more",
        "Selengkapnya|Baca selengkapnya|Baca berita|Baca artikel|Simak selengkapnya|Simak berita|Lihat selengkapnya",
        r"(?:(?:Baca|Simak|Lihat)(?: berita| artikel)? selengkapnya|Selengkapnya(?:,? (?:baca|simak|klik))?)"
        r" (?:di ?sini|klik (?:di )?sini)(?: dan di sini)? ?[.!]?",
    ),
    _rule("scroll", "SCROLL TO|Scroll to", r"(?:SCROLL TO|Scroll to) (?i:continue|resume)(?i: with content| content)?"),
    _rule("scroll", "ADVERTISEMENT|Advertisement", r"ADVERTISEMENT|Advertisement(?:(?<=^.{13})|(?<=\n.{13}))$"),
    _rule(
        "page",
        "Halaman|Selengkapnya",
        r"Halaman(?:\n{1,2}\d{1,2}(?=\n)){1,20}(?:\n{1,2}Selanjutnya$)?|Halaman \d{1,2} dari \d{1,2}\b"
        r"|Halaman(?: \d{1,2}){1,20} Selanjutnya\b",
    ),
    _rule(
        "page",
        "Halaman|Selengkapnya",
        r"(?:Selengkapnya (?:di|pada) ?(?:Halaman|halaman)|Halaman) (?:[Ss]elanjutnya|[Bb]erikutnya)"
        r"(?: ?(?:\.{1,6}|[>»]{1,3})|(?=\n)|\Z)",
    ),
    _rule(
        "share",
        "Google News|WhatsApp|Whatsapp|WA Channel|Telegram|setiap hari dari|Anda harus install|Ikuti terus",
        r"(?:(?:Dapatkan|Cek|Ikuti|Baca|Simak|Follow|Gabung|Mari bergabung|Yuk|Update)\b(?:[^\n.!?]|\.(?=\w)){0,120}?"
        r"(?:Google News|WhatsApp Channel|Whatsapp Channel|WA Channel|[Cc]hannel WhatsApp|[Ss]aluran WhatsApp"
        r"|[Kk]anal WhatsApp|[Gg]rup Telegram|[Cc]hannel Telegram|setiap hari dari)"
        r"|Anda harus install aplikasi|Ikuti terus ulasan)"
        r"""(?:[^\n.!?]|[.?](?=[\w/])){0,200}[.!]?(?:"?;'?\]?)?""",
    ),
)
CAPTIONS = (
    _rule("caption", _CREDIT_WORDS, _CREDIT),
    _rule(
        "caption",
        "/detik|/ detik|/KOMPAS|/Kompas|/ANTARA|/Antara|/Liputan|/Tribun|/TRIBUN|/Tempo|/TEMPO|/CNN|/CNBC|/Okezone|/Republika|/VIVA",
        _CREDIT_OF_SITE,
    ),
    _rule(
        "caption",
        "Foto|FOTO",
        rf"(?:Foto|FOTO) ?: ?(?:[^\n()]{{0,150}}\([^()\n]{{0,60}}(?:/{_SITE}|YouTube)\)\.?"
        rf"|(?:[Dd]ok\. ?)?{_NAMES} ?/ ?(?:detikcom|{_SITE})|[^\n]{{2,80}}$)",
    ),
)
_CREDITED = "Editor|Penulis|Reporter|Pewarta|Kontributor|Penerjemah|Fotografer|Sumber|Topik|Tags?|TAGS?|Copyright"
ENDS = (
    _rule(
        "byline",
        _CREDITED.replace("s?", ""),
        rf"^(?:{_CREDITED})(?: ?:| ©)[^\n]{{0,200}}$",
    ),
    _rule(
        "byline",
        "Editor|Penulis|Reporter|Pewarta|Kontributor",
        rf"(?:(?:Editor|Penulis|Reporter|Pewarta|Kontributor) ?: ?{_NAMES}[.,]?[ \n]{{0,2}}){{1,4}}\Z",
        tail=300,
    ),
    _rule(
        "byline",
        "(Editor|(Penulis|(Reporter|(Kontributor",
        r"\((?:Penulis|Editor|Reporter|Kontributor)\b[^()\n]{3,150}\)",
    ),
    _rule("byline", "Copyright|COPYRIGHT", r"(?:Copyright|COPYRIGHT) ?©[^\n]{0,40}\Z", tail=60),
    _rule("tags", "/", rf"""{_INITIALS}[ \n]{{0,2}}(?:[^A-Z!?"“:;()\[\].]|\.(?=\w)){{0,500}}\Z""", tail=600),
    _rule("initials", "/", rf"{_INITIALS}$"),
    _rule(
        "initials",
        "(|[",
        r"""(?<=[.!?"'\n])[ \n]{0,2}(?:\( ?(?:[a-z]{2,6}|\*{1,3}|Antara|ANTARA|[A-Za-z]\w{2,15}\.(?:com|id|co\.id)"""
        r"(?: ?/ ?\w{2,15})?) ?\)|\[ ?[a-z]{2,6} ?\])\.?[ \n]{0,2}\Z",
        tail=80,
    ),
    _rule("initials", "(", rf"^\((?:{_NAMES}) ?\)\n{{0,2}}\Z", tail=80),
    _rule("separator", "---|***|___|===", r"^(?:-{3,200}|\*{3,200}|_{3,200}|={3,200})$"),
)

# What stands at the start of the text, before its first sentence.

_PLACE = r"(?:[A-ZÀ-Þ][\w'.]{1,20}(?:-[A-Z][\w']{1,12}){0,2}(?: [A-ZÀ-Þ][\w'.]{1,20}(?:-[A-Z][\w']{1,12})?){0,3})"
_UNGLUED = r"(?!\w[a-z]+[A-Z])" + _PLACE  # not "MajenePasar"
_DATE = r"(?: ?, ?\d{1,2}[\w/ ]{0,18})?"
# A hyphen with no space at either side ends a dateline only after a site or after capitals: "JAKARTA-Polisi", not "Saint-Germain".
_DASH = r"""(?: ?(?:- -|--|[–—])(?: ?[-–—])? ?| - ?|- |(?<=[A-Z]{4}|\.com)-(?=[A-Z][a-z]|"))(?=["'(]{0,2} ?[A-Z0-9])"""
DATELINE = (
    r"""(?:\[["'])?(?:Laporan (?:[Ww]artawan|[Rr]eporter|[Kk]ontributor)[^\n]{0,120}?)?(?:"""
    rf"{_SITE}(?: ?[,.|/-] ?{_UNGLUED}){{0,2}}{_DASH}"
    rf"|{_PLACE}(?: ?[,/] ?{_PLACE})?{_DATE} ?[,( ] ?(?:{_SITE}|{_PLACE}) ?\)?{_DASH}"
    rf"|(?=[^\n–—-]{{4}}|[A-Z]{{2,}}-[A-Z]{{2}}){_PLACE}(?:/{_PLACE})?{_DATE}{_DASH}"
    rf"|{_SITE} ?, ?(?:Jakarta|Bandung|Surabaya|Yogyakarta|Semarang|Medan|Makassar|Denpasar|Bogor|Depok|Bekasi|Tangerang)"
    r""" ?(?=["A-Z]))"""
)
FIRST_CAPTION = (
    # a line that ends with a credit; a sentence without full stop that does, run into the next; a line that says so
    rf"[^\n()]{{0,180}}+(?:{_CREDIT}|{_CREDIT_OF_SITE})\.?\n|[A-Z][^\n().!?]{{5,160}}+(?:{_CREDIT}|{_CREDIT_OF_SITE})\.?(?= [A-Z0-9\"])"
    r"|(?:Foto|FOTO|Ilustrasi|ILUSTRASI) ?:[^\n]{0,180}\n|(?:Ilustrasi|ILUSTRASI)\b[^\n.]{0,150}(?:\.[^\n]{0,40})?\n"
)
SITE_SUFFIX = rf" ?[-|–—] ?(?:{_SITE}|[A-Z][^\n.]{{2,30}}\Z)(?: ?[-|–—:] ?{_SITE})?"
# After a title that is repeated: the first sentence.
NEW_SENTENCE = r"[ .]{0,2}[\"'(]?[A-Z]"
