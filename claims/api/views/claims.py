"""Listing, releasing and extending claims."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from claims import answers
from claims.api import outputs
from claims.api.access import (
    ClaimsView,
    access_claim,
    engineer_of,
    known_session,
    named_engineer,
    repo_filter,
    session_or_none,
)
from claims.api.headers import tagged
from claims.api.serializers import ClaimListIn, ExtendIn, ReleaseIn, ReleaseOneIn
from claims.api.views.claiming import ClaimView, respond
from claims.idempotency import Answer, answer_once
from claims.selectors.listing import ClaimFilter, list_claims, partners_of
from claims.services.activity import note_life
from claims.services.leases import extend_claim
from claims.services.releasing import release_claims
from common import clock

ACTIVE_PAGE = 1000
HISTORY_PAGE = 200


class ClaimsCollection(ClaimView):
    """``/claims``."""

    @extend_schema(operation_id="list_claims", parameters=[ClaimListIn], responses=outputs.ClaimListOut)
    def get(self, request: Request) -> Response:
        """Live claims by the end of their leases, or all claims newest first, in pages."""
        data = self.query(ClaimListIn)
        session = session_or_none(data["session_id"])
        if session:
            note_life([session], clock.now(), self.caller)
        default = ACTIVE_PAGE if data["active_only"] else HISTORY_PAGE
        wanted = ClaimFilter(
            active_only=data["active_only"],
            engineer=data["engineer"] or None,
            module=data["module"] or None,
            repo=repo_filter(self.caller, data["repo"]),
            limit=data["limit"] or default,
            cursor=data["cursor"] or None,
        )
        page = list_claims(wanted, self.caller)
        partners = partners_of(page.claims)
        reader = known_session(self.caller, session)
        rows = [answers.claim_row(claim, partners.get(claim.id, []), reader) for claim in page.claims]
        return tagged(request, {"claims": rows, "count": len(rows), "next_cursor": page.next_cursor})


class ClaimDetail(ClaimsView):
    """``/claims/{claim_id}``."""

    @extend_schema(operation_id="get_claim", responses=outputs.ClaimRowOut)
    def get(self, request: Request, claim_id: str) -> Response:
        """One claim, ended or not."""
        claim = access_claim(self.caller, claim_id)
        partners = partners_of([claim]).get(claim.id, [])
        return tagged(request, answers.claim_row(claim, partners, self.caller))

    @extend_schema(
        operation_id="release_claim", parameters=[ReleaseOneIn], responses={200: outputs.ReleasedOut}
    )
    def delete(self, request: Request, claim_id: str) -> Response:
        """Release one claim; an unknown or foreign one releases nothing."""
        data = self.query(ReleaseOneIn)
        fences = {claim_id: data["fence"]} if data["fence"] is not None else {}
        engineer = named_engineer(self.caller, data["engineer"])

        def act() -> Answer:
            ended = release_claims([claim_id], self.caller, engineer=engineer, fences=fences)
            return Answer(200, {"released": len(ended)})

        return respond(answer_once(self.call(), act))


class Release(ClaimsView):
    """``/claims/release``."""

    @extend_schema(operation_id="release_claims", request=ReleaseIn, responses=outputs.ReleasedOut)
    def post(self, request: Request) -> Response:
        """Release several claims in one transaction; serves the line for each."""
        data = self.body(ReleaseIn)
        engineer = named_engineer(self.caller, data["engineer"])

        def act() -> Answer:
            ended = release_claims(data["claim_ids"], self.caller, engineer=engineer, fences=data["fences"])
            return Answer(200, {"released": len(ended)})

        return respond(answer_once(self.call(), act))


class Extend(ClaimsView):
    """``/claims/{claim_id}/extend``."""

    @extend_schema(operation_id="extend_claim", request=ExtendIn, responses=outputs.ExtendedOut)
    def post(self, request: Request, claim_id: str) -> Response:
        """Set a live claim's lease, from now."""
        data = self.body(ExtendIn)
        engineer = engineer_of(self.caller, data["engineer"])

        def act() -> Answer:
            claim = extend_claim(
                claim_id, self.caller, engineer=engineer, ttl_hours=data["ttl_hours"], fence=data["fence"]
            )
            return Answer(
                200,
                {
                    "ok": True,
                    "expires_at": clock.iso(claim.expires_at),
                    "fence": claim.fence,
                    "ttl_shortened": int(claim.shortened_from is not None),
                },
            )

        return respond(answer_once(self.call(), act))
