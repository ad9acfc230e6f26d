"""Entry points of django-q2. Each may run twice, and in two clusters at once."""

from __future__ import annotations

from webhooks import services


def deliver(endpoints: list[str]) -> None:
    """Send the endpoints what is due."""
    services.deliver(endpoints)


def deliver_due() -> int:
    """Queue deliveries for what is due; how many."""
    return services.deliver_due()


def trim_events() -> int:
    """Remove events past their retention; how many."""
    return services.trim_events()
