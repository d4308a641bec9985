"""Tables of articles in files of every kind that Kanal reads and writes."""
