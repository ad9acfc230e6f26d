"""``coord-hook``: what editors, agents and git call. Starts fast; says nothing when all is well.

``coord-hook claude|codex|cursor`` reads a hook payload on standard input. ``coord-hook pre-commit`` and
``coord-hook pre-push REMOTE URL`` are git's hooks. Standard library only, imported as late as possible.
"""

from __future__ import annotations

import json
import os
import sys

MAX_PAYLOAD = 32 * 1024 * 1024
USAGE = "usage: coord-hook {claude|codex|cursor|pre-commit|pre-push} (payload or refs on standard input)\n"


def main(arguments: list[str] | None = None) -> int:
    """Run one hook; the exit code is the tool's or git's to act on. Own faults never block an edit."""
    given = sys.argv[1:] if arguments is None else arguments
    name = given[0] if given else ""
    if name in ("claude", "codex", "cursor"):
        try:
            return _tool(name)
        except Exception as error:  # a fault of the hook itself must not stop the agent
            sys.stderr.write(f"coord-hook: internal error, the edit is not checked: {error!r}\n")
            return 1
    if name in ("pre-commit", "pre-push"):
        from coordsite.kit.guards import run

        return run(name, given[1:])
    sys.stderr.write(USAGE)
    return 64


def _tool(name: str) -> int:
    from coordsite.kit.payloads import TOOLS, event_of

    try:
        payload = json.loads(sys.stdin.buffer.read(MAX_PAYLOAD))
    except ValueError:
        sys.stderr.write("coord-hook: standard input is not a JSON payload\n")
        return 1
    tool = next(known for known in TOOLS if known == name)
    event = event_of(tool, payload, os.getcwd())
    if event is None or not _concerns(event.moment, event.paths, event.command):
        return _say(tool, "", "", "", "")
    from coordsite.kit.enforcing import answer

    reply = answer(event)
    return _say(tool, event.native, event.moment, reply.block, reply.note)


def _concerns(moment: str, paths: tuple[str, ...], command: str) -> bool:
    """Whether there can be anything to do: a call that names neither a file nor a command has nothing."""
    return moment not in ("before", "after") or bool(paths) or bool(command)


def _say(tool: str, native: str, moment: str, block: str, note: str) -> int:
    """Tell the tool in its own way. Silence is exit 0 without output (for Cursor: an empty object)."""
    if tool == "cursor":
        return _say_cursor(native, moment, block, note)
    if block or (note and moment == "after"):
        sys.stderr.write((block or note) + "\n")
        return 2
    if note:
        output: dict[str, object] = {}
        if tool == "claude" or moment == "start":
            output["hookSpecificOutput"] = {"hookEventName": native, "additionalContext": note}
        if moment == "before":
            output["systemMessage"] = note
        sys.stdout.write(json.dumps(output) + "\n")
    return 0


def _say_cursor(native: str, moment: str, block: str, note: str) -> int:
    output: dict[str, str] = {}
    if block and moment == "before":
        output = {"permission": "deny", "user_message": block, "agent_message": block}
    elif note and moment == "before":
        output = {"permission": "allow", "user_message": note, "agent_message": note}
    elif note and native in ("sessionStart", "postToolUse"):
        output = {"additional_context": note}
    elif block or note:
        sys.stderr.write((block or note) + "\n")
    sys.stdout.write(json.dumps(output) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
