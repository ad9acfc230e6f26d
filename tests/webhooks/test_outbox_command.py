"""``manage.py outbox``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.webhooks.receiver import endpoint_for, granted, record, status
from webhooks.models import Delivery
from webhooks.services.delivery import drain_endpoint

pytestmark = pytest.mark.django_db


def outbox(*args):
    out = StringIO()
    call_command("outbox", *args, stdout=out)
    return out.getvalue().rstrip("\n")


@pytest.fixture
def rows(receivers, clock, config):
    """One delivered, one exhausted, one failed, one pending delivery."""
    config(webhook_max_retries=2)
    receiver = receivers(status(200), status(500), status(500), status(503))
    endpoint = endpoint_for(receiver, event_types=["claim_granted"])
    record(*(granted(n=n) for n in range(4)))
    drain_endpoint(endpoint.id)
    clock.advance(60)
    drain_endpoint(endpoint.id)
    assert states() == ["delivered", "exhausted", "failed", "pending"]
    return endpoint


def states():
    return [row.status for row in Delivery.objects.order_by("event_id")]


def test_it_counts_by_type_and_state(rows, clock):
    counts = {"delivered": 1, "exhausted": 1, "failed": 1, "pending": 1}
    assert json.loads(outbox("stats", "--json")) == {"stats": {"claim_granted": counts}, "window_hours": 24.0}
    assert outbox("stats").splitlines()[1].split() == ["claim_granted", "1", "1", "1", "1"]
    clock.advance(7200)
    assert json.loads(outbox("stats", "--hours", "1.5", "--json")) == {"stats": {}, "window_hours": 1.5}
    assert outbox("stats", "--hours", "1") == "No deliveries."


def test_it_shows_the_newest_rows_oldest_first(rows):
    found = json.loads(outbox("tail", "-n", "2", "--json"))
    expected = [str(row.id) for row in Delivery.objects.order_by("event_id")[2:]]
    assert [row["id"] for row in found] == expected
    assert found[0] == {
        "id": expected[0],
        "status": "failed",
        "event_type": "claim_granted",
        "created_at": "2026-11-23T12:00:00Z",
        "event_age_seconds": 60,
        "retry_count": 1,
        "next_attempt_at": "2026-11-23T12:02:00Z",
        "last_error": "HTTP 503",
    }
    assert outbox("tail").splitlines()[2].endswith("retries=1  HTTP 503")


@pytest.mark.parametrize(
    ("flags", "after", "count"),
    [
        ([], ["delivered", "exhausted", "pending", "pending"], 1),
        (["--failed"], ["delivered", "exhausted", "pending", "pending"], 1),
        (["--exhausted"], ["delivered", "pending", "failed", "pending"], 1),
        (["--all"], ["delivered", "pending", "pending", "pending"], 2),
        (["--all", "--dry-run"], ["delivered", "exhausted", "failed", "pending"], 2),
    ],
)
def test_it_retries(rows, clock, flags, after, count):
    assert json.loads(outbox("retry", *flags, "--json"))["count"] == count
    assert states() == after
    for row in Delivery.objects.filter(status="pending"):
        assert (row.retry_count, row.last_error) == (0, None)
        assert row.next_attempt_at <= clock.time


def test_it_sends_what_it_retries(rows):
    outbox("retry", "--all")
    drain_endpoint(rows.id)
    assert states() == ["delivered"] * 4


@pytest.mark.parametrize(
    ("flags", "after", "count"),
    [
        ([], ["exhausted", "failed", "pending"], 1),
        (["--exhausted"], ["delivered", "failed", "pending"], 1),
        (["--all-terminal"], ["failed", "pending"], 2),
        (["--all-terminal", "--dry-run"], ["delivered", "exhausted", "failed", "pending"], 2),
    ],
)
def test_it_purges(rows, flags, after, count):
    told = outbox("purge", *flags)
    assert f" {count} deliveries (" in told
    assert states() == after


@pytest.mark.parametrize(
    "args",
    [
        ("stats", "--hours", "0"),
        ("stats", "--hours", "nan"),
        ("stats", "--hours", "inf"),
        ("tail", "-n", "0"),
        ("retry", "--failed", "--all"),
        ("purge", "--delivered", "--all-terminal"),
    ],
)
def test_it_refuses_bad_use(args):
    with pytest.raises(CommandError) as refusal:
        outbox(*args)
    assert refusal.value.returncode == 1


@pytest.mark.system
def test_it_ends_with_2_without_a_database(tmp_path):
    ended = subprocess.run(
        [sys.executable, "manage.py", "outbox", "tail"],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "COORD_DATABASE_PATH": str(tmp_path / "none" / "coord.db")},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "There is no service's database at" in ended.stderr
