"""Places in line and sessions in admin."""

from __future__ import annotations

import pytest

from claims.models import Claim
from queueing.models import Ticket
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(api, held):
    """bob, then carol, wait for what alice holds."""

    def wait(engineer):
        status, body = api.claim(
            engineer, "src/a.py", repo="org/app", session_id=f"{engineer}-1", hold_place_seconds=600
        )
        assert status == 202
        return body["queue_id"]

    return wait("bob"), wait("carol")


def test_it_lists_those_in_line(olga, line):
    page = olga.page("queueing/ticket/")
    assert "src/a.py" in page
    assert "bob" in page
    assert "carol" in page


def test_it_cancels_a_place_with_a_reason(olga, line):
    bob, carol = line
    olga.act("queueing/ticket", "cancel", bob, reason="bob went home")
    ticket = Ticket.objects.get(id=bob)
    assert (ticket.state, ticket.end_reason) == ("cancelled", "operator")
    event = Event.objects.get(event_type="queue_cancel")
    assert (event.operator, event.detail["note"]) == ("olga", "bob went home")
    assert Ticket.objects.get(id=carol).state == "waiting"


def test_it_puts_a_ticket_first(olga, api, held, line):
    bob, carol = line
    olga.act("queueing/ticket", "move_to_front", carol, reason="release day")
    event = Event.objects.get(event_type="operator_action")
    assert (event.operator, event.detail["reason"]) == ("olga", "release day")
    api.delete(f"/claims/{held}")
    assert Ticket.objects.get(id=carol).state == "offered"
    assert Ticket.objects.get(id=bob).state == "waiting"


def test_it_moves_one_ticket_at_a_time(olga, line):
    chosen = {"action": "move_to_front", "_selected_action": list(line)}
    said = olga.said(olga.client.post("/admin/queueing/ticket/", chosen, follow=True))
    assert said == ["Move to front: choose one row."]


def test_it_ends_a_session_with_all_it_holds_and_waits_for(olga, api, held, line):
    api.claim("bob", "docs/a.md", "docs/b.md", repo="org/app", session_id="bob-1")
    page = olga.page("claims/holdingsession/")
    assert "bob-1" in page
    assert "alice-session-1" in page
    row = Claim.objects.filter(session_id="bob-1", released_at__isnull=True).latest("id")
    said = olga.act("claims/holdingsession", "end", row.id, reason="crashed")
    assert said == ["Session bob-1: 2 claims released.", "End: 1 row."]
    assert not Claim.objects.filter(session_id="bob-1", released_at__isnull=True).exists()
    assert Ticket.objects.get(id=line[0]).state == "cancelled"
    ended = Event.objects.filter(event_type="claim_released").latest("seq")
    assert (ended.operator, ended.detail["reason"]) == ("olga", "crashed")
    assert "bob-1" not in olga.page("claims/holdingsession/")


def test_it_shows_one_row_per_session(olga, api, held):
    for n in range(5):
        api.claim("alice", f"lib/{n}.py", repo="org/app", session_id="alice-session-1")
    page = olga.page("claims/holdingsession/")
    assert page.count("_selected_action") == 1
    assert ">6</td>" in page


def test_it_shows_a_session_by_any_claim_of_it(olga, api, held):
    _, more = api.claim("alice", "lib/a.py", repo="org/app", session_id="alice-session-1")
    for claim in (held, more["claim_ids"][0]):
        assert "alice-session-1" in olga.page(f"claims/holdingsession/{claim}/change/")
