"""Labels that people give articles: the file they are kept in, and the routes of the page where they are given."""
