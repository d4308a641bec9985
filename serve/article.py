"""The article as files carry it: the names of its columns, and the names that others give them."""

import re
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

# The first name of each is our own; a column is looked for in this order, and its name compared as `alike` tells.
USUAL_NAMES = {
    "id": ("id", "article_id", "no"),
    "title": ("title", "judul", "judul_berita", "judul_artikel", "headline"),
    "text": (
        "text", "isi", "isi_berita", "isi_artikel", "konten", "content", "body", "artikel", "article", "teks", "berita", "description",
    ),
    "topics": ("topics", "topic", "labels", "label", "kategori", "category", "topik"),
    "date": (
        "date", "tanggal", "publish_date", "published_date", "published_at", "published", "pub_date", "publication_date",
        "date_published", "tanggal_terbit", "tgl", "waktu", "datetime", "timestamp", "time", "created_at",
    ),
    "outlet": (
        "outlet", "media", "nama_media", "source", "sumber", "source_name", "publisher", "penerbit", "portal", "situs", "site", "website",
    ),
    "link": ("link", "url", "tautan", "permalink", "source_url", "article_url"),
}  # fmt: skip
# What the scraper news-watch writes. Its category is the section of the site and its keyword what was searched for: no topics.
NEWS_WATCH = frozenset(("title", "publish_date", "author", "content", "keyword", "category", "source", "link"))
# No name of a column is as long; an article in the first line of a file is.
LONGEST_NAME = 100


def alike(column: str) -> str:
    """A column's name as it is compared: "JUDUL BERITA", "judul-berita" and "JudulBerita" are all judul_berita."""
    return re.sub(r"[\s_-]+", "", column).casefold()


def find_column(
    field: str, columns: Sequence[str], given: str | None = None, *, file: str, required: bool = True
) -> str | None:
    """The name of the column that holds `field`, one of USUAL_NAMES.

    `given` is the user's choice; otherwise the usual names are tried. Returns None where there is none and it is not
    required. Raises InputError that names the file, the column and those that are there.
    """
    if given is not None:
        if given not in columns:
            raise no_column(file, f"no column '{given}'", columns, f"Name one of them with --{_option(field)}.")
        return given
    found = usual_columns(field, columns)
    if required and not found:
        raise no_column(file, f"no column for the {field} found", columns, f"Name it with --{_option(field)}.")
    return found[0] if found else None


def usual_columns(field: str, columns: Sequence[str]) -> list[str]:
    """The columns that have one of the field's usual names, in the order of these."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(alike(column), column)
    if field == "topics" and by_name.keys() >= set(map(alike, NEWS_WATCH)):
        return []
    return [by_name[name] for name in map(alike, USUAL_NAMES[field]) if name in by_name]


def no_column(file: str, what: str, columns: Sequence[str], remedy: str) -> InputError:
    """The error for a column that is not there."""
    if max(map(len, columns), default=0) > LONGEST_NAME:
        return InputError(
            f"{file}: {what}; its first line seems to be an article, not the names of the columns: "
            "put a line of names above it, such as id,title,text."
        )
    return InputError(f"{file}: {what}; its columns are: {', '.join(columns)}. {remedy}")


def doubtful_columns(columns: Sequence[str], title: str | None, text: str | None) -> str:
    """What a user should know of the columns that are taken for title and text, "" where they are the only ones that could
    be; `title` and `text` are the user's choice, None where they were looked for. That there is no title is told where one of
    the columns may be it."""
    found = {"title": usual_columns("title", columns), "text": usual_columns("text", columns)}
    said = [
        f"the {field} is '{names[0]}', not '{names[1]}' (--{field}-column names another)"
        for field, names in found.items()
        if len(names) > 1 and (title if field == "title" else text) is None
    ]
    others = set(columns).difference([text], *(usual_columns(field, columns) for field in USUAL_NAMES))
    if title is None and not found["title"] and others:
        said.append("no column of titles found (--title-column names it)")
    return "; ".join(said)


def _option(field: str) -> str:
    return "label-column" if field == "topics" else f"{field}-column"
