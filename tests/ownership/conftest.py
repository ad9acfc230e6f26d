"""Fixtures for documents, refused attempts and events."""

from __future__ import annotations

import uuid

import pytest

from ownership.models import Revision
from ownership.services import Attempt, log_contention, save_document
from webhooks.models import Event

RULES = "modules:\n  a: {paths: ['src/auth/**'], severity: hard}\n"


def stored():
    """The text in force."""
    newest = Revision.objects.order_by("-id").first()
    return newest.text if newest else None


def told(kind):
    """Details of the events of one type, in order."""
    return [event.detail for event in Event.objects.filter(event_type=kind).order_by("seq")]


@pytest.fixture
def document(db):
    """Put a document in force: ``document("modules: …")``."""

    def save(text=RULES, author="alice", **given):
        return save_document(text=text, author=author, **given)

    return save


@pytest.fixture
def refused(db):
    """Log refused requests: ``refused("hot/a.py", times=3, by="alice", repo="org/app", holders=1)``."""

    def log(*patterns, times=1, by="alice", repo="org/app", holders=1):
        for _ in range(times):
            uid = str(uuid.uuid4())
            log_contention(
                [
                    Attempt(uid, repo, pattern, by, None, str(uuid.uuid4()), f"holder{n}", pattern)
                    for pattern in patterns
                    for n in range(holders)
                ]
            )

    return log
