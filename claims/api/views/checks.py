"""Checks, repositories and automatic resolutions."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from claims.api import outputs
from claims.api.access import ClaimsView, asking_party, repo_filter, repo_of, session_or_none
from claims.api.serializers import ConflictsBatchIn, ConflictsIn, DaysIn, VerifyIn
from claims.parties import Party
from claims.selectors.conflicts import Check, check_conflicts
from claims.selectors.listing import auto_resolutions, list_repos
from claims.services.activity import note_life
from claims.services.verifying import Change, Changes, verify_changes
from common import clock


class Conflicts(ClaimsView):
    """``/conflicts``."""

    @extend_schema(operation_id="check_conflicts", parameters=[ConflictsIn], responses=outputs.CheckOut)
    def get(self, request: Request) -> Response:
        """Would a claim of these patterns or symbols be granted? The same verdict, nothing written."""
        data = self.query(ConflictsIn)
        check = _check(self, data, data["pattern"], data["symbol"], data["session_id"])
        return Response(check_conflicts(check))


class ConflictsBatch(ClaimsView):
    """``/conflicts/batch``."""

    reads = frozenset({"POST"})

    @extend_schema(operation_id="check_conflicts_batch", request=ConflictsBatchIn, responses=outputs.CheckOut)
    def post(self, request: Request) -> Response:
        """The same for up to 5,000 patterns."""
        data = self.body(ConflictsBatchIn)
        check = _check(self, data, data["patterns"], data["symbols"], data["session_ids"])
        return Response(check_conflicts(check))


class Verify(ClaimsView):
    """``/verify``."""

    reads = frozenset({"POST"})

    @extend_schema(operation_id="verify_changes", request=VerifyIn, responses=outputs.VerifyOut)
    def post(self, request: Request) -> Response:
        """Whose are the changed paths? Asked before a push lands and in CI; claims nothing.

        An operator's or a CI token may ask for any engineer; when it names no engineer and no session, the
        presented claims alone say whose the change is.
        """
        data = self.body(VerifyIn)
        trusted = self.caller.operator or self.caller.role == "ci"
        sessions = [data["session_id"] or "", *data["session_ids"]]
        party, own = _asking(self, data["engineer"], sessions, anybody=trusted)
        asked = Changes(
            repo=repo_of(self.caller, data["repo"]),
            party=party,
            changes=[Change(**change) for change in data["changes"]],
            claims={claim["id"]: claim["fence"] for claim in data["claims"]},
            sessions=tuple(own),
            trusted=trusted,
            base=data["base"],
            head=data["head"],
        )
        return Response(verify_changes(asked))


class Repos(ClaimsView):
    """``/repos``."""

    @extend_schema(operation_id="list_repos", responses=outputs.ReposOut)
    def get(self, request: Request) -> Response:
        """Every repository that was ever claimed in, the busiest first."""
        rows = list_repos(self.caller)
        return Response({"repos": rows, "count": len(rows)})


class AutoResolutions(ClaimsView):
    """``/metrics/auto-resolutions``."""

    @extend_schema(operation_id="auto_resolutions", parameters=[DaysIn], responses=outputs.SeriesOut)
    def get(self, request: Request) -> Response:
        """How often claims coexisted or were narrowed by themselves, per repository and day."""
        data = self.query(DaysIn)
        series = auto_resolutions(data["days"], repo_filter(self.caller, data["repo"]), self.caller)
        return Response({"series": series, "days": data["days"], "count": len(series)})


def _check(
    view: ClaimsView,
    data: dict[str, str | None],
    patterns: list[str],
    symbols: list[str],
    sessions: list[str],
) -> Check:
    party, own = _asking(view, data["engineer"], sessions)
    return Check(
        repo=repo_of(view.caller, data["repo"]),
        party=party,
        patterns=patterns,
        symbols=symbols,
        sessions=own,
    )


def _asking(
    view: ClaimsView, engineer: str | None, sessions: list[str], *, anybody: bool = False
) -> tuple[Party, list[str]]:
    """For whom a check is made, and the named sessions that are its own; naming them is a sign of life.

    ``anybody`` lets the call name no engineer at all.
    """
    named = [session for session in map(session_or_none, sessions) if session]
    if anybody:
        own, party = named, Party((engineer or "").strip(), next(iter(named), view.caller.session_id))
    else:
        where = "query" if view.request.method == "GET" else "body"
        party, own = asking_party(view.caller, engineer, named, where)
    if own:
        note_life(own, clock.now(), view.caller)
    return party, own
