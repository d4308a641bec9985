"""The article as files carry it: the names of its columns, and the names that others give them."""

from collections.abc import Sequence

from serve.errors import InputError

TOPIC_SEPARATOR = "|"
# What stands between the notes of an article, and their words: of one without text, of one that a person should look at, of
# one in another language (which one, after a colon), and of one of which the model knows little.
NOTE_SEPARATOR = "; "
EMPTY = "empty"
UNCERTAIN = "uncertain"
NOT_INDONESIAN = "not Indonesian"
UNKNOWN_WORDS = "mostly unknown words"

# The first name of each is our own; a column is looked for in this order, first as written, then in any case.
USUAL_NAMES = {
    "id": ("id", "article_id", "no"),
    "title": ("title", "judul", "judul_berita", "headline"),
    "text": (
        "text", "isi", "isi_berita", "isi berita", "konten", "content", "body", "artikel", "article", "teks", "berita", "description",
    ),
    "topics": ("topics", "topic", "labels", "label", "kategori", "category", "topik"),
    "date": (
        "date", "tanggal", "publish_date", "published_date", "published_at", "published", "pub_date", "pubdate", "publication_date",
        "date_published", "tanggal_terbit", "tgl", "waktu", "datetime", "timestamp", "time", "created_at",
    ),
    "outlet": (
        "outlet", "media", "nama_media", "source", "sumber", "source_name", "publisher", "penerbit", "portal", "situs", "site", "website",
    ),
    "link": ("link", "url", "tautan", "permalink", "source_url", "article_url"),
}  # fmt: skip
# What the scraper news-watch writes. Its category is the section of the site and its keyword what was searched for: no topics.
NEWS_WATCH = frozenset(("title", "publish_date", "author", "content", "keyword", "category", "source", "link"))


def find_column(
    field: str, columns: Sequence[str], given: str | None = None, *, file: str, required: bool = True
) -> str | None:
    """The name of the column that holds `field`, one of USUAL_NAMES.

    `given` is the user's choice; otherwise the usual names are tried. Returns None where there is none and it is not
    required. Raises InputError that names the file, the column and those that are there.
    """
    there = ", ".join(columns)
    if given is not None:
        if given not in columns:
            raise InputError(
                f"{file}: no column '{given}'; its columns are: {there}. Name one of them with --{_option(field)}."
            )
        return given
    folded = {column.strip().lower(): column for column in reversed(columns)}
    for name in USUAL_NAMES[field] if field != "topics" or not folded.keys() >= NEWS_WATCH else ():
        if name in folded:
            return folded[name]
    if required:
        raise InputError(
            f"{file}: no column for the {field} found; its columns are: {there}. Name it with --{_option(field)}."
        )
    return None


def _option(field: str) -> str:
    return "label-column" if field == "topics" else f"{field}-column"
