"""Headers that answers share."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response


def retry_after(body: Any) -> dict[str, str] | None:
    """``Retry-After`` when the body says when to come back."""
    seconds = body.get("retry_after_s") if isinstance(body, dict) else None
    return {"Retry-After": str(seconds)} if seconds is not None else None


def tagged(request: Request, body: dict[str, Any]) -> Response:
    """The body with its ETag, or 304 when the caller has just that."""
    etag = '"' + hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32] + '"'
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status=304, headers={"ETag": etag})
    return Response(body, headers={"ETag": etag})
