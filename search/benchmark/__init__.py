"""What the search costs, and what its algorithms prove."""
