"""A token as the API and the command show it."""

from __future__ import annotations

from typing import Any

from common.clock import iso
from coordsite.models import Token
from coordsite.tokens.services import NewToken


def token_row(token: Token) -> dict[str, Any]:
    """Everything but the token."""
    return {
        "id": token.id,
        "prefix": token.prefix,
        "engineer": token.engineer,
        "role": str(token.role),
        "repositories": token.repositories,
        "description": token.description,
        "status": str(token.status()),
        "created_at": iso(token.created_at),
        "created_by": token.created_by,
        "expires_at": iso(token.expires_at),
        "last_used_at": iso(token.last_used_at),
        "revoked_at": iso(token.revoked_at),
        "rotated_from": token.rotated_from_id,
        "rotation_grace_until": iso(token.rotation_grace_until),
    }


def new_token_row(new: NewToken) -> dict[str, Any]:
    """The row, and this once the token."""
    return {"token": new.raw, **token_row(new.token)}
