"""Accounts and ways into them. Each sign-in is an event with the operator's name."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from common import clock
from common.caller import SYSTEM, Caller
from common.errors import NotFound
from coordsite.models import SignInLink, Token
from coordsite.signin import roles
from webhooks.services import record
from webhooks.types import EventType, NewEvent

FIRST = "operator"
SHARED = "shared-token"
MOST_NAME = 150


def first_link() -> str | None:
    """The path of a sign-in link for the first operator; ``None`` once anybody has signed in.

    Makes the account on the first call: it has no password, and may do everything.
    """
    people = User.objects.filter(is_staff=True, is_active=True)
    if people.filter(last_login__isnull=False).exists():
        return None
    waiting = people.filter(is_superuser=True).order_by("id").first()
    if waiting is not None and waiting.has_usable_password():
        return None
    if waiting is None:
        with transaction.atomic():
            waiting = User(username=free_name(FIRST), is_staff=True, is_superuser=True)
            waiting.set_unusable_password()
            waiting.save()
            roles.give(waiting, roles.OPERATOR)
    return make_link(caller=SYSTEM, username=waiting.username)


def make_link(*, caller: Caller, username: str) -> str:
    """The path of a fresh link into an active staff account, for ``COORD_SIGNIN_LINK_SEC``, once.

    Earlier links into it that were not used end. Raises :class:`NotFound`.
    """
    account = User.objects.filter(username=username, is_active=True, is_staff=True).first()
    if account is None or Token.objects.filter(account=account).exists():
        raise NotFound(
            f"'{username[:100]}' is no account that can sign in to the dashboard",
            next="Make one with coord createsuperuser, or look at the accounts in admin.",
        )
    raw, now = secrets.token_urlsafe(32), clock.now()
    with transaction.atomic():
        SignInLink.objects.filter(account=account, used_at__isnull=True).delete()
        SignInLink.objects.create(
            digest=_digest(raw),
            account=account,
            created_at=now,
            created_by=caller.name,
            expires_at=now + timedelta(seconds=settings.COORD.signin_link_sec),
        )
    return f"/admin/signin/link/{raw}"


def use_link(raw: str) -> User | None:
    """The account that a link leads into, once and in time; else ``None``."""
    now = clock.now()
    unused = SignInLink.objects.filter(digest=_digest(raw), used_at__isnull=True, expires_at__gt=now)
    if not unused.update(used_at=now):
        return None
    account = SignInLink.objects.select_related("account").get(digest=_digest(raw)).account
    return account if account.is_active and account.is_staff else None


def account_of_token(token: Token) -> User:
    """The account of whoever signs in with a personal token; it ends with the token."""
    with transaction.atomic():
        account = token.account or _new_account(f"{token.engineer[:120]} ({token.prefix})", token.engineer)
        if token.account is None:
            Token.objects.filter(id=token.id).update(account=account)
        roles.give(account, roles.OPERATOR if token.role == Token.Role.OPERATOR else roles.VIEWER)
    return account


def account_of_shared(raw: str) -> User:
    """The account of whoever signs in with the shared token. Another shared token ends its sessions."""
    with transaction.atomic():
        account = User.objects.filter(username=SHARED).first() or _new_account(SHARED, SHARED, named=True)
        account.password = shared_mark(raw)
        account.save(update_fields=["password"])
        roles.give(account, roles.OPERATOR)
    return account


def shared_mark(raw: str) -> str:
    """What the shared account keeps in place of a password: nothing that anybody can enter."""
    return "!" + hashlib.sha256(f"coord:{raw}".encode()).hexdigest()


def account_of_principal(principal: str, *, operator: bool) -> User | None:
    """The account of somebody whom the identity provider vouches for; ``None`` when a local one bars it."""
    name = principal[:MOST_NAME]
    with transaction.atomic():
        account = User.objects.filter(username=name).first()
        if account is not None and (account.has_usable_password() or not account.is_active):
            return None
        if account is None:
            account = _new_account(name, name, named=True)
        if not account.is_superuser:
            roles.give(account, roles.OPERATOR if operator else roles.VIEWER)
    return account


def note_sign_in(account: Any, how: str, address: str | None) -> None:
    """Record that somebody signed in. Emits ``operator_action``."""
    with transaction.atomic():
        detail = {"action": "signed_in", "how": how, "address": address}
        record(NewEvent(EventType.OPERATOR_ACTION, "", operator=account.get_username(), detail=detail))


def free_name(wanted: str) -> str:
    """The name, or the name with the first number that makes it one that nobody has."""
    name, number = wanted[:MOST_NAME], 2
    while User.objects.filter(username=name).exists():
        name, number = f"{wanted[: MOST_NAME - 10]}-{number}", number + 1
    return name


def _new_account(username: str, first_name: str, *, named: bool = False) -> User:
    account = User(
        username=username if named else free_name(username), first_name=first_name[:MOST_NAME], is_staff=True
    )
    account.set_unusable_password()
    account.save()
    return account


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()
