"""The meaning of patterns, written down a second time in the plainest way, for small cases only.

Nothing here is shared with the product: a pattern is its canonical text, cut at the slashes, and matching is
a recursion over names and characters.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache

FILE_ENDINGS = (".py", ".pyx", ".ts", ".tsx", ".js")


def looks_like_a_file(name: str) -> bool:
    return name.endswith(FILE_ENDINGS)


@cache
def name_fits(glob: str, name: str) -> bool:
    """One segment against one name; ``[…]`` holds plain characters only."""
    if "[" in glob and not set("*?") & set(glob) and glob == name:
        return True
    return _chars_fit(glob, name)


def _chars_fit(glob: str, name: str) -> bool:
    if not glob:
        return not name
    if glob[0] == "*":
        return any(_chars_fit(glob[1:], name[skip:]) for skip in range(len(name) + 1))
    if glob[0] == "[":
        body, rest = glob[1:].split("]", 1)
        fits = bool(name) and ((name[0] not in body[1:]) if body[0] == "!" else (name[0] in body))
        return fits and _chars_fit(rest, name[1:])
    return bool(name) and glob[0] in ("?", name[0]) and _chars_fit(glob[1:], name[1:])


def _steps(text: str) -> list[tuple[str, bool]]:
    """Segments, each with whether it declares directories; ``<below>`` is any number of names."""
    wild = bool(set("*?[") & set(text))
    parts = text.lstrip("/").split("/")
    last = len(parts) - 1
    steps: list[tuple[str, bool]] = []
    for index, part in enumerate(parts):
        if part == "**":
            steps.extend([("*", False), ("<below>", False)] if index == last else [("<below>", False)])
        else:
            steps.append((part, index < last and part.endswith(FILE_ENDINGS)))
    if parts[-1] != "**" and not (wild and parts[-1] == "*"):
        steps.append(("<below>", False))
    return steps


@cache
def readings(text: str, path: str) -> frozenset[frozenset[int]]:
    """Each way to lay the pattern over the path: the positions of names it declares to be directories."""

    def lay(steps: list[tuple[str, bool]], names: list[str], at: int) -> Iterator[frozenset[int]]:
        if not steps:
            if not names:
                yield frozenset()
            return
        part, declares = steps[0]
        if part == "<below>":
            yield from lay(steps[1:], names, at)
            if names:
                yield from lay(steps, names[1:], at + 1)
        elif names and name_fits(part, names[0]):
            for rest in lay(steps[1:], names[1:], at + 1):
                yield rest | {at} if declares else rest

    return frozenset(lay(_steps(text), path.split("/"), 0))


def covers(text: str, path: str) -> bool:
    """Gitignore's meaning, without regard to file endings."""
    return bool(readings(text, path))


def both_cover(one: str, other: str, path: str) -> bool:
    """Whether the path counts for the overlap of two patterns."""
    if not covers(one, path) or not covers(other, path):
        return False
    names = path.split("/")
    files = {at for at, name in enumerate(names[:-1]) if looks_like_a_file(name)}
    return any(files <= mine | theirs for mine in readings(one, path) for theirs in readings(other, path))


def paths(names: list[str], depth: int) -> list[str]:
    return [
        "/".join(parts) for size in range(1, depth + 1) for parts in itertools.product(names, repeat=size)
    ]
