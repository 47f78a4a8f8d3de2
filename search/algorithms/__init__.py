"""The algorithms, one a file: each says what to do next and hears what came of it (see driver.py)."""
