"""The paths that a patch changes: Codex's ``apply_patch`` envelope and unified or git diffs. Pure."""

from __future__ import annotations

MAX_PATHS = 5000
_HEADERS = ("*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: ")


def apply_patch_paths(text: str) -> list[str]:
    """The paths named by an ``*** Begin Patch`` envelope, moved files under both names, in order."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        header = next((header for header in _HEADERS if line.startswith(header)), None)
        if header and line[len(header) :].strip():
            found[line[len(header) :].strip()] = None
        if len(found) >= MAX_PATHS:
            break
    return list(found)


def has_envelope(text: str) -> bool:
    """Whether the text holds an ``apply_patch`` envelope."""
    return "*** Begin Patch" in text


def diff_paths(text: str, strip: int) -> list[str]:
    """The paths that a unified or git diff changes, ``strip`` leading segments taken off (``patch -pN``)."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        name, levels = _named(line, strip)
        if name and name != "/dev/null":
            parts = name.split("/")
            found["/".join(parts[levels:]) if len(parts) > levels else parts[-1]] = None
        if len(found) >= MAX_PATHS:
            break
    return list(found)


def _named(line: str, strip: int) -> tuple[str, int]:
    """The path that a header line names and how many of its segments are prefix."""
    for header in ("--- ", "+++ "):
        if line.startswith(header):
            return unquote(line[4:].split("\t", 1)[0].strip()), strip
    for header in ("rename from ", "rename to ", "copy to "):
        if line.startswith(header):
            return unquote(line[len(header) :].strip()), max(strip - 1, 0)
    return "", 0


def unquote(name: str) -> str:
    """A path as git writes it in a diff: ``"caf\\303\\251"`` becomes ``café``."""
    if len(name) < 2 or name[0] != '"' or name[-1] != '"':
        return name
    out = bytearray()
    body = name[1:-1]
    at = 0
    simple = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
    while at < len(body):
        char = body[at]
        following = body[at + 1 : at + 2]
        if char == "\\" and body[at + 1 : at + 4].isdigit() and len(body[at + 1 : at + 4]) == 3:
            out.append(int(body[at + 1 : at + 4], 8) & 0xFF)
            at += 4
        elif char == "\\" and following:
            out += simple.get(following, following).encode()
            at += 2
        else:
            out += char.encode("utf-8", "surrogateescape")
            at += 1
    return out.decode("utf-8", "surrogateescape")
