"""An answer in each tool's own JSON. Silence is an empty object: the tool goes on as if nobody had asked."""

from __future__ import annotations

from typing import Any

from coordsite.hooks.deciding import Reply
from coordsite.kit.payloads import Event

_CURSOR_NOTES = ("sessionStart", "postToolUse")


def tool_answer(event: Event, reply: Reply) -> dict[str, Any]:
    """The JSON that the event's tool acts on."""
    if event.tool == "cursor":
        return _cursor(event, reply)
    if reply.block and event.moment == "before":
        return {
            "hookSpecificOutput": {
                "hookEventName": event.native,
                "permissionDecision": "deny",
                "permissionDecisionReason": reply.block,
            }
        }
    if reply.note and event.moment == "after":
        return {"decision": "block", "reason": reply.note}
    if reply.note:
        return {"hookSpecificOutput": {"hookEventName": event.native, "additionalContext": reply.note}}
    return {}


def _cursor(event: Event, reply: Reply) -> dict[str, Any]:
    if reply.block and event.moment == "before":
        return {"permission": "deny", "user_message": reply.block, "agent_message": reply.block}
    if reply.note and event.native in _CURSOR_NOTES:
        return {"additional_context": reply.note}
    return {}
