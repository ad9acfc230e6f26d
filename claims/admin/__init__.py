"""Claims, places in line, release requests, sessions and repositories in admin."""

from __future__ import annotations

from claims.admin import claims, repositories, requests, sessions, tickets

__all__ = ["claims", "repositories", "requests", "sessions", "tickets"]
