"""Patterns and their exact overlap: pure, no Django."""

from patterns.containment import contains, intersection_within
from patterns.errors import PatternError, TooComplex
from patterns.overlap import overlaps, witness
from patterns.pattern import (
    MAX_PATTERN_LENGTH,
    Pattern,
    candidate_prefixes,
    literal,
    matches,
    parse,
)

__all__ = [
    "MAX_PATTERN_LENGTH",
    "Pattern",
    "PatternError",
    "TooComplex",
    "candidate_prefixes",
    "contains",
    "intersection_within",
    "literal",
    "matches",
    "overlaps",
    "parse",
    "witness",
]
