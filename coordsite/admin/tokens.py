"""Personal tokens in admin: make, rotate, revoke. A token is shown once, when it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest

from claims.names import BadRepo, fold_repo
from common.admin import ActingAdmin, SureForm, act, operator_of
from coordsite.models import Token
from coordsite.tokens.durations import WORDS, BadDuration, parse_duration
from coordsite.tokens.services import create_token, revoke_token, rotate_token


class DurationField(forms.CharField):
    """A length of time as people write it, as a ``timedelta``; empty is none."""

    def __init__(self, *, zero: bool = False, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 10, "help_text": f"{WORDS.capitalize()}.", **kwargs})
        self.zero = zero

    def clean(self, value: Any) -> Any:
        """The length."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_duration(text, zero=self.zero)
        except BadDuration as error:
            raise forms.ValidationError(str(error)) from error


class TokenForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """What a new token is for."""

    expires_in = DurationField(required=False, label="Expires in")
    repositories = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One per line; empty: every repository.",
    )

    class Meta:
        model = Token
        fields = ("engineer", "role", "repositories", "description")

    def clean_repositories(self) -> list[str]:
        """The lines, each in its one spelling."""
        lines = [line.strip() for line in self.cleaned_data["repositories"].splitlines() if line.strip()]
        try:
            return sorted({fold_repo(line) for line in lines})
        except BadRepo as error:
            raise forms.ValidationError(f"{error} Use owner/name.") from error


class RotateForm(SureForm):
    """How long the old token goes on working."""

    grace = DurationField(
        initial="24h", zero=True, help_text="How long the old one still works: 0h, 24h, 7d."
    )


@admin.register(Token)
class TokenAdmin(ActingAdmin):
    """Tokens by their first characters; nobody can read one again."""

    form = TokenForm
    list_display = (
        "prefix",
        "engineer",
        "role",
        "bound_to",
        "state",
        "last_used_at",
        "expires_at",
        "created_at",
    )
    list_filter = ("role",)
    search_fields = ("prefix", "engineer", "description", "=id")
    search_help_text = "First characters, engineer, description, or a whole id"
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    exclude = ("digest",)
    actions = ("rotate", "revoke")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operators."""
        return self.has_act_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form of a new one; the facts of an old one."""
        if obj is None:
            return ("engineer", "role", "repositories", "expires_in", "description")
        return (
            "prefix",
            "engineer",
            "role",
            "bound_to",
            "description",
            "state",
            "created_at",
            "created_by",
            "expires_at",
            "last_used_at",
            "revoked_at",
            "rotated_from",
            "rotation_grace_until",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All of an old one."""
        return self.get_fields(request, obj) if obj else ()

    @admin.display(description="Repositories")
    def bound_to(self, token: Token) -> str:
        """Where it works."""
        return ", ".join(token.repositories) or "every repository"

    @admin.display(description="State")
    def state(self, token: Token) -> str:
        """What has become of it."""
        return str(token.status().label)

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        """Through the service; the token is shown this once."""
        data = form.cleaned_data
        made = create_token(
            caller=operator_of(request),
            engineer=data["engineer"],
            role=data["role"],
            repositories=data["repositories"],
            description=data["description"],
            expires_in=data["expires_in"],
        )
        obj.pk, obj.prefix = made.token.pk, made.token.prefix
        self.message_user(request, _once(made.raw), messages.WARNING)

    @act("Rotate", question="Replace this token by a successor?", form=RotateForm, one=True)
    def rotate(self, request: HttpRequest, token: Token, *, grace: timedelta | None) -> str:
        """A successor, shown this once."""
        made = rotate_token(
            caller=operator_of(request), token_id=token.pk, grace=grace if grace is not None else timedelta(0)
        )
        return _once(made.raw)

    @act(
        "Revoke",
        question="End these tokens at once? Whoever uses one is locked out.",
        form=SureForm,
        ends=True,
    )
    def revoke(self, request: HttpRequest, token: Token) -> None:
        """It never works again."""
        revoke_token(caller=operator_of(request), token_id=token.pk)


def _once(raw: str) -> str:
    return f"The token, shown this once: {raw}"
