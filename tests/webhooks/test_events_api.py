"""``GET /events``."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from common import wakeups
from common.caller import Caller
from tests.webhooks.receiver import granted, record
from webhooks import selectors
from webhooks.models import Event, Trim
from webhooks.selectors import EventsTrimmed, events_after, events_of_request
from webhooks.types import EventType, NewEvent

pytestmark = [pytest.mark.django_db, pytest.mark.urls("webhooks.api.urls")]


def details(body):
    return [event["detail"].get("n") for event in body["events"]]


def test_it_shows_every_field(api, clock):
    request = uuid.uuid4()
    record(
        NewEvent(
            EventType.FILED,
            "",
            actor_engineer="bob",
            actor_session_id="s",
            request_id=request,
            detail={"n": 1},
        )
    )
    event = Event.objects.get()
    assert api.get("/events") == (
        200,
        {
            "events": [
                {
                    "seq": event.seq,
                    "id": str(event.uid),
                    "event_type": "filed",
                    "repo": None,
                    "actor_engineer": "bob",
                    "actor_session_id": "s",
                    "operator": None,
                    "claim_id": None,
                    "request_id": str(request),
                    "ticket_id": None,
                    "detail": {"n": 1},
                    "created_at": "2026-11-23T12:00:00Z",
                }
            ],
            "next_after": event.seq,
        },
    )


def test_it_goes_on_where_a_page_ended(api):
    record(*(granted(n=n) for n in range(5)))
    seen, after = [], 0
    for _ in range(3):
        _, body = api.get(f"/events?after={after}&limit=2")
        seen.append(details(body))
        after = body["next_after"]
    assert seen == [[0, 1], [2, 3], [4]]
    assert api.get(f"/events?after={after}")[1] == {"events": [], "next_after": after}


def test_it_filters_by_repository_and_type(api):
    numbers = record(
        granted("a", n=0),
        granted("b", n=1),
        granted("", n=2),
        NewEvent(EventType.FILED, "a", detail={"n": 3}),
    )
    assert details(api.get("/events?repo=a")[1]) == [0, 3]
    assert details(api.get("/events?repo=")[1]) == [2]
    assert details(api.get("/events?type=filed")[1]) == [3]
    assert details(api.get("/events?type=filed&type=claim_granted&repo=a")[1]) == [0, 3]
    # Hidden events are passed: the reader does not look at them again.
    assert api.get("/events?repo=b")[1]["next_after"] == numbers[-1]


def test_it_starts_at_the_end_for_latest(api):
    [*_, last] = record(granted(n=0), granted(n=1))
    assert api.get("/events?after=latest")[1] == {"events": [], "next_after": last}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=x", "after"),
        ("after=-1", "after"),
        ("after=99999999999999999999", "after"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("wait=61", "wait"),
        ("wait=nan", "wait"),
        ("type=nope", "type"),
        (f"repo={'x' * 256}", "repo"),
        ("repo=%00", "repo"),
    ],
)
def test_it_refuses_bad_input(api, query, field):
    code, body = api.get(f"/events?{query}")
    assert code == 422
    assert body["detail"][0]["loc"][:2] == ["query", field]


def test_it_says_that_events_are_gone(api):
    numbers = record(*(granted(n=n) for n in range(4)))
    Event.objects.filter(seq__lte=numbers[1]).delete()
    Trim.objects.create(seq=numbers[1])
    code, body = api.get(f"/events?after={numbers[0]}")
    assert (code, body["code"]) == (410, "gone")
    assert body["next"] == f"read the present state, then go on with after={numbers[1]}"
    assert details(api.get(f"/events?after={numbers[1]}")[1]) == [2, 3]
    assert details(api.get("/events")[1]) == [2, 3]
    Event.objects.all().delete()
    Trim.objects.update(seq=numbers[3])
    assert api.get("/events?after=latest")[1]["next_after"] == numbers[3]


def test_it_shows_a_limited_caller_its_repositories_only():
    record(granted("a", n=0), granted("b", n=1), granted("", n=2))
    caller = Caller(kind="personal", name="t", engineer="alice", repositories=frozenset({"a"}))
    page = events_after(None, repositories=caller.repositories)
    assert [event.detail["n"] for event in page.events] == [0]
    assert events_after(None, repositories=frozenset()).events == []
    with pytest.raises(selectors.Forbidden, match="repo: b is outside"):
        selectors.visible(caller, "b")


def test_it_finds_the_events_of_a_request():
    request = uuid.uuid4()
    record(
        NewEvent(EventType.FILED, "a", request_id=request),
        NewEvent(EventType.FILED, "a", request_id=uuid.uuid4()),
        NewEvent(EventType.RESPONDED, "a", request_id=request),
    )
    assert [event.event_type for event in events_of_request(str(request))] == ["filed", "responded"]


def test_it_refuses_without_a_token(client):
    assert client.get("/events").status_code == 401


def test_it_raises_events_trimmed_from_the_selector():
    Trim.objects.create(seq=7)
    with pytest.raises(EventsTrimmed):
        events_after(6)


@pytest.fixture
def unwrapped(settings):
    """No middleware that keeps a thread while a call is parked: the API is served without any."""
    settings.MIDDLEWARE = []


async def _get(path):
    response = await AsyncClient().get(path, headers={"Authorization": "Bearer test-token"})
    return response.json()


@pytest.mark.django_db(transaction=True)
async def test_it_waits_for_an_event(unwrapped):
    parked = asyncio.create_task(_get("/events?after=latest&wait=20&repo=org/app"))
    await _parked()
    await sync_to_async(record)(granted("other", n=0))
    await sync_to_async(record)(granted(n=1))
    assert details(await asyncio.wait_for(parked, 5)) == [1]


@pytest.mark.django_db(transaction=True)
async def test_it_answers_with_nothing_when_the_wait_is_over(unwrapped):
    start = time.monotonic()
    body = await _get("/events?wait=0.05")
    assert body == {"events": [], "next_after": 0}
    assert time.monotonic() - start < 5


@pytest.mark.django_db(transaction=True)
async def test_it_leaves_nothing_behind_when_the_client_goes(unwrapped):
    parked = asyncio.create_task(_get("/events?wait=20"))
    await _parked()
    parked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await parked
    assert wakeups._hub._bells == {}


async def _parked():
    async with asyncio.timeout(5):
        while not wakeups._hub._bells:
            await asyncio.sleep(0.001)
