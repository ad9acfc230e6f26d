"""What the service says about itself, to anybody: health, readiness, version, counters, its documents."""

from __future__ import annotations

import functools
import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import render
from prometheus_client import generate_latest

from common import metrics
from common.errors import ErrorCode
from coordsite import lanes
from coordsite.authentication import auth_mode
from coordsite.gate import compact, problem

log = logging.getLogger("coord.ready")

DOCUMENTS_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)


@functools.cache
def service_version() -> str:
    """The installed version; a checkout that was never installed says ``0+unknown``."""
    try:
        return version("coord")
    except PackageNotFoundError:
        return "0+unknown"


def only_get(request: HttpRequest) -> HttpResponseBase | None:
    """405 in the API's shape for every other method."""
    if request.method == "GET":
        return None
    response = problem(405, "Method Not Allowed", ErrorCode.METHOD_NOT_ALLOWED)
    response["Allow"] = HttpResponseNotAllowed(["GET"])["Allow"]
    return response


async def health(request: HttpRequest) -> HttpResponseBase:
    """``ok`` while the process answers. Never touches the database."""
    return only_get(request) or HttpResponse("ok", content_type="text/plain; charset=utf-8")


async def readyz(request: HttpRequest) -> HttpResponseBase:
    """200 when the database answers and is migrated, else 503. Shows no path."""
    if refusal := only_get(request):
        return refusal
    try:
        reason = await lanes.read(_unready)
    except Exception:
        log.exception("the database does not answer")
        reason = "The database does not answer"
    if reason:
        return problem(
            503,
            reason,
            ErrorCode.UNAVAILABLE,
            retryable=True,
            retry_after_s=2,
            next="Look into the service's log.",
        )
    return compact({"status": "ready", "version": service_version(), "auth_mode": auth_mode()})


_migrated = False


def schema_is_current() -> None:
    """Readiness need not look: this process has just migrated."""
    global _migrated
    _migrated = True


def _unready() -> str:
    """Why the service cannot serve; empty when it can."""
    global _migrated
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1" if _migrated else "SELECT 1")
        cursor.fetchone()
    if not _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "The database is not migrated"
        _migrated = True
    return ""


async def meta(request: HttpRequest) -> HttpResponseBase:
    """Name, version, kind of authentication, and whether a checkout is configured."""
    body = {
        "name": "multi-agent-coordination",
        "version": service_version(),
        "auth_mode": auth_mode(),
        "repo_root_configured": bool(settings.COORD.repo_root),
    }
    return only_get(request) or compact(body)


async def metrics_page(request: HttpRequest) -> HttpResponseBase:
    """This process's counters in Prometheus' text format 0.0.4."""
    metrics.built(service_version())
    return only_get(request) or HttpResponse(
        generate_latest(metrics.REGISTRY), content_type="text/plain; version=0.0.4; charset=utf-8"
    )


async def openapi(request: HttpRequest) -> HttpResponseBase:
    """The API's description, OpenAPI 3."""
    return only_get(request) or HttpResponse(await lanes.read(_schema), content_type="application/json")


@functools.cache
def _schema() -> bytes:
    from drf_spectacular.renderers import OpenApiJsonRenderer

    from coordsite.schema import Generator

    generator: Any = cast(Any, Generator)()
    rendered: bytes = cast(Any, OpenApiJsonRenderer)().render(generator.get_schema(request=None, public=True))
    return rendered


async def docs(request: HttpRequest) -> HttpResponseBase:
    """The API's description to read and try."""
    return only_get(request) or _page(request, "docs/swagger.html")


async def redoc(request: HttpRequest) -> HttpResponseBase:
    """The API's description to read."""
    return only_get(request) or _page(request, "docs/redoc.html")


def _page(request: HttpRequest, template: str) -> HttpResponse:
    """A document's page. The readers set styles of their own and draw with data; no foreign script runs."""
    response = render(request, template)
    response["Content-Security-Policy"] = DOCUMENTS_POLICY
    response["X-Frame-Options"] = "DENY"
    return response
