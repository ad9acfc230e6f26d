"""What each tool takes. Names and defaults are the tools' public interface; bounds are checked here."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _listed(value: object) -> object:
    """A single text, or a list written as JSON text, is taken as the list that was meant."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return [value]
    return [value]


def _mapped(value: object) -> object:
    """A JSON object written as text is taken as the object."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


Text = Annotated[str, Field(max_length=1024)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(max_length=200)]
Texts = Annotated[list[Text], BeforeValidator(_listed)]
Ids = Annotated[list[Id], BeforeValidator(_listed)]
Symbols = Annotated[dict[Text, Texts], BeforeValidator(_mapped)]
Wait = Annotated[int, Field(ge=0, le=600)]
Hours = Annotated[float, Field(allow_inf_nan=False)]
Urgency = Literal["low", "normal", "high", "blocking"]


class Arguments(BaseModel):
    """Base of all: unknown arguments are ignored, as clients of other versions may send them."""

    model_config = ConfigDict(extra="ignore")


class ListClaims(Arguments):
    """``list_claims``."""

    active_only: bool = True
    engineer: Name | None = None
    module: Annotated[Text | None, Field(description="part of the path")] = None


class CheckConflicts(Arguments):
    """``check_conflicts``."""

    files: Annotated[Texts, Field(min_length=1, max_length=5000, description="paths or globs")]
    engineer: Name | None = None


class ClaimFiles(Arguments):
    """``claim_files``."""

    engineer: Name | None = None
    patterns: Annotated[Texts, Field(max_length=1000, description="paths or globs")] = []
    description: Annotated[str | None, Field(max_length=2000, description="what you do")] = None
    branch: Name | None = None
    shared_files: Annotated[Texts | None, Field(max_length=1000)] = None
    ttl_hours: Hours | None = None
    symbols: Annotated[Symbols | None, Field(description="file: [Class::method]")] = None
    narrowable: bool | None = None
    wait_seconds: Annotated[Wait | None, Field(description="stand in line")] = None
    urgency: Urgency | None = None


class ReleaseClaims(Arguments):
    """``release_claims``."""

    claim_ids: Annotated[Ids, Field(max_length=1000)]
    engineer: Name | None = None


class ExtendClaim(Arguments):
    """``extend_claim``."""

    claim_ids: Annotated[Ids, Field(max_length=50)] = []
    claim_id: Id | None = None
    ttl_hours: Hours = 2
    engineer: Name | None = None


class Session(Arguments):
    """``release_session`` and ``pending_requests``."""

    session_id: Id | None = None


class ListSymbols(Arguments):
    """``list_symbols``."""

    file: Annotated[Text, Field(min_length=1)]
    source: Annotated[str, Field(max_length=2_000_000)] | None = None


class RequestRelease(Arguments):
    """``request_release``."""

    claim_id: Id
    reason: Annotated[str, Field(max_length=2000)]
    urgency: Urgency = "normal"
    wait_seconds: Wait = 60
    requested_scope: Text = ""


class RespondToRequest(Arguments):
    """``respond_to_request``."""

    request_id: Id
    decision: Annotated[str, Field(max_length=40, description="approved|denied|narrowed|coexist")]
    note: Annotated[str, Field(max_length=2000)] = ""
    narrowed_pattern: Text = ""
    coexist_pattern: Text = ""
    coexist_symbols: Symbols | None = None


class WaitForRequest(Arguments):
    """``wait_for_request``."""

    request_id: Id
    timeout: Wait = 60


class MyRequests(Arguments):
    """``my_requests``."""

    decision: Name = "pending"
    queued: Annotated[bool | None, Field(description="places in the queue instead")] = None


class CancelQueueRequest(Arguments):
    """``cancel_queue_request``."""

    queue_id: Id
    engineer: Name | None = None


def schema(arguments: type[Arguments], required: tuple[str, ...]) -> dict[str, Any]:
    """The JSON Schema of a tool's input, without what only costs a reader: titles, bounds of texts, nulls."""
    full = arguments.model_json_schema()
    properties = {name: _short(spec) for name, spec in full["properties"].items()}
    result: dict[str, Any] = {"type": "object", "properties": properties}
    return {**result, "required": list(required)} if required else result


def _short(spec: dict[str, Any]) -> dict[str, Any]:
    options = [option for option in spec.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        spec = {**options[0], **{key: value for key, value in spec.items() if key != "anyOf"}}
    dropped = ("title", "maxLength", "minLength", "maxItems", "minItems", "propertyNames")
    short = {key: value for key, value in spec.items() if key not in dropped}
    if short.get("default", 0) in (None, []):
        del short["default"]
    for key in ("items", "additionalProperties"):
        if isinstance(short.get(key), dict):
            short[key] = _short(short[key])
    if "enum" in short:
        short.pop("type", None)
    return short
