"""How admin writes moments, by language."""
