"""What Django asks when somebody signs in, and on every request whether a session still counts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed

from coordsite.authentication import resolve_token
from coordsite.models import Token
from coordsite.signin import services

ROLES = ("operator", "viewer")


class TokenBackend(BaseBackend):
    """A personal token of role operator or viewer, or the shared token, in exchange for a session.

    The session is looked up anew on each request: it ends when its token does.
    """

    def authenticate(self, request: HttpRequest | None, token: str | None = None, **_: Any) -> User | None:
        """The token's account; ``None`` for a token that may not sign in."""
        if not token:
            return None
        try:
            caller = resolve_token(token)
        except AuthenticationFailed:
            return None
        if caller is None:
            return None
        if caller.kind == "shared":
            return services.account_of_shared(settings.COORD.auth_token.get_secret_value())
        if caller.role not in ROLES or caller.repositories is not None:
            raise PermissionDenied
        return services.account_of_token(Token.objects.select_related("account").get(id=caller.token_id))

    def get_user(self, user_id: Any) -> User | None:
        """The account while its token works."""
        account = User.objects.filter(pk=user_id, is_active=True).first()
        if account is None:
            return None
        if account.username == services.SHARED:
            return account if _shared_still(account) else None
        token = Token.objects.filter(account=account).first()
        works = token is not None and token.status() in (Token.Status.ACTIVE, Token.Status.ROTATING)
        return account if works else None


def _shared_still(account: User) -> bool:
    expected = settings.COORD.auth_token.get_secret_value()
    allowed = bool(expected) and not settings.COORD.require_per_engineer_token
    return allowed and account.password == services.shared_mark(expected)
