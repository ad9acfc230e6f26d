"""Patterns: what a claim is about, as text, in one canonical form.

Without a wildcard a pattern is a path from the root, file or directory, and covers itself and everything
below. With wildcards it has gitignore's meaning: ``*``, ``?`` and ``[…]`` stay inside one segment, ``**`` as
a segment is any depth, no slash means any depth, ``dir/**`` is everything below ``dir``, and the last segment
covers everything below what it matches, unless it is a lone ``*`` after a directory (``dir/*`` is direct
children only; ``/*`` is everything).

Two things differ from gitignore, because patterns name real paths here. A pattern without wildcards starts at
the root. A segment with brackets and no other wildcard has two readings, the class and the plain text, and
covers both: ``app/[id]/page.tsx`` protects the directory that is called ``[id]``.

**File endings.** A claim is about files. A name with a well-known file ending (``patterns.endings``) is a
file, so paths that go on below such a name do not count when two patterns are compared: ``*.py`` and ``*.ts``
do not meet at ``a.py/b.ts``. The exception is a pattern that says otherwise: a segment that is not its
pattern's last and can only match such names (``vendor/next.js/lib``, ``*.js/src/**``) declares that what it
matches is a directory. ``matches`` stays gitignore's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby

from patterns.braces import refuse_braces
from patterns.endings import file_ending
from patterns.errors import PatternError, quoted
from patterns.folding import fold
from patterns.globs import BadClass, Segment, is_wild, plain_segment, segment
from patterns.meeting import is_file

MAX_PATTERN_LENGTH = 1024
MAX_SEGMENTS = 64
MAX_BRACKETED = 256


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern. Compares by ``text`` and case mode; made by ``parse`` only.

    ``text`` is canonical and spelled as the user spelled it. ``prefix`` is the whole literal segments before
    the first one that is not literal. ``tail`` is the file ending that every path of the pattern has, or
    ``""``. With ``case_insensitive`` both are case-folded, as are the compiled ``segments``; a set bit ``k``
    of ``loops`` says that any number of directories fits in front of segment ``k`` (behind the last for bit
    ``n``), one of ``declares`` that the names of segment ``k`` are directories in spite of their ending.
    """

    text: str
    is_literal: bool = field(compare=False)
    prefix: str = field(compare=False)
    tail: str = field(compare=False)
    case_insensitive: bool
    segments: tuple[Segment, ...] = field(compare=False, repr=False)
    loops: int = field(compare=False, repr=False)
    declares: int = field(compare=False, repr=False)


@lru_cache(maxsize=2048)
def parse(text: str, *, case_insensitive: bool = False) -> Pattern:
    """Bring ``text`` into canonical form and compile it. Raises ``PatternError``; never anything else."""
    segments, floats = _canonical_segments(_clean(text))
    wild = [is_wild(one) for one in segments]
    if not any(wild):
        return _compile("/".join(segments), segments, case_insensitive, literal=True)
    if (floats or segments == ["*"]) and segments[0] != "**":
        segments.insert(0, "**")
    segments = _normalise_runs(segments)
    canonical = "/".join(segments)
    if len(segments) == 1 and segments != ["**"]:
        canonical = "/" + canonical
    return _compile(canonical, segments, case_insensitive, literal=False)


def literal(path: str, *, case_insensitive: bool = False) -> Pattern:
    """The pattern of one existing path, in which no character is a wildcard: what a change is about.

    Raises ``PatternError`` for a path that leaves the root, is blank, or is longer or deeper than a claim.
    """
    if len(path) > MAX_PATTERN_LENGTH:
        raise _too_long(len(path))
    names = [name for name in unicodedata.normalize("NFC", path).split("/") if name not in ("", ".")]
    if not names:
        raise PatternError("The path is blank.", code="blank")
    if ".." in names:
        raise PatternError(
            f"The path {quoted(path)} has a '..' segment.",
            code="outside_root",
            hint="Write the path from the root of the repository.",
        )
    if len(names) > MAX_SEGMENTS:
        raise PatternError(
            f"The path has {len(names)} segments; at most {MAX_SEGMENTS} are allowed.", code="too_deep"
        )
    segments = tuple(plain_segment(name, case_insensitive) for name in names)
    declares = _declares(segments)
    return Pattern(
        "/".join(names),
        True,
        "/".join(one.literal or "" for one in segments),
        "" if declares else segments[-1].ending,
        case_insensitive,
        segments,
        1 << len(segments),
        declares,
    )


def _too_long(length: int) -> PatternError:
    return PatternError(
        f"The pattern has {length} characters; at most {MAX_PATTERN_LENGTH} are allowed.", code="too_long"
    )


def _clean(text: str) -> str:
    """Checks and rewrites of the text as a whole, before it is cut into segments."""
    if len(text) > MAX_PATTERN_LENGTH:
        raise _too_long(len(text))
    if any(0xD800 <= ord(char) < 0xE000 for char in text):
        raise PatternError("The pattern is not valid Unicode: it has a lone surrogate.", code="not_unicode")
    text = unicodedata.normalize("NFC", text).strip().replace("\\", "/")
    if not text:
        raise PatternError(
            "The pattern is blank.",
            code="blank",
            hint="Name a path such as src/app.py, or ** for everything.",
        )
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise PatternError("The pattern contains a control character.", code="control_character")
    refuse_braces(text)
    return text


