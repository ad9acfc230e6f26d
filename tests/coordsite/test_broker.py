"""The line of tasks: a cluster is woken when one comes, and does not look while none does."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ

from common import writes
from coordsite import broker

pytestmark = pytest.mark.usefixtures("shared_database")


@pytest.fixture
def cluster(monkeypatch):
    """A broker as the cluster uses it. It does not wait, and looks by itself only once."""
    monkeypatch.setattr(broker, "SLICE_S", 0)
    monkeypatch.setattr(broker, "LOOK_S", 3600)
    cluster = get_broker()
    yield cluster
    if cluster._writes is not None:
        cluster._writes.close()
    if cluster._listens_on is not None:
        cluster._listens_on.execute(f"UNLISTEN {broker.CHANNEL}")


def is_at_rest(cluster):
    """Whether it comes to ask the database nothing."""
    for _ in range(10):
        with CaptureQueriesContext(connection) as asked:
            assert cluster.dequeue() is None
        if not len(asked):
            return True
    return False


def elsewhere(function, *args):
    """On a thread of its own, so on a connection of its own."""

    def work():
        try:
            function(*args)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def next_tasks(cluster):
    """What comes in a few waits."""
    for _ in range(5):
        if tasks := cluster.dequeue():
            return [payload for _, payload in tasks]
    return []


def test_it_is_the_broker_of_the_service():
    assert isinstance(get_broker(), broker.Broker)


def test_a_task_of_another_process_is_had_at_once(cluster, monkeypatch):
    assert is_at_rest(cluster)
    monkeypatch.setattr(broker, "SLICE_S", 30)  # the longest that a wait lasts in which no word comes
    for name in ("first", "second"):
        elsewhere(get_broker().enqueue, name)
        assert next_tasks(cluster) == [name]


def test_a_task_is_had_once(cluster):
    elsewhere(get_broker().enqueue, "task")
    assert next_tasks(cluster) == ["task"]
    assert next_tasks(cluster) == []


def test_it_asks_the_database_nothing_while_no_task_comes(cluster):
    cluster.enqueue("task")
    assert next_tasks(cluster) == ["task"]
    assert is_at_rest(cluster)


def test_a_task_whose_worker_vanished_is_had_again_untold(cluster):
    key = cluster.enqueue("task")
    assert next_tasks(cluster) == ["task"]
    assert is_at_rest(cluster)
    OrmQ.objects.filter(id=key).update(lock=timezone.now() - timedelta(seconds=1))
    cluster._look_at = 0.0  # LOOK_S later
    assert next_tasks(cluster) == ["task"]


def test_it_looks_by_itself_where_the_system_tells_nothing(cluster, monkeypatch):
    monkeypatch.setattr(writes, "inotify", None)
    monkeypatch.setattr(broker, "UNAIDED_S", 0)
    assert next_tasks(cluster) == []
    elsewhere(get_broker().enqueue, "task")
    assert next_tasks(cluster) == ["task"]
