"""Hostile text: what is checked of any input, by random and coverage-guided fuzzing, and that work grows with its size.

`python -m tests.fuzz` (`make fuzz`) runs for minutes; the suite replays what was found (`cases/`) and runs a small share.
"""
