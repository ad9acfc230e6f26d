"""The ownership document's revisions and the contention log in admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from common.admin import ActingAdmin, ReadOnlyAdmin, act, operator_of
from ownership import documents, selectors
from ownership.documents import InvalidDocument
from ownership.models import Contention, Revision
from ownership.services import restore_revision, save_document


class DocumentForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """A new version of the document, edited from the one in force. ``seen`` is that one's entity tag."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    text = forms.CharField(
        label="owners.yaml",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false", "class": "document"}),
    )
    reason = forms.CharField(max_length=1000, help_text="Kept with the revision beside your name.")

    class Meta:
        model = Revision
        fields = ("text", "reason")

    def clean_text(self) -> str:
        """A valid document, with the line ends of files."""
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n")
        try:
            documents.parse(text)
        except InvalidDocument as error:
            raise forms.ValidationError(str(error)) from error
        return text

    def clean(self) -> dict[str, Any]:
        """Edited from the document in force, not from an older one."""
        data: dict[str, Any] = super().clean() or {}
        current = selectors.current_revision()
        if data.get("seen") != (current.etag if current else ""):
            raise forms.ValidationError(
                "Somebody else has changed the document meanwhile. Look at the list of revisions, then edit"
                " the newest."
            )
        return data


@admin.register(Revision)
class RevisionAdmin(ActingAdmin):
    """Every version of owners.yaml, newest first; the first row is in force."""

    form = DocumentForm
    change_form_template = "admin/ownership/revision/change_form.html"
    list_display = ("__str__", "author", "reason", "rules", "created_at")
    search_fields = ("author", "reason", "text")
    search_help_text = "Author, reason, or text of the document"
    date_hierarchy = "created_at"
    ordering = ("-id",)
    actions = ("compare", "restore")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the texts on the list."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return (
            rows
            if request.resolver_match and "object_id" in request.resolver_match.kwargs
            else rows.defer("text")
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Editing is adding a revision."""
        return self.has_act_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The editor for a new revision; the facts of an old one."""
        return ("author", "reason", "rules", "created_at", "digest") if obj else ("text", "reason", "seen")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The editor starts from the document in force."""
        current = selectors.current_revision()
        return {"text": current.text, "seen": current.etag} if current else {}

    def save_model(self, request: HttpRequest, obj: Revision, form: Any, change: bool) -> None:
        """Through the service, with the operator's name."""
        data = form.cleaned_data
        saved = save_document(
            text=data["text"],
            author=operator_of(request).name,
            reason=data["reason"],
            if_match=[data["seen"]] if data["seen"] else None,
        )
        obj.pk = saved.pk

    def response_add(
        self, request: HttpRequest, obj: Revision, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The new revision's page, with what it changed."""
        self.message_user(request, f"Revision {obj.pk} is in force.", messages.SUCCESS)
        return redirect("admin:ownership_revision_change", obj.pk)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """The editor."""
        more = {"title": "Edit owners.yaml", **(extra_context or {})}
        return super().add_view(request, form_url, more)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """A revision with its text and what it changed."""
        more: dict[str, Any] = dict(extra_context or {})
        revision = Revision.objects.filter(pk=object_id).first() if object_id else None
        if revision:
            more |= {
                "revision": revision,
                "diff": selectors.difference(revision.replaces, revision.pk),
                "in_force": selectors.current_revision() == revision,
            }
        return super().changeform_view(request, object_id, form_url, more)

    @admin.action(description="Compare", permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """The difference between two chosen revisions, or between one and the one in force."""
        found = set(queryset.values_list("pk", flat=True)[:3])
        current = selectors.current_revision()
        if len(found) == 1 and current is not None:
            found.add(current.pk)
        chosen = sorted(found)
        if len(chosen) != 2:
            text = "Compare: choose two revisions, or one that is not in force."
            self.message_user(request, text, messages.WARNING)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": f"Revision {chosen[0]} and revision {chosen[1]}",
            "opts": self.opts,
            "diff": selectors.difference(*chosen),
        }
        return TemplateResponse(request, "admin/ownership/revision/compare.html", context)

    @act("Restore", question="Put this revision's text in force again, as a new revision?", one=True)
    def restore(self, request: HttpRequest, revision: Revision, *, reason: str) -> str:
        """Make an old text the one in force."""
        made = restore_revision(revision_id=revision.pk, author=operator_of(request).name, reason=reason)
        return f"{revision} is in force again as revision {made.pk}."


@admin.register(Contention)
class ContentionAdmin(ReadOnlyAdmin):
    """Refused attempts: one row per item and holder, newest first."""

    list_display = (
        "pattern",
        "attempted_by",
        "holder_engineer",
        "holder_pattern",
        "repo",
        "resolution",
        "created_at",
    )
    list_filter = ("resolution",)
    search_fields = ("pattern", "attempted_by", "holder_engineer", "repo", "=claim_id")
    search_help_text = "Pattern, engineer, repository, or a whole claim id"
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
