"""What is right and wrong with a repository's wiring, and the one command that mends each fault."""
