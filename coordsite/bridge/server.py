"""The MCP side: the tool table served by the SDK's low-level server, whatever the transport."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as Described
from pydantic import ValidationError

from coordsite.bridge import arguments, replies
from coordsite.bridge.bridge import Bridge
from coordsite.bridge.tools import BY_NAME, INSTRUCTIONS, TOOLS, Tool

NAME = "coordination"
Context = ServerRequestContext[Any, Any]
Listen = Callable[[Context, SubscriptionsListenRequestParams], Awaitable[SubscriptionsListenResult]]


def build_server(
    bridge_for: Callable[[Context], Awaitable[Bridge]], *, version: str, listen: Listen | None = None
) -> Server[Any]:
    """The server. ``bridge_for`` gives the bridge of a request's caller: one for all over stdio, one per
    authenticated caller where one process serves many. ``listen`` serves streams that stay open.
    """

    async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=described(), ttl_ms=3_600_000, cache_scope="public")

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        tool = BY_NAME.get(params.name)
        if tool is None:
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {params.name[:80]}")
        return await _run(tool, params.arguments or {}, await bridge_for(context), context)

    return Server(
        NAME,
        version=version,
        title="coord",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=listen,
    )


def described() -> list[Described]:
    """The tools as clients see them, always in the same order."""
    return [
        Described(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=arguments.schema(tool.takes, tool.required),
            output_schema=tool.answers,
            annotations=ToolAnnotations(
                read_only_hint=tool.read_only,
                destructive_hint=tool.destructive,
                idempotent_hint=tool.idempotent,
                open_world_hint=False,
            ),
        )
        for tool in TOOLS
    ]


async def _run(tool: Tool, given: dict[str, Any], bridge: Bridge, context: Context) -> CallToolResult:
    try:
        taken = tool.takes.model_validate(given)
    except ValidationError as error:
        return _error(f"{tool.name}: {_problems(error)}")

    async def report(progress: float, total: float, message: str) -> None:
        await context.session.report_progress(progress, total, message)

    try:
        reply = await tool.run(bridge, taken, report)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        return _error(f"{tool.name} failed in coord-mcp: {type(error).__name__}: {replies.clip(error, 200)}")
    notice = bridge.notices.take()
    if notice:
        reply = {**reply, "coord_notice": notice}
    return CallToolResult(content=[TextContent(text=replies.compact(reply))], structured_content=reply)


def _error(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], is_error=True)


def _problems(error: ValidationError) -> str:
    """Each bad argument: its name, what is wrong and, as far as it can be shown, what was given."""
    texts = []
    for problem in error.errors(include_url=False)[:5]:
        place = ".".join(str(part) for part in problem["loc"])
        seen = "" if problem["type"] == "missing" else f", got {replies.clip(repr(problem['input']), 60)}"
        texts.append(f"{place}: {problem['msg']}{seen}")
    return "; ".join(texts) + ". Correct the arguments and call again."
