"""``/tokens`` and ``/whoami``."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.api import ApiView
from common.caller import Caller
from common.errors import Forbidden
from coordsite.models import Token
from coordsite.tokens import presenters, selectors, serializers, services

KINDS = {"personal": "per_engineer", "shared": "shared"}
SECRET = {"Cache-Control": "no-store"}


def _operator(caller: Caller) -> Caller:
    """The caller, who may hand identities out; else ``Forbidden``."""
    if not caller.operator or caller.repositories is not None:
        raise Forbidden(
            "Only an operator without repository limits may manage tokens", next="Use an operator's token."
        )
    return caller


class TokensView(ApiView):
    """The personal tokens."""

    @extend_schema(
        operation_id="list_tokens",
        summary="List personal tokens, newest first",
        parameters=[serializers.TokensIn],
        responses=serializers.TokensOut,
        tags=["tokens"],
    )
    def get(self, request: Request) -> Response:
        """Without the tokens themselves."""
        _operator(self.caller)
        page = selectors.list_tokens(**self.query(serializers.TokensIn))
        rows = [presenters.token_row(token) for token in page.tokens]
        return Response({"tokens": rows, "count": len(rows), "next_cursor": page.next_cursor})

    @extend_schema(
        operation_id="create_token",
        summary="Make a personal token; it is shown this once",
        request=serializers.TokenIn,
        responses={201: serializers.NewTokenOut},
        tags=["tokens"],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        new = services.create_token(caller=_operator(self.caller), **self.body(serializers.TokenIn))
        return Response(presenters.new_token_row(new), status=201, headers=SECRET)


class TokenView(ApiView):
    """One token. Its id may be given by its first eight characters or more."""

    @extend_schema(
        operation_id="revoke_token",
        summary="Revoke a personal token; its row stays",
        responses=serializers.TokenOut,
        tags=["tokens"],
    )
    def delete(self, request: Request, token_id: str) -> Response:
        """Idempotent."""
        token = services.revoke_token(caller=_operator(self.caller), token_id=token_id)
        return Response(presenters.token_row(token))


class RotateTokenView(ApiView):
    """Rotation."""

    @extend_schema(
        operation_id="rotate_token",
        summary="Replace a personal token; the new one is shown this once, the old one works for the grace",
        request=serializers.RotateTokenIn,
        responses={201: serializers.NewTokenOut},
        tags=["tokens"],
    )
    def post(self, request: Request, token_id: str) -> Response:
        """Rotate."""
        caller = _operator(self.caller)
        new = services.rotate_token(caller=caller, token_id=token_id, **self.body(serializers.RotateTokenIn))
        return Response(presenters.new_token_row(new), status=201, headers=SECRET)


class WhoamiView(ApiView):
    """Identity."""

    @extend_schema(
        operation_id="whoami",
        summary="Who asks, as the token proves it",
        responses=serializers.WhoamiOut,
        tags=["tokens"],
    )
    def get(self, request: Request) -> Response:
        """So that clients learn their name from the token, not from a guess."""
        return Response(_identity(self.caller))


def _identity(caller: Caller) -> dict[str, Any]:
    repositories = sorted(caller.repositories or ())
    token = Token.objects.filter(id=caller.token_id).first() if caller.token_id else None
    return {
        "auth_kind": KINDS.get(caller.kind),
        "engineer": caller.engineer,
        "repo_scope": repositories[0] if len(repositories) == 1 else None,
        "scoped": caller.repositories is not None,
        "role": "operator" if caller.operator else caller.role,
        "operator": caller.operator,
        "repositories": repositories,
        "session_id": caller.session_id,
        "token": presenters.token_row(token) if token else None,
    }
