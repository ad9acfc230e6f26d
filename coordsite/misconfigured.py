"""What is wrong with an environment, to be told in one line. Cheap to import: every command does."""

from __future__ import annotations


class ConfigError(Exception):
    """The environment cannot be served. One line: the variable, its value, what is allowed."""


class NoAuthentication(ConfigError):
    """Neither a token nor the word that none is wanted."""
