"""Claims: look at one's whole story; release, extend, hand over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.timesince import timeuntil

from claims.admin.filters import LiveFilter
from claims.api.serializers import LEAST_HOURS, MOST_HOURS
from claims.models import Claim
from claims.selectors.story import story_of
from claims.services.leases import extend_claim
from claims.services.releasing import release_claims
from claims.services.transferring import transfer_claim
from common import clock
from common.admin import ActingAdmin, ReasonForm, act, operator_of
from common.errors import Conflict


class ExtendForm(ReasonForm):
    """How long from now, and why."""

    hours = forms.FloatField(
        min_value=LEAST_HOURS, max_value=MOST_HOURS, initial=2, help_text="From now, in hours."
    )
    field_order = ("hours", "reason")


class TransferForm(ReasonForm):
    """Who holds the scope from now on, and why."""

    engineer = forms.CharField(max_length=200, help_text="Who holds the scope from now on.")
    session_id = forms.CharField(
        max_length=200, required=False, label="Session", help_text="The agent process; empty: any of theirs."
    )
    field_order = ("engineer", "session_id", "reason")


@admin.register(Claim)
class ClaimAdmin(ActingAdmin):
    """Live claims first; every change goes through the services and names the operator."""

    change_form_template = "admin/claims/claim/change_form.html"
    every_row = "?state=all"
    nothing = "Nobody holds anything."
    list_display = (
        "pattern",
        "engineer",
        "repository",
        "scope_type",
        "severity",
        "fence",
        "lease",
        "created_at",
    )
    list_filter = (LiveFilter, "scope_type", "claim_type", "severity", "end_reason")
    list_select_related = ("repository",)
    search_fields = ("pattern", "engineer", "=session_id", "=id", "repository__name", "branch")
    search_help_text = "Pattern, engineer, branch, repository, or a whole session or claim id"
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    actions = ("release", "extend", "transfer")
    exclude = ("prefix", "tail")

    @admin.display(description="Lease", ordering="expires_at")
    def lease(self, claim: Claim) -> str:
        """Time left, or how the claim ended."""
        if claim.released_at is not None:
            return claim.get_end_reason_display()
        now = clock.now()
        return f"{timeuntil(claim.expires_at, now, depth=1)} left" if claim.expires_at > now else "ran out"

    @act("Release", question="Release these claims? Their holders hear that they lost the lease.", ends=True)
    def release(self, request: HttpRequest, claim: Claim, *, reason: str) -> None:
        """End the claim and serve the line."""
        if not release_claims([claim.id], operator_of(request), reason=reason):
            raise Conflict("The claim has ended already.")

    @act("Extend", question="Give these claims a new lease?", form=ExtendForm)
    def extend(self, request: HttpRequest, claim: Claim, *, hours: float, reason: str) -> None:
        """Set the lease to so many hours from now."""
        extend_claim(claim.id, operator_of(request), engineer=claim.engineer, ttl_hours=hours, reason=reason)

    @act(
        "Transfer",
        question="Hand these claims to somebody else? Their holders lose them, with a new fence.",
        form=TransferForm,
    )
    def transfer(
        self, request: HttpRequest, claim: Claim, *, engineer: str, session_id: str, reason: str
    ) -> None:
        """Let another engineer hold the scope."""
        transfer_claim(
            claim.id,
            operator_of(request),
            engineer=engineer.strip(),
            session_id=session_id.strip() or None,
            reason=reason,
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The claim's page with its whole story."""
        story = story_of(object_id) if object_id else None
        return super().changeform_view(
            request, object_id, form_url, {"story": story, **(extra_context or {})}
        )
