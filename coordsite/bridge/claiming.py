"""Tools around claims: look, check, claim, release, extend, and what symbols a file has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import anyio.to_thread

from coordsite.bridge import arguments as args
from coordsite.bridge import replies, waiting
from coordsite.bridge.bridge import Bridge, Report
from coordsite.bridge.replies import Reply
from coordsite.bridge.service import Answer
from coordsite.bridge.source import no_source

_MAX_IN_QUERY = 20
_MAX_QUERY_CHARS = 4000


async def list_claims(bridge: Bridge, given: args.ListClaims, report: Report) -> Reply:
    """``GET /claims`` of this repository."""
    params = [("active_only", "true" if given.active_only else "false"), ("session_id", bridge.session_id)]
    params += _set(engineer=given.engineer, module=given.module, repo=bridge.settings.repo_id)
    answer = await bridge.service.get("/claims", params)
    if not answer.ok:
        return replies.refusal(answer.status, answer.body)
    return replies.claim_rows(answer.body, bridge.session_id)


async def check_conflicts(bridge: Bridge, given: args.CheckConflicts, report: Report) -> Reply:
    """``GET /conflicts``, or the batch form for many or long patterns. Always of this repository."""
    engineer = await bridge.engineer(given.engineer)
    repo = bridge.settings.repo_id
    if len(given.files) > _MAX_IN_QUERY or sum(map(len, given.files)) > _MAX_QUERY_CHARS:
        body: dict[str, Any] = {
            "patterns": given.files,
            "engineer": engineer,
            "session_ids": [bridge.session_id],
            "repo": repo,
        }
        answer = await bridge.service.post("/conflicts/batch", body)
    else:
        params = [("pattern", file) for file in given.files]
        params += [("engineer", engineer), ("session_id", bridge.session_id), *_set(repo=repo)]
        answer = await bridge.service.get("/conflicts", params)
    if not answer.ok:
        return replies.refusal(answer.status, answer.body)
    return replies.conflicts(answer.body)


async def claim_files(bridge: Bridge, given: args.ClaimFiles, report: Report) -> Reply:
    """``POST /claims``, after a look at the local source for symbols that do not exist."""
    wanted = {path: names for path, names in (given.symbols or {}).items() if names}
    unchecked: list[str] = []
    if wanted and bridge.source is not None:
        problems, unchecked = await anyio.to_thread.run_sync(bridge.source.unknown_symbols, wanted)
        if problems:
            return _locally_refused(problems)
    items = _items(given, wanted)
    if not items:
        return _nothing_asked()
    body = await _body(bridge, given, items)
    answer = await waiting.claim(bridge, body, given.wait_seconds or 0, report)
    bridge.told(answer.body.get("claim_ids") or ())
    return replies.claimed(answer.status, _warned(answer.body, unchecked))


def _warned(body: Mapping[str, Any], unchecked: Iterable[str]) -> Mapping[str, Any]:
    """The answer with what was not checked here; the service may say the same of its checkout."""
    told = list(body.get("warnings") or ())
    return {**body, "warnings": [*told, *(text for text in unchecked if text not in told)]}


def _items(given: args.ClaimFiles, wanted: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """One item per pattern (with its symbols), per further file with symbols, and per shared file."""
    items: list[dict[str, Any]] = []
    for pattern in given.patterns:
        item: dict[str, Any] = {"type": "file", "pattern": pattern}
        items.append({**item, "symbols": wanted[pattern]} if pattern in wanted else item)
    for path, names in wanted.items():
        if path not in given.patterns:
            items.append({"type": "file", "pattern": path, "symbols": names})
    items += [{"type": "shared_file", "pattern": pattern} for pattern in given.shared_files or ()]
    if given.narrowable is not None:
        items = [{**item, "narrowable": given.narrowable} for item in items]
    return items


async def _body(bridge: Bridge, given: args.ClaimFiles, items: list[dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "engineer": await bridge.engineer(given.engineer),
        "claims": items,
        "branch": given.branch,
        "description": given.description,
        "session_id": bridge.session_id,
    }
    optional = {
        "ttl_hours": given.ttl_hours,
        "urgency": given.urgency,
        "repo": bridge.settings.repo_id,
    }
    return body | {key: value for key, value in optional.items() if value is not None}


def _locally_refused(problems: list[str]) -> Reply:
    shown = "; ".join(problems[:5]) + (f"; {len(problems) - 5} more files" if len(problems) > 5 else "")
    return {
        "claim_ids": [],
        "conflicts": [],
        "warnings": [
            replies.clip(f"client-side validation: symbols not found in local source: {shown}", 450)
        ],
        "options": ["narrow_claim"],
        "client_validated": True,
        "next": "Call list_symbols(file) and claim what it names.",
    }


def _nothing_asked() -> Reply:
    return {
        "claim_ids": [],
        "conflicts": [],
        "warnings": ["Nothing to claim: patterns, symbols and shared_files are empty."],
        "options": [],
        "next": "Give the files that you want to edit in patterns.",
    }


async def release_claims(bridge: Bridge, given: args.ReleaseClaims, report: Report) -> Reply:
    """``POST /claims/release``."""
    body: dict[str, Any] = {"claim_ids": given.claim_ids, "session_id": bridge.session_id}
    if given.engineer:
        body["engineer"] = given.engineer
    return _plain(await bridge.service.post("/claims/release", body))


async def release_session(bridge: Bridge, given: args.Session, report: Report) -> Reply:
    """``POST /sessions/{id}/release``; the session can be used again afterwards."""
    session = quote(given.session_id or bridge.session_id, safe="")
    return _plain(await bridge.service.post(f"/sessions/{session}/release", {}))


async def extend_claim(bridge: Bridge, given: args.ExtendClaim, report: Report) -> Reply:
    """``POST /claims/{id}/extend`` for each; what failed is told beside what did not."""
    ids = list(dict.fromkeys([*given.claim_ids, *([given.claim_id] if given.claim_id else [])]))
    if not ids:
        return {"ok": False, "extended": [], "failed": [], "next": "Give claim_ids or claim_id."}
    body = {"engineer": await bridge.engineer(given.engineer), "ttl_hours": given.ttl_hours}
    extended: list[str] = []
    ends: list[str] = []
    failed: list[Reply] = []
    for claim_id in ids:
        answer = await bridge.service.post(f"/claims/{quote(claim_id, safe='')}/extend", body)
        if answer.ok:
            extended.append(claim_id)
            ends += [answer.body["expires_at"]] if answer.body.get("expires_at") else []
        else:
            failed.append({"id": claim_id, **replies.refusal(answer.status, answer.body)})
    if len(failed) == len(ids) == 1:
        return {"ok": False, "extended": [], **{k: v for k, v in failed[0].items() if k != "id"}}
    reply: Reply = {"ok": not failed, "extended": extended, **({"expires_at": min(ends)} if ends else {})}
    return {**reply, "failed": replies.listing("failed", failed, limit=2000)["failed"]} if failed else reply


async def list_symbols(bridge: Bridge, given: args.ListSymbols, report: Report) -> Reply:
    """What can be claimed in a file of the checkout, or in the text that is given."""
    if bridge.source is None:
        return no_source()
    look = bridge.source.symbols_of
    found = await anyio.to_thread.run_sync(look, given.file, given.source, limiter=bridge.parsers)
    if "symbols" not in found:
        return found
    return {"file": found["file"], **replies.listing("symbols", found["symbols"])}


def _plain(answer: Answer) -> Reply:
    return replies.row(answer.body) if answer.ok else replies.refusal(answer.status, answer.body)


def _set(**params: str | None) -> list[tuple[str, str]]:
    return [(name, value) for name, value in params.items() if value]
