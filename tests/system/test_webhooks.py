"""Events and webhooks of the real service: web process, task cluster, and real receivers."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.webhooks.receiver import Receivers, status
from webhooks.services.outbox import NUDGE

from .service import coord, wait_for


@pytest.fixture(scope="module")
def service(modules_service):
    """A service of their own: its receivers hear of every repository."""
    return modules_service


@pytest.fixture
def receivers():
    made = Receivers()
    yield made
    for receiver in made.made:
        receiver.stop()


def claim(client, repo, pattern, engineer="alice", **fields):
    items = [{"type": "file", "pattern": pattern}]
    answer = client.post("/claims", json={"engineer": engineer, "repo": repo, "claims": items, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def endpoint(client, receiver, **fields):
    answer = client.post("/webhooks/endpoints", json={"url": receiver.url, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def kinds(receiver):
    return [request.headers["X-Coord-Event-Type"] for request in receiver.received]


def signed(secret, request):
    return (
        request.headers["X-Coord-Signature"]
        == hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    )


def test_it_tells_receivers_signed_and_retries_in_order(start_service, receivers):
    environment, failing = receivers(), receivers(status(500), status(503))
    service = start_service(
        COORD_WEBHOOK_URL=environment.url,
        COORD_WEBHOOK_SECRET="from-the-environment",
        COORD_WEBHOOK_EVENTS="claim_granted, claim_released",
        COORD_WEBHOOK_RETRY_BACKOFF_SEC="0.2",
        COORD_WEBHOOK_DELIVERY_INTERVAL_SEC="0.1",
    )
    with service.client() as client:
        made = endpoint(client, failing, event_types=["claim_granted"])
        held = claim(client, "org/app", "a.py")
        client.post("/claims/release", json={"claim_ids": held["claim_ids"]})
        claim(client, "org/app", "b.py")
        failing.wait_for(4, 30)
        environment.wait_for(3)
        wait_for(
            lambda: (
                {row["status"] for row in client.get("/webhooks/deliveries").json()["deliveries"]}
                == {"delivered"}
            ),
            "everything is delivered",
        )
    assert kinds(environment) == ["claim_granted", "claim_released", "claim_granted"]
    assert all(signed("from-the-environment", request) for request in environment.received)
    assert kinds(failing) == ["claim_granted"] * 4
    assert all(signed(made["secret"], request) for request in failing.received)
    ids = [request.headers["X-Coord-Delivery-Id"] for request in failing.received]
    assert (len(set(ids[:3])), len(set(ids))) == (1, 2)
    assert json.loads(failing.received[2].body)["detail"]["claim_ids"] == held["claim_ids"]


def test_two_clusters_send_nothing_twice(service, receivers):
    receiver = receivers()
    key = (service.home / "secret_key").read_text().strip()
    variables = {"COORD_DATABASE_PATH": str(service.database), "COORD_SECRET_KEY": key}
    environ = {**service.environ, **variables, "DJANGO_SETTINGS_MODULE": "coordsite.settings"}
    second = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with service.client() as client:
            endpoint(client, receiver, repositories=["org/two"], event_types=["claim_granted"])

            def work(number):
                for n in range(10):
                    claim(client, "org/two", f"{number}/{n}.py", engineer=f"agent-{number}")

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(work, range(4)))
            receiver.wait_for(40, 60)
            wait_for(
                lambda: not client.get("/webhooks/deliveries?status=pending").json()["deliveries"],
                "nothing is left to send",
            )
    finally:
        second.terminate()
        second.wait(30)
    numbers = [int(request.headers["X-Coord-Event-Seq"]) for request in receiver.received]
    assert len(numbers) == 40
    assert numbers == sorted(set(numbers))


def test_it_tests_pauses_and_replays(service, receivers):
    receiver = receivers()
    with service.client() as client:
        first = claim(client, "org/replay", "before.py")
        made = endpoint(client, receiver, event_types=["claim_granted"], repositories=["org/replay"])
        path = f"/webhooks/endpoints/{made['id']}"
        assert "secret" not in client.get(path).json()
        assert client.post(f"{path}/test").status_code == 202
        receiver.wait_for(1)
        assert client.patch(path, json={"paused": True}).json()["paused"] is True
        claim(client, "org/replay", "paused.py")
        assert (
            client.post(f"{path}/replay", json={"from_seq": 1}).json()["queued"] == 1
        )  # the other is under way
        assert client.patch(path, json={"paused": False}).status_code == 200
        receiver.wait_for(3)
    assert kinds(receiver) == ["endpoint_test", "claim_granted", "claim_granted"]
    assert first["claim_ids"] in [
        json.loads(request.body)["detail"].get("claim_ids") for request in receiver.received
    ]


def test_a_reader_is_woken_by_what_happens(service):
    with service.client() as client, ThreadPoolExecutor(1) as pool:
        after = client.get("/events?after=latest").json()["next_after"]
        waiting = pool.submit(client.get, f"/events?after={after}&repo=org/read&type=claim_granted&wait=20")
        with service.client() as other:
            held = claim(other, "org/read", "a.py", session_id="s1")
        page = waiting.result(30).json()
        [event] = page["events"]
        assert event["detail"]["claim_ids"] == held["claim_ids"]
        assert client.get(f"/events?after={page['next_after']}&type=claim_granted").json()["events"] == []


def test_the_commands_work_on_the_services_database(service, receivers):
    receiver = receivers()
    with service.client() as client:
        endpoint(client, receiver, event_types=["ownership_edited"])
    place = {"COORD_HOME": str(service.home), "cwd": service.home}
    assert coord("promote", "go.sum", "--json", **place).returncode == 0
    # Sooner than the service itself looks for what a lost task left behind.
    receiver.wait_for(1, NUDGE.total_seconds() - 5)
    with service.client() as client:
        assert client.get("/config/ownership").text == "shared_files:\n  - go.sum\n"
        claim(client, "org/shared", "go.sum")
        assert claim(client, "org/shared", "go.sum", engineer="bob")["warnings"]
    assert json.loads(coord("outbox", "stats", "--json", **place).stdout)["window_hours"] == 24
