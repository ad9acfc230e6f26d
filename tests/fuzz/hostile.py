"""Hostile texts: drawn from the characters and pieces that parsers trip over."""

from __future__ import annotations

import random

PATTERN = (
    "a",
    "b",
    ".",
    "/",
    "*",
    "?",
    "[",
    "]",
    "!",
    "-",
    "**",
    "/**/",
    "[a-z]",
    "[!a]",
    "***",
    "a/b",
    ".py",
    "é",
)
FOREIGN = (
    *("\\", "^", "{", "}", "~", ":", "#", "%", "@", "`", "'", '"', "\n", "\r", "\t", " ", "\0"),
    *("\u0301", "\u202e", "\U0001f600", "../", "./", "//", "[[", "]]", "{a,b}", "..", "~/", "C:\\"),
)
YAML = (
    *(
        "&a ",
        "*a",
        "!!python/object:os.system ",
        "<<: ",
        "---\n",
        "? ",
        "- ",
        ": ",
        "\n  ",
        "|\n",
        "%YAML 1.1\n",
    ),
    *(
        "version: 1\n",
        "shared:\n",
        "modules:\n",
        "split:\n",
        "repos:\n",
        "paths:\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        "#",
    ),
)
CODE = (
    *(
        "def f(",
        "class A:",
        "\n    ",
        "((((",
        "))))",
        "{{{{",
        "}}}}",
        "=>",
        "func (",
        "import ",
        "/*",
        "*/",
        "'''",
    ),
    *(
        "class A {",
        "function f() {",
        "}",
        "fn f()",
        "impl A {",
        "def f\n",
        "end\n",
        "module M;",
        "=",
        "A::b",
        "<T>",
    ),
)
DOCUMENT = """\
areas:
  auth:
    paths: ["src/auth/**"]
    severity: hard
    owners: [alice]
shared_files:
  - go.sum
  - pattern: locales/**
repos:
  org/app:
    shared_files: [db/schema.sql]
"""


def text(dice: random.Random, longest: int = 120, pieces: tuple[str, ...] = PATTERN + FOREIGN) -> str:
    """A text of a random length; now and then one piece over and over."""
    count = dice.randrange(1, longest)
    if dice.random() < 0.1:
        return dice.choice(pieces) * count * 4
    return "".join(dice.choices(pieces, k=count))


def pattern(dice: random.Random, longest: int) -> str:
    """Mostly what patterns are made of; now and then anything."""
    return text(dice, longest, PATTERN if dice.random() < 0.7 else PATTERN + FOREIGN)


def document(dice: random.Random) -> str:
    """A sound document with something done to it, or no document at all."""
    if dice.random() < 0.3:
        return text(dice, 200, YAML + FOREIGN)
    made = DOCUMENT
    for _ in range(dice.randrange(1, 4)):
        start = dice.randrange(len(made))
        end = min(len(made), start + dice.choice((0, 0, 1, 8)))
        made = made[:start] + dice.choice(YAML + FOREIGN + PATTERN) + made[end:]
    return made


def source(dice: random.Random) -> bytes:
    """A source file that no compiler would take; now and then no text at all."""
    if dice.random() < 0.1:
        return dice.randbytes(dice.randrange(1, 400))
    return text(dice, 200, CODE + FOREIGN).encode()
