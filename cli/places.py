"""Places that are written, none of which may be another that the same command reads or writes."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from serve.errors import InputError


def refuse_same(outputs: Mapping[str, Path | None], inputs: Iterable[str | Path] = ()) -> None:
    """Raises InputError for an output, by its option or argument, that is also one of the inputs, or another output."""
    taken = {os.path.realpath(place): "is read" for place in inputs}
    for option, place in outputs.items():
        if place is None:
            continue
        file = os.path.realpath(place)
        if file in taken:
            raise InputError(f"{place}: {taken[file]}; name another for {option}.")
        taken[file] = f"is what {option} writes"
