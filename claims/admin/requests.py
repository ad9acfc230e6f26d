"""Release requests: answer one in the holder's place."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from claims.admin.filters import PendingFilter
from claims.models import ReleaseRequest
from claims.services.requests import ANSWERS, Answer, respond
from common.admin import ActingAdmin, act, operator_of
from common.errors import Conflict

MEANINGS = {
    "approved": "Approved: the holder gives it up",
    "denied": "Denied: the holder keeps it",
    "narrowed": "Narrowed: the holder keeps a part",
    "coexist": "Coexist: both hold a part together",
}


class AnswerForm(forms.Form):
    """An answer in the holder's place."""

    decision = forms.ChoiceField(choices=[(one, MEANINGS[one]) for one in ANSWERS])
    narrowed_pattern = forms.CharField(
        max_length=1024,
        required=False,
        label="The holder keeps",
        help_text="Only for narrowed: a pattern inside the holder's.",
    )
    coexist_pattern = forms.CharField(
        max_length=1024,
        required=False,
        label="Both work in",
        help_text="Only for coexist: a pattern inside the holder's.",
    )
    note = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Reason",
        help_text="Shown to both parties and kept in the event log beside your name.",
    )

    def clean(self) -> dict[str, Any]:
        """Each decision with the pattern that it needs."""
        data: dict[str, Any] = super().clean() or {}
        for name in ("narrowed", "coexist"):
            if data.get("decision") == name and not data.get(f"{name}_pattern"):
                self.add_error(f"{name}_pattern", f"{name} needs a pattern inside the holder's.")
        return data


@admin.register(ReleaseRequest)
class ReleaseRequestAdmin(ActingAdmin):
    """Those that wait for an answer first."""

    every_row = "?answered=all"
    nothing = "No request waits for an answer."
    list_display = (
        "requested_pattern",
        "requester_engineer",
        "holder",
        "urgency",
        "decision",
        "shortened_expires_at",
        "created_at",
    )
    list_filter = (PendingFilter, "decision", "urgency")
    list_select_related = ("claim__repository",)
    search_fields = ("requested_pattern", "requester_engineer", "claim__engineer", "=id", "=claim__id")
    search_help_text = "Pattern, requester, holder, or a whole request or claim id"
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    raw_id_fields = ("claim",)
    actions = ("answer",)

    @admin.display(description="Holder", ordering="claim__engineer")
    def holder(self, request: ReleaseRequest) -> str:
        """Who is asked."""
        return request.claim.engineer

    @act("Answer", question="Answer in the holder's place?", form=AnswerForm)
    def answer(
        self,
        http: HttpRequest,
        request: ReleaseRequest,
        *,
        decision: str,
        narrowed_pattern: str,
        coexist_pattern: str,
        note: str,
    ) -> None:
        """Decide for the holder."""
        if request.decision != ReleaseRequest.Decision.PENDING:
            raise Conflict("The request was answered already.")
        answer = Answer(
            decision=decision,
            note=note,
            narrowed_pattern=narrowed_pattern or None,
            coexist_pattern=coexist_pattern or None,
        )
        respond(request.id, answer, operator_of(http))
