"""``/config/ownership`` and ``/metrics/hotspots``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.http import HttpResponse, HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.api import ApiView
from common.caller import Caller
from common.clock import iso
from common.errors import Forbidden, Invalid
from ownership import selectors, services
from ownership.api import serializers
from ownership.documents import MAX_BYTES
from ownership.models import Revision
from ownership.services.revisions import too_large

T = TypeVar("T", bound=HttpResponseBase)
YAML = "text/yaml; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


def _operator(caller: Caller) -> str:
    """The operator's name for the history. Raises ``Forbidden`` for anybody else."""
    if not caller.operator or caller.repositories is not None:
        raise Forbidden(
            "Only an operator without repository limits may use the ownership document",
            next="Use an operator's token.",
        )
    return caller.engineer or caller.name


class OwnershipDocument(ApiView):
    """The ownership document in force."""

    @extend_schema(
        operation_id="read_ownership",
        summary="Read the ownership document, byte for byte",
        responses={(200, "text/yaml"): OpenApiTypes.STR, 204: None},
        tags=["ownership"],
    )
    def get(self, request: Request) -> HttpResponse:
        """204 when nothing is stored."""
        _operator(self.caller)
        revision = selectors.current_revision()
        if revision is None or not revision.text:
            empty = HttpResponse(status=204, content_type=PLAIN)
            return _tagged(empty, revision)
        return _tagged(HttpResponse(revision.text.encode(), content_type=YAML), revision)

    @extend_schema(
        operation_id="save_ownership",
        summary="Put an ownership document in force",
        request={"text/yaml": OpenApiTypes.STR},
        parameters=[
            serializers.SaveIn,
            OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="ETag that was read."),
        ],
        responses=serializers.SavedOut,
        tags=["ownership"],
    )
    def post(self, request: Request) -> Response:
        """The body is YAML in UTF-8, whatever the content type says."""
        author = _operator(self.caller)
        reason = self.query(serializers.SaveIn)["reason"]
        revision = services.save_document(
            text=_text(request), author=author, reason=reason, if_match=_if_match(request)
        )
        return _tagged(Response({"ok": True, "rules": revision.rules, "revision": revision.pk}), revision)


class Revisions(ApiView):
    """The history of the ownership document."""

    @extend_schema(
        operation_id="list_ownership_revisions",
        summary="List the versions of the ownership document",
        parameters=[serializers.RevisionsIn],
        responses=serializers.RevisionsOut,
        tags=["ownership"],
    )
    def get(self, request: Request) -> Response:
        """Newest first, without texts."""
        _operator(self.caller)
        query = self.query(serializers.RevisionsIn)
        page, cursor = selectors.revision_page(limit=query["limit"], before=query.get("cursor"))
        rows = [_revision(one) for one in page]
        return Response({"revisions": rows, "count": len(rows), "next_cursor": cursor})


class RevisionDetail(ApiView):
    """One version of the ownership document."""

    @extend_schema(
        operation_id="read_ownership_revision",
        summary="Read one version of the ownership document, and what it changed",
        responses=serializers.RevisionDetailOut,
        tags=["ownership"],
    )
    def get(self, request: Request, revision_id: int) -> Response:
        """The text and its difference from the version it replaced."""
        _operator(self.caller)
        revision = selectors.revision(revision_id)
        lines = selectors.difference(revision.replaces, revision.pk)
        diff = None if lines is None else "".join(f"{line}\n" for line in lines)
        return Response({**_revision(revision), "text": revision.text, "diff": diff})


class Hotspots(ApiView):
    """Where requests collide."""

    @extend_schema(
        operation_id="list_hotspots",
        summary="List the patterns that are refused most",
        parameters=[serializers.HotspotsIn],
        responses=serializers.HotspotsOut,
        tags=["ownership"],
    )
    def get(self, request: Request) -> Response:
        """Within the caller's repositories."""
        query = self.query(serializers.HotspotsIn)
        repo = query.get("repo")
        if repo is not None and not self.caller.sees(_folded(repo)):
            raise Forbidden(
                f"This token is not for repository '{repo}'", next="Leave repo out, or name one of its own."
            )
        rows = selectors.hotspots(
            days=query["days"],
            min_attempts=query["min_attempts"],
            limit=query["limit"],
            repo=None if repo is None else _folded(repo),
            repositories=self.caller.repositories,
        )
        return Response(
            {
                "hotspots": [
                    {
                        "repo": row.repo or None,
                        "pattern": row.pattern,
                        "attempts": row.attempts,
                        "distinct_attempters": row.distinct_attempters,
                        "last_attempt": iso(row.last_attempt),
                        "suggested_action": row.suggested_action,
                    }
                    for row in rows
                ],
                "days": query["days"],
                "min_attempts": query["min_attempts"],
                "count": len(rows),
            }
        )


class Promote(ApiView):
    """Acting on a hotspot."""

    @extend_schema(
        operation_id="promote_hotspot",
        summary="Share a pattern, or suggest to split it",
        request=serializers.PromoteIn,
        responses=serializers.PromotedOut,
        tags=["ownership"],
    )
    def post(self, request: Request) -> Response:
        """Idempotent. `repo` is recorded; the entry holds in every repository."""
        author = _operator(self.caller)
        body = self.body(serializers.PromoteIn)
        repo = body.get("repo")
        promotion = services.promote(
            pattern=body["pattern"],
            action=body["action"],
            note=body.get("note"),
            repo=_folded(repo or ""),
            author=author,
        )
        return Response(
            {
                "ok": True,
                "action": body["action"],
                "pattern": body["pattern"],
                "repo": repo,
                "patched_yaml": promotion.text,
            }
        )


def _text(request: Request) -> str:
    """The raw body. Raises 413, and :class:`Invalid` when it is not UTF-8."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isdecimal() and int(announced) > MAX_BYTES:
        raise too_large()
    raw = request._request.body
    if len(raw) > MAX_BYTES:
        raise too_large()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(
            f"The document is not UTF-8: byte {error.start} cannot be read", next="Send the text in UTF-8."
        ) from error


def _if_match(request: Request) -> Sequence[str] | None:
    header = request.headers.get("If-Match")
    return None if header is None else parse_etags(header)


def _tagged(response: T, revision: Revision | None) -> T:
    if revision is not None:
        response["ETag"] = revision.etag
    return response


def _revision(revision: Revision) -> dict[str, Any]:
    return {
        "id": revision.pk,
        "replaces": revision.replaces or None,
        "rules": revision.rules,
        "author": revision.author,
        "reason": revision.reason,
        "created_at": iso(revision.created_at),
        "etag": revision.etag,
    }


def _folded(repo: str) -> str:
    return repo.strip().casefold()
