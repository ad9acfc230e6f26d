"""Automatic promotion of hotspots and demotion of quiet entries."""

from __future__ import annotations

import pytest
import yaml
from django.db import connections
from django_q.models import OrmQ, Schedule

from coordsite import server
from ownership import tasks
from ownership.models import Revision
from ownership.services import auto_demote, auto_promote, automatic
from tests.ownership.conftest import RULES, stored, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def hot(config, clock, document):
    """Promotion from three attempts on."""
    config(auto_promote_threshold=3)
    document()


def shared():
    return yaml.safe_load(stored()).get("shared_files", [])


def test_it_promotes_what_reached_the_threshold(hot, refused):
    refused("hot/a.py", times=3)
    refused("cold.py", times=2)
    assert auto_promote(repo="org/app", patterns=["hot/a.py", "cold.py"]) == ["hot/a.py"]
    assert stored() == RULES + "shared_files:\n  - hot/a.py  # auto-promoted=2026-11-23\n"
    newest = Revision.objects.latest("id")
    assert (newest.author, newest.reason) == ("coord", "reached the threshold of attempts")
    assert told("auto-promote") == [
        {
            "pattern": "hot/a.py",
            "threshold": 3,
            "window_days": 7,
            "subtree": False,
            "revision": newest.pk,
        }
    ]


def test_it_promotes_nothing_without_a_threshold(config, document, refused):
    document()
    refused("hot/a.py", times=50)
    assert auto_promote(repo="org/app", patterns=["hot/a.py"]) == []
    assert stored() == RULES


def test_it_counts_requests_not_holders(hot, refused):
    refused("hot/a.py", times=2, holders=5)
    assert auto_promote(repo="org/app", patterns=["hot/a.py"]) == []


def test_it_counts_within_the_window_and_the_repository(hot, refused, clock):
    refused("hot/a.py", times=2)
    refused("hot/a.py", times=2, repo="org/other")
    clock.advance(7 * 86_400 + 1)
    refused("hot/a.py")
    assert auto_promote(repo="org/app", patterns=["hot/a.py"]) == []


def test_it_promotes_once(hot, refused):
    refused("hot/a.py", times=3)
    auto_promote(repo="org/app", patterns=["hot/a.py"])
    assert auto_promote(repo="org/app", patterns=["hot/a.py", "./hot/a.py"]) == []
    assert Revision.objects.count() == 2


def test_it_never_shares_everything(hot, refused):
    refused("**", times=9)
    assert auto_promote(repo="org/app", patterns=["**"]) == []


@pytest.mark.parametrize("pattern", ["**/*.ts", "@x", "a: b", "yes", "*.lock"])
def test_it_leaves_a_valid_document_whatever_the_pattern(hot, refused, pattern):
    refused(pattern, times=3)
    assert auto_promote(repo="org/app", patterns=[pattern]) == [pattern]
    assert shared() == [pattern]
    assert yaml.safe_load(stored())["modules"] == yaml.safe_load(RULES)["modules"]


def test_siblings_of_one_request_become_their_subtree(hot, refused):
    siblings = ["src/a/1.py", "src/a/2.py", "src/a/3.py"]
    refused(*siblings, "top.py", times=3)
    assert auto_promote(repo="org/app", patterns=[*siblings, "top.py"]) == ["src/a/**", "top.py"]
    assert shared() == ["src/a/**", "top.py"]
    subtree, leaf = told("auto-promote")
    assert (subtree["source_count"], subtree["source_patterns"], subtree["subtree"]) == (3, siblings, True)
    assert (leaf["pattern"], leaf["subtree"]) == ("top.py", False)


def test_siblings_promoted_within_the_window_roll_up_and_give_their_entries_up(hot, refused, clock):
    for day, name in enumerate(["1.py", "2.py", "3.py"]):
        refused(f"src/a/{name}", times=3)
        auto_promote(repo="org/app", patterns=[f"src/a/{name}"])
        assert shared() == (["src/a/**"] if day == 2 else [f"src/a/{n + 1}.py" for n in range(day + 1)])
        clock.advance(86_400)
    assert told("auto-promote")[-1]["source_patterns"] == ["src/a/3.py", "src/a/1.py", "src/a/2.py"]


def test_siblings_promoted_before_the_window_stay_on_their_own(hot, refused, clock):
    for name in ["1.py", "2.py", "3.py"]:
        refused(f"src/a/{name}", times=3)
        auto_promote(repo="org/app", patterns=[f"src/a/{name}"])
        clock.advance(4 * 86_400)
    assert shared() == ["src/a/1.py", "src/a/2.py", "src/a/3.py"]


def test_it_rolls_nothing_up_when_told_not_to(hot, refused, config):
    config(auto_promote_subtree_min_files=0)
    siblings = [f"src/a/{n}.py" for n in range(4)]
    refused(*siblings, times=3)
    assert auto_promote(repo="org/app", patterns=siblings) == siblings


