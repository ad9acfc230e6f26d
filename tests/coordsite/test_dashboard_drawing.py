"""One drawing for everybody who looks at the same thing within a second, and the first one drawn ahead."""

from __future__ import annotations

import pytest
from actors import Actor

from common.filters import Filter
from coordsite import warming
from coordsite.dashboard import rendering

pytestmark = pytest.mark.django_db
ALL = (Filter(), rendering.PERMISSIONS)


@pytest.fixture(autouse=True)
def _serving(monkeypatch):
    monkeypatch.setattr(rendering.lanes, "serving", lambda: True)
    monkeypatch.setattr(rendering, "_history", lambda seen, beat: None)
    monkeypatch.setattr(rendering, "_kept", type(rendering._kept)())


def claims_of(drawing):
    return next(drawn.html for drawn in drawing.panels if drawn.panel.name == "claims")


def test_it_is_shared_for_a_second(clock):
    first = rendering.drawing(*ALL)
    clock.advance(seconds=0.9)
    assert rendering.drawing(*ALL) is first
    clock.advance(seconds=0.2)
    assert rendering.drawing(*ALL) is not first


def test_it_is_shared_with_nobody_who_sees_something_else():
    first = rendering.drawing(*ALL)
    assert rendering.drawing(Filter(engineer="alice"), rendering.PERMISSIONS) is not first
    fewer = rendering.drawing(Filter(), frozenset({"queueing.view_ticket"}))
    assert {drawn.panel.name for drawn in fewer.panels} == {"graph", "queue"}


def test_what_happened_meanwhile_is_in_the_next_one():
    first = rendering.drawing(*ALL)
    Actor("alice").hold("src/app.py")
    assert "src/app.py" not in claims_of(first)
    assert "src/app.py" in claims_of(rendering.drawing(*ALL))


def test_a_refusal_without_an_event_is_in_the_next_one():
    Actor("alice").hold("src/app.py")
    first = rendering.drawing(*ALL)
    Actor("bob").ask("src/app.py")
    assert rendering.drawing(*ALL) is not first


def test_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(rendering, "MOST_KEPT", 2)
    for text in ("one", "two", "three"):
        rendering.drawing(Filter(text=text), rendering.PERMISSIONS)
    assert [seen.text for seen, _ in rendering._kept] == ["two", "three"]


def test_a_page_is_drawn_ahead_for_nobody(monkeypatch):
    monkeypatch.setattr(rendering, "count_ahead", lambda seconds: None)
    monkeypatch.setattr(warming.connection, "close", lambda: None)
    warming.warm()
    assert list(rendering._kept) == [ALL]


def test_a_failure_to_draw_ahead_harms_nothing(monkeypatch, caplog):
    monkeypatch.setattr(rendering, "count_ahead", lambda seconds: 1 / 0)
    monkeypatch.setattr(warming.connection, "close", lambda: None)
    warming.warm()
    assert "could not be drawn ahead" in caplog.text
