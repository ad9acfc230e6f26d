"""What the OpenAPI description says about authentication and refusals."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer <token>``."""

    target_class = "coordsite.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The scheme in OpenAPI's words."""
        return {"type": "http", "scheme": "bearer"}


REFUSALS = {
    "400": "The request contradicts itself or a rule.",
    "401": "No token, or none that is known.",
    "403": "Not for this token.",
    "404": "There is no such thing, or it is outside the caller's repositories.",
    "409": "The state does not allow this now.",
    "413": "The body is too large.",
    "414": "The path and query are longer than 16 KiB.",
    "422": "A field is missing or wrong; `detail` lists which.",
    "429": "A limit of the caller is reached.",
    "503": "Not now; send the same request again.",
}
ALWAYS = ("401", "403", "503")
PROBLEM = {
    "type": "object",
    "description": "Every refusal. `code` is for programs, `detail` for people, `next` the one thing to do.",
    "properties": {
        "detail": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]},
        "code": {"type": "string"},
        "retryable": {"type": "boolean"},
        "retry_after_s": {"type": "integer", "nullable": True},
        "next": {"type": "string", "nullable": True},
    },
    "required": ["code", "retryable"],
}


class Generator(SchemaGenerator):
    """drf-spectacular's; each operation names the refusals that it can give."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """The description."""
        return _with_refusals(super().get_schema(request, public))  # type: ignore[no-untyped-call]


def _with_refusals(result: dict[str, Any]) -> dict[str, Any]:
    result["components"]["schemas"]["Problem"] = PROBLEM
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in _refusals(path, method, operation):
                told = {"content": content, "description": REFUSALS[status]}
                operation["responses"].setdefault(status, told)
            for status, response in operation["responses"].items():
                if status >= "400":
                    _or_problem(response["content"]["application/json"])
    return result


def _or_problem(content: dict[str, Any]) -> None:
    """A refusal with a shape of its own may still be the usual one (a wrong repository, say)."""
    problem = {"$ref": "#/components/schemas/Problem"}
    if content["schema"] != problem:
        content["schema"] = {"anyOf": [content["schema"], problem]}


def _refusals(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    found = list(ALWAYS)
    if operation.get("parameters") or "requestBody" in operation:
        found += ["400", "414", "422"]
    if "{" in path or method == "get":
        found.append("404")
    if method != "get":
        found += ["404", "409", "413", "429"]
    return sorted(set(found))
