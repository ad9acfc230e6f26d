"""The tools: what each is called, says of itself, takes, answers and does.

Free of transport: a table of :class:`Tool` that the stdio server, or any other, serves for a
:class:`~coordsite.bridge.bridge.Bridge`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from coordsite.bridge import arguments as args
from coordsite.bridge import asking, claiming
from coordsite.bridge.bridge import Bridge, Report
from coordsite.bridge.replies import Reply

INSTRUCTIONS = (
    "coord says who may edit what now. Before you edit files, claim them with claim_files; edit only what "
    "you hold. Claim whole globs only when you need them, or single symbols of a hot file. On a conflict do "
    "not edit: do what `next` says, wait in line with wait_seconds, or ask the holder with request_release. "
    "Answer pending_requests when told of one. Release when done: release_claims or release_session. "
    "Sub-agents share your session."
)


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. ``required`` is what callers are told to give; ``takes`` decides what is accepted."""

    name: str
    title: str
    description: str
    takes: type[args.Arguments]
    run: Callable[[Bridge, Any, Report], Awaitable[Reply]]
    answers: dict[str, Any]
    required: tuple[str, ...] = ()
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = True


def _object(required: tuple[str, ...] = (), **properties: str) -> dict[str, Any]:
    """An output schema: property names and their JSON types."""
    result: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
    }
    return {**result, "required": list(required)} if required else result


_CLAIMED = _object(
    ("claim_ids", "conflicts", "warnings", "options"),
    claim_ids="array",
    claims="array",
    conflicts="array",
    warnings="array",
    options="array",
    next="string",
)

TOOLS: tuple[Tool, ...] = (
    Tool(
        "list_claims",
        "List claims",
        "Call to see who holds what in this repository. Read-only.",
        args.ListClaims,
        claiming.list_claims,
        _object(claims="array", count="integer", more="integer"),
        read_only=True,
    ),
    Tool(
        "check_conflicts",
        "Check conflicts",
        "Call before planning work on files, to see whether others hold them. Claims nothing.",
        args.CheckConflicts,
        claiming.check_conflicts,
        _object(has_conflicts="boolean", conflicts="array", safe_to_proceed="boolean", next="string"),
        required=("files", "engineer"),
        read_only=True,
    ),
    Tool(
        "claim_files",
        "Claim files",
        "Call before you edit anything. Grants all or nothing. Refused: claim_ids is empty, conflicts names "
        "each holder; do not edit, do `next`. wait_seconds (up to 600) stands in line.",
        args.ClaimFiles,
        claiming.claim_files,
        _CLAIMED,
        required=("engineer", "patterns"),
    ),
    Tool(
        "release_claims",
        "Release claims",
        "Call when you are done with claimed files. Others can claim them at once.",
        args.ReleaseClaims,
        claiming.release_claims,
        _object(released="integer"),
        required=("claim_ids",),
        destructive=True,
    ),
    Tool(
        "release_session",
        "Release all",
        "Call at the end of your work: releases every claim of this session. You can claim again later.",
        args.Session,
        claiming.release_session,
        _object(released="integer"),
        destructive=True,
    ),
    Tool(
        "extend_claim",
        "Extend claims",
        "Call when work takes longer than a claim lasts. The claims then end ttl_hours from now.",
        args.ExtendClaim,
        claiming.extend_claim,
        _object(ok="boolean", extended="array", expires_at="string", failed="array"),
    ),
    Tool(
        "list_symbols",
        "List symbols",
        "Call to learn which symbols of a file claim_files can claim. Read-only. source: the file's text, "
        "where no checkout is at hand.",
        args.ListSymbols,
        claiming.list_symbols,
        _object(file="string", symbols="array", count="integer", more="integer"),
        required=("file",),
        read_only=True,
    ),
    Tool(
        "pending_requests",
        "Pending requests",
        "Call between steps to see who asks you to release something, and leases you lost.",
        args.Session,
        asking.pending_requests,
        _object(pending="array", count="integer", more="integer"),
        read_only=True,
    ),
    Tool(
        "request_release",
        "Ask for release",
        "Call when you need what another holds and cannot wait. Shortens their lease and waits for the "
        "answer (decision pending: not yet answered).",
        args.RequestRelease,
        asking.request_release,
        _object(id="string", decision="string", claim_id="string"),
        required=("claim_id", "reason"),
        idempotent=False,
    ),
    Tool(
        "respond_to_request",
        "Answer a request",
        "Call to answer a pending request for your claim. approved releases it; narrowed keeps "
        "narrowed_pattern; coexist shares coexist_pattern; denied keeps it.",
        args.RespondToRequest,
        asking.respond_to_request,
        _object(id="string", decision="string"),
        required=("request_id", "decision"),
        destructive=True,
    ),
    Tool(
        "wait_for_request",
        "Wait for an answer",
        "Call to wait until your release request is decided, or timeout seconds pass.",
        args.WaitForRequest,
        asking.wait_for_request,
        _object(id="string", decision="string"),
        required=("request_id",),
        read_only=True,
    ),
    Tool(
        "my_requests",
        "My requests",
        "Call to see your release requests, or with queued=true your session's places in line.",
        args.MyRequests,
        asking.my_requests,
        _object(requests="array", count="integer", more="integer"),
        read_only=True,
    ),
    Tool(
        "cancel_queue_request",
        "Leave the line",
        "Call to give up a place in line. cancelled=false: it was not waiting any more.",
        args.CancelQueueRequest,
        asking.cancel_queue_request,
        _object(ok="boolean", cancelled="boolean", queue_id="string"),
        required=("queue_id",),
        destructive=True,
    ),
)

BY_NAME = {tool.name: tool for tool in TOOLS}
