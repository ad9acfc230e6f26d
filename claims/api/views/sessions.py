"""Sessions: sign of life, inbox, end."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from claims.api import outputs
from claims.api.access import ClaimsView, known_session, repo_filter
from claims.api.serializers import SessionIn
from claims.api.views.claiming import respond
from claims.idempotency import Answer, answer_once
from claims.selectors.inbox import inbox, inbox_requests, lost_entry
from claims.services.activity import note_life
from claims.services.leases import heartbeat
from claims.services.releasing import release_session
from claims.services.requests import note_seen
from common import clock


class SessionRelease(ClaimsView):
    """``/sessions/{session_id}/release``."""

    @extend_schema(
        operation_id="release_session", parameters=[SessionIn], request=None, responses=outputs.ReleasedOut
    )
    def post(self, request: Request, session_id: str) -> Response:
        """End everything that a session holds or waits for. The session may go on to claim again."""
        repo = repo_filter(self.caller, self.query(SessionIn)["repo"])

        def act() -> Answer:
            return Answer(200, {"released": len(release_session(session_id, self.caller, repo=repo))})

        return respond(answer_once(self.call(), act))


class SessionHeartbeat(ClaimsView):
    """``/sessions/{session_id}/heartbeat``."""

    @extend_schema(operation_id="heartbeat", request=None, responses=outputs.HeartbeatOut)
    def post(self, request: Request, session_id: str) -> Response:
        """A sign of life; tells which leases were lost."""
        renewed, lost = heartbeat(session_id, self.caller)
        return Response({"ok": True, "renewed": renewed, "lost": [lost_entry(one) for one in lost]})


class SessionInbox(ClaimsView):
    """``/sessions/{session_id}/pending_requests``."""

    @extend_schema(operation_id="pending_requests", responses=outputs.InboxOut)
    def get(self, request: Request, session_id: str) -> Response:
        """Open requests, refusals of others, narrowings and lost leases. Reading is a sign of life."""
        reader = known_session(self.caller, session_id)
        note_life([session_id], clock.now(), reader)
        requests = inbox_requests(session_id, reader)
        if reader.acts:
            note_seen(requests, session_id)
        entries = inbox(session_id, requests, reader)
        return Response({"pending": entries, "count": len(entries)})
