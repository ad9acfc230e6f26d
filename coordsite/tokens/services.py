"""Making, rotating and revoking tokens, and noting their use. Each change is an event with who made it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q

from claims.names import BadRepo, fold_repo
from common import clock
from common.caller import Caller
from common.errors import Conflict, Invalid
from coordsite.models import Token
from coordsite.tokens.selectors import digest_of, find_token
from webhooks.services import record
from webhooks.types import EventType, NewEvent

log = logging.getLogger("coord.tokens")

BYTES = 32
SHOWN = len("coordt_") + 6
MOST_NAME = 200
MOST_REPOSITORIES = 100
USE_EVERY = timedelta(seconds=60)
"""Uses closer together than this are noted once."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made. ``raw`` is what authenticates: nobody can read it again."""

    token: Token
    raw: str


def create_token(
    *,
    caller: Caller,
    engineer: str,
    role: str = Token.Role.AGENT,
    repositories: Iterable[str] = (),
    description: str = "",
    expires_in: timedelta | None = None,
) -> NewToken:
    """A new token for an engineer. Emits ``token_created``.

    No ``repositories`` is no limit. Raises :class:`Invalid` for a name, role or repository that cannot
    be, and for an unlimited token where ``COORD_REQUIRE_SCOPED_TOKEN`` refuses it.
    """
    now = clock.now()
    new = _new(
        engineer=_name(engineer),
        role=_role(role),
        repositories=_repositories(repositories),
        description=description.strip()[:500],
        created_at=now,
        created_by=caller.name[:MOST_NAME],
        expires_at=now + expires_in if expires_in else None,
    )
    if settings.COORD.require_scoped_token and not is_scoped(new.token):
        raise Invalid(
            "repositories is empty, and COORD_REQUIRE_SCOPED_TOKEN refuses such a token",
            next="Name the repositories.",
        )
    with transaction.atomic():
        new.token.save(force_insert=True)
        record(_told(caller, EventType.TOKEN_CREATED, new.token))
    return new


def rotate_token(
    *,
    caller: Caller,
    token_id: str,
    grace: timedelta = timedelta(hours=24),
    expires_in: timedelta | None = None,
) -> NewToken:
    """Replace a token: a successor for the same engineer, role and repositories. Emits ``token_rotated``.

    The old one works for ``grace`` more. The successor lives ``expires_in``, else as long as the old one
    was made to. Raises :class:`NotFound`, and :class:`Conflict` for a token that is revoked, expired or
    rotated already.
    """
    now = clock.now()
    with transaction.atomic():
        old = find_token(token_id)
        lifetime = expires_in or (old.expires_at - old.created_at if old.expires_at else None)
        rotatable = Token.objects.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            id=old.id,
            revoked_at__isnull=True,
            rotation_grace_until__isnull=True,
        )
        if not rotatable.update(rotation_grace_until=now + grace):
            old.refresh_from_db()
            raise Conflict(_unrotatable(old), next="Make a new one: POST /tokens or coord tokens create.")
        old.rotation_grace_until = now + grace
        new = _new(
            engineer=old.engineer,
            role=old.role,
            repositories=old.repositories,
            description=old.description,
            created_at=now,
            created_by=caller.name[:MOST_NAME],
            expires_at=now + lifetime if lifetime else None,
            rotated_from=old,
        )
        new.token.save(force_insert=True)
        told = {"rotated_from": old.id, "grace_until": clock.iso(old.rotation_grace_until)}
        record(_told(caller, EventType.TOKEN_ROTATED, new.token, **told))
    return new


def revoke_token(*, caller: Caller, token_id: str) -> Token:
    """End a token at once; the row stays. Idempotent. Emits ``token_revoked`` the first time.

    Raises :class:`NotFound`.
    """
    now = clock.now()
    with transaction.atomic():
        token = find_token(token_id)
        if Token.objects.filter(id=token.id, revoked_at__isnull=True).update(revoked_at=now):
            token.revoked_at = now
            record(_told(caller, EventType.TOKEN_REVOKED, token))
    return token


def note_use(token: Token, now: datetime) -> None:
    """Remember that a token was used; at most one write a minute, and never a reason to refuse."""
    if token.last_used_at is not None and now - token.last_used_at < USE_EVERY:
        return
    unused = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now)
    try:
        with transaction.atomic():
            Token.objects.filter(unused, id=token.id).update(last_used_at=now)
    except DatabaseError:
        log.warning("the use of token %s could not be noted", token.id, exc_info=True)


def is_scoped(token: Token) -> bool:
    """Whether ``COORD_REQUIRE_SCOPED_TOKEN`` accepts the token: bound to repositories, or an operator's."""
    return bool(token.repositories) or token.role == Token.Role.OPERATOR


def _new(**fields: Any) -> NewToken:
    raw = "coordt_" + secrets.token_hex(BYTES)
    return NewToken(Token(digest=digest_of(raw), prefix=raw[:SHOWN], **fields), raw)


def _name(engineer: str) -> str:
    name = engineer.strip()
    if not name or len(name) > MOST_NAME or any(ord(char) < 32 or char == "\x7f" for char in name):
        raise Invalid(
            "engineer: not a name", next=f"Give 1 to {MOST_NAME} characters without control characters."
        )
    return name


def _role(role: str) -> str:
    if role not in Token.Role.values:
        raise Invalid(
            f"role: '{role[:20]}' is not a role", next=f"Choose one of {', '.join(Token.Role.values)}."
        )
    return role


def _repositories(given: Iterable[str]) -> list[str]:
    try:
        names = sorted({fold_repo(name) for name in given})
    except BadRepo as error:
        raise Invalid(f"repositories: {error}", next="Use owner/name, as on the code host.") from error
    if "" in names or len(names) > MOST_REPOSITORIES:
        raise Invalid(
            "repositories: an empty name" if "" in names else f"repositories: {len(names)} are too many",
            next=f"Name up to {MOST_REPOSITORIES} repositories, or none for no limit.",
        )
    return names


def _unrotatable(token: Token) -> str:
    state = token.status()
    if state in (Token.Status.ROTATING, Token.Status.SUPERSEDED):
        return "The token was rotated already"
    return f"The token is {state}"


def _told(caller: Caller, kind: EventType, token: Token, **detail: Any) -> NewEvent:
    return NewEvent(
        kind,
        "",
        actor_engineer=caller.engineer,
        operator=caller.name,
        detail={
            "token_id": token.id,
            "prefix": token.prefix,
            "engineer": token.engineer,
            "role": token.role,
            "repositories": token.repositories,
            "expires_at": clock.iso(token.expires_at),
            **detail,
        },
    )
