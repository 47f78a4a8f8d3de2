"""A corpus of real theorems without a download: what the modules of the installed library state."""