def _canonical_segments(text: str) -> tuple[list[str], bool]:
    """The segments without empty, ``.`` and ``..`` ones, and whether it is a wildcard for any depth."""
    kept: list[str] = []
    for part in text.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not kept:
                raise PatternError(
                    f"The pattern {quoted(text)} leaves the root of the repository.", code="outside_root"
                )
            if is_wild(kept[-1]):
                raise PatternError(
                    f"The pattern {quoted(text)} has '..' after the wildcard segment {quoted(kept[-1])}.",
                    code="dotdot_after_wildcard",
                    hint="Write the path without '..'.",
                )
            kept.pop()
            continue
        kept.append(re.sub(r"\*\*+", "*", part) if part.strip("*") else part[:2])
    if not kept:
        raise PatternError(
            f"The pattern {quoted(text)} is the root of the repository.",
            code="root",
            hint="Use ** to claim everything.",
        )
    _check_edges(text, kept)
    core = re.sub(r"^(\./)+", "", text)
    floats = len(kept) == 1 and is_wild(kept[0]) and "/" not in core.rstrip("/.")
    if text.endswith(("/", "/.", "/..")) and kept[-1] != "**":
        kept.append("**")
    if len(kept) > MAX_SEGMENTS:
        raise PatternError(
            f"The pattern has {len(kept)} path segments; at most {MAX_SEGMENTS} are allowed.", code="too_deep"
        )
    return kept, floats


def _check_edges(text: str, segments: list[str]) -> None:
    """Refuse what the canonical text could not keep: a leading ``!``, blanks at its ends."""
    if segments[0].startswith("!"):
        raise PatternError(
            f"The pattern {quoted(text)} is a negation; a claim names what it covers.",
            code="negation",
            hint="Claim the paths you need instead of excluding others.",
        )
    if segments[0] != segments[0].lstrip() or segments[-1] != segments[-1].rstrip():
        raise PatternError(
            f"The pattern {quoted(text)} has a blank at the start or end of its path.",
            code="blank_edge",
            hint="Remove the blank.",
        )


def _normalise_runs(segments: list[str]) -> list[str]:
    """Spell each run of ``*`` and ``**`` segments with a ``**`` in it in one way: stars, then one ``**``."""
    out: list[str] = []
    groups = [(key, list(group)) for key, group in groupby(segments, key=lambda one: one in ("*", "**"))]
    for index, (is_run, group) in enumerate(groups):
        if not is_run or "**" not in group:
            out.extend(group)
            continue
        stars = group.count("*")
        # A closing `**` stands for at least one segment, so a closing `*` is part of it.
        if index == len(groups) - 1 and group[-1] == "*":
            stars -= 1
        out.extend(["*"] * stars + ["**"])
    return out


def _compile(canonical: str, texts: list[str], case_insensitive: bool, *, literal: bool) -> Pattern:
    if len(canonical) > MAX_PATTERN_LENGTH:
        raise _too_long(len(canonical))
    segments: list[Segment] = []
    loops = 0
    for text in texts:
        if text == "**":
            loops |= 1 << len(segments)
        else:
            segments.append(_segment(text, canonical, case_insensitive))
    if texts[-1] == "**":
        # A closing `**` is one segment or more.
        loops |= 2 << len(segments)
        loops &= ~(1 << len(segments))
        segments.append(segment("*"))
    elif literal or texts[-1] != "*":
        loops |= 1 << len(segments)
    bracketed = sum(len(one.text) for one in segments if any(glob.classes for glob in one.globs))
    if bracketed > MAX_BRACKETED:
        raise PatternError(
            f"The segments with brackets have {bracketed} characters; at most {MAX_BRACKETED} are allowed.",
            code="too_many_brackets",
        )
    prefix = []
    for index, one in enumerate(segments):
        if one.literal is None or loops >> index & 1:
            break
        prefix.append(one.literal)
    declares = _declares(segments)
    tail = "" if declares else segments[-1].ending
    return Pattern(
        canonical, literal, "/".join(prefix), tail, case_insensitive, tuple(segments), loops, declares
    )


def _declares(segments: Sequence[Segment]) -> int:
    """The segments, as bits, whose file-like names are directories because the pattern says so."""
    declares = sum(1 << index for index, one in enumerate(segments[:-1]) if is_file(one))
    last = segments[-1]
    if last.ending and not file_ending(last.text):
        # Case folding has made an ending of what is spelled as a name, such as `System.Text.Json`.
        declares |= 1 << len(segments) - 1
    return declares


def _segment(text: str, canonical: str, case_insensitive: bool) -> Segment:
    try:
        return segment(text, case_insensitive)
    except BadClass:
        raise PatternError(
            f"The pattern {quoted(canonical)} has an invalid bracket expression in {quoted(text)}.",
            code="bad_class",
            hint="Close the bracket and write ranges upwards, as in [a-z].",
        ) from None


def matches(pattern: Pattern, path: str) -> bool:
    """Whether ``path``, one path of the repository with forward slashes, is covered. Gitignore's meaning."""
    if _accepts(pattern, path):
        return True
    return not path.isascii() and _accepts(pattern, unicodedata.normalize("NFC", path))


def _accepts(pattern: Pattern, path: str) -> bool:
    if pattern.case_insensitive:
        path = fold(path)
    if pattern.is_literal:
        return path == pattern.prefix or path.startswith(pattern.prefix + "/")
    states = 1
    for name in path.split("/"):
        if not name:
            continue
        moved = states & pattern.loops
        for index, one in enumerate(pattern.segments):
            if states >> index & 1 and one.matches(name):
                moved |= 2 << index
        if not moved:
            return False
        states = moved
    return bool(states >> len(pattern.segments) & 1)


def candidate_prefixes(pattern: Pattern) -> tuple[str, ...]:
    """The prefixes that a stored pattern at or above this one's prefix can have: ``("", "a", "a/b")``.

    A stored pattern that overlaps has one of these, or one that starts with ``pattern.prefix + "/"``.
    """
    if not pattern.prefix:
        return ("",)
    parts = pattern.prefix.split("/")
    return ("", *("/".join(parts[: depth + 1]) for depth in range(len(parts))))
