"""Reading tokens. Nothing here can show a token or its digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from common import clock
from common.errors import Conflict, Invalid, NotFound
from coordsite.models import Token

LEAST_PREFIX = 8
MOST_CANDIDATES = 5
_RAW = re.compile(r"coordt_[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TokenPage:
    """A page of tokens, newest first, and the cursor of the next one."""

    tokens: list[Token]
    next_cursor: str | None


def is_personal(raw: str) -> bool:
    """Whether a text has the form of a personal token."""
    return _RAW.fullmatch(raw) is not None


def digest_of(raw: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(raw.encode()).hexdigest()


def token_of(raw: str) -> Token | None:
    """The row of a presented token, whatever has become of it; ``None`` for an unknown one."""
    return Token.objects.filter(digest=digest_of(raw)).first() if is_personal(raw) else None


def find_token(text: str) -> Token:
    """The token with this id, or the only one whose id begins so (8 characters at least).

    Raises :class:`NotFound`, :class:`Invalid` for a shorter beginning, :class:`Conflict` naming candidates.
    """
    text = text.strip().lower()
    exact = Token.objects.filter(id=text).first()
    if exact is not None:
        return exact
    if len(text) < LEAST_PREFIX:
        raise Invalid(
            f"'{text}' is too short for the beginning of a token's id",
            next=f"Give the id, or at least its first {LEAST_PREFIX} characters.",
        )
    found = list(Token.objects.filter(id__startswith=text).order_by("id")[: MOST_CANDIDATES + 1])
    if len(found) > 1:
        raise Conflict(
            f"'{text}' begins several ids: {', '.join(token.id for token in found[:MOST_CANDIDATES])}",
            next="Give the whole id.",
        )
    if not found:
        raise NotFound("No token has this id", next="List the tokens: GET /tokens or coord tokens list.")
    return found[0]


def list_tokens(
    *, engineer: str | None = None, include_revoked: bool = False, limit: int = 100, cursor: str | None = None
) -> TokenPage:
    """Tokens newest first; revoked ones only when wanted. Raises :class:`Invalid` for a foreign cursor."""
    tokens: QuerySet[Token] = Token.objects.order_by("-created_at", "-id")
    if engineer:
        tokens = tokens.filter(engineer=engineer)
    if not include_revoked:
        tokens = tokens.filter(revoked_at__isnull=True)
    if cursor:
        last = Token.objects.filter(id=cursor).first()
        if last is None:
            raise Invalid("cursor is not one of ours", next="Start again without cursor.")
        tokens = tokens.filter(
            Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, id__lt=last.id)
        )
    rows = list(tokens[: limit + 1])
    return TokenPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def usable_tokens() -> QuerySet[Token]:
    """Tokens that authenticate now."""
    now = clock.now()
    return Token.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        Q(rotation_grace_until__isnull=True) | Q(rotation_grace_until__gt=now),
        revoked_at__isnull=True,
    )
