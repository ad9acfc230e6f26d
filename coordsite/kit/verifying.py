"""Whose are these changes? Asked before a push, by CI and by hand; claims nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from coordsite.kit.claiming import MAX_BATCH, Holder, Place, Verdict, check, fault_of
from coordsite.kit.service import Answer, Unreachable, clean
from coordsite.kit.state import State

if TYPE_CHECKING:
    from coordsite.kit.areas import Area

MAX_PRESENTED = 100


class Fence(NamedTuple):
    """A claim that changes were made under, with the number it was granted with."""

    claim_id: str
    fence: int


class Who(NamedTuple):
    """Whose the changes are: an engineer (``""``: only what the token proves) and live sessions."""

    engineer: str = ""
    sessions: tuple[str, ...] = ()


def verify(
    area: Place, paths: list[str], who: Who, fences: tuple[Fence, ...] = (), base: str = "", head: str = ""
) -> Verdict:
    """The verdict on changed paths; ``stale`` are those made under a claim that is over.

    A service that does not know the question is asked for conflicts instead, and then tells no stale ones.
    """
    held: list[Holder] = []
    stale: list[str] = []
    for start in range(0, len(paths), MAX_BATCH):
        body: dict[str, Any] = {
            "repo": area.repo or None,
            "base": base or None,
            "head": head or None,
            "changes": paths[start : start + MAX_BATCH],
            "claims": [{"id": one.claim_id, "fence": one.fence} for one in fences[:MAX_PRESENTED]],
            "engineer": who.engineer or None,
            "session_ids": list(who.sessions[:1000]),
        }
        try:
            answer = area.service(20).call("POST", "/verify", body)
        except Unreachable as error:
            return Verdict(fault=str(error))
        if answer.status in (404, 405):
            return check(area, paths, list(who.sessions), who.engineer or None)
        if answer.status != 200 or not isinstance(answer.body.get("paths"), list):
            return Verdict(fault=fault_of(answer))
        for row in _rows(answer):
            if row.get("verdict") == "held_by_other":
                held.append(_holder(row))
            elif row.get("verdict") == "stale_fence":
                stale.append(str(row.get("path")))
    return Verdict(tuple(held), stale=tuple(stale))


def remembered(area: Area, sessions: list[str], paths: list[str]) -> tuple[Fence, ...]:
    """The claims that the hooks of these sessions took for the paths, as they were granted."""
    wanted = set(paths)
    found: dict[str, Fence] = {}
    for session in sessions:
        fences = State(session, area.repository.common).values.get("fences")
        for path, pair in fences.items() if isinstance(fences, dict) else ():
            if path in wanted and isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], int):
                found[str(pair[0])] = Fence(str(pair[0]), pair[1])
    return tuple(found.values())


def _rows(answer: Answer) -> list[dict[str, Any]]:
    return [row for row in answer.body["paths"] if isinstance(row, dict)]


def _holder(row: dict[str, Any]) -> Holder:
    minutes = row.get("minutes_left")
    claim_id = str(row.get("claim_id") or "")
    return Holder(
        path=str(row.get("path")),
        engineer=clean(str(row.get("holder") or "somebody"), 80),
        pattern=clean(str(row.get("pattern") or ""), 160),
        claim_id=claim_id if claim_id.replace("-", "").isalnum() else "",
        minutes=minutes if isinstance(minutes, int) else None,
        description=clean(str(row.get("description") or ""), 80),
        symbol=False,
    )
