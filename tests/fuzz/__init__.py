"""Hostile inputs: to the API as described, and to the parsers behind it."""
