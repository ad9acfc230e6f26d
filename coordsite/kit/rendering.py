"""The kit's texts: files of ``templates/kit`` and ``templates/ci`` with ``%{name}`` filled in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from string import Template

Renderer = Callable[..., str]

_PACKAGE = Path(__file__).resolve().parents[1]


class _KitTemplate(Template):
    delimiter = "%"


def directory() -> Path:
    """Where the templates lie: inside the installed package, else beside it in a checkout."""
    installed = _PACKAGE / "templates"
    return installed if installed.is_dir() else _PACKAGE.parent / "templates"


def render(name: str, /, **values: str) -> str:
    """The text of one template: of ``ci/`` where the name says so, else of ``kit/``. A value that is
    missing raises ``KeyError``."""
    text = (directory() / (name if "/" in name else f"kit/{name}")).read_text(encoding="utf-8")
    return _KitTemplate(text).substitute(values) if values else text
