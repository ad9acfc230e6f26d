"""Delivery to real receivers, with faults."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import subprocess
import uuid
from datetime import timedelta

import pytest
from pydantic import SecretStr

from common.caller import SYSTEM
from tests.webhooks.receiver import drip, endpoint_for, granted, hang, record, reset, status
from webhooks import sending, services
from webhooks.models import Delivery, Endpoint, Event
from webhooks.services.delivery import drain_endpoint
from webhooks.types import EventType, NewEvent

pytestmark = pytest.mark.django_db


def outbox():
    return list(Delivery.objects.exclude(event__event_type__startswith="endpoint_").select_related("event"))


def one():
    [row] = outbox()
    return row


@pytest.fixture
def quiet(receivers):
    """A receiver and its endpoint, for claims only."""

    def make(*script, **fields):
        receiver = receivers(*script)
        return receiver, endpoint_for(receiver, event_types=["claim_granted"], **fields)

    return make


def test_it_posts_the_event(quiet, clock):
    receiver, endpoint = quiet()
    detail = {"session_id": "SA", "claim_ids": ["c"], "engineer": "A", "repo": "w"}
    [seq] = record(NewEvent(EventType.CLAIM_GRANTED, "w", detail=detail))
    assert drain_endpoint(endpoint.id) == 1
    [request] = receiver.received
    assert request.body == (
        b'{"detail": {"claim_ids": ["c"], "engineer": "A", "repo": "w", "session_id": "SA"}, '
        b'"event_type": "claim_granted", "timestamp": "2026-11-23T12:00:00Z"}'
    )
    row = one()
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Coord-Event-Type"] == "claim_granted"
    assert request.headers["X-Coord-Event-Seq"] == str(seq)
    assert request.headers["X-Coord-Event-Id"] == str(Event.objects.get(seq=seq).uid)
    assert request.headers["X-Coord-Delivery-Id"] == str(row.id)
    assert (row.status, row.response_status, row.response_excerpt) == ("delivered", 200, "ok")
    assert row.delivered_at == clock.time
    assert (row.lease_owner, row.leased_until, row.last_error) == ("", None, None)


def test_it_signs_the_body_and_the_timestamp(quiet, clock):
    receiver, endpoint = quiet()
    record(granted())
    drain_endpoint(endpoint.id)
    [request] = receiver.received
    key = endpoint.secret.encode()
    stamp = str(int(clock.time.timestamp()))
    assert request.headers["X-Coord-Signature"] == hmac.new(key, request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Coord-Timestamp"] == stamp
    stamped = hmac.new(key, stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Coord-Signature-Timestamped"] == f"v1={stamped}"
    assert "X-Coord-Signature-Previous" not in request.headers


def test_it_sends_no_signature_without_a_secret(quiet):
    receiver, endpoint = quiet(secret="")
    record(granted())
    drain_endpoint(endpoint.id)
    [request] = receiver.received
    assert not [name for name in request.headers if name.startswith("X-Coord-Signature")]


def test_it_signs_with_both_secrets_while_a_rotation_overlaps(quiet, clock):
    receiver, endpoint = quiet()
    old = endpoint.secret
    new = services.rotate_secret(caller=SYSTEM, endpoint_id=endpoint.id, overlap_s=60).secret
    record(granted())
    drain_endpoint(endpoint.id)
    clock.advance(61)
    record(granted())
    drain_endpoint(endpoint.id)
    during, after = receiver.received

    def signed(secret, request):
        return hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()

    assert old != new
    assert during.headers["X-Coord-Signature"] == signed(new, during)
    assert during.headers["X-Coord-Signature-Previous"] == signed(old, during)
    assert during.headers["X-Coord-Signature-Timestamped"].count("v1=") == 2
    assert after.headers["X-Coord-Signature"] == signed(new, after)
    assert "X-Coord-Signature-Previous" not in after.headers


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (status(500, b"boom"), "HTTP 500", 500),
        (status(404), "HTTP 404", 404),
        (status(302, b"", Location="http://127.0.0.1:1/"), "HTTP 302", 302),
        (reset, "Read", None),
        (hang, "Timeout: no answer within 1 s", None),
        (drip, "Timeout: no answer within 1 s", None),
    ],
)
def test_it_notes_a_failure_and_tries_again_later(quick, quiet, clock, answer, error, code):
    receiver, endpoint = quiet(answer)
    record(granted())
    assert drain_endpoint(endpoint.id) == 1
    row = one()
    assert (row.status, row.retry_count, row.response_status) == ("failed", 1, code)
    assert row.last_error.startswith(error)
    assert row.next_attempt_at == clock.time + timedelta(seconds=60)
    assert drain_endpoint(endpoint.id) == 0
    clock.advance(60)
    assert drain_endpoint(endpoint.id) == 1
    first, second = receiver.received
    assert first.headers["X-Coord-Delivery-Id"] == second.headers["X-Coord-Delivery-Id"]
    assert first.body == second.body
    assert one().status == "delivered"


def test_it_notes_an_excerpt_of_the_answer(quiet):
    _, endpoint = quiet(status(500, b"\x00broken \xff" + b"x" * 5000))
    record(granted())
    drain_endpoint(endpoint.id)
    assert one().response_excerpt == "\ufffdbroken \ufffd" + "x" * 991


def test_it_takes_the_status_of_an_answer_whose_body_never_ends(quick, quiet):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"thanks")
        handler.wfile.flush()
        hang(handler)

    _, endpoint = quiet(endless)
    record(granted())
    drain_endpoint(endpoint.id)
    assert (one().status, one().response_excerpt) == ("delivered", "thanks")


def test_it_gives_up_after_the_last_attempt(quiet, clock, config):
    config(webhook_max_retries=3, webhook_retry_backoff_sec=10)
    receiver, endpoint = quiet(*[status(500)] * 3)
    record(granted(n=1))
    waits = []
    while one().status != "exhausted":
        assert drain_endpoint(endpoint.id) == 1
        waits.append((one().next_attempt_at - clock.time).total_seconds())
        clock.time = max(clock.time, one().next_attempt_at)
    assert waits == [10, 20, 40]
    record(granted(n=2))
    drain_endpoint(endpoint.id)
    assert [json.loads(request.body)["detail"]["n"] for request in receiver.received] == [1, 1, 1, 2]
    assert [row.status for row in outbox()] == ["exhausted", "delivered"]


def test_it_caps_the_pause(quiet, clock, config):
    config(webhook_max_retries=50)
    _, endpoint = quiet(*[status(500)] * 12)
    record(granted())
    for _ in range(12):
        drain_endpoint(endpoint.id)
        clock.time = one().next_attempt_at
    assert (one().next_attempt_at - one().last_attempt_at).total_seconds() == 3600


def test_it_keeps_the_order_behind_a_failure(quiet, clock):
    receiver, endpoint = quiet(status(200), status(500))
    record(*(granted(n=n) for n in range(4)))
    drain_endpoint(endpoint.id)
    record(granted(n=4))
    drain_endpoint(endpoint.id)
    clock.advance(60)
    drain_endpoint(endpoint.id)
    assert [json.loads(request.body)["detail"]["n"] for request in receiver.received] == [0, 1, 1, 2, 3, 4]
    assert {row.status for row in outbox()} == {"delivered"}


def test_it_leaves_a_row_to_the_worker_that_owns_it(quiet, clock):
    receiver, endpoint = quiet()
    record(granted(n=1), granted(n=2))
    first = outbox()[0]
    Delivery.objects.filter(pk=first.pk).update(
        lease_owner="other", leased_until=clock.time + timedelta(seconds=30)
    )
    assert drain_endpoint(endpoint.id) == 0
    assert receiver.received == []


def test_it_retries_the_row_of_a_killed_worker(quiet, clock):
    receiver, endpoint = quiet()
    record(granted(n=1), granted(n=2))
    first = outbox()[0]
    Delivery.objects.filter(pk=first.pk).update(
        lease_owner="killed", leased_until=clock.time + timedelta(seconds=30)
    )
    clock.advance(30)
    assert drain_endpoint(endpoint.id) == 2
    assert [json.loads(request.body)["detail"]["n"] for request in receiver.received] == [1, 2]


def test_it_writes_no_result_for_a_row_that_it_lost(quiet, monkeypatch):
    _, endpoint = quiet(status(500))
    record(granted())
    row = one()
    send = sending.send

    def overtaken(*args, **kwargs):
        outcome = send(*args, **kwargs)
        Delivery.objects.filter(pk=row.pk).update(lease_owner="other")
        return outcome

    monkeypatch.setattr(sending, "send", overtaken)
    assert drain_endpoint(endpoint.id) == 1
    assert (one().status, one().lease_owner, one().retry_count) == ("pending", "other", 0)


def test_it_uses_the_url_and_secret_of_the_moment(quiet, receivers):
    old, endpoint = quiet()
    record(granted())
    new = receivers()
    services.edit_endpoint(caller=SYSTEM, endpoint_id=endpoint.id, url=new.url)
    Endpoint.objects.filter(pk=endpoint.pk).update(secret="changed")
    drain_endpoint(endpoint.id)
    assert old.received == []
    [request] = new.received
    assert request.headers["X-Coord-Signature"] == hmac.new(b"changed", request.body, "sha256").hexdigest()


def test_it_holds_the_rows_of_a_paused_endpoint(quiet):
    receiver, endpoint = quiet()
    services.edit_endpoint(caller=SYSTEM, endpoint_id=endpoint.id, paused=True)
    record(granted(n=1))
    assert drain_endpoint(endpoint.id) == 0
    services.edit_endpoint(caller=SYSTEM, endpoint_id=endpoint.id, paused=False)
    record(granted(n=2))
    assert drain_endpoint(endpoint.id) == 2
    assert [json.loads(request.body)["detail"]["n"] for request in receiver.received] == [1, 2]


def test_it_sends_a_test_out_of_line(quiet, clock):
    receiver, endpoint = quiet(status(500))
    record(granted())
    drain_endpoint(endpoint.id)
    services.edit_endpoint(caller=SYSTEM, endpoint_id=endpoint.id, paused=True)
    row = services.send_test_event(caller=SYSTEM, endpoint_id=endpoint.id)
    assert drain_endpoint(endpoint.id) == 1
    assert json.loads(receiver.received[-1].body)["event_type"] == "endpoint_test"
    assert Delivery.objects.get(pk=row.pk).status == "delivered"


def test_it_sends_a_test_once(quiet):
    receiver, endpoint = quiet(status(500))
    row = services.send_test_event(caller=SYSTEM, endpoint_id=endpoint.id)
    drain_endpoint(endpoint.id)
    assert Delivery.objects.get(pk=row.pk).status == "exhausted"
    assert len(receiver.received) == 1


def test_it_refuses_a_wrong_certificate(quiet, receivers, tmp_path):
    receiver = receivers()
    receiver.socket = _self_signed(tmp_path).wrap_socket(receiver.socket, server_side=True)
    receiver.url = receiver.url.replace("http:", "https:")
    endpoint = endpoint_for(receiver, event_types=["claim_granted"])
    record(granted())
    drain_endpoint(endpoint.id)
    assert receiver.received == []
    assert one().status == "failed"
    assert "CERTIFICATE_VERIFY_FAILED" in one().last_error


def test_it_delivers_over_tls_by_name(receivers, tmp_path, monkeypatch):
    receiver = receivers()
    receiver.socket = _self_signed(tmp_path).wrap_socket(receiver.socket, server_side=True)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    monkeypatch.setattr(sending, "_tls", lambda: trusting)
    receiver.url = receiver.url.replace("http:", "https:").replace("127.0.0.1", "localhost")
    endpoint = endpoint_for(receiver, event_types=["claim_granted"])
    record(granted())
    drain_endpoint(endpoint.id)
    assert one().last_error is None
    [request] = receiver.received
    assert request.headers["Host"] == receiver.url.split("/")[2]


def _self_signed(folder):
    key, cert = folder / "key.pem", folder / "cert.pem"
    made = f"-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {key} -out {cert} -days 30"
    subprocess.run(
        f"openssl req -x509 {made} -subj /CN=localhost -addext subjectAltName=DNS:localhost".split(),
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def test_it_serves_the_environments_receiver(receivers, config):
    receiver = receivers()
    config(
        webhook_url=receiver.url,
        webhook_secret=SecretStr("s3"),
        webhook_events=" claim_granted , queue_grant",
    )
    record(granted(n=1))
    endpoint = Endpoint.objects.get()
    assert (endpoint.managed_by, endpoint.event_types) == ("environment", ["claim_granted", "queue_grant"])
    drain_endpoint(endpoint.id)
    [request] = receiver.received
    assert request.headers["X-Coord-Signature"] == hmac.new(b"s3", request.body, "sha256").hexdigest()

    moved = receivers()
    config(webhook_url=moved.url)
    record(granted(n=2))
    drain_endpoint(endpoint.id)
    assert len(moved.received) == 1
    assert Endpoint.objects.count() == 1
    config(webhook_url="")
    record(granted(n=3))
    assert Endpoint.objects.count() == 1
    services.prepare()
    assert not Endpoint.objects.exists()


def test_it_does_nothing_for_an_endpoint_that_is_gone():
    assert drain_endpoint(uuid.uuid4()) == 0
