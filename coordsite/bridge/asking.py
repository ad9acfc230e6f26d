"""Tools around release requests and the queue: ask, answer, wait, look, leave."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from coordsite.bridge import arguments as args
from coordsite.bridge import replies, waiting
from coordsite.bridge.bridge import Bridge, Report
from coordsite.bridge.replies import Reply
from coordsite.bridge.service import Answer


async def pending_requests(bridge: Bridge, given: args.Session, report: Report) -> Reply:
    """``GET /sessions/{id}/pending_requests``."""
    session = quote(given.session_id or bridge.session_id, safe="")
    answer = await bridge.service.get(f"/sessions/{session}/pending_requests")
    if not answer.ok:
        return replies.refusal(answer.status, answer.body)
    reply = replies.rows("pending", answer.body)
    bridge.lost([row for row in reply["pending"] if row.get("kind") == "lease-lost"], told=True)
    return reply


async def request_release(bridge: Bridge, given: args.RequestRelease, report: Report) -> Reply:
    """``POST /requests``, then waiting in slices for the decision."""
    body: dict[str, Any] = {
        "claim_id": given.claim_id,
        "requester": await bridge.engineer(),
        "session_id": bridge.session_id,
        "reason": given.reason,
        "urgency": given.urgency,
        "requested_scope": given.requested_scope or None,
        "wait_seconds": 0,
    }
    answer = await bridge.service.post("/requests", body)
    request_id = answer.body.get("id")
    if answer.ok and request_id and given.wait_seconds and answer.body.get("decision") == "pending":
        later = await waiting.decided(bridge, str(request_id), given.wait_seconds, report)
        answer = later if later.ok else answer
    return _row(answer)


async def respond_to_request(bridge: Bridge, given: args.RespondToRequest, report: Report) -> Reply:
    """``POST /requests/{id}/respond``; the session says who answers."""
    body: dict[str, Any] = {
        "decision": given.decision,
        "session_id": bridge.session_id,
        "note": given.note or None,
    }
    optional = {
        "narrowed_pattern": given.narrowed_pattern,
        "coexist_pattern": given.coexist_pattern,
        "coexist_symbols": given.coexist_symbols,
    }
    body |= {key: value for key, value in optional.items() if value}
    return _row(await bridge.service.post(f"/requests/{quote(given.request_id, safe='')}/respond", body))


async def wait_for_request(bridge: Bridge, given: args.WaitForRequest, report: Report) -> Reply:
    """``GET /requests/{id}`` until it is decided or the time is up."""
    return _row(await waiting.decided(bridge, given.request_id, given.timeout, report))


async def my_requests(bridge: Bridge, given: args.MyRequests, report: Report) -> Reply:
    """``GET /requests``: filed by this identity, or the tickets of this very session."""
    if given.queued:
        params = [("queued", "true"), ("session_id", bridge.session_id)]
    else:
        params = [("requester", await bridge.engineer())]
        params += [("decision", given.decision)] if given.decision else []
    answer = await bridge.service.get("/requests", params)
    if not answer.ok:
        return replies.refusal(answer.status, answer.body)
    reply = replies.rows("requests", answer.body)
    return {**reply, "queued": True} if given.queued else reply


async def cancel_queue_request(bridge: Bridge, given: args.CancelQueueRequest, report: Report) -> Reply:
    """``DELETE /requests/{queue_id}``."""
    params = [("engineer", given.engineer)] if given.engineer else []
    return _row(await bridge.service.delete(f"/requests/{quote(given.queue_id, safe='')}", params))


def _row(answer: Answer) -> Reply:
    return replies.row(answer.body) if answer.ok else replies.refusal(answer.status, answer.body)
