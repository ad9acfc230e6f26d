"""What every model admin shares: rows that only services change, by actions that ask before they act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Max, Min, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from common.caller import Caller
from common.errors import CoordError

MOST_AT_ONCE = 500
"""Rows that one action may change."""
CONFIRMED = "confirmed"


class ReasonForm(forms.Form):
    """Why an operator overrides somebody; it is kept with the event."""

    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the event log beside your name.",
    )


class SureForm(forms.Form):
    """Nothing to fill in: the question alone."""


def operator_of(request: HttpRequest) -> Caller:
    """The signed-in operator, as services know callers."""
    return Caller(kind="admin", name=request.user.get_username(), operator=True)


@dataclass(frozen=True, slots=True)
class Question:
    """What the page between a click and the deed says; ``ends``: the deed takes something away."""

    action: str
    title: str
    question: str
    ends: bool


Work = Callable[..., Any]
Action = Callable[["ActingAdmin", HttpRequest, "QuerySet[Any]"], HttpResponse | None]


def act(
    label: str,
    *,
    question: str,
    form: type[forms.Form] = ReasonForm,
    one: bool = False,
    ends: bool = False,
) -> Callable[[Work], Action]:
    """Make an admin action of ``work(admin, request, row, **form's fields)``, asked about first.

    ``question`` stands above the rows; ``one`` limits the action to one row; ``ends`` marks the button of
    a deed that takes something away. ``work`` calls one service per row and may return a text for the
    operator; a refusal (:class:`CoordError`) of one row is shown and does not stop the others.
    """

    def wrap(work: Work) -> Action:
        def action(self: ActingAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            rows = list(queryset[: MOST_AT_ONCE + 1])
            if one and len(rows) != 1:
                self.message_user(request, f"{label}: choose one row.", messages.WARNING)
                return None
            if len(rows) > MOST_AT_ONCE:
                self.message_user(request, f"{label}: choose at most {MOST_AT_ONCE} rows.", messages.WARNING)
                return None
            bound = form(request.POST if CONFIRMED in request.POST else None)
            if not bound.is_valid():
                asked = Question(action.__name__, label, question, ends)
                return self.ask(request, asked, rows, bound)
            self.carry_out(request, label, work, rows, bound.cleaned_data)
            return None

        action.__name__ = work.__name__
        action.__doc__ = work.__doc__
        return admin.action(description=label, permissions=["act"])(action)

    return wrap


class ManyRows(QuerySet[Any]):
    """Rows of a long list: the date hierarchy looks each period up in an index instead of reading all."""

    def datetimes(self, field_name: str, kind: str, order: str = "ASC", tzinfo: Any = None) -> Any:
        """The starts of the years, months or days in which there are rows, oldest first."""
        ends = self.aggregate(first=Min(field_name), last=Max(field_name))
        found = []
        start = _start_of(ends["first"], kind) if ends["first"] else None
        while start is not None and start <= ends["last"]:
            after = _next(start, kind)
            if self.filter(**{f"{field_name}__gte": start, f"{field_name}__lt": after}).exists():
                found.append(start)
            start = after
        return found

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Django's. The hierarchy asks twice for the first and last moment: it is answered once, and of all
        rows each is looked up by itself, for an index knows it (asked for both, SQLite reads every row).
        """
        asked = repr((args, kwargs))
        answers: dict[str, dict[str, Any]] = self.__dict__.setdefault("_answers", {})
        if asked not in answers:
            alone = [{name: one} for name, one in kwargs.items()]
            parts = [kwargs] if args or self.query.where else alone
            answers[asked] = {}
            for part in parts:
                answers[asked] |= super().aggregate(*args, **part)
        return answers[asked]


def _start_of(moment: datetime, kind: str) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "day":
        return day
    return day.replace(day=1) if kind == "month" else day.replace(month=1, day=1)


def _next(start: datetime, kind: str) -> datetime:
    if kind == "day":
        return start + timedelta(days=1)
    return _start_of(start + timedelta(days=367 if kind == "year" else 32), kind)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable at run time
    """Rows that admin shows and never writes by itself."""

    change_form_template = "admin/acting/change_form.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows, as a long list."""
        rows = ManyRows(self.model)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    act_permission = "change"
    """The model permission that its actions need."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: rows change by actions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether the user may use the actions: Django's permission to change (or what the class names)."""
        label = f"{self.opts.app_label}.{self.act_permission}_{self.opts.model_name}"
        return request.user.has_perm(label)


class _Refused(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """A form that a service refused: what was typed, and why nothing came of it."""

    refusal: str

    def full_clean(self) -> None:
        """The form's own rules, then the refusal."""
        super().full_clean()
        if self.is_bound:
            self.add_error(None, self.refusal)


class SavingAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable at run time
    """Rows that are saved through a service, whose refusal is shown beside what was typed."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, with the refusal of what was just sent when there was one."""
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return type(form.__name__, (_Refused, form), {"refusal": refusal}) if refusal else form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The form; after a refusal the same form as it was sent, and the reason."""
        more = {"show_save_and_add_another": False, "show_save_and_continue": False, **(extra_context or {})}
        try:
            return super().changeform_view(request, object_id, form_url, more)
        except CoordError as error:
            text = f"Nothing was saved. {error.detail} {error.next or ''}"
            request.refusal = text.strip()  # type: ignore[attr-defined] # get_form reads it
            return super().changeform_view(request, object_id, form_url, more)


class ActingAdmin(ReadOnlyAdmin, SavingAdmin):
    """Rows that change by actions, each offered on the list and on the row's own page."""

    every_row = ""
    """The list's query under which every row is listed, for a list that has a filter by default."""
    nothing = "Nothing here yet."
    """What an empty list says."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The row's page, with its actions as buttons."""
        offered: Any = self.get_actions(request).values() if object_id else ()
        more = {
            "row_actions": [(name, text) for _, name, text in offered if name != "delete_selected"],
            "every_row": self.every_row,
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, more)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list."""
        more = {"nothing": self.nothing, **(extra_context or {})}
        return super().changelist_view(request, more)

    def ask(self, request: HttpRequest, asked: Question, rows: list[Model], form: forms.Form) -> HttpResponse:
        """The page between a click and the deed."""
        context = {
            **self.admin_site.each_context(request),
            "title": asked.title,
            "opts": self.opts,
            "asked": asked,
            "rows": rows,
            "form": form,
            "checkbox": ACTION_CHECKBOX_NAME,
            "confirmed": CONFIRMED,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/acting/confirm.html", context)

    def carry_out(
        self, request: HttpRequest, label: str, work: Work, rows: list[Any], fields: Mapping[str, Any]
    ) -> None:
        """Do it row by row and say what became of each."""
        done = 0
        for row in rows:
            try:
                said = work(self, request, row, **fields)
            except CoordError as error:
                text = f"{row}: {error.detail}" + (f" {error.next}" if error.next else "")
                self.message_user(request, text, messages.ERROR)
                continue
            done += 1
            if said:
                self.message_user(request, str(said), messages.INFO)
        if done:
            rows_word = "row" if done == 1 else "rows"
            self.message_user(request, f"{label}: {done} {rows_word}.", messages.SUCCESS)
