"""One view per operation."""
