"""Recording events."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction

from webhooks.models import Event
from webhooks.services import record
from webhooks.types import EventType, NewEvent

pytestmark = pytest.mark.django_db


def granted(**fields):
    return NewEvent(EventType.CLAIM_GRANTED, fields.pop("repo", "org/app"), **fields)


def test_it_writes_every_field():
    claim, request, ticket = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    [seq] = record(
        NewEvent(
            EventType.QUEUE_GRANT,
            "org/app",
            actor_engineer="alice",
            actor_session_id="s1",
            operator="root",
            claim_id=claim,
            request_id=str(request),
            ticket_id=ticket,
            detail={"pattern": "src/ä.py", "n": [1, None]},
        )
    )
    event = Event.objects.get(seq=seq)
    assert (event.event_type, event.repo, event.operator) == ("queue_grant", "org/app", "root")
    assert (event.actor_engineer, event.actor_session_id) == ("alice", "s1")
    assert (event.claim_id, event.request_id, event.ticket_id) == (claim, request, ticket)
    assert event.detail == {"pattern": "src/ä.py", "n": [1, None]}


def test_it_numbers_events_in_the_order_given():
    numbers = record(*(granted(detail={"n": n}) for n in range(2500)))
    assert numbers == sorted(numbers)
    assert [event.detail["n"] for event in Event.objects.filter(seq__in=numbers[:5])] == [0, 1, 2, 3, 4]
    assert Event.objects.count() == 2500


def test_it_takes_one_query_without_receivers(django_assert_num_queries):
    with django_assert_num_queries(1):
        record(granted(), granted(repo=""), granted(repo="other"))


def test_it_writes_nothing_for_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert record() == []


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_run_outside_a_transaction():
    with pytest.raises(RuntimeError, match="inside the transaction"):
        record(granted())
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_leaves_with_the_transaction_it_came_with():
    with transaction.atomic():
        record(granted())
        transaction.set_rollback(True)
    assert not Event.objects.exists()
