"""The ownership document in admin: edit, compare, restore."""

from __future__ import annotations

import pytest

from ownership import selectors
from ownership.models import Revision
from ownership.services import save_document
from tests.admin.conftest import visible_text
from webhooks.models import Event

pytestmark = pytest.mark.django_db
ONE = "modules:\n  app:\n    paths: [src/**]\n"
TWO = "modules:\n  app:\n    paths: [src/**]\n    severity: hard\n"


@pytest.fixture
def revisions(db):
    return [save_document(text=text, author="ann", reason="start") for text in (ONE, TWO)]


def test_it_starts_the_editor_from_the_document_in_force(olga, revisions):
    assert "severity: hard" in olga.page("ownership/revision/add/")


def test_it_saves_a_new_revision_with_name_and_reason(olga, revisions):
    sent = {"text": ONE, "reason": "not hard after all", "seen": revisions[1].etag}
    answer = olga.client.post("/admin/ownership/revision/add/", sent, follow=True)
    current = selectors.current_revision()
    assert olga.said(answer) == [f"Revision {current.pk} is in force."]
    assert "<del>-    severity: hard</del>" in answer.content.decode()
    assert (current.text, current.author, current.reason) == (ONE, "olga", "not hard after all")
    assert Event.objects.filter(event_type="ownership_edited").latest("seq").operator == "olga"


def test_it_refuses_a_document_that_is_not_valid_and_keeps_the_text(olga, revisions):
    answer = olga.client.post(
        "/admin/ownership/revision/add/",
        {"text": "modules: {a: {paths: []}}", "reason": "try", "seen": revisions[1].etag},
    )
    page = answer.content.decode()
    assert "modules.a.paths" in page
    assert "modules: {a: {paths: []}}" in page
    assert Revision.objects.count() == 2


def test_it_refuses_an_edit_of_an_older_revision(olga, revisions):
    answer = olga.client.post(
        "/admin/ownership/revision/add/", {"text": ONE, "reason": "late", "seen": revisions[0].etag}
    )
    assert "Somebody else has changed the document" in answer.content.decode()
    assert Revision.objects.count() == 2


def test_it_shows_what_a_revision_changed(olga, revisions):
    text = visible_text(olga.page(f"ownership/revision/{revisions[1].pk}/change/"))
    assert "+ severity: hard" in text
    assert "in force" in text


def test_it_compares_two_revisions(olga, revisions):
    answer = olga.client.post(
        "/admin/ownership/revision/",
        {"action": "compare", "_selected_action": [one.pk for one in revisions]},
    )
    assert "<ins>+    severity: hard</ins>" in answer.content.decode()


def test_it_compares_one_revision_with_the_one_in_force(olga, revisions):
    chosen = {"action": "compare", "_selected_action": [revisions[0].pk]}
    answer = olga.client.post("/admin/ownership/revision/", chosen)
    assert "<ins>+    severity: hard</ins>" in answer.content.decode()
    chosen["_selected_action"] = [revisions[1].pk]
    said = olga.said(olga.client.post("/admin/ownership/revision/", chosen, follow=True))
    assert said == ["Compare: choose two revisions, or one that is not in force."]


def test_it_restores_an_old_revision(olga, revisions):
    olga.act("ownership/revision", "restore", revisions[0].pk, reason="too strict")
    current = selectors.current_revision()
    assert (current.text, current.author, current.reason) == (ONE, "olga", "too strict")
    assert current.pk not in [one.pk for one in revisions]


def test_it_lets_a_viewer_look_and_nothing_else(vera, revisions):
    assert "start" in vera.page("ownership/revision/")
    assert vera.status("ownership/revision/add/") == 403
    vera.client.post(
        "/admin/ownership/revision/",
        {
            "action": "restore",
            "_selected_action": [revisions[0].pk],
            "confirmed": "1",
            "reason": "no",
        },
    )
    assert selectors.current_revision() == revisions[1]


def test_it_lists_refused_attempts(olga, api, held):
    api.claim("bob", "src/a.py", repo="org/app")
    text = visible_text(olga.page("ownership/contention/"))
    assert "src/a.py" in text
    assert "bob" in text
