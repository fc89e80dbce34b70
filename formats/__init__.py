"""Data sets read into logs and labels, and written: `formats.registry` lists them."""
