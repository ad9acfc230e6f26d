"""Repositories: their checkout, case mode and limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from claims import checkout
from claims.models import Claim, Repository
from claims.names import BadRepo, fold_repo
from claims.selectors.listing import live
from claims.services.repositories import SETTINGS, edit_repository
from common import clock
from common.admin import SavingAdmin, operator_of


class RepositoryForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """The settings, checked as a person would check them."""

    class Meta:
        model = Repository
        fields = ("name", *SETTINGS)

    def clean_name(self) -> str:
        """The name in its one spelling."""
        try:
            return fold_repo(self.cleaned_data["name"])
        except BadRepo as error:
            raise forms.ValidationError(f"{error} Use owner/name.") from error

    def clean_checkout_path(self) -> str:
        """Empty, or an absolute path to a directory that git can list."""
        path = str(self.cleaned_data["checkout_path"])
        if not path:
            return ""
        if not Path(path).is_absolute():
            raise forms.ValidationError("Give the absolute path of a directory.")
        problem = checkout.read(path).problem if Path(path).is_dir() else "there is no such directory"
        if problem:
            raise forms.ValidationError(f"Not a checkout that this machine can read: {problem}")
        return path

    def clean_max_claim_ratio(self) -> float | None:
        """Empty, or a share."""
        ratio: float | None = self.cleaned_data["max_claim_ratio"]
        if ratio is not None and not 0 <= ratio <= 1:
            raise forms.ValidationError("Give a share from 0 to 1.")
        return ratio


@admin.register(Repository)
class RepositoryAdmin(SavingAdmin):
    """One row per repository that anybody ever claimed in."""

    form = RepositoryForm
    list_display = ("__str__", "live_claims", "case_insensitive", "checkout_path", "created_at")
    search_fields = ("name", "checkout_path")
    list_filter = ("case_insensitive",)
    ordering = ("name",)
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of live claims."""
        here = Claim.objects.filter(live(clock.now()), repository=OuterRef("pk")).order_by()
        held = here.values("repository").annotate(held=Count("pk")).values("held")
        rows: QuerySet[Any] = super().get_queryset(request)
        return cast("QuerySet[Any]", rows.annotate(held=Coalesce(Subquery(held), 0)))

    @admin.display(description="Live claims", ordering="held")
    def live_claims(self, repository: Any) -> int:
        """How many are held in it now."""
        return int(repository.held)

    def get_fields(self, request: HttpRequest, obj: Repository | None = None) -> tuple[str, ...]:
        """The name first."""
        return ("name", *SETTINGS, "created_at") if obj else ("name", *SETTINGS)

    def get_readonly_fields(self, request: HttpRequest, obj: Repository | None = None) -> tuple[str, ...]:
        """A name stays what it is: claims, tickets and events speak of it."""
        return ("name", "created_at") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: the counter of its fences lives here."""
        return False

    def save_model(self, request: HttpRequest, obj: Repository, form: Any, change: bool) -> None:
        """Through the service, with the operator's name."""
        changes = {key: form.cleaned_data[key] for key in SETTINGS if key in form.cleaned_data}
        saved = edit_repository(obj.name, operator_of(request), changes)
        obj.pk, obj.created_at = saved.pk, saved.created_at
