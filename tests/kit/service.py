"""An in-process stand-in for the service: the part of its contract that hooks, guards and commands use."""

from __future__ import annotations

import fnmatch
import itertools
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def overlaps(a: str, b: str) -> bool:
    """Literal paths cover what lies below; wildcards as ``fnmatch`` has them."""
    a, b = (pattern.removeprefix("./").rstrip("/") for pattern in (a, b))
    if a == b or a.startswith(f"{b}/") or b.startswith(f"{a}/"):
        return True
    return fnmatch.fnmatchcase(a, b) or fnmatch.fnmatchcase(b, a)


class FakeService:
    """Claims in memory, all or none, parties by session. ``requests`` keeps what was asked."""

    def __init__(self) -> None:
        self.claims: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, dict[str, Any], dict[str, str]]] = []
        self.tokens: dict[str, str | None] = {"token-shared": None}
        self.failure: tuple[int, dict[str, Any]] | None = None
        self.version = "0.1.0"
        self.verifies = True
        self.page: int | None = None
        self.lost: list[dict[str, Any]] = []
        self.identity: dict[str, Any] | None = None
        self._lock = threading.Lock()
        self._fences = itertools.count(1)
        self._keys: dict[str, tuple[int, dict[str, Any]]] = {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = json.loads(raw) if raw else {}
                with service._lock:
                    status, reply = service.handle(self.command, self.path, body, headers)
                payload = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = do_DELETE = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """Stop answering; connections are refused from now on."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def hold(self, pattern: str, engineer: str, session: str | None = None, **fields: Any) -> dict[str, Any]:
        """A live claim of somebody."""
        claim = {
            "id": f"c{len(self.claims) + 1:07d}-0000-4000-8000-000000000000",
            "engineer": engineer,
            "pattern": pattern,
            "repo": "acme/app",
            "session_id": session,
            "severity": "soft",
            "description": None,
            "expires_at": (datetime.now(UTC) + timedelta(minutes=42)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "scope_type": "file",
            "fence": next(self._fences),
            **fields,
        }
        self.claims.append(claim)
        return claim

    def held(self, session: str | None = None) -> list[str]:
        """The patterns held, of one session or of all."""
        return [claim["pattern"] for claim in self.claims if session in (None, claim["session_id"])]

    def asked(self, method: str, path: str) -> list[dict[str, Any]]:
        """The bodies of the requests to a path."""
        return [body for verb, where, body, _ in self.requests if verb == method and where == path]

    def handle(
        self, method: str, target: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(target)
        path, query = parts.path, parse_qs(parts.query)
        self.requests.append((method, path, body, headers))
        if path == "/readyz":
            return 200, {"status": "ready", "version": self.version, "auth_mode": "bearer"}
        if path == "/meta":
            return 200, {"version": self.version, "repo_root_configured": False}
        if self.failure:
            return self.failure
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return 401, {"detail": "Invalid bearer token"}
        if path == "/whoami":
            if self.identity is not None:
                return 200, self.identity
            engineer = self.tokens[token]
            return 200, {"auth_kind": "per_engineer" if engineer else "shared", "engineer": engineer}
        if (method, path) == ("POST", "/claims"):
            key = headers.get("idempotency-key")
            if key and key in self._keys:
                return self._keys[key]
            reply = self._claim(body)
            if key:
                self._keys[key] = reply
            return reply
        if (method, path) == ("GET", "/claims"):
            repo = query.get("repo", [None])[0]
            found = [claim for claim in self.claims if repo in (None, claim["repo"])]
            page = found[: self.page]
            return 200, {
                "claims": page,
                "count": len(page),
                "next_cursor": "2" if len(page) < len(found) else None,
            }
        if (method, path) == ("POST", "/conflicts/batch"):
            return self._conflicts(body)
        if (method, path) == ("POST", "/verify") and self.verifies:
            return self._verify(body)
        if path.startswith("/sessions/"):
            session = unquote(path.split("/")[2])
            if path.endswith("/release"):
                before = len(self.claims)
                self.claims = [claim for claim in self.claims if claim["session_id"] != session]
                return 200, {"released": before - len(self.claims)}
            return 200, {"ok": True, "lost": self.lost}
        if (method, path) == ("POST", "/claims/release"):
            before = len(self.claims)
            self.claims = [claim for claim in self.claims if claim["id"] not in body["claim_ids"]]
            return 200, {"released": before - len(self.claims)}
        if method == "DELETE" and path.startswith("/claims/"):
            before = len(self.claims)
            self.claims = [claim for claim in self.claims if claim["id"] != path.split("/")[2]]
            return 200, {"released": before - len(self.claims)}
        return 404, {"detail": "Not Found"}

    def _foreign(self, pattern: str, repo: str | None, engineer: str, own: list[str]) -> list[dict[str, Any]]:
        return [
            claim
            for claim in self.claims
            if claim["repo"] == repo
            and overlaps(claim["pattern"], pattern)
            and (
                claim["session_id"] not in own
                if claim["session_id"] and own
                else claim["engineer"] != engineer
            )
        ]

    def _claim(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        own = [body["session_id"]] if body.get("session_id") else []
        conflicts = [
            {"your_pattern": item["pattern"], "conflicting_claim": claim, "overlap": ["<unknown>"]}
            for item in body["claims"]
            for claim in self._foreign(item["pattern"], body.get("repo"), body["engineer"], own)
        ]
        if conflicts:
            return 409, {"claim_ids": [], "conflicts": conflicts, "warnings": [], "options": ["wait"]}
        granted = []
        for item in body["claims"]:
            known = next(
                (
                    claim
                    for claim in self.claims
                    if claim["pattern"] == item["pattern"] and claim["session_id"] in own
                ),
                None,
            )
            claim = known or self.hold(
                item["pattern"], body["engineer"], body.get("session_id"), repo=body.get("repo")
            )
            granted.append(claim)
        return 200, {
            "claim_ids": [claim["id"] for claim in granted],
            "conflicts": [],
            "warnings": [],
            "options": [],
            "claims": [{name: claim[name] for name in ("id", "pattern", "fence")} for claim in granted],
        }

    def _conflicts(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if len(body["patterns"]) > 5000:
            return 422, {"detail": [{"msg": "too many patterns"}]}
        found = [
            {
                "your_pattern": pattern,
                "engineer": claim["engineer"],
                "pattern": claim["pattern"],
                "severity": "soft",
                "expires_at": claim["expires_at"],
                "overlap": [pattern],
            }
            for pattern in body["patterns"]
            for claim in self._foreign(
                pattern, body.get("repo"), body["engineer"], body.get("session_ids") or []
            )
        ]
        return 200, {"has_conflicts": bool(found), "conflicts": found, "safe": not found}

    def _verify(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if len(body["changes"]) > 5000:
            return 422, {"detail": [{"msg": "too many changes"}]}
        live = {claim["id"]: claim["fence"] for claim in self.claims}
        lost = any(live.get(shown["id"]) != shown["fence"] for shown in body["claims"])
        rows = []
        for path in body["changes"]:
            foreign = self._foreign(path, body.get("repo"), body["engineer"] or "", body["session_ids"])
            held = foreign[0] if foreign else None
            rows.append(
                {
                    "path": path,
                    "verdict": "held_by_other" if held else "stale_fence" if lost else "unclaimed",
                    "claim_id": held and held["id"],
                    "holder": held and held["engineer"],
                    "pattern": held and held["pattern"],
                    "description": held and held["description"],
                    "minutes_left": 42 if held else None,
                }
            )
        bad = [row for row in rows if row["verdict"] != "unclaimed"]
        return 200, {"ok": not bad, "paths": rows, "claims": [], "next": None}
