"""The ways to choose what to label, by name; `workbench.worth` is how they do it."""

from enum import StrEnum


class Strategy(StrEnum):
    """How articles are chosen."""

    uncertainty = "uncertainty"
    """The most uncertain ones."""
    diverse = "diverse"
    """Uncertain ones that are unlike each other."""
    rare_topic = "rare-topic"
    """Those that may well be of topics with few labelled articles."""