def test_a_roll_up_keeps_entries_written_by_hand(hot, refused, document):
    document(RULES + "shared_files:\n  - src/a/0.py  # ours\n")
    siblings = [f"src/a/{n}.py" for n in (1, 2, 3)]
    refused(*siblings, times=3)
    auto_promote(repo="org/app", patterns=siblings)
    assert shared() == ["src/a/0.py", "src/a/**"]
    assert "# ours" in stored()


def test_a_subtree_stays_while_the_paths_below_it_are_asked_for(hot, refused, clock):
    siblings = [f"src/a/{n}.py" for n in (1, 2, 3)]
    refused(*siblings, times=3)
    auto_promote(repo="org/app", patterns=siblings)
    clock.advance(13 * 86_400)
    assert auto_demote() == []
    refused("src/a/9.py")
    refused("src/a/b/*.py")
    refused("src/a/1.py")
    clock.advance(13 * 86_400)
    assert auto_demote() == []
    clock.advance(2 * 86_400)
    assert auto_demote() == ["src/a/**"]


def test_it_demotes_what_is_quiet_and_says_so(hot, refused, clock):
    refused("a.py", "b.py", times=3)
    auto_promote(repo="org/app", patterns=["a.py", "b.py"])
    clock.advance(14 * 86_400 + 1)
    refused("a.py", times=3)
    refused("b.py", times=2)
    assert auto_demote() == ["b.py"]
    assert shared() == ["a.py"]
    assert told("auto-demote") == [
        {
            "pattern": "b.py",
            "count_in_window": 2,
            "threshold": 3,
            "window_days": 14,
            "revision": Revision.objects.latest("id").pk,
        }
    ]


def test_it_judges_every_entry_however_many_there_are(hot, refused, clock):
    patterns = [f"d{n}/x.py" for n in range(40)]
    refused(*patterns, times=3)
    assert auto_promote(repo="org/app", patterns=patterns) == patterns
    assert auto_demote() == []
    assert shared() == patterns


def test_it_leaves_pinned_and_hand_written_entries(hot, document):
    text = RULES + (
        "shared_files:\n  - mine.py\n  - kept.py  # auto-promoted=2026-01-01 coord-managed=permanent\n"
        "  - old.py  # auto-promoted=2026-01-01\n"
    )
    document(text)
    assert auto_demote() == ["old.py"]
    assert shared() == ["mine.py", "kept.py"]


def test_the_last_demotion_takes_the_header_along(hot, document):
    document(
        RULES
        + "shared_files:\n  - a.py  # auto-promoted=2026-01-01\n\n  - b.py  # auto-promoted=2026-01-01\n"
    )
    assert auto_demote() == ["a.py", "b.py"]
    assert yaml.safe_load(stored()) == yaml.safe_load(RULES)


def test_it_demotes_nothing_when_promotion_is_off(document):
    document(RULES + "shared_files:\n  - a.py  # auto-promoted=2026-01-01\n")
    assert auto_demote() == []


def test_it_leaves_a_document_that_cannot_be_edited(hot, refused, clock, caplog):
    Revision.objects.create(
        replaces=Revision.objects.latest("id").pk,
        text="modules: [",
        digest="x",
        author="old",
        created_at=clock.time,
    )
    refused("a.py", times=3)
    assert auto_promote(repo="org/app", patterns=["a.py"]) == []
    assert auto_demote() == []
    assert "owners.yaml is left as it is: Invalid YAML" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_refused_claim_is_answered_first_and_promotes_then(api, config, clock):
    config(auto_promote_threshold=2)
    api.claim("alice", "hot/a.py", repo="org/app")
    for engineer in ("bob", "carol"):
        assert api.claim(engineer, "hot/a.py", repo="org/app")[0] == 409
        assert stored() is None, "nothing happens inside the claim"
    queued = [row.task for row in OrmQ.objects.order_by("id")]
    assert [task["func"] for task in queued] == ["ownership.tasks.promote_hot"] * 2
    assert tasks.promote_hot(*queued[-1]["args"]) == ["hot/a.py"]
    assert api.claim("bob", "hot/a.py", repo="org/app")[0] == 200


def test_it_schedules_demotion_as_often_as_told(config):
    config(auto_demote_interval_sec=600)
    automatic.prepare()
    automatic.prepare()
    assert Schedule.objects.get(func="ownership.tasks.demote_quiet").minutes == 10
    config(auto_demote_interval_sec=0)
    automatic.prepare()
    assert not Schedule.objects.filter(func="ownership.tasks.demote_quiet").exists()
    assert Schedule.objects.filter(func="ownership.tasks.trim_contention").exists()


def test_the_service_prepares_the_schedules_when_it_starts(db, monkeypatch):
    monkeypatch.setattr(type(connections["default"]), "close", lambda self: None)
    server.prepare()
    functions = set(Schedule.objects.values_list("func", flat=True))
    assert {"ownership.tasks.demote_quiet", "webhooks.tasks.deliver_due", "claims.tasks.sweep"} <= functions
