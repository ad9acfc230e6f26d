"""``GET /webhooks/deliveries``."""

from __future__ import annotations

import pytest

from tests.webhooks.receiver import endpoint_for, granted, record, status
from webhooks.models import Delivery
from webhooks.services.delivery import drain_endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.urls("webhooks.api.urls")]


@pytest.fixture
def sent(receivers, clock):
    endpoint = endpoint_for(receivers(status(200), status(503, b"later")), event_types=["claim_granted"])
    numbers = record(*(granted(n=n) for n in range(5)))
    drain_endpoint(endpoint.id)
    return endpoint, numbers


def test_it_shows_every_field(api, sent):
    endpoint, numbers = sent
    row = Delivery.objects.get(event_id=numbers[1])
    assert api.get("/webhooks/deliveries?status=failed") == (
        200,
        {
            "deliveries": [
                {
                    "id": str(row.id),
                    "endpoint_id": str(endpoint.id),
                    "kind": "event",
                    "event_seq": numbers[1],
                    "event_type": "claim_granted",
                    "status": "failed",
                    "retry_count": 1,
                    "next_attempt_at": "2026-11-23T12:01:00Z",
                    "last_attempt_at": "2026-11-23T12:00:00Z",
                    "last_error": "HTTP 503",
                    "response_status": 503,
                    "response_excerpt": "later",
                    "created_at": "2026-11-23T12:00:00Z",
                    "delivered_at": None,
                }
            ],
            "next_cursor": None,
        },
    )


def test_it_pages_from_the_newest(api, sent):
    _, numbers = sent
    seen, cursor = [], ""
    for _ in range(3):
        _, body = api.get(f"/webhooks/deliveries?limit=2{cursor}")
        seen.append([row["event_seq"] for row in body["deliveries"]])
        cursor = f"&cursor={body['next_cursor']}"
    assert seen == [numbers[:2:-1], numbers[2:0:-1], numbers[:1]]
    assert body["next_cursor"] is None


def test_it_filters(api, sent):
    endpoint, numbers = sent

    def found(query):
        return [row["event_seq"] for row in api.get(f"/webhooks/deliveries?{query}")[1]["deliveries"]]

    assert found("status=delivered") == numbers[:1]
    assert found(f"endpoint={endpoint.id}&event_type=claim_granted") == numbers[::-1]
    assert found("event_type=filed") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=x", "cursor"),
        ("cursor=1.x", "cursor"),
        ("cursor=x.0b1b1b1b-0000-4000-8000-000000000000", "cursor"),
        ("endpoint=1", "endpoint"),
        ("status=done", "status"),
        ("limit=0", "limit"),
    ],
)
def test_it_refuses_bad_input(api, query, field):
    code, body = api.get(f"/webhooks/deliveries?{query}")
    assert code == 422
    assert body["detail"][0]["loc"] == ["query", field]


def test_it_does_not_know_an_unknown_delivery(api):
    code, body = api.get("/webhooks/deliveries/0b1b1b1b-0000-4000-8000-000000000000")
    assert (code, body["detail"]) == (404, "Delivery not found")
