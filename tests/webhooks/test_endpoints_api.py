"""``/webhooks/endpoints``."""

from __future__ import annotations

import json
import uuid

import pytest

from common.caller import SYSTEM, Caller
from common.errors import Forbidden
from tests.webhooks.receiver import endpoint_for, granted, record
from webhooks import services
from webhooks.api import views
from webhooks.models import Delivery, Endpoint, Event, Trim
from webhooks.services.delivery import drain_endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.urls("webhooks.api.urls")]
URL = "https://example.org/hook"


def create(api, **fields):
    code, body = api.post("/webhooks/endpoints", {"url": URL, **fields})
    assert code == 201, body
    return body


def last_event():
    return Event.objects.latest("seq")


def test_it_shows_the_secret_once(api, clock):
    made = create(api, event_types=["filed", "claim_granted"], repositories=["b", "a", ""], note="ours")
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        "id": made["id"],
        "url": URL,
        "event_types": ["claim_granted", "filed"],
        "repositories": ["", "a", "b"],
        "paused": False,
        "note": "ours",
        "managed_by": None,
        "signed": True,
        "previous_secret_until": None,
        "created_at": "2026-11-23T12:00:00Z",
        "updated_at": "2026-11-23T12:00:00Z",
    }
    assert api.get("/webhooks/endpoints") == (200, {"endpoints": [made]})
    assert api.get(f"/webhooks/endpoints/{made['id']}") == (200, made)
    assert secret not in json.dumps([event.detail for event in Event.objects.all()])
    assert (last_event().event_type, last_event().operator) == ("endpoint_created", "shared-token")


def test_it_takes_a_secret_or_none(api):
    assert create(api, secret="0123456789abcdef")["secret"] == "0123456789abcdef"
    assert create(api, secret="")["signed"] is False
    code, body = api.post("/webhooks/endpoints", {"url": URL, "secret": "short"})
    assert (code, body["detail"][0]["loc"]) == (422, ["body", "secret"])


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://example.org", "not an http or https URL"),
        ("example.org/hook", "not an http or https URL"),
        ("https://", "not an http or https URL"),
        ("https://user:pw@example.org/", "holds a user name or password"),
        ("https://example.org:99999/", "Port out of range"),
        ("https://[::1/", "Invalid IPv6 URL"),
        ("https://exam ple.org/", "spaces or control characters"),
        ("http://127.0.0.1/", "leads to a private or loopback address"),
        ("http://[::ffff:10.0.0.1]/", "leads to a private or loopback address"),
        ("http://localhost:80/", "leads to a private or loopback address"),
    ],
)
def test_it_refuses_a_url_that_leads_nowhere_good(api, config, url, told):
    config(webhook_allow_private=False)
    code, body = api.post("/webhooks/endpoints", {"url": url})
    assert code == 400
    assert body["detail"].startswith("url: ")
    assert told in body["detail"]
    assert body["next"]
    assert not Endpoint.objects.exists()


def test_it_refuses_an_unknown_event_type(api):
    code, body = api.post("/webhooks/endpoints", {"url": URL, "event_types": ["claim_grantedd"]})
    assert code == 400
    assert body["detail"] == "event_types: 'claim_grantedd' is not an event type"
    assert "claim_granted" in body["next"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", None),
        ("url", 7 * ["x"]),
        ("url", "x" * 2001),
        ("repositories", "a"),
        ("repositories", ["x" * 256]),
        ("repositories", ["x"] * 201),
        ("paused", "perhaps"),
        ("note", "x" * 1001),
        ("note", "\x00"),
    ],
)
def test_it_refuses_bad_input(api, field, value):
    code, body = api.post("/webhooks/endpoints", {"url": URL, field: value})
    assert code == 422
    assert body["detail"][0]["loc"][:2] == ["body", field]


def test_it_changes_what_the_body_names(api):
    made = create(api, note="before")
    code, body = api.call("patch", f"/webhooks/endpoints/{made['id']}", {"paused": True, "note": "after"})
    assert (code, body["paused"], body["note"], body["url"]) == (200, True, "after", URL)
    assert last_event().event_type == "endpoint_edited"
    assert last_event().detail["changed"] == ["note", "paused"]
    before = Event.objects.count()
    api.call("patch", f"/webhooks/endpoints/{made['id']}", {"paused": True})
    assert Event.objects.count() == before


def test_it_deletes_an_endpoint_with_its_outbox(api):
    made = create(api, event_types=["claim_granted"])
    record(granted())
    assert api.delete(f"/webhooks/endpoints/{made['id']}")[0] == 204
    assert not Delivery.objects.exists()
    assert last_event().detail == {"endpoint_id": made["id"], "url": URL, "undelivered": 1}


def test_it_rotates_the_secret(api, clock):
    made = create(api)
    code, body = api.post(f"/webhooks/endpoints/{made['id']}/rotate", {"overlap_s": 60})
    assert code == 200
    assert body["secret"] not in ("", made["secret"])
    assert body["previous_secret_until"] == "2026-11-23T12:01:00Z"
    assert last_event().event_type == "endpoint_secret_rotated"
    assert "secret" not in api.get(f"/webhooks/endpoints/{made['id']}")[1]


