"""The errors that a user may see, each a sentence that says what is wrong, where, and what to do."""


class KanalError(Exception):
    """Something failed that is not the user's mistake; the command line exits with 1."""

    exit_code = 1


class InputError(KanalError):
    """A file, column, option or value that cannot be used as given; the command line exits with 2."""

    exit_code = 2


class ModelError(InputError):
    """A model that is missing, truncated, altered or of a newer format."""
