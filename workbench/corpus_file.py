"""A corpus as a file of JSON Lines: how an article is written down, and articles added to those there are."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from serve.article import find_column
from serve.atomic import atomic_file
from serve.errors import InputError
from train.corpus import FIELDS as ARTICLE_FIELDS
from train.corpus import Table, read_table
from workbench.file_lock import changing

FIELDS = (*ARTICLE_FIELDS, "split")


def article_line(article: Mapping[str, Any]) -> str:
    """An article as a line of a corpus file, without the line's end: its fields in their order, topics only where it is
    labelled, and a split only where it has one."""
    fields = {name: article.get(name, "") for name in FIELDS if name not in ("topics", "split")}
    if "topics" in article:
        fields["topics"] = list(article["topics"])
    if article.get("split"):
        fields["split"] = article["split"]
    return json.dumps(fields, ensure_ascii=False)


def content_id(article: Mapping[str, Any]) -> str:
    """An id that the same title and text always have: the ids that crawls give may be those of other articles elsewhere."""
    content = f"{article['title']}\0{article['text']}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:16]


def write_articles(path: str | Path, articles: Iterable[Mapping[str, Any]]) -> int:
    """Writes a new corpus file, whole or not at all; returns how many articles."""
    number = 0
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as out:
        for article in articles:
            out.write(article_line(article) + "\n")
            number += 1
    return number


def corpus_table(path: Path) -> Table | None:
    """The articles of a corpus file that others are to be added to; None where there is none yet.

    Raises InputError for another kind of file, for one that cannot be read, and for one whose columns are not named as
    those of the articles that are added: of two columns for a field only one would be read.
    """
    if path.suffix != ".jsonl":
        raise InputError(f"{path}: articles are kept in a file of JSON Lines; give it a name that ends in .jsonl.")
    if not path.exists() or not path.stat().st_size:
        return None
    table = read_table(path)
    for name in ARTICLE_FIELDS:
        column = find_column(name, table.columns, file=table.name, required=False)
        if column not in (None, name):
            raise InputError(
                f"{path}: articles cannot be added, as its column for the {name} is '{column}' and theirs '{name}'; bring "
                f"it into our form with `kanal data import {path} --into NEW.jsonl`, and add to that."
            )
    return table


def append_articles(path: str | Path, articles: Iterable[Mapping[str, Any]]) -> int:
    """Adds articles to a corpus file, which need not be there yet; the lines that it has stay byte for byte as they are.

    Returns how many were added. Raises InputError, and leaves the file alone, when an article has the id of another.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with changing(path):
        old = path.read_bytes() if path.exists() else b""
        if old and not old.endswith(b"\n"):
            old += b"\n"
        known = {json.loads(line).get("id"): number for number, line in enumerate(old.splitlines(), 1) if line.strip()}
        lines = []
        for article in articles:
            if article["id"] in known:
                where = f"line {known[article['id']]}" if known[article["id"]] else "an article before it"
                raise InputError(f"{path}: the id '{article['id']}' is that of {where} too; give each article its own.")
            known[article["id"]] = 0
            lines.append(article_line(article) + "\n")
        with atomic_file(path) as temporary:
            temporary.write_bytes(old + "".join(lines).encode("utf-8"))
    return len(lines)
