"""What a hook does at each moment of a session: claim before a write, reconcile after, release at the end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from coordsite.kit.areas import Area, area_at, areas_of
from coordsite.kit.payloads import Event
from coordsite.kit.state import State

if TYPE_CHECKING:
    from coordsite.kit.claiming import Holder, Verdict

SIGN_OF_LIFE_SECONDS = 60
MAX_EXPANDED = 2000
MAX_RECONCILED = 200
_LISTED = 10


class Reply(NamedTuple):
    """What the tool is told. ``block`` refuses the call; ``note`` is for the model; both empty: silence."""

    block: str = ""
    note: str = ""


def answer(event: Event) -> Reply:
    """Act on one event and say what the tool must hear."""
    if event.moment == "before":
        return before(event)
    if event.moment == "after":
        return after(event)
    if event.moment == "start":
        return start(event)
    if event.moment == "end":
        return end(event)
    _sign_of_life(area_at(event.cwd, event.session, event.tool), told=False)
    return Reply()


def before(event: Event) -> Reply:
    """Claim what the call is about to write. Blocks when somebody else holds any of it."""
    paths, ignorable, changing = _targets(event)
    areas = areas_of(paths, event.session, event.tool)
    notes: list[str] = []
    for area in areas:
        if ignorable:
            from coordsite.kit.gitread import ignored

            skipped = ignored(area.repository.top, area.paths)
            area.paths = [path for path in area.paths if path not in skipped]
        if area.paths:
            from coordsite.kit.claiming import claim

            verdict = claim(area, area.paths, _key(event), f"editing ({event.tool} hook)")
            reply = _judge(area, verdict)
            _remember(area, event, verdict)
            if reply.block:
                return reply
            notes.append(reply.note)
    if changing:
        _note_start(area_at(event.cwd, event.session, event.tool), event)
    elif not areas:
        notes.append(_sign_of_life(area_at(event.cwd, event.session, event.tool)))
    return Reply(note="\n".join(note for note in notes if note))


def after(event: Event) -> Reply:
    """Compare what has changed on disk with what the session claimed, and claim what it missed."""
    area = area_at(event.paths[0] if event.paths else event.cwd, event.session, event.tool)
    if area is None:
        return Reply()
    if event.native == "afterFileEdit":
        from coordsite.kit.claiming import claim, refusal

        held: tuple[Holder, ...] = ()
        for each in areas_of(event.paths, event.session, event.tool):
            verdict = claim(each, each.paths, _key(event))
            _remember(each, event, verdict)
            held += verdict.held
        return Reply(note=refusal(held, "leave it out of your commit.")) if held else Reply()
    note = _reconcile(area, event) if event.command or not event.paths else ""
    lost = _sign_of_life(area)
    return Reply(note="\n".join(text for text in (note, lost) if text))


def start(event: Event) -> Reply:
    """Put the session on the clone's list and tell the model what others hold here, if anything."""
    from coordsite.kit.service import Unreachable, clean, segment

    area = area_at(event.cwd, event.session, event.tool)
    if area is None or not event.session:
        return Reply()
    _register(area)
    area.state.values["deleted"] = _deleted(area)
    _touched(area)
    area.state.save()
    try:
        found = area.service().call("GET", f"/claims?repo={segment(area.repo)}&active_only=true")
    except Unreachable as error:
        reply = _unreachable(area, str(error))
        area.state.save()
        return Reply(note=reply.note or reply.block)
    if found.status != 200:
        reply = _unreachable(area, f"the service answers {found.status}: {found.detail}")
        area.state.save()
        return Reply(note=reply.note or reply.block)
    rows = found.body.get("claims")
    from coordsite.kit.claiming import is_own

    own = area.sessions()
    others = [
        f"{clean(str(row.get('pattern')), 120)} ({clean(str(row.get('engineer')), 60)})"
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and not is_own(row.get("session_id"), own)
    ]
    if not others:
        return Reply()
    more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
    return Reply(note=f"coord: held by others in this repository: {', '.join(others[:_LISTED])}{more}.")


