"""A worker that dies in the middle of a delivery: a real process, killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django_q.models import OrmQ

from tests.engines.plugin import DATABASE
from tests.webhooks.receiver import endpoint_for, granted, hang, record
from webhooks import services
from webhooks.models import Delivery
from webhooks.services.delivery import LEASE, drain_endpoint

pytestmark = pytest.mark.usefixtures("shared_database")

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import json, sys
from datetime import datetime
from uuid import UUID
import django
django.setup()
from common import clock
from webhooks.services.delivery import drain_endpoint
asked = json.loads(sys.argv[1])
with clock.running(lambda: datetime.fromisoformat(asked["now"])):
    drain_endpoint(UUID(asked["endpoint"]))
"""


def worker_of(endpoint, clock):
    """Another process that sends the endpoint what is due, at this moment and on this database."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        here = {"COORD_DATABASE_PATH": name}
    else:
        here = {"COORD_DATABASE_URL": urlsplit(os.environ[DATABASE])._replace(path=f"/{name}").geturl()}
    asked = json.dumps({"endpoint": str(endpoint.id), "now": clock.time.isoformat()})
    return subprocess.Popen([sys.executable, "-c", WORKER, asked], cwd=ROOT, env={**os.environ, **here})


def test_another_worker_sends_what_a_killed_one_was_sending(receivers, clock):
    receiver = receivers(hang)
    endpoint = endpoint_for(receiver, event_types=["claim_granted"])
    record(granted(n=1), granted(n=2))
    OrmQ.objects.all().delete()
    worker = worker_of(endpoint, clock)
    try:
        receiver.wait_for(1, 60)
    finally:
        worker.kill()
        worker.wait()
    taken = Delivery.objects.earliest("event_id")
    assert (taken.status, bool(taken.lease_owner), taken.retry_count) == ("pending", True, 0)
    assert services.deliver_due() == 0, "the lease may be a living worker's"
    assert drain_endpoint(endpoint.id) == 0
    clock.advance(LEASE.total_seconds())
    assert services.deliver_due() == 1
    assert drain_endpoint(endpoint.id) == 2
    assert [json.loads(request.body)["detail"]["n"] for request in receiver.received] == [1, 1, 2]
    ids = [request.headers["X-Coord-Delivery-Id"] for request in receiver.received]
    assert ids[0] == ids[1] == str(taken.id), "the receiver can tell that it is the same"
    assert set(Delivery.objects.values_list("status", "retry_count")) == {("delivered", 0)}
