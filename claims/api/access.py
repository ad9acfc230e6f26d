"""What a caller may name: its engineer, its repositories. Fetched and checked in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from rest_framework.response import Response

from claims.idempotency import Call
from claims.models import Claim, ReleaseRequest
from claims.names import BadRepo, fold_repo
from claims.parties import Party
from claims.selectors.inbox import request_by_id
from claims.selectors.listing import claim_by_id
from claims.selectors.sessions import foreign_sessions
from claims.services.activity import note_life
from common import clock
from common.api import ApiView, InvalidRequest, Parked
from common.caller import Caller, short_session
from common.errors import Forbidden, Invalid, NotFound
from queueing.selectors import waiting_of


class ClaimsView(ApiView):
    """Base of the operations here: a call that names its session is a sign of life."""

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then note the session that calls."""
        super().initial(request, *args, **kwargs)
        if self.caller.session_id:
            note_life([self.caller.session_id], clock.now(), self.caller)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Tell an engineer how many of its tickets wait (``X-Coord-Queue-Depth``), after a wait too."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        if not isinstance(response, Parked):
            return self._with_depth(finished)
        finish = response.finish

        def finish_with_depth(late: Response) -> HttpResponseBase:
            if finish is None:
                raise RuntimeError("a parked answer did not come from ApiView")
            return finish(self._with_depth(late))

        response.finish = finish_with_depth
        return finished

    def _with_depth(self, response: Response) -> Response:
        engineer = self._asking_engineer()
        if engineer:
            response["X-Coord-Queue-Depth"] = str(waiting_of(engineer, self.caller.repositories, clock.now()))
        return response

    def _asking_engineer(self) -> str:
        """The token's engineer; an operator may name one. Never what an unauthenticated caller says."""
        if self.proved is None or not settings.COORD.backpressure_header:
            return ""
        if self.proved.engineer is not None or not self.proved.operator:
            return self.proved.engineer or ""
        return str(self.request._request.META.get("HTTP_X_COORD_ENGINEER", "")).strip()[:200]

    def call(self) -> Call:
        """This request as a retry would have to repeat it."""
        raw: HttpRequest = self.request._request
        key = raw.META.get("HTTP_IDEMPOTENCY_KEY") or raw.META.get("HTTP_X_COORD_IDEMPOTENCY_KEY")
        if not key:
            return Call(self.caller, None, "", "", b"")
        return Call(self.caller, key, raw.method or "", raw.get_full_path(), raw.body)


def named_engineer(caller: Caller, given: str | None) -> str | None:
    """The engineer that a call names, which may be nobody. Raises 403 for another's name than the token's."""
    name = (given or "").strip()
    if name and caller.bound_engineer not in (None, name):
        raise Forbidden(
            f"This token is {caller.bound_engineer}'s; it cannot act as '{name[:100]}'.",
            next=f"Send engineer '{caller.bound_engineer}' or leave it out.",
        )
    return name or caller.bound_engineer


def engineer_of(caller: Caller, given: str | None, where: str = "body") -> str:
    """The engineer of a call: the token's, when it proves one. Raises 403 for another's name.

    Raises 422 when there is none; ``where`` says whether it belongs into the ``body`` or the ``query``.
    """
    name = named_engineer(caller, given) or caller.engineer
    if not name:
        told = "Field required: say who asks, 1 to 200 characters"
        problem = {"type": "missing", "loc": [where, "engineer"], "msg": told, "input": given}
        raise InvalidRequest([problem])
    return name


def repo_of(caller: Caller, given: str | None) -> str:
    """The repository of a call that writes or asks about one. Raises 400 or 403."""
    if given is None and caller.repositories is not None and len(caller.repositories) == 1:
        return next(iter(caller.repositories))
    name = _folded(given)
    if not caller.sees(name):
        raise Forbidden(
            f"This token is not for repository '{name}'." if name else "This token needs a repository.",
            next=f"Use repo: {', '.join(sorted(caller.repositories or ()))}.",
        )
    return name


def repo_filter(caller: Caller, given: str | None) -> str | None:
    """The repository to list; ``None`` is all that the caller may see."""
    return None if given is None else repo_of(caller, given)


def party_of(caller: Caller, engineer: str | None, session_id: str | None) -> Party:
    """Who acts: the token's engineer, and the session that the call names. Raises 403 for another's."""
    party = Party(engineer_of(caller, engineer), session_or_none(session_id) or caller.session_id)
    if party.session_id and foreign_sessions([party.session_id], caller):
        raise Forbidden(
            f"Session '{short_session(party.session_id)}' is another engineer's.",
            next="Send a session id of your own.",
        )
    return party


def asking_party(
    caller: Caller, engineer: str | None, sessions: Sequence[str], where: str
) -> tuple[Party, list[str]]:
    """For whom a check is made, and which sessions count as its own.

    Who may only read may ask for anybody; others for themselves, and another engineer's session is not
    theirs however it is named.
    """
    if not caller.acts:
        name = (engineer or "").strip() or engineer_of(caller, None, where)
        return Party(name, sessions[0] if sessions else caller.session_id), list(sessions)
    name = engineer_of(caller, engineer, where)
    named = list(sessions) or ([caller.session_id] if caller.session_id else [])
    foreign = foreign_sessions(named, caller)
    own = [session for session in named if session not in foreign]
    return Party(name, own[0] if own else None), [session for session in sessions if session in own]


def known_session(caller: Caller, session_id: str | None) -> Caller:
    """The caller as one that knows this session id in full, so that answers may show it."""
    return replace(caller, session_id=session_id) if session_id else caller


def session_or_none(given: str | None) -> str | None:
    """A session id; the empty one is none."""
    return (given or "").strip() or None


def access_claim(caller: Caller, claim_id: str) -> Claim:
    """A claim that the caller may see. Raises 404."""
    claim = claim_by_id(claim_id, caller)
    if claim is None:
        raise NotFound("Claim not found", next="List claims with GET /claims.")
    return claim


def access_request(caller: Caller, request_id: str) -> ReleaseRequest:
    """A release request that the caller may see. Raises 404."""
    request = request_by_id(request_id, caller)
    if request is None:
        raise NotFound("request not found", next="List requests with GET /requests.")
    return request


def _folded(given: str | None) -> str:
    try:
        return fold_repo(given)
    except BadRepo as error:
        raise Invalid(f"repo: {error}", next="Use owner/name, as on the code host.") from error
