"""POST /metrics/hotspots/promote."""

from __future__ import annotations

import pytest
import yaml

from ownership.models import Revision
from ownership.selectors import current_rules
from patterns import parse
from tests.ownership.conftest import RULES, stored, told

PATH = "/metrics/hotspots/promote"


def test_it_shares_a_pattern(api, document):
    document()
    status, body = api.post(PATH, {"action": "shared_file", "pattern": "hot/a.py", "repo": "h", "note": "n"})
    patched = RULES + "shared_files:\n  - hot/a.py\n"
    assert (status, body) == (
        200,
        {"ok": True, "action": "shared_file", "pattern": "hot/a.py", "repo": "h", "patched_yaml": patched},
    )
    assert stored() == patched
    newest = Revision.objects.latest("id")
    assert (newest.rules, newest.author, newest.reason) == (1, "shared-token", "shared_file hot/a.py")
    assert told("ownership_edited")[1:] == [
        {"action": "shared_file", "reason": "", "pattern": "hot/a.py", "repo": "h", "revision": newest.pk}
    ]


def test_it_suggests_a_split(api, document, clock):
    document()
    _, body = api.post(PATH, {"action": "split", "pattern": "hot/a.py", "note": "too big"})
    added = (
        "suggested_splits:\n- pattern: hot/a.py\n  suggested_at: '2026-11-23T12:00:00Z'\n  note: too big\n"
    )
    assert body["patched_yaml"] == stored() == RULES + added


@pytest.mark.parametrize("action", ["shared_file", "split"])
def test_it_is_idempotent(api, document, clock, action):
    document()
    first = api.post(PATH, {"action": action, "pattern": "hot/a.py"})
    clock.advance(5)
    assert api.post(PATH, {"action": action, "pattern": "hot/a.py"}) == first
    assert Revision.objects.count() == len(told("ownership_edited")) == 2


@pytest.mark.parametrize("action", ["shared_file", "split"])
def test_it_makes_a_first_document_that_can_be_uploaded(api, action):
    """BUG-53."""
    status, body = api.post(PATH, {"action": action, "pattern": "new.py"})
    assert status == 200
    sent = api.client.post("/config/ownership", body["patched_yaml"], "text/yaml", headers=api.headers)
    assert (sent.status_code, sent.json()["rules"]) == (200, 0)


def test_it_keeps_the_rules_when_the_pattern_means_something_to_yaml(api, document):
    """BUG-46."""
    document()
    for pattern in ("*.lock", "@x", "a: b", "yes", "&x", "[x]", "x:", "**/*.ts"):
        assert api.post(PATH, {"action": "shared_file", "pattern": pattern})[0] == 200
        assert yaml.safe_load(stored())["shared_files"][-1] == pattern
        assert current_rules().severity("", parse("src/auth/x.py")) == "hard"


def test_it_promotes_after_a_split(api, document):
    """BUG-47."""
    document(RULES + "shared_files:\n- hot/a.py\n")
    api.post(PATH, {"action": "split", "pattern": "hot/b.py"})
    api.post(PATH, {"action": "shared_file", "pattern": "hot/c.py"})
    assert yaml.safe_load(stored())["shared_files"] == ["hot/a.py", "hot/c.py"]


BAD = ["a.py\nmodules:\n  a: {paths: [x]}", "a\rb", "!a", "{a,b}.py", "../x", " "]


@pytest.mark.parametrize("pattern", BAD)
def test_it_refuses_what_is_no_pattern(api, document, pattern):
    """BUG-48."""
    document()
    status, body = api.post(PATH, {"action": "shared_file", "pattern": pattern})
    assert (status, body["code"]) == (400, "invalid")
    assert body["detail"].startswith("`pattern`: ")
    assert stored() == RULES


def test_it_refuses_an_unknown_action(api):
    status, body = api.post(PATH, {"action": "drop", "pattern": "a.py"})
    assert (status, body["detail"]) == (400, "Unknown action 'drop'; expected 'shared_file' or 'split'")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "split"}, "pattern"),
        ({"pattern": "a"}, "action"),
        ({"action": "split", "pattern": ""}, "pattern"),
        ({"action": "split", "pattern": "\x00"}, "pattern"),
    ],
)
def test_it_refuses_missing_fields(api, body, field):
    status, answer = api.post(PATH, body)
    assert (status, answer["detail"][0]["loc"]) == (422, ["body", field])


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("modules: [", "Invalid YAML:"),
        ("- a\n", "The document must be a mapping"),
        ("shared_files: x\n", "`shared_files` must be a list"),
    ],
)
def test_it_refuses_a_stored_document_that_cannot_be_edited(api, text, detail, clock):
    Revision.objects.create(replaces=0, text=text, digest="x", author="old", created_at=clock.time)
    status, body = api.post(PATH, {"action": "shared_file", "pattern": "a.py"})
    assert status == 400
    assert body["detail"].startswith(detail)
    assert Revision.objects.count() == 1
