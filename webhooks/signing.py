"""The body and the headers of a delivery."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from common import clock


def body_of(event_type: str, detail: Any, created_at: datetime) -> bytes:
    """The delivery's body: JSON with sorted keys, the same bytes at each attempt."""
    payload = {"event_type": event_type, "timestamp": clock.iso(created_at), "detail": detail}
    return json.dumps(payload, sort_keys=True).encode()


def sign(secret: str, message: bytes) -> str:
    """Lower-case hex HMAC-SHA256 of the message."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def signature_headers(body: bytes, secrets: Sequence[str], timestamp: int) -> dict[str, str]:
    """The signature headers; ``secrets`` are the present one and, while a rotation overlaps, the one before.

    ``X-Coord-Signature`` signs the body with the present secret, ``X-Coord-Signature-Previous`` with the
    one before. ``X-Coord-Signature-Timestamped`` holds ``v1=<hex>`` for each, over
    ``<X-Coord-Timestamp>.<body>``. Without a secret only the timestamp.
    """
    headers = {"X-Coord-Timestamp": str(timestamp)}
    if not secrets:
        return headers
    for name, secret in zip(("X-Coord-Signature", "X-Coord-Signature-Previous"), secrets, strict=False):
        headers[name] = sign(secret, body)
    stamped = f"{timestamp}.".encode() + body
    headers["X-Coord-Signature-Timestamped"] = ",".join(f"v1={sign(secret, stamped)}" for secret in secrets)
    return headers
