"""Labels that people give articles, and the file that keeps them."""
