"""Repositories in admin."""

from __future__ import annotations

import subprocess

import pytest

from claims.models import Repository
from webhooks.models import Event

pytestmark = pytest.mark.django_db


def save(desk, row, **fields):
    data = {"checkout_path": "", "checkout_scope": "", "max_claim_files": "", "max_claim_ratio": ""}
    return desk.save(f"claims/repository/{row.pk}/change/", **{**data, **fields})


@pytest.fixture
def row(api, held):
    return Repository.objects.get(name="org/app")


def test_it_sets_limits_and_says_what_changed(olga, row):
    save(olga, row, max_claim_files="7")
    row.refresh_from_db()
    assert row.max_claim_files == 7
    event = Event.objects.get(event_type="repository_edited")
    assert (event.operator, event.repo) == ("olga", "org/app")
    assert event.detail == {"changes": {"max_claim_files": [None, 7]}}


def test_it_takes_a_checkout_that_git_can_read(olga, row, tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    save(olga, row, checkout_path=str(tmp_path))
    row.refresh_from_db()
    assert row.checkout_path == str(tmp_path)


@pytest.mark.parametrize(
    ("path", "problem"), [("app", "absolute path"), ("/nowhere/at/all", "no such directory")]
)
def test_it_refuses_a_checkout_that_is_none(olga, row, path, problem):
    answer = olga.client.post(
        f"/admin/claims/repository/{row.pk}/change/",
        {"checkout_path": path, "checkout_scope": "", "max_claim_files": "", "max_claim_ratio": ""},
    )
    assert problem in answer.content.decode()
    row.refresh_from_db()
    assert row.checkout_path == ""


def test_it_keeps_the_case_mode_while_somebody_holds_something(olga, api, row, held):
    sent = {"case_insensitive": "on", "checkout_path": "", "checkout_scope": "", "max_claim_files": "77"}
    page = olga.client.post(f"/admin/claims/repository/{row.pk}/change/", sent).content.decode()
    assert "Nothing was saved. The case mode cannot change" in page
    assert 'value="77"' in page, "what was typed is still there"
    row.refresh_from_db()
    assert row.max_claim_files is None
    assert row.case_insensitive is False
    api.delete(f"/claims/{held}")
    save(olga, row, case_insensitive="on")
    row.refresh_from_db()
    assert row.case_insensitive is True


def test_it_makes_a_repository_in_the_one_spelling(olga):
    olga.save(
        "claims/repository/add/",
        name="Org/App",
        checkout_path="",
        checkout_scope="",
        max_claim_files="",
        max_claim_ratio="0.5",
    )
    assert Repository.objects.get().name == "org/app"


def test_it_never_deletes_the_counter_of_fences(olga, row):
    assert olga.status(f"claims/repository/{row.pk}/delete/") == 403
