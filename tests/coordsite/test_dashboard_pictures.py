"""The geometry of the dashboard's pictures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

from coordsite.dashboard.graphs import MOST_NODES, NODE_HEIGHT, NODE_WIDTH, Wait, graph
from coordsite.dashboard.lifelines import MOST_MARKS, lifeline
from coordsite.dashboard.pictures import heat_rows, span, spark

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def minutes(n):
    return NOW + timedelta(minutes=n)


def test_a_trend_stays_in_its_box_and_ends_at_the_last_value():
    drawn = spark([0, 5, 10, 5], width=120, height=30)
    points = [tuple(map(float, point.split(","))) for point in drawn.line.split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert all(0 <= x <= 120 and 0 <= y <= 30 for x, y in points)
    assert points[2][1] < points[1][1] < points[0][1]
    assert (drawn.last_x, drawn.last_y) == points[-1]
    assert (drawn.first, drawn.last, drawn.most) == (0, 5, 10)
    assert len({y for _, y in (p.split(",") for p in spark([0, 0]).line.split())}) == 1


def test_a_heatmap_has_thirty_days_with_the_figure_in_words_and_in_steps():
    counts = {
        ("a", "2026-11-23"): 2,
        ("a", "2026-11-22"): 3,
        ("a", "2026-10-25"): 50,
        ("a", "2026-10-24"): 9,
        ("b", "2026-11-01"): 1200,
        ("c", "2026-10-01"): 5,
    }
    rows = heat_rows(counts, date(2026, 11, 23), limit=10, notes={("a", "2026-11-23"): "two of them"})
    assert [(row.name, row.total, len(row.cells)) for row in rows] == [("b", 1200, 30), ("a", 55, 30)]
    a = rows[1]
    assert [(cell.name, cell.count, cell.level, cell.shown, cell.note) for cell in a.cells[-2:]] == [
        ("22 November", 3, 2, "3", ""),
        ("23 November", 2, 1, "2", "two of them"),
    ]
    assert (a.cells[0].level, a.cells[1].level, a.cells[1].shown) == (4, 0, "")
    assert a.busiest.name == "25 October"
    assert max(cell.shown for cell in rows[0].cells) == "1k"
    assert [row.name for row in heat_rows(counts, date(2026, 11, 23), limit=1)] == ["b"]


def test_a_graph_puts_whoever_waits_to_the_left_of_all_it_waits_for():
    drawn = graph(
        [
            Wait("bob", "alice", "src/a.py", True),
            Wait("carol", "bob", "src/b.py", True),
            Wait("carol", "alice", "src/a.py", False),
            Wait("carol", "alice", "src/c.py", True),
        ],
        {"alice": "holds"},
    )
    at = {node.name: node for node in drawn.nodes}
    assert at["carol"].x < at["bob"].x < at["alice"].x
    assert (at["alice"].waits, at["alice"].detail, at["bob"].waits) == (False, "holds", True)
    edges = {(edge.waiter, edge.blocker): edge for edge in drawn.edges}
    long = edges["carol", "alice"]
    assert (long.patterns, long.held, long.label) == (("src/a.py", "src/c.py"), True, "src/a.py +1")
    assert long.path.count("C") == 2, "it goes around bob's box"
    assert not edges["carol", "bob"].label.startswith("…")
    for node in drawn.nodes:
        assert 0 <= node.x <= drawn.width - NODE_WIDTH
        assert 0 <= node.y <= drawn.height - NODE_HEIGHT


def test_a_graph_of_a_cycle_is_drawn_too():
    drawn = graph([Wait("a", "b", "x", True), Wait("b", "a", "y", True), Wait("a", "a", "z", True)], {})
    assert {node.name for node in drawn.nodes} == {"a", "b"}
    assert len(drawn.edges) == 2


def test_a_graph_says_how_many_parties_it_leaves_out():
    drawn = graph([Wait(f"w{n}", "alice", "x", True) for n in range(40)], {})
    assert (len(drawn.nodes), drawn.left_out) == (MOST_NODES, 41 - MOST_NODES)


def test_a_timeline_has_now_at_two_thirds():
    shown = span(NOW, [minutes(-60), minutes(-10)])
    assert shown.at(minutes(-60)) == 0
    assert shown.at(NOW) == 666.7
    live = shown.bar(minutes(-30), None, minutes(500))
    assert (live.start, live.end, live.lease, live.ahead) == (333.3, 666.7, 1000.0, 333.3)
    done = shown.bar(minutes(-60), minutes(-30), minutes(60))
    assert (done.start, done.end, done.ahead) == (0, 333.3, 0)
    assert span(NOW, []).start == minutes(-15)
    assert span(NOW, [minutes(-60 * 48)]).start == minutes(-60 * 24)


def event(kind, at, **more):
    return SimpleNamespace(event_type=kind, created_at=at, actor_engineer="bob", operator=None, **more)


def test_a_life_shows_the_lease_ahead_and_every_event_in_order():
    drawn = lifeline(
        minutes(-60),
        None,
        minutes(60),
        NOW,
        [
            event("claim_granted", minutes(-60)),
            event("filed", minutes(-30)),
            event("notified", minutes(-29.9)),
        ],
    )
    assert drawn.live
    assert (drawn.start, drawn.end, drawn.lease) == (14, 500, 986)
    assert [(mark.number, mark.shape, mark.row) for mark in drawn.marks] == [
        (1, "start", 0),
        (2, "asked", 0),
        (3, "asked", 1),
    ]
    assert drawn.marks[1].x == 257
    assert drawn.marks[1].who == "bob"


def test_a_life_that_is_over_ends_where_it_ended():
    drawn = lifeline(minutes(-60), minutes(-60), minutes(60), NOW, [])
    assert (drawn.live, drawn.held, drawn.ahead) == (False, timedelta(0), 0)
    many = [event("claim_extended", minutes(-n)) for n in range(60, 0, -1)]
    drawn = lifeline(minutes(-60), minutes(0), minutes(60), NOW, many)
    assert (len(drawn.marks), drawn.left_out, drawn.marks[-1].number) == (MOST_MARKS, 20, 60)
    assert all(14 <= mark.x <= 986 for mark in drawn.marks)