def end(event: Event) -> Reply:
    """Release everything the session holds, wherever it worked, and forget it."""
    from coordsite.kit import sessions

    index = State(event.session or "none", "")
    places = index.values.get("areas")
    known = [place for place in places if isinstance(place, str)] if isinstance(places, list) else []
    here = area_at(event.cwd, event.session, event.tool)
    areas = [here] if here else []
    for place in known:
        found = area_at(place, event.session, event.tool)
        if found and all(found.repository.common != area.repository.common for area in areas):
            areas.append(found)
    released: set[tuple[str, str]] = set()
    for area in areas:
        if area.session and (area.settings.api_url, area.session) not in released:
            released.add((area.settings.api_url, area.session))
            area.release()
        sessions.unregister(area.directory, event.session)
        area.state.forget()
    index.forget()
    return Reply()


def _targets(event: Event) -> tuple[list[str], bool, bool]:
    """The paths to claim, whether ignored ones may be left out, and whether the call may change files."""
    if not event.command:
        return list(event.paths), False, False
    from coordsite.kit.shellwords import plainly_reads

    if plainly_reads(event.command):
        return list(event.paths), False, False
    from coordsite.kit.shellwrites import writes_of

    home = {"HOME": os.path.expanduser("~")}
    found = writes_of(event.command, event.cwd, home)
    paths = [*event.paths, *found.paths]
    if found.globs:
        import glob

        for pattern in found.globs:
            paths += glob.glob(pattern)[:MAX_EXPANDED] or [pattern]
    if found.git or found.patches:
        from coordsite.kit.gitwrites import changed, patched

        for action in found.git:
            paths += changed(action)
        for patch in found.patches:
            paths += patched(patch)
    return list(dict.fromkeys(paths)), True, not found.read_only


def _key(event: Event) -> str:
    """What tells one call from another: its session, the tool's own id of it, and the moment."""
    return f"{event.session}:{event.call}:{event.moment}" if event.call else ""


def _now() -> float:
    from common import clock

    return clock.now().timestamp()


def _judge(area: Area, verdict: Verdict) -> Reply:
    if verdict.held:
        from coordsite.bridge.replies import step
        from coordsite.kit.claiming import refusal

        return Reply(block=refusal(verdict.held, step(verdict.next, 300)))
    if verdict.fault:
        return _unreachable(area, verdict.fault)
    return Reply()


def _unreachable(area: Area, fault: str) -> Reply:
    """No verdict: the repository's policy decides. A warning is given once per session."""
    policy = area.policy
    if policy == "off":
        return Reply()
    if policy == "block":
        text = f"coord: blocked, for {fault} and this repository wants a verdict (on_unreachable = block)."
        return Reply(block=f"{text}\nNext: run `coord doctor`.")
    if not area.state.first_time("unreachable"):
        return Reply()
    text = f"coord is OFF: {fault}. Edits in this repository are not coordinated until it answers."
    return Reply(note=f"{text}\nNext: run `coord doctor`.")


def _remember(area: Area, event: Event, verdict: Verdict) -> None:
    if not verdict.fault:
        area.state.values["renewed"] = _now()
    _touched(area)
    area.state.save()


def _touched(area: Area) -> None:
    """Note the area among those that the session's end has to release; put the session on its clone's list,
    for a session may write where it did not start."""
    index = State(area.given_session or "none", "")
    known = index.values.setdefault("areas", [])
    holder = os.path.dirname(area.directory)
    place = area.repository.top if holder == area.repository.common else holder  # a bare one has no files
    if place not in known:
        _register(area)
        known.append(place)
        index.save()


def _register(area: Area) -> None:
    from coordsite.kit import processes, sessions

    if area.given_session and not os.environ.get("COORD_GUARD_TEST"):  # a trial is no session
        sessions.register(area.directory, area.given_session, processes.agent_process())


