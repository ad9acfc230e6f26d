"""A small coord service for the bridge's tests: claims by equal pattern, a queue, requests, faults."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

Body = dict[str, Any]
LATER = "2099-01-01T00:00:00Z"
TOKEN = "t0ken"


@dataclass
class Seen:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Body | None
    answered: int = 0


@dataclass
class FakeService:
    """Answers like the service. ``park(seconds)`` is how a long poll passes its time."""

    park: Callable[[float], None] | None = None
    seen: list[Seen] = field(default_factory=list)
    claims: dict[str, Body] = field(default_factory=dict)
    tickets: dict[str, Body] = field(default_factory=dict)
    requests: dict[str, Body] = field(default_factory=dict)
    inbox: list[Body] = field(default_factory=list)
    lost: list[Body] = field(default_factory=list)
    whoami: Body = field(default_factory=lambda: {"auth_kind": "shared", "engineer": None})
    replies: dict[str, tuple[int, Body]] = field(default_factory=dict)
    faults: list[tuple[str, str, Any]] = field(default_factory=list)
    response_headers: dict[str, str] = field(default_factory=dict)
    patience: float = 0.02
    token: str | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)
    _ids: itertools.count = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._ids):012d}"

    def hold(self, pattern: str, engineer: str = "bob", session: str = "SB", repo: str | None = None) -> str:
        """Let somebody hold a pattern."""
        with self.changed:
            claim_id = self.new_id()
            self.claims[claim_id] = {
                "id": claim_id, "pattern": pattern, "engineer": engineer, "session_id": session,
                "repo": repo, "description": f"{engineer}'s work", "expires_at": LATER,
                "fence": next(self._ids),
            }  # fmt: skip
            return claim_id

    def release(self, claim_id: str) -> None:
        """Free a claim and grant the tickets that then fit."""
        with self.changed:
            self.claims.pop(claim_id, None)
            self._drain()
            self.changed.notify_all()

    def fail(self, method: str, prefix: str, *faults: Any) -> None:
        """The next calls fail: ``drop`` (done, no answer), ``refuse`` (neither) or with (status, body)."""
        self.faults += [(method, prefix, fault) for fault in faults]

    def calls(self, method: str, prefix: str) -> list[Seen]:
        return [call for call in self.seen if call.method == method and call.path.startswith(prefix)]

    def held_by(self, session: str) -> list[str]:
        return sorted(claim["pattern"] for claim in self.claims.values() if claim["session_id"] == session)

    def wait_for(self, condition: Callable[[], bool], timeout: float = 20.0) -> None:
        """Block until something has happened here; every call notifies."""
        with self.changed:
            assert self.changed.wait_for(condition, timeout), "it did not happen"

    # -- answering --

    def answer(self, call: Seen) -> tuple[int, Body] | None:
        """Status and body; ``None`` drops the connection without a reply."""
        with self.changed:
            self.seen.append(call)
            self.changed.notify_all()
            fault = self._fault(call)
            if fault == "refuse":
                return None
            result = fault if isinstance(fault, tuple) else self._once(call)
            call.answered = result[0]
            self.changed.notify_all()
            return None if fault == "drop" else result

    def _fault(self, call: Seen) -> Any:
        for entry in self.faults:
            if entry[0] == call.method and call.path.startswith(entry[1]):
                self.faults.remove(entry)
                return entry[2]
        return None

    def _once(self, call: Seen) -> tuple[int, Body]:
        if self.token and call.headers.get("authorization") != f"Bearer {self.token}":
            return 401, {
                "detail": "Invalid bearer token",
                "code": "unauthenticated",
                "next": "Check the token.",
            }
        key = call.headers.get("idempotency-key")
        if key and key in self.replies:
            return self.replies[key]
        result = self._route(call)
        if key:
            self.replies[key] = result
        return result

    def _route(self, call: Seen) -> tuple[int, Body]:
        parts = [unquote(part) for part in call.path.strip("/").split("/")]
        body = call.body or {}
        match (call.method, *parts):
            case ("POST", "claims"):
                return self._claim(body)
            case ("GET", "claims"):
                rows = [claim for claim in self.claims.values() if self._in_repo(claim, call)]
                return 200, {"claims": rows, "count": len(rows)}
            case ("POST", "claims", "release"):
                gone = [self.claims.pop(i, None) for i in body["claim_ids"]]
                self._drain()
                return 200, {"released": sum(claim is not None for claim in gone)}
            case ("POST", "claims", claim_id, "extend"):
                if claim_id not in self.claims:
                    detail = "Claim not found or not owned"
                    return 404, {"detail": detail, "code": "not_found", "next": "Claim it again."}
                return 200, {"ok": True, "expires_at": LATER}
            case ("GET", "conflicts"):
                return self._check(call.query["pattern"], call.query.get("repo", [None])[0], call)
            case ("POST", "conflicts", "batch"):
                return self._check(body["patterns"], body.get("repo"), call)
            case ("POST", "sessions", session, "release"):
                mine = [i for i, claim in self.claims.items() if claim["session_id"] == session]
                for claim_id in mine:
                    del self.claims[claim_id]
                self._drain()
                return 200, {"released": len(mine)}
            case ("POST", "sessions", session, "heartbeat"):
                return 200, {"ok": True, "renewed": len(self.held_by(session)), "lost": self.lost}
            case ("GET", "sessions", _, "pending_requests"):
                return 200, {"pending": self.inbox, "count": len(self.inbox)}
            case ("GET", "whoami"):
                return 200, self.whoami
        return self._route_requests(call, parts, body)

    def _route_requests(self, call: Seen, parts: list[str], body: Body) -> tuple[int, Body]:
        match (call.method, *parts):
            case ("GET", "requests", "queue", queue_id):
                return self._look(queue_id, float(call.query.get("wait", ["0"])[0]))
            case ("GET", "requests"):
                if call.query.get("queued") == ["true"]:
                    session = call.query.get("session_id", [None])[0]
                    rows = [t for t in self.tickets.values() if t["session_id"] == session]
                    rows = [{"kind": "queued", "queue_id": t["queue_id"], "state": t["state"]} for t in rows]
                    return 200, {"requests": rows, "count": len(rows), "queued": True}
                who = call.query.get("requester", [None])[0]
                rows = [r for r in self.requests.values() if r["requester_engineer"] == who]
                return 200, {"requests": rows, "count": len(rows)}
            case ("POST", "requests"):
                return self._file(body)
            case ("POST", "requests", request_id, "respond"):
                return self._respond(request_id, body)
            case ("GET", "requests", request_id):
                return self._request(request_id, float(call.query.get("wait", ["0"])[0]))
            case ("DELETE", "requests", queue_id):
                ticket = self.tickets.get(queue_id)
                cancelled = ticket is not None and ticket["state"] == "waiting"
                if ticket is not None and cancelled:
                    ticket["state"] = "cancelled"
                return 200, {"ok": True, "cancelled": cancelled, "queue_id": queue_id}
        return 404, {"detail": "Not Found", "code": "not_found"}

    def _in_repo(self, claim: Body, call: Seen) -> bool:
        return "repo" not in call.query or claim["repo"] == call.query["repo"][0]

    def _conflicts(self, body: Body) -> list[Body]:
        return [
            {
                "your_pattern": item["pattern"],
                "conflicting_claim": {
                    **{key: claim[key] for key in ("id", "engineer", "pattern", "description", "expires_at")},
                    "severity": "soft", "scope_type": "file", "symbols": None, "session": "SB…",
                    "branch": None, "seconds_left": 7199,
                },
                "overlap": [item["pattern"]], "your_symbols": None, "symbol_overlap": None,
                "kind": "held",
                "next": f"Ask bob with POST /requests (claim_id {claim['id']}), or work elsewhere.",
            }
            for item in body["claims"]
            for claim in self.claims.values()
            if claim["pattern"] == item["pattern"]
            and claim["repo"] == body.get("repo")
            and claim["session_id"] != body["session_id"]
        ]  # fmt: skip

    def _claim(self, body: Body) -> tuple[int, Body]:
        conflicts = self._conflicts(body)
        if not conflicts:
            return 200, self._grant(body)
        refused = {
            "claim_ids": [], "conflicts": conflicts, "warnings": [],
            "options": ["wait", "narrow_claim", "escalate", "override"],
            "code": "conflict", "retryable": True, "next": "Wait with wait_seconds, or ask bob.",
        }  # fmt: skip
        if not body.get("wait_seconds"):
            return 409, refused
        queue_id = self.new_id()
        self.tickets[queue_id] = {
            "queue_id": queue_id, "state": "waiting", "body": body, "session_id": body["session_id"],
        }  # fmt: skip
        return self._look(queue_id, body["wait_seconds"])

    def _grant(self, body: Body) -> Body:
        ids = [
            self.hold(item["pattern"], body["engineer"], body["session_id"], body.get("repo"))
            for item in body["claims"]
        ]
        claims = [{k: self.claims[i][k] for k in ("id", "pattern", "fence", "expires_at")} for i in ids]
        return {"claim_ids": ids, "claims": claims, "conflicts": [], "warnings": [], "options": []}

    def _look(self, queue_id: str, wait: float) -> tuple[int, Body]:
        ticket = self.tickets.get(queue_id)
        if ticket is None:
            return 404, {"detail": "unknown ticket", "code": "not_found"}
        if ticket["state"] == "waiting" and wait > 0:
            self._park(wait, lambda: ticket["state"] != "waiting")
        conflicts = self._conflicts(ticket["body"])
        place = {
            "queue_id": queue_id, "position": 1, "holder": "bob", "eta_s": 30, "poll_after_s": 0,
            "claim_ids": [], "conflicts": conflicts, "warnings": [], "options": ["wait"],
        }  # fmt: skip
        if ticket["state"] == "offered":
            ticket["state"] = "granted"
            ticket["grant"] = self._grant(ticket["body"])
        if ticket["state"] == "granted":
            return 200, ticket["grant"]
        return (202, place) if ticket["state"] == "waiting" else (409, {**place, "code": ticket["state"]})

    def _park(self, wait: float, done: Callable[[], bool]) -> None:
        if self.park is not None:
            self.park(wait)
        else:
            self.changed.wait_for(done, min(wait, self.patience))

    def _drain(self) -> None:
        for ticket in self.tickets.values():
            if ticket["state"] == "waiting" and not self._conflicts(ticket["body"]):
                ticket["state"] = "offered"

    def _check(self, patterns: list[str], repo: str | None, call: Seen) -> tuple[int, Body]:
        mine = call.headers.get("x-coord-session")
        rows = [
            {key: claim[key] for key in ("engineer", "pattern", "expires_at")} | {"your_pattern": pattern}
            for pattern in patterns
            for claim in self.claims.values()
            if claim["pattern"] == pattern and claim["repo"] == repo and claim["session_id"] != mine
        ]
        safe = not rows
        return 200, {"has_conflicts": not safe, "conflicts": rows, "safe_to_proceed": safe, "safe": safe}

    def _file(self, body: Body) -> tuple[int, Body]:
        if body["claim_id"] not in self.claims:
            return 404, {"detail": f"unknown claim_id '{body['claim_id']}'", "code": "not_found"}
        request_id = self.new_id()
        self.requests[request_id] = {
            "id": request_id, "claim_id": body["claim_id"], "requester_engineer": body["requester"],
            "requester_session_id": body["session_id"], "reason": body["reason"],
            "urgency": body["urgency"], "decision": "pending", "note": None, "created_at": LATER,
        }  # fmt: skip
        return 200, self.requests[request_id]

    def decide(self, request_id: str, decision: str) -> None:
        with self.changed:
            self.requests[request_id]["decision"] = decision
            self.changed.notify_all()

    def _respond(self, request_id: str, body: Body) -> tuple[int, Body]:
        if request_id not in self.requests:
            return 404, {"detail": "request not found", "code": "not_found"}
        if body["decision"] not in ("approved", "denied", "narrowed", "coexist"):
            detail = f"unknown decision {body['decision']!r}; use approved, denied, narrowed or coexist"
            return 400, {"detail": detail, "code": "invalid"}
        self.requests[request_id] |= {"decision": body["decision"], "note": body["note"]}
        return 200, self.requests[request_id]

    def _request(self, request_id: str, wait: float) -> tuple[int, Body]:
        row = self.requests.get(request_id)
        if row is None:
            return 404, {"detail": "request not found", "code": "not_found"}
        if row["decision"] == "pending" and wait > 0:
            self._park(wait, lambda: row["decision"] != "pending")
        return 200, row

    # -- ways in --

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """For ``httpx.MockTransport``: no socket, no thread."""
        split = urlsplit(str(request.url))
        body = json.loads(request.content) if request.content else None
        headers = {key.lower(): value for key, value in request.headers.items()}
        result = self.answer(Seen(request.method, split.path, parse_qs(split.query), headers, body))
        if result is None:
            raise httpx.ReadError("dropped", request=request)
        return httpx.Response(result[0], json=result[1], headers=self.response_headers)


class Server(ThreadingHTTPServer):
    """The fake on a loopback port, a thread per connection."""

    daemon_threads = True

    def __init__(self, fake: FakeService) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        split = urlsplit(self.path)
        headers = {key.lower(): value for key, value in self.headers.items()}
        call = Seen(
            self.command, split.path, parse_qs(split.query), headers, json.loads(raw) if raw else None
        )
        result = self.server.fake.answer(call)
        if result is None:
            self.close_connection = True
            return
        text = json.dumps(result[1]).encode()
        self.send_response(result[0])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for key, value in self.server.fake.response_headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


__all__ = ["LATER", "TOKEN", "FakeService", "Seen", "Server", "time"]
