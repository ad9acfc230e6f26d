"""Several workers, threads and endpoints at once."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django_q.models import OrmQ

from common.caller import SYSTEM
from tests.webhooks.receiver import endpoint_for, granted, hang, record, status
from webhooks import services
from webhooks.models import Delivery, Event
from webhooks.services import delivery
from webhooks.services.delivery import drain_endpoint

pytestmark = pytest.mark.usefixtures("shared_database")


def on_threads(count, work):
    """Run ``work(n)`` on so many threads that start together."""
    start = threading.Barrier(count)

    def run(number):
        try:
            start.wait(10)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return [future.result(60) for future in [pool.submit(run, n) for n in range(count)]]


def told(request):
    return json.loads(request.body)["detail"]["n"]


def test_it_sends_nothing_twice_and_in_order_with_two_workers(receivers):
    receiver = receivers()
    endpoint = endpoint_for(receiver, event_types=["claim_granted"])
    record(*(granted(n=n) for n in range(30)))

    def work(_):
        sent = 0
        while Delivery.objects.filter(status="pending").exists():
            sent += drain_endpoint(endpoint.id)
        return sent

    assert sum(on_threads(2, work)) == 30
    assert [told(request) for request in receiver.received] == list(range(30))


def test_it_delivers_while_others_record(receivers):
    receiver = receivers()
    endpoint = endpoint_for(receiver, event_types=["claim_granted"])
    recording = threading.Event()

    def work(number):
        if number < 2:
            for n in range(20):
                record(granted(n=n, by=number))
            if number == 0:
                recording.set()
            return 0
        sent = 0
        while not recording.is_set() or Delivery.objects.filter(status="pending").exists():
            sent += drain_endpoint(endpoint.id)
        return sent

    on_threads(4, work)
    drain_endpoint(endpoint.id)
    numbers = [int(request.headers["X-Coord-Event-Seq"]) for request in receiver.received]
    assert len(numbers) == 40
    assert numbers == sorted(set(numbers))


def test_it_lets_no_endpoint_wait_for_another(quick, receivers, monkeypatch):
    monkeypatch.setattr(delivery, "PATIENCE_S", 0.05)
    hanging = [receivers(usual=hang) for _ in range(3)]
    good = receivers()
    for receiver in (*hanging, good):
        endpoint_for(receiver, event_types=["claim_granted"])
    record(granted(n=1))
    [task] = OrmQ.objects.all()
    services.deliver(*task.task["args"])
    # The task is over and the worker free, while the hanging attempts go on beside it.
    good.wait_for(1)
    record(granted(n=2))
    [_, task] = OrmQ.objects.order_by("id")
    services.deliver(*task.task["args"])
    assert [told(request) for request in good.wait_for(2)] == [1, 2]
    for receiver in hanging:
        assert [told(request) for request in receiver.wait_for(1)] == [1]
    delivery._threads.shutdown()
    monkeypatch.setattr(delivery, "_threads", ThreadPoolExecutor(32))


def test_it_numbers_events_in_commit_order():
    """A reader that goes on from the last number it saw never misses an event of four writers."""
    total, seen, done = 4 * 25, [], threading.Event()

    def work(number):
        if number == 4:
            while len(seen) < total and not done.is_set():
                after = seen[-1] if seen else 0
                seen.extend(Event.objects.filter(seq__gt=after).values_list("seq", flat=True))
            return
        for n in range(25):
            record(granted(n=n))

    timer = threading.Timer(30, done.set)
    timer.start()
    on_threads(5, work)
    timer.cancel()
    assert seen == list(Event.objects.values_list("seq", flat=True))
    assert len(seen) == total


def test_it_queues_one_task_for_a_burst(receivers):
    endpoint = endpoint_for(receivers(), event_types=["claim_granted"])
    for n in range(5):
        record(granted(n=n))
    assert OrmQ.objects.count() == 1
    drain_endpoint(endpoint.id)
    record(granted(n=5))
    assert OrmQ.objects.count() == 2


def test_it_queues_nothing_for_a_rollback(receivers):
    endpoint_for(receivers(), event_types=["claim_granted"])
    with transaction.atomic():
        services.record(granted())
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()
    assert not Delivery.objects.exists()


def test_it_finds_what_is_due(receivers, clock):
    failing, fine = receivers(status(500)), receivers()
    failed = endpoint_for(failing, event_types=["claim_granted"])
    other = endpoint_for(fine, event_types=["claim_granted"])
    record(granted(n=1), granted(n=2))
    assert services.deliver_due() == 0, "a task is on its way"
    for endpoint in (failed, other):
        drain_endpoint(endpoint.id)
    OrmQ.objects.all().delete()
    clock.advance(59)
    assert services.deliver_due() == 0
    clock.advance(1)
    assert services.deliver_due() == 1
    assert services.deliver_due() == 0
    [task] = OrmQ.objects.all()
    assert task.task["args"] == ([str(failed.id)],)
    services.edit_endpoint(caller=SYSTEM, endpoint_id=failed.id, paused=True)
    clock.advance(31)
    assert services.deliver_due() == 0, "paused"
