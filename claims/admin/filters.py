"""The lists' filters that start from what is live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from claims.selectors.listing import live
from common import clock
from queueing.models import IN_LINE


class DefaultFilter(admin.SimpleListFilter):
    """A filter that starts with its first choice instead of everything; ``all`` lists everything."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The choices, the one in force marked."""
        chosen = self.chosen()
        name = str(self.parameter_name)
        for value, title in [*self.lookup_choices, ("all", "All")]:
            yield {
                "selected": chosen == value,
                "query_string": changelist.get_query_string({name: value}),
                "display": title,
            }

    def chosen(self) -> str:
        """The choice in force."""
        return str(self.value() or self.lookup_choices[0][0])


class LiveFilter(DefaultFilter):
    """Live claims, as long as nothing else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("live", "Live"), ("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen claims."""
        if self.chosen() == "live":
            return queryset.filter(live(clock.now()))
        return queryset.exclude(live(clock.now())) if self.chosen() == "ended" else queryset


class LineFilter(DefaultFilter):
    """Tickets that are in line, as long as nothing else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [
            ("line", "In line"),
            ("granted", "Granted"),
            ("expired", "Expired"),
            ("cancelled", "Cancelled"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen tickets."""
        if self.chosen() == "line":
            return queryset.filter(state__in=IN_LINE)
        return queryset if self.chosen() == "all" else queryset.filter(state=self.chosen())


class PendingFilter(DefaultFilter):
    """Release requests that nobody has answered, as long as nothing else is asked for."""

    title = "state"
    parameter_name = "answered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("pending", "Pending"), ("answered", "Answered or over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen requests."""
        if self.chosen() == "pending":
            return queryset.filter(decision="pending")
        return queryset.exclude(decision="pending") if self.chosen() == "answered" else queryset
