"""Secrets that the service makes itself and keeps in its state directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from coordsite.misconfigured import ConfigError

if TYPE_CHECKING:
    from coordsite.config import Config


def signing_key(config: Config, *, create: bool = False) -> str:
    """Django's secret key: the configured one, else the one kept in the state directory.

    ``create`` makes and keeps one (mode 0600). Else, with none kept, a key that ends with the process.
    """
    if configured := config.secret_key.get_secret_value():
        return configured
    return kept_secret(config.state_directory / "secret_key", create=create) or secrets.token_urlsafe(48)


def kept_secret(path: Path, *, create: bool) -> str:
    """The secret in a file, made with mode 0600 when missing and wanted; empty when there is none."""
    try:
        if kept := path.read_text(encoding="utf-8").strip():
            return kept
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; allowed: a readable file") from None
    if not create:
        return ""
    made = secrets.token_urlsafe(48)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(made + "\n")
        try:
            os.link(fresh, path)  # whoever came first decides
        except FileExistsError:
            if not path.read_text(encoding="utf-8").strip():
                fresh.replace(path)
                return made
            return path.read_text(encoding="utf-8").strip()
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; allowed: a writable directory") from None
    return made
