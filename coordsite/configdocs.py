"""The settings in words, written from their class: ``docs/configuration.md`` and ``.env.example``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from coordsite.config import PREFIX, SECRETS, Config, describe_type

FILES = ("docs/configuration.md", ".env.example")
SECTIONS = {
    "host": "Where it listens, where it keeps things",
    "auth_token": "Who may ask",
    "log_level": "Logs and start",
    "repo_root": "Checkout and guards",
    "default_ttl_hours": "Leases",
    "queue_age_boost_seconds": "The line",
    "auto_promote_threshold": "Hotspots",
    "webhook_url": "Events and webhooks",
    "disable_background_cleanup": "Several processes",
}
"""The first setting of each section."""

HEAD = """\
# Configuration

The service reads these variables once, when it starts. An empty variable counts as not set. A value that is
not allowed stops the start with one line that names the variable, the value and what is allowed (exit code 1;
3 when nobody could be authenticated). `coord start` takes `--host` and `--port` before their variables.

The variables of clients (`coord-mcp`, `coord claims`, hooks) are described in [MCP](mcp.md#environment).
"""

SECRETS_NOTE = """
## Secrets in files

`NAME_FILE` names a file that holds the value of `NAME`; a final line break is no part of it. Setting both is
an error. This is for:

"""
TABLE = ("| Variable | Default | Allowed | Meaning |", "|---|---|---|---|")

ENV_HEAD = """\
# Every setting of coord with its default. Copy what you change into your environment or an env file;
# docs/configuration.md describes them. NAME_FILE may name a file that holds a secret.
"""


def rendered() -> dict[str, str]:
    """The text of each generated file, by its path in the source tree."""
    return {"docs/configuration.md": page(), ".env.example": example()}


def outdated(root: Path) -> list[str]:
    """The generated files below ``root`` that do not say what the settings say now."""
    return [
        name
        for name, text in rendered().items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    ]


def page() -> str:
    """The page for people: one table per section."""
    text = HEAD
    for name, field in Config.model_fields.items():
        if name in SECTIONS:
            text += "\n".join(("", f"## {SECTIONS[name]}", "", *TABLE, ""))
        cells = (f"`{PREFIX}{name.upper()}`", quoted(default(field)), describe_type(field), meaning(field))
        text += f"| {' | '.join(cells)} |\n"
    return text + SECRETS_NOTE + "".join(f"- `{PREFIX}{name.upper()}`\n" for name in SECRETS)


def example() -> str:
    """The environment file: every setting as a comment."""
    return ENV_HEAD + "".join(f"{line}\n" for line in _example_lines())


def _example_lines() -> Iterator[str]:
    for name, field in Config.model_fields.items():
        if name in SECTIONS:
            yield ""
            yield f"## {SECTIONS[name]}"
        yield ""
        yield f"# {meaning(field)} Allowed: {describe_type(field).replace('`', '')}."
        yield f"# {PREFIX}{name.upper()}={default(field)}"


def quoted(text: str) -> str:
    """As code, if there is anything."""
    return f"`{text}`" if text else ""


def meaning(field: FieldInfo) -> str:
    """What a setting is for."""
    return field.description or ""


def default(field: FieldInfo) -> str:
    """A setting's default as one would write it."""
    value = field.default
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else f"{value}"
