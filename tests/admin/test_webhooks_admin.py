"""Events, receivers and deliveries in admin."""

from __future__ import annotations

import csv
import io
import json

import pytest

from common import clock
from common.caller import SYSTEM
from webhooks.models import Delivery, Endpoint, Event
from webhooks.services import create_endpoint

pytestmark = pytest.mark.django_db
URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def endpoint(db):
    return create_endpoint(caller=SYSTEM, url=URL)


def export(desk, action):
    chosen = {"action": action, "_selected_action": list(Event.objects.values_list("pk", flat=True))}
    answer = desk.client.post("/admin/webhooks/event/", chosen)
    return b"".join(answer.streaming_content).decode()


def test_it_exports_events_for_spreadsheets(vera, api):
    api.claim("=cmd()", "a.py", repo="org/app")
    [row] = list(csv.DictReader(io.StringIO(export(vera, "export_csv"))))
    assert row["event_type"] == "claim_granted"
    assert row["actor_engineer"] == "'=cmd()"
    assert json.loads(row["detail"])["engineer"] == "=cmd()"


def test_it_exports_events_for_programs(vera, api, held):
    [line] = export(vera, "export_json").splitlines()
    event = Event.objects.get()
    told = json.loads(line)
    assert (told["seq"], told["event_type"], told["repo"]) == (event.seq, "claim_granted", "org/app")
    assert told["claim_id"] == held


def test_it_never_writes_events(olga, held):
    event = Event.objects.get()
    assert olga.status("webhooks/event/add/") == 403
    assert olga.status(f"webhooks/event/{event.pk}/delete/") == 403
    assert "event_type" in olga.page(f"webhooks/event/{event.pk}/change/").lower()


def test_it_adds_a_receiver_and_shows_its_secret_once(olga):
    said = olga.save(
        "webhooks/endpoint/add/", url=URL, event_types=["claim_granted"], repositories="a/b\nc/d"
    )
    endpoint = Endpoint.objects.get()
    assert (endpoint.url, endpoint.event_types) == (URL, ["claim_granted"])
    assert endpoint.repositories == ["a/b", "c/d"]
    assert any(endpoint.secret in text for text in said)
    assert endpoint.secret not in olga.page(f"webhooks/endpoint/{endpoint.pk}/change/")
    assert Event.objects.get(event_type="endpoint_created").operator == "olga"


def test_it_refuses_an_address_that_is_none(olga):
    answer = olga.client.post("/admin/webhooks/endpoint/add/", {"url": "ftp://x", "repositories": ""})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Endpoint.objects.exists()


def test_it_edits_a_receiver(olga, endpoint):
    olga.save(f"webhooks/endpoint/{endpoint.pk}/change/", url=URL, paused="on", repositories="", note="later")
    endpoint.refresh_from_db()
    assert (endpoint.paused, endpoint.note) == (True, "later")
    assert Event.objects.get(event_type="endpoint_edited").operator == "olga"


def test_it_leaves_a_receiver_of_everything_as_it_is(olga, endpoint):
    page = olga.client.get(f"/admin/webhooks/endpoint/{endpoint.pk}/change/")
    form = page.context["adminform"].form
    sent = {name: form[name].value() or "" for name in ("url", "repositories", "note")}
    olga.save(f"webhooks/endpoint/{endpoint.pk}/change/", **sent)
    endpoint.refresh_from_db()
    assert (endpoint.repositories, endpoint.event_types) == ([], [])


def test_it_sends_a_test_event(olga, endpoint):
    said = olga.act("webhooks/endpoint", "test", endpoint.pk)
    delivery = Delivery.objects.get(kind="test")
    assert str(delivery.pk) in said[0]


def test_it_replays_from_an_event(olga, api, endpoint):
    api.claim("alice", "a.py")
    first = Event.objects.filter(event_type="claim_granted").get()
    Delivery.objects.all().delete()
    olga.act("webhooks/endpoint", "replay", endpoint.pk, from_seq=first.seq)
    assert Delivery.objects.filter(kind="replay").earliest("event_id").event_id == first.seq


def test_it_rotates_the_secret_and_shows_it_once(olga, endpoint):
    before = endpoint.secret
    said = olga.act("webhooks/endpoint", "rotate", endpoint.pk)
    endpoint.refresh_from_db()
    assert endpoint.secret != before
    assert endpoint.previous_secret == before
    assert endpoint.secret in said[0]


def test_it_retries_what_was_given_up(olga, api, endpoint):
    api.claim("alice", "a.py")
    Delivery.objects.update(status="exhausted", retry_count=5, last_error="HTTP 500")
    row = Delivery.objects.filter(event__event_type="claim_granted").get()
    before = Delivery.objects.count()
    olga.act("webhooks/delivery", "retry", row.pk)
    row.refresh_from_db()
    assert (row.status, row.retry_count) == ("pending", 0)
    assert row.next_attempt_at <= clock.now()
    assert Delivery.objects.filter(status="exhausted").count() == before - 1
    event = Event.objects.get(event_type="operator_action")
    told = {"action": "deliveries_retried", "count": 1, "endpoint_ids": [str(endpoint.pk)]}
    assert (event.operator, event.detail) == ("olga", told | {"statuses": ["failed", "exhausted"]})


def test_it_purges_what_is_finished_of_one_receiver(olga, api, endpoint):
    other = create_endpoint(caller=SYSTEM, url=URL + "/2")
    api.claim("alice", "a.py")
    Delivery.objects.update(status="delivered")
    olga.act("webhooks/endpoint", "purge", endpoint.pk)
    event = Event.objects.get(event_type="operator_action")
    assert (event.operator, event.detail["action"]) == ("olga", "deliveries_purged")
    left = Delivery.objects.exclude(event_id=event.seq)
    assert set(left.values_list("endpoint_id", flat=True)) == {other.pk}


def test_it_removes_a_receiver(olga, endpoint):
    olga.act("webhooks/endpoint", "remove", endpoint.pk)
    assert not Endpoint.objects.exists()
    assert Event.objects.get(event_type="endpoint_deleted").operator == "olga"


def test_it_lets_a_viewer_look_and_nothing_else(vera, endpoint):
    assert URL in vera.page("webhooks/endpoint/")
    assert vera.status("webhooks/endpoint/add/") == 403
    assert "row-actions" not in vera.page(f"webhooks/endpoint/{endpoint.pk}/change/")
