"""Numbers of things, as a sentence has them."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Such as "1 article" and "2,000 articles"; `plural` is the noun's where it takes more than an s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
