"""Finds the rows of a training set that say what a benchmark says, in letters or in meaning."""
