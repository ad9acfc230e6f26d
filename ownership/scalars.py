"""Writing one YAML scalar so that every reader takes it for the same text. Pure, no Django."""

from __future__ import annotations

import io

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

_VERSIONS = ((1, 1), (1, 2))


def scalar(text: str) -> str:
    """``text`` as a scalar on one line, for block and flow lists alike; quoted only where it has to be.

    Plain when YAML 1.1 and 1.2 both read it as this text, else in single, else in double quotes.
    """
    # Readers differ on line separators and the like as they are: those are written as escapes.
    styles = (str, SingleQuotedScalarString, DoubleQuotedScalarString)
    for style in styles if text.isprintable() else styles[2:]:
        written = _written(style(text))
        if written is not None and all(_read(written, version) == [text] for version in _VERSIONS):
            return written
    raise ValueError(f"{text!r} cannot be written as YAML")


def _written(value: str) -> str | None:
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 1_000_000
    items = CommentedSeq([value])
    items.fa.set_flow_style()
    out = io.StringIO()
    try:
        yaml.dump(items, out)
    except YAMLError:
        return None
    line = out.getvalue().strip()
    return line[1:-1] if "\n" not in line and line.startswith("[") and line.endswith("]") else None


def _read(written: str, version: tuple[int, int]) -> object:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    try:
        return yaml.load(f"[{written}]") if yaml.load(f"- {written}\n") == yaml.load(f"[{written}]") else None
    except (YAMLError, ValueError):
        return None
