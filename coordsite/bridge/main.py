"""``coord-mcp``: the tools over stdio, for one agent process."""

from __future__ import annotations

import gc
import os
import re
import secrets
import sys
from collections.abc import Mapping

_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,199}")


def main() -> None:
    """Serve until the client closes the connection or a signal ends the process."""
    if any(flag in sys.argv[1:] for flag in ("-h", "--help")):
        print("usage: coord-mcp\n\nServes coord's tools to an MCP client over stdin and stdout.")
        return
    if "--version" in sys.argv[1:]:
        print(f"coord-mcp {version()}")
        return
    session_id = session_of(os.environ)
    if session_id is None:
        print(
            "coord-mcp: COORD_SESSION_ID may hold letters, digits and . _ : @ + - (200 at most, no blanks). "
            "Change or unset it.",
            file=sys.stderr,
        )
        raise SystemExit(2)
    # The start is mostly the SDK building hundreds of protocol classes that stay. Collecting garbage
    # meanwhile, and building validators for messages that never come, would double it.
    gc.disable()
    from pydantic import BaseModel

    BaseModel.model_config["defer_build"] = True
    from coordsite.bridge.stdio import serve

    gc.freeze()
    gc.enable()
    serve(session_id)


def session_of(environ: Mapping[str, str]) -> str | None:
    """``COORD_SESSION_ID``, else 16 random hex digits; ``None`` when the variable cannot be used."""
    given = environ.get("COORD_SESSION_ID", "").strip()
    if not given:
        return secrets.token_hex(8)
    return given if _SESSION.fullmatch(given) else None


def version() -> str:
    """The version of the installed distribution."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("coord")
    except PackageNotFoundError:
        return "0"


if __name__ == "__main__":
    main()
