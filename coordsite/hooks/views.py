"""``POST /hooks/claude``, ``/hooks/codex``, ``/hooks/cursor``."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from claims.api.access import engineer_of, party_of, repo_of
from common.api import ApiView
from common.errors import Invalid
from coordsite.hooks.answers import tool_answer
from coordsite.hooks.deciding import Hook, answer
from coordsite.kit.payloads import Event, Tool, event_of

MOST_ROOTS = 20
_HEADERS = [
    OpenApiParameter(
        "X-Coord-Repo", str, OpenApiParameter.HEADER, description="Repository; or query `repo`."
    ),
    OpenApiParameter(
        "X-Coord-Root", str, OpenApiParameter.HEADER, description="The repository's root on the client."
    ),
    OpenApiParameter(
        "X-Coord-Engineer", str, OpenApiParameter.HEADER, description="Who, for a shared token."
    ),
    OpenApiParameter(
        "X-Coord-Session", str, OpenApiParameter.HEADER, description="Session; else the tool's."
    ),
    OpenApiParameter("repo", str),
    OpenApiParameter("root", str),
]


class HookIn(serializers.Serializer[Any]):
    """A tool's payload. All of it is taken; this much must be there."""

    hook_event_name = serializers.CharField(max_length=100)


class ToolHook(ApiView):
    """What the hooks of all tools share."""

    tool: Tool

    def post(self, request: Request) -> Response:
        """A tool's own hook payload in, its own answer out: a denial with its reason, or an empty object.

        Before a write it claims the files for the session; it gives a sign of life at each event and
        releases what the session holds at its end.
        """
        self.body(HookIn)
        payload = self._json()
        event = event_of(self.tool, payload, "")
        if event is None:
            return Response({})
        return Response(tool_answer(event, answer(self._hook(event, payload))))

    def _hook(self, event: Event, payload: dict[str, Any]) -> Hook:
        session = self.caller.session_id or event.session or None
        given = self._said("X-Coord-Engineer")
        engineer = engineer_of(self.caller, given or (None if self.caller.engineer else "agent"))
        return Hook(
            event=event,
            caller=self.caller,
            repo=repo_of(self.caller, self._said("X-Coord-Repo", "repo") or None),
            party=party_of(self.caller, engineer, session),
            roots=self._roots(event, payload),
        )

    def _roots(self, event: Event, payload: dict[str, Any]) -> tuple[str, ...]:
        """Where the repository lies on the client. Raises :class:`Invalid` when nothing says so."""
        said = self._said("X-Coord-Root", "root")
        spaces = payload.get("workspace_roots")
        named = spaces[:MOST_ROOTS] if isinstance(spaces, list) else []
        roots = [said] if said else [root for root in named if isinstance(root, str)]
        # A session in a linked work tree beside the root reports that tree as its directory.
        if not roots or not any(_within(event.cwd, root) for root in roots):
            roots.append(event.cwd)
        roots = [root for root in roots if root.startswith("/")]
        if not roots and any(path.startswith("/") for path in event.paths):
            raise Invalid(
                "The payload does not say where the repository is",
                status=422,
                next="Send the header X-Coord-Root with the repository's root.",
            )
        return tuple(roots)

    def _said(self, header: str, query: str = "") -> str:
        text = self.request.headers.get(header, "") or self.request._request.GET.get(query, "")
        return text.strip()[:1000]


def _described(operation: str) -> Any:
    described = extend_schema(
        operation_id=operation,
        request=OpenApiTypes.OBJECT,
        parameters=_HEADERS,
        responses=OpenApiTypes.OBJECT,
    )
    return extend_schema_view(post=described)


@_described("claude_hook")
class ClaudeHook(ToolHook):
    """``/hooks/claude``."""

    tool = "claude"


@_described("codex_hook")
class CodexHook(ToolHook):
    """``/hooks/codex``."""

    tool = "codex"


@_described("cursor_hook")
class CursorHook(ToolHook):
    """``/hooks/cursor``."""

    tool = "cursor"


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root.rstrip('/')}/")
