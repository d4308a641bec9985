"""The HTTP service: a model behind an API and a page."""
