"""The receivers that the documentation shows, against real deliveries."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx
import playwright
import pytest

from common import clock
from common.caller import SYSTEM
from tests.webhooks.receiver import granted, record
from webhooks import services
from webhooks.models import Delivery
from webhooks.services.delivery import drain_endpoint
from webhooks.signing import body_of, signature_headers

pytestmark = [pytest.mark.django_db, pytest.mark.system]

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
SECRET = "whsec_documented"


def example(language):
    """The one code block of a language."""
    [code] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return code


def node():
    """Node.js of the machine, or the one that comes with the browser tests' library."""
    shipped = Path(playwright.__file__).parent / "driver" / "node"
    found = shutil.which("node") or (str(shipped) if shipped.exists() else None)
    assert found, "Node.js is needed to test the documented receiver: install nodejs"
    return found


@dataclass
class Running:
    """A receiver's process; ``url`` leads to it."""

    process: subprocess.Popen
    url: str

    def line(self):
        return self.process.stdout.readline().strip()


@pytest.fixture(params=["python", "js"])
def receiver(request, tmp_path):
    name, command = {"python": ("receiver.py", sys.executable), "js": ("receiver.mjs", node())}[request.param]
    script = tmp_path / name
    script.write_text(example(request.param), encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": SECRET, "PORT": "0"}
    with subprocess.Popen(
        [command, str(script)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            words = process.stdout.readline().split()
            assert words[:2] == ["listening", "on"]
            yield Running(process, f"http://127.0.0.1:{words[2]}/hook")
        finally:
            process.kill()


def deliver(receiver, secret, **detail):
    endpoint = services.create_endpoint(
        caller=SYSTEM, url=receiver.url, secret=secret, event_types=["claim_granted"]
    )
    record(granted(**detail))
    drain_endpoint(endpoint.id)
    return endpoint, Delivery.objects.get(endpoint=endpoint)


def test_it_accepts_what_the_service_sends(receiver):
    _, row = deliver(receiver, SECRET, engineer="alice", pattern="src/ä.py")
    assert (row.status, row.response_status) == ("delivered", 204)
    kind, _, detail = receiver.line().partition(" ")
    assert kind == "claim_granted"
    assert json.loads(detail) == {"engineer": "alice", "pattern": "src/ä.py"}


def test_it_accepts_both_secrets_while_they_overlap(receiver):
    endpoint, _ = deliver(receiver, SECRET, n=1)
    services.rotate_secret(caller=SYSTEM, endpoint_id=endpoint.id, overlap_s=60)
    record(granted(n=2))
    drain_endpoint(endpoint.id)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}
    told = [json.loads(receiver.line().partition(" ")[2]) for _ in range(2)]
    assert told == [{"n": 1}, {"n": 2}]


def test_it_refuses_another_secret(receiver):
    _, row = deliver(receiver, "whsec_other", n=1)
    assert (row.status, row.last_error) == ("failed", "HTTP 401")


def test_it_refuses_unsigned_deliveries(receiver):
    _, row = deliver(receiver, "", n=1)
    assert row.last_error == "HTTP 401"


def post(receiver, n=1, *, age=0, changed=b"", delivery=None):
    body = body_of("claim_granted", {"n": n}, clock.now())
    headers = signature_headers(body, [SECRET], int(time.time()) - age)
    headers["X-Coord-Delivery-Id"] = delivery or str(uuid.uuid4())
    return httpx.post(receiver.url, content=body + changed, headers=headers, timeout=60).status_code


def test_it_refuses_copies_that_are_old_and_bodies_that_were_changed(receiver):
    assert post(receiver, age=301) == 401
    assert post(receiver, changed=b" ") == 401
    assert post(receiver, age=200) == 204


def test_it_handles_a_delivery_once(receiver):
    delivery = str(uuid.uuid4())
    assert [post(receiver, 1, delivery=delivery) for _ in range(2)] == [204, 204]
    assert post(receiver, 2) == 204
    told = [json.loads(receiver.line().partition(" ")[2]) for _ in range(2)]
    assert told == [{"n": 1}, {"n": 2}]
