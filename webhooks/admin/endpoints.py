"""Receivers and their deliveries: add, edit, test, replay, retry, purge."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest

from common.admin import ActingAdmin, SureForm, act, operator_of
from common.errors import Conflict, Invalid
from webhooks.addresses import check_url
from webhooks.models import OPEN_STATES, Delivery, Endpoint
from webhooks.services import (
    create_endpoint,
    delete_endpoint,
    edit_endpoint,
    purge_deliveries,
    replay_events,
    retry_deliveries,
    rotate_secret,
    send_test_event,
)
from webhooks.types import EventType

ENDED = ("delivered", "exhausted")


class ReplayForm(forms.Form):
    """From where on."""

    from_seq = forms.IntegerField(min_value=1, label="From event number", help_text="Inclusive.")


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """A receiver as an operator describes it."""

    event_types = forms.MultipleChoiceField(
        choices=[(kind.value, kind.value) for kind in EventType],
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "boxes"}),
        help_text="None chosen: every type.",
    )
    repositories = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One per line; empty: every repository.",
    )

    class Meta:
        model = Endpoint
        fields = ("url", "event_types", "repositories", "paused", "note")
        labels: ClassVar = {"url": "URL"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "repositories" in self.fields:
            self.initial["repositories"] = "\n".join(self.instance.repositories or ())

    def clean_url(self) -> str:
        """An address that deliveries can go to."""
        url = str(self.cleaned_data["url"])
        try:
            check_url(url, allow_private=settings.COORD.webhook_allow_private)
        except Invalid as error:
            raise forms.ValidationError(error.detail) from error
        return url

    def clean_repositories(self) -> list[str]:
        """The lines."""
        return [line.strip() for line in self.cleaned_data["repositories"].splitlines() if line.strip()]


@admin.register(Endpoint)
class EndpointAdmin(ActingAdmin):
    """Receivers, without their secrets."""

    form = EndpointForm
    list_display = ("url", "paused", "managed_by", "note", "created_at")
    list_filter = ("paused",)
    search_fields = ("url", "note")
    ordering = ("created_at",)
    nothing = "No receiver gets events."
    actions = ("test", "replay", "rotate", "purge", "remove")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operators."""
        return self.has_act_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators; the environment's receiver is the environment's."""
        return self.has_act_permission(request) and not (obj and obj.managed_by)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Never a secret."""
        known = ("url", "event_types", "repositories", "paused", "note")
        return (*known, "managed_by", "created_at", "updated_at") if obj else known

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What nobody edits."""
        return ("managed_by", "created_at", "updated_at")

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        """Through the services, with the operator's name; a new secret is shown this once."""
        data = {name: form.cleaned_data[name] for name in EndpointForm.Meta.fields}
        caller = operator_of(request)
        if change:
            edit_endpoint(caller=caller, endpoint_id=obj.pk, **data)
            return
        made = create_endpoint(caller=caller, **data)
        obj.pk = made.pk
        self.message_user(request, _once(made.secret), messages.WARNING)

    @act("Send a test event", question="Send these receivers a test event?", form=SureForm)
    def test(self, request: HttpRequest, endpoint: Endpoint) -> str:
        """One event, at once, past filters and pause."""
        delivery = send_test_event(caller=operator_of(request), endpoint_id=endpoint.pk)
        return f"Delivery {delivery.pk} is on its way to {endpoint.url}."

    @act("Replay", question="Send again what these receivers should have got?", form=ReplayForm)
    def replay(self, request: HttpRequest, endpoint: Endpoint, *, from_seq: int) -> str:
        """Events from a number on."""
        count, more = replay_events(caller=operator_of(request), endpoint_id=endpoint.pk, from_seq=from_seq)
        rest = f" Go on from event {more}." if more else ""
        return f"{count} events are on their way to {endpoint.url}.{rest}"

    @act(
        "Rotate secret",
        question="Give this receiver a new secret? The old one signs too for a day.",
        form=SureForm,
        one=True,
    )
    def rotate(self, request: HttpRequest, endpoint: Endpoint) -> str:
        """A new secret, shown this once."""
        return _once(rotate_secret(caller=operator_of(request), endpoint_id=endpoint.pk).secret)

    @act(
        "Purge",
        question="Delete the finished deliveries of these receivers? Events stay.",
        form=SureForm,
        ends=True,
    )
    def purge(self, request: HttpRequest, endpoint: Endpoint) -> str:
        """Delivered and exhausted rows."""
        count = purge_deliveries(caller=operator_of(request), statuses=ENDED, endpoint_id=endpoint.pk)
        return f"{count} deliveries to {endpoint.url} are deleted."

    @act(
        "Delete",
        question="Delete these receivers and what they have not received yet?",
        form=SureForm,
        ends=True,
    )
    def remove(self, request: HttpRequest, endpoint: Endpoint) -> None:
        """The receiver with its outbox."""
        delete_endpoint(caller=operator_of(request), endpoint_id=endpoint.pk)


@admin.register(Delivery)
class DeliveryAdmin(ActingAdmin):
    """The outbox, newest first."""

    list_display = (
        "event",
        "endpoint",
        "kind",
        "status",
        "retry_count",
        "last_error",
        "next_attempt_at",
        "created_at",
    )
    list_filter = ("status", "kind", "endpoint")
    list_select_related = ("event", "endpoint")
    search_fields = ("=id", "endpoint__url", "event__event_type", "last_error")
    search_help_text = "Address, event type, error, or a whole delivery id"
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    raw_id_fields = ("event",)
    nothing = "Nothing was sent: no receiver, or no event that one wants."
    actions = ("retry",)

    @act("Retry", question="Send these again, now and with all attempts?", form=SureForm)
    def retry(self, request: HttpRequest, delivery: Delivery) -> None:
        """Failed or exhausted ones become pending."""
        given_up = ("failed", "exhausted")
        if not retry_deliveries(caller=operator_of(request), statuses=given_up, ids=[delivery.pk]):
            state = "is waiting to be sent" if delivery.status in OPEN_STATES else "was delivered"
            raise Conflict(f"It {state}.")


def _once(secret: str) -> str:
    return f"The signing secret, shown this once: {secret}"
