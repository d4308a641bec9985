"""What a target of fuzzing is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """What is said of any input of one kind."""

    name: str
    what: str
    """What must hold, for the table."""
    draw: Callable[[bytes], Any]
    """Any bytes -> an input, of what JSON has; bytes of a file are written as Latin-1."""
    check: Callable[[Any], None]
    """Raises where it does not hold."""
    kernels: bool = True
    """Whether kernels work on the input, so that it is tried with their bounds checked as well."""
