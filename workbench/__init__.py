"""What the person who keeps a corpus works with; it stands on `train` and `serve`, and they know nothing of it."""