def _note_start(area: Area | None, event: Event) -> None:
    """Remember when a command began, for the look at what it changed."""
    if area is not None:
        started = area.state.values.setdefault("started", {})
        while len(started) > 20:
            started.pop(next(iter(started)))
        started[event.call] = _now()
        area.state.save()


def _sign_of_life(area: Area | None, *, told: bool = True) -> str:
    """Renew the session's leases, at most once a minute. What it lost is told once, where it can be told."""
    if area is None or not area.given_session:
        return ""
    now = _now()
    last = area.state.values.get("renewed")
    if isinstance(last, int | float) and 0 <= now - last < SIGN_OF_LIFE_SECONDS:
        return ""
    if last is None and "session" not in area.state.values:
        return ""
    lost = area.heartbeat()
    if told:
        lost = [row for row in lost if area.state.first_time(f"lost {row.get('claim_id')}")]
    area.state.values["renewed"] = now
    area.state.save()
    return _lost(lost) if told and lost else ""


def _lost(rows: list[dict[str, Any]]) -> str:
    """The words about leases that ended without the agent's doing."""
    from coordsite.kit.service import clean

    lines = []
    for row in rows[:_LISTED]:
        why = "showed no sign of life" if row.get("reason") == "idle" else "ran out"
        holder = row.get("held_now_by")
        now = f"; {clean(str(holder), 80)} holds it now" if holder else ""
        lines.append(f"coord: your claim on {clean(str(row.get('pattern')), 120)} is over (it {why}){now}.")
    return "\n".join([*lines, "Next: look at what changed there before you write it again."])


def _deleted(area: Area) -> list[str]:
    return [path for state, path in _status(area) if "D" in state][:MAX_EXPANDED]


def _status(area: Area) -> list[tuple[str, str]]:
    """``git status`` of the work tree: two letters and a path each; none when git cannot tell."""
    from coordsite.kit.gitread import GitFailed, git, names

    try:
        out = git(
            area.repository.top, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"
        )
    except GitFailed:
        return []
    return [(row[:2], row[3:]) for row in names(out) if len(row) > 3]


def _reconcile(area: Area, event: Event) -> str:
    """Claim what the command changed beyond what its text told; name what somebody else holds."""
    begun = area.state.values.get("started", {}).pop(event.call, None)
    if begun is None:
        return ""
    before_gone = area.state.values.get("deleted")
    changed, gone = [], []
    for state, path in _status(area):
        full = os.path.join(area.repository.top, path)
        try:
            if os.lstat(full).st_mtime >= begun - 1:
                changed.append(path)
        except OSError:
            if "D" in state:
                gone.append(path)
    if isinstance(before_gone, list):
        changed += [path for path in gone if path not in before_gone]
    area.state.values["deleted"] = gone[:MAX_EXPANDED]
    area.state.save()
    paths = [path for path in changed if not path.startswith(".coordination/")][:MAX_RECONCILED]
    return _claim_changed(area, event, paths) if paths else ""


def _claim_changed(area: Area, event: Event, paths: list[str]) -> str:
    from coordsite.kit.claiming import MAX_CLAIMED, claim, refusal

    verdict = claim(area, paths[:MAX_CLAIMED], _key(event), f"changed ({event.tool} hook)")
    if verdict.fault or not verdict.held:
        _remember(area, event, verdict)
        return ""
    taken = {holder.path for holder in verdict.held}
    free = [path for path in paths[:MAX_CLAIMED] if path not in taken]
    if free:
        claim(area, free, "", f"changed ({event.tool} hook)")
    fresh = tuple(
        holder for holder in verdict.held if area.state.first_time(f"held {holder.path} {holder.engineer}")
    )
    _remember(area, event, verdict)
    if not fresh:
        return ""
    return refusal(fresh, "if your command changed it, tell the holder and leave it out of your commit.")