def test_it_sends_a_test(api, receivers):
    receiver = receivers()
    made = create(api, url=receiver.url, event_types=["filed"], repositories=["a"])
    code, sent = api.post(f"/webhooks/endpoints/{made['id']}/test")
    assert (code, sent["status"], sent["event_type"], sent["kind"]) == (
        202,
        "pending",
        "endpoint_test",
        "test",
    )
    drain_endpoint(uuid.UUID(made["id"]))
    body = api.get(f"/webhooks/deliveries/{sent['id']}")[1]
    assert (body["status"], body["response_status"], body["response_excerpt"]) == ("delivered", 200, "ok")


def test_it_sends_a_test_to_no_other_endpoint(api):
    create(api)
    other = create(api)
    before = Delivery.objects.count()
    api.post(f"/webhooks/endpoints/{other['id']}/test")
    assert Delivery.objects.count() == before + 1


def test_it_replays_what_the_filters_let_through(api, receivers):
    numbers = record(granted("a", n=0), granted("b", n=1), granted("a", n=2), granted("a", n=3))
    receiver = receivers()
    endpoint = endpoint_for(receiver, event_types=["claim_granted"], repositories=["a"])
    path = f"/webhooks/endpoints/{endpoint.id}/replay"
    assert api.post(path, {"from_seq": numbers[1]}) == (202, {"queued": 2, "next_from_seq": None})
    assert api.post(path, {"from_seq": numbers[0]}) == (202, {"queued": 1, "next_from_seq": None})
    drain_endpoint(endpoint.id)
    sent = [json.loads(request.body)["detail"]["n"] for request in receiver.received]
    assert sent == [0, 2, 3]
    assert api.post(path, {"from_seq": numbers[3]})[1]["queued"] == 1
    drain_endpoint(endpoint.id)
    ids = [request.headers["X-Coord-Delivery-Id"] for request in receiver.received]
    assert len(set(ids)) == 4


def test_it_replays_in_portions(api, monkeypatch):
    monkeypatch.setattr(services.endpoints, "REPLAY_ROWS", 2)
    numbers = record(*(granted(n=n) for n in range(3)))
    made = create(api, event_types=["claim_granted"])
    path = f"/webhooks/endpoints/{made['id']}/replay"
    assert api.post(path, {"from_seq": 1})[1] == {"queued": 2, "next_from_seq": numbers[2]}
    assert api.post(path, {"from_seq": numbers[2]})[1] == {"queued": 1, "next_from_seq": None}


def test_it_replays_nothing_that_is_gone(api):
    made = create(api)
    Trim.objects.create(seq=5)
    code, body = api.post(f"/webhooks/endpoints/{made['id']}/replay", {"from_seq": 5})
    assert (code, body["code"]) == (410, "gone")


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("patch", ""), ("delete", ""), ("post", "/test"), ("post", "/rotate"), ("post", "/replay")],
)
def test_it_does_not_know_an_unknown_endpoint(api, method, path):
    body = {"from_seq": 1} if path == "/replay" else {}
    code, answer = (
        api.call(method, f"/webhooks/endpoints/{uuid.uuid4()}{path}", body)
        if method
        in (
            "post",
            "patch",
        )
        else api.call(method, f"/webhooks/endpoints/{uuid.uuid4()}{path}")
    )
    assert (code, answer["detail"]) == (404, "Endpoint not found")


def test_it_leaves_the_environments_endpoint_to_the_environment(api, config):
    config(webhook_url=URL)
    services.prepare()
    endpoint = Endpoint.objects.get()
    path = f"/webhooks/endpoints/{endpoint.id}"
    assert api.get(path)[1]["managed_by"] == "environment"
    for code, body in (
        api.call("patch", path, {"url": "https://example.com"}),
        api.delete(path),
        api.post(f"{path}/rotate"),
    ):
        assert code == 409
        assert "COORD_WEBHOOK_URL" in body["next"]
    assert api.call("patch", path, {"paused": True, "note": "x"})[0] == 200
    services.prepare()
    endpoint.refresh_from_db()
    assert (endpoint.paused, endpoint.note, endpoint.url) == (True, "x", URL)


def test_it_bounds_the_number_of_endpoints(api, monkeypatch):
    monkeypatch.setattr(services.endpoints, "MAX_ENDPOINTS", 1)
    create(api)
    code, body = api.post("/webhooks/endpoints", {"url": URL})
    assert (code, body["code"]) == (429, "too_many")


@pytest.mark.parametrize(
    "caller",
    [
        Caller(kind="personal", name="t", engineer="alice"),
        Caller(kind="personal", name="t", engineer="root", operator=True, repositories=frozenset({"a"})),
    ],
)
def test_it_is_for_operators_of_everything(caller):
    with pytest.raises(Forbidden):
        views._operator(caller)
    assert views._operator(SYSTEM) is SYSTEM


def test_it_refuses_without_a_token(client):
    for path in ("endpoints", "deliveries", f"endpoints/{uuid.uuid4()}", f"deliveries/{uuid.uuid4()}"):
        assert client.get(f"/webhooks/{path}").status_code == 401
