"""The ticker: one process at a time queues what has run out."""

from __future__ import annotations

import pytest
from django_q.models import OrmQ

from coordsite import ticker
from coordsite.models import Lease

pytestmark = pytest.mark.django_db


def sweeps():
    return [task.task["func"] for task in OrmQ.objects.all() if task.task["func"] == ticker.SWEEP]


def test_it_is_one_process_at_a_time(clock):
    assert ticker.tick("alice")
    assert not ticker.tick("bob")
    clock.advance(ticker.LEAST_LEASE_S - 1)
    assert ticker.tick("alice"), "kept"
    clock.advance(ticker.LEAST_LEASE_S - 1)
    assert not ticker.tick("bob")
    clock.advance(1)
    assert ticker.tick("bob"), "alice fell silent"
    assert not ticker.tick("alice")
    assert Lease.objects.get().holder == "bob"


def test_it_writes_its_lease_anew_when_half_of_it_has_passed(clock):
    ticker.tick("alice")
    began = Lease.objects.get().until
    clock.advance(ticker.LEAST_LEASE_S / 2)
    ticker.tick("alice")
    assert Lease.objects.get().until == began
    clock.advance(0.5)
    ticker.tick("alice")
    assert Lease.objects.get().until > began


def test_a_look_with_nothing_to_do_is_three_queries(clock, django_assert_num_queries):
    ticker.tick("alice")
    clock.advance(1)
    with django_assert_num_queries(3):
        assert ticker.tick("alice")


def test_it_queues_one_sweep_when_a_lease_has_run_out(clock, api):
    api.claim("alice", "a.py", repo="org/app", ttl_hours=1)
    ticker.tick("web")
    assert sweeps() == []
    clock.advance(3600)
    ticker.tick("web")
    ticker.tick("web")
    assert sweeps() == [ticker.SWEEP]


def test_it_queues_a_sweep_when_an_offer_was_not_picked_up(clock, api):
    _, held = api.claim("alice", "a.py", repo="org/app")
    status, _ = api.claim("bob", "a.py", repo="org/app", hold_place_seconds=600)
    assert status == 202
    api.post("/claims/release", {"claim_ids": held["claim_ids"]})
    ticker.tick("web")
    assert sweeps() == [], "the offer is open"
    clock.advance(16)
    ticker.tick("web")
    assert sweeps() == [ticker.SWEEP]


def test_it_leaves_sweeps_to_another_process_when_the_setting_says_so(clock, api, config):
    api.claim("alice", "a.py", repo="org/app", ttl_hours=1)
    config(disable_background_cleanup=True)
    clock.advance(3600)
    assert ticker.tick("web")
    assert sweeps() == []
