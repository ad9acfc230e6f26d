"""``coord import-reference``: a database that the reference wrote, taken over."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from claims.models import Claim, ClaimSymbol, Partnership, ReleaseRequest
from common.clock import iso
from ownership.models import Revision
from webhooks.models import Delivery, Endpoint, Event

DUMP = Path(__file__).with_name("0.27.1.sql")
MOMENT = datetime(2026, 11, 25, 10, 50, 4, tzinfo=UTC)
URL = "http://127.0.0.1:9/hook"

pytestmark = pytest.mark.django_db


@pytest.fixture
def database(tmp_path):
    """The reference's database file."""
    path = tmp_path / "reference.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript(DUMP.read_text())
    return path


@pytest.fixture
def change(database):
    """Run SQL on the file."""

    def run(sql, *values):
        with closing(sqlite3.connect(database)) as made, made:
            made.execute(sql, values)

    return run


@pytest.fixture
def take_over(database, clock):
    """Import at a moment when the leases of the file live; the report."""
    clock.time = MOMENT

    def run(*options):
        out = StringIO()
        call_command("import-reference", str(database), "--json", *options, stdout=out)
        return json.loads(out.getvalue())

    return run


@pytest.fixture
def endpoint(clock):
    return Endpoint.objects.create(url=URL, created_at=MOMENT, updated_at=MOMENT)


def live():
    rows = Claim.objects.filter(released_at__isnull=True).select_related("repository")
    return {(claim.repository.name, claim.engineer, claim.pattern): claim for claim in rows}


def reasons(report, kind):
    return {one["what"]: one["reason"] for one in report["skipped"] if one["kind"] == kind}


def test_it_takes_live_claims_over_under_their_own_ids(take_over, database):
    report = take_over()
    assert (report["schema_version"], report["dry_run"]) == (13, False)
    assert report["imported"] == {"claim": 9, "request": 3, "ownership": 1, "delivery": 0}
    held = live()
    assert set(held) == {
        ("org/app", "alice", "src/auth/**"),
        ("org/app", "bob", "src/auth/x.py"),
        ("org/app", "carol", "src/auth/x.py"),
        ("org/app", "dave", "CHANGES.md"),
        ("", "dave", "docs/**"),
        ("org/app", "erin", "lib/*/a.py"),
        ("org/app", "alice", "tools/**"),
        ("org/app", "bob", "tools/build.py"),
        ("org/app", "grace", "docs/x.md"),
    }
    alice = held["org/app", "alice", "src/auth/**"]
    with closing(sqlite3.connect(database)) as there:
        query = "SELECT id, created_at, expires_at, last_activity FROM claims WHERE pattern = 'src/auth/**'"
        row = there.execute(query).fetchone()
    assert row == (alice.id, iso(alice.created_at), iso(alice.expires_at), iso(alice.last_activity))
    assert (alice.session_id, alice.branch, alice.description) == ("sa", "topic", "login")
    dave = held["org/app", "dave", "CHANGES.md"]
    assert (dave.claim_type, dave.narrowable, dave.session_id, dave.last_activity) == (
        "shared_file",
        False,
        None,
        None,
    )
    fences = [claim.fence for claim in held.values() if claim.repository.name == "org/app"]
    assert sorted(fences) == list(range(1, 9))


def test_it_keeps_symbols_and_who_shares_what(take_over):
    take_over()
    symbols = {(row.claim.engineer, row.path) for row in ClaimSymbol.objects.select_related("claim")}
    assert symbols == {("bob", "K::m"), ("bob", "f"), ("carol", "g")}
    links = Partnership.objects.select_related("holder", "partner")
    assert {
        (link.kind, link.pattern, frozenset((link.holder.engineer, link.partner.engineer))) for link in links
    } == {
        ("auto-narrow", "src/auth/x.py", frozenset(("alice", "bob"))),
        ("auto-narrow", "src/auth/x.py", frozenset(("alice", "carol"))),
        ("auto-coexist", "src/auth/x.py", frozenset(("bob", "carol"))),
        ("coexist", "tools/build.py", frozenset(("alice", "bob"))),
    }


def test_partners_stay_partners_where_they_agreed_and_nowhere_else(api, take_over):
    take_over()
    bob = {"repo": "org/app", "session_id": "sb"}
    assert api.claim("bob", "tools/build.py", **bob)[0] == 200
    assert api.claim("bob", "tools/other.py", **bob)[0] == 409
    assert api.claim("bob", "src/auth/y.py", **bob)[0] == 409


def test_it_leaves_behind_what_would_be_held_twice(take_over):
    report = take_over()
    erin = live()["org/app", "erin", "lib/*/a.py"]
    assert reasons(report, "claim") == {
        "lib/b/*.py": f"it overlaps lib/*/a.py of erin (s…) (claim {erin.id})",
        "bad repo/x.py": (
            "'not a repo!' is not a repository id: segments of letters, digits, '.', '_' and '-', each"
            " beginning with a letter or digit, joined by '/', 200 characters at most"
        ),
    }


def test_it_takes_requests_over_with_their_claims(take_over, api):
    take_over()
    requests = {row.requester_engineer + ":" + row.decision: row for row in ReleaseRequest.objects.all()}
    assert set(requests) == {"bob:denied", "carol:pending", "bob:coexist"}
    pending = requests["carol:pending"]
    assert (pending.reason, pending.urgency, pending.requester_session_id) == ("two lines", "high", "sc")
    alice = live()["org/app", "alice", "src/auth/**"]
    assert iso(alice.shortened_from) == iso(pending.original_expires_at)
    body = {"decision": "denied", "engineer": "alice", "session_id": "sa"}
    assert api.post(f"/requests/{pending.id}/respond", body)[0] == 200
    alice.refresh_from_db()
    assert (alice.expires_at, alice.shortened_from) == (pending.original_expires_at, None)


def test_it_tells_that_waiters_ask_again(take_over):
    assert reasons(take_over(), "ticket") == {"docs/x.md": "who waited is gone with its call and asks again"}


def test_it_cuts_leases_to_thirty_days(take_over):
    take_over()
    assert live()["", "dave", "docs/**"].expires_at == MOMENT + timedelta(days=30)


def test_it_puts_the_ownership_document_in_force(take_over, database):
    take_over()
    revision = Revision.objects.get()
    assert 'paths: ["CHANGES.md"]' in revision.text
    assert (revision.author, revision.reason) == ("import-reference", "taken over from the reference")


def test_it_leaves_a_document_of_ours_in_force(api, take_over):
    ours = "modules:\n  a:\n    paths: [x]\n"
    api.client.post(
        "/config/ownership", ours, content_type="text/yaml", headers={"Authorization": "Bearer test-token"}
    )
    report = take_over()
    assert report["imported"]["ownership"] == 0
    assert reasons(report, "ownership")["owners.yaml"].startswith("another document is in force here")
    assert Revision.objects.get().text == ours


def test_it_owes_undelivered_webhooks_to_the_same_receiver(take_over, endpoint, database):
    report = take_over()
    with closing(sqlite3.connect(database)) as there:
        ids = {row[0] for row in there.execute("SELECT id FROM webhook_outbox")}
    owed = {str(row.id): row for row in Delivery.objects.select_related("event") if str(row.id) in ids}
    # One of the rows names a repository that cannot be one.
    assert len(owed) == len(ids) - 1 == report["imported"]["delivery"]
    row = min(owed.values(), key=lambda one: one.event_id)
    assert (row.status, row.event.event_type, row.event.actor_engineer) == (
        "pending",
        "claim_granted",
        "alice",
    )
    assert row.event.repo == "org/app"
    assert row.event.created_at < MOMENT


def test_it_says_what_is_missing_for_webhooks(take_over):
    [reason] = set(reasons(take_over(), "delivery").values()) - {
        reason for reason in reasons(take_over(), "delivery").values() if "repository id" in reason
    }
    assert reason == f"no endpoint has its URL {URL}: add one, then import again"


def test_it_may_be_repeated(take_over, endpoint):
    first = take_over()
    counts = [model.objects.count() for model in (Claim, ReleaseRequest, Revision, Delivery, Event)]
    second = take_over()
    assert second["imported"] == dict.fromkeys(first["imported"], 0)
    assert second["known"] == first["imported"]
    assert [one["id"] for one in second["skipped"]] == [one["id"] for one in first["skipped"]]
    assert [model.objects.count() for model in (Claim, ReleaseRequest, Revision, Delivery, Event)] == counts


def test_a_dry_run_changes_nothing_and_tells_the_same(take_over, endpoint):
    tried = take_over("--dry-run")
    assert tried["dry_run"] is True
    for model in (Claim, ReleaseRequest, Revision, Delivery, Event):
        assert model.objects.count() == 0
    done = take_over()
    assert {**tried, "dry_run": False, "skipped": len(tried["skipped"])} == {
        **done,
        "skipped": len(done["skipped"]),
    }


def test_it_tells_of_each_claim_in_an_event(take_over):
    take_over()
    events = Event.objects.filter(event_type="claim_granted")
    assert len(events) == 9
    assert all(event.detail["imported"] is True for event in events)
    assert Event.objects.filter(event_type="filed").count() == 1


def test_what_was_released_here_does_not_come_back(api, take_over):
    take_over()
    alice = live()["org/app", "alice", "src/auth/**"]
    api.delete(f"/claims/{alice.id}")
    take_over()
    assert ("org/app", "alice", "src/auth/**") not in live()


def test_it_leaves_what_has_run_out(take_over, clock, config):
    config(idle_timeout_sec=60)
    report = take_over()
    assert reasons(report, "claim")["src/auth/**"] == "its session has shown no sign of life for too long"
    assert ("org/app", "dave", "CHANGES.md") in live()


def test_it_leaves_what_has_ended(take_over, clock):
    clock.advance(timedelta(days=1).total_seconds())
    report = take_over()
    assert reasons(report, "claim")["CHANGES.md"] == "its lease has run out"
    assert set(live()) == {("", "dave", "docs/**")}


@pytest.mark.parametrize(
    ("sql", "what", "reason"),
    [
        ("UPDATE claims SET pattern = '!x' WHERE pattern = 'docs/x.md'", "!x", "is a negation"),
        ("UPDATE claims SET expires_at = 'soon' WHERE pattern = 'docs/x.md'", "docs/x.md", "is not a time"),
        ("UPDATE claims SET engineer = '' WHERE pattern = 'docs/x.md'", "docs/x.md", "names no engineer"),
        ("UPDATE claims SET id = 'x' WHERE pattern = 'docs/x.md'", "docs/x.md", "its id is not a UUID"),
        (
            "UPDATE claims SET session_id = printf('%0300d', 0) WHERE pattern = 'docs/x.md'",
            "docs/x.md",
            "300",
        ),
        ("DELETE FROM claim_symbols WHERE symbol_name = 'g'", "src/auth/x.py", "claim without symbols"),
        (
            "UPDATE claim_symbols SET symbol_name = printf('%0600d', 0) WHERE symbol_name = 'g'",
            "src/auth/x.py",
            "more than 512",
        ),
    ],
)
def test_one_bad_row_stops_no_other(take_over, change, sql, what, reason):
    change(sql)
    report = take_over()
    assert reason in reasons(report, "claim")[what]
    assert report["imported"]["claim"] == 8


def test_it_reads_older_schemas(take_over, change):
    for column in ("narrowable", "coexists_with", "last_activity"):
        change(f"ALTER TABLE claims DROP COLUMN {column}")
    change("DROP TABLE webhook_outbox")
    change("DROP TABLE claim_queue")
    report = take_over()
    assert report["imported"]["claim"] >= 6


def test_an_unknown_type_is_a_file(take_over, change):
    change("UPDATE claims SET claim_type = 'epic' WHERE pattern = 'docs/x.md'")
    take_over()
    assert live()["org/app", "grace", "docs/x.md"].claim_type == "file"


def test_it_tells_people_in_words(database, clock):
    clock.time = MOMENT
    out = StringIO()
    call_command("import-reference", str(database), "--dry-run", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["Would import 9 claims.", "Would import 3 release requests."]
    assert any(line.startswith("  claim lib/b/*.py (") for line in lines)


@pytest.mark.parametrize("content", [None, b"", b"no database at all, really not", "other"])
def test_it_refuses_other_files(tmp_path, content):
    path = tmp_path / "file.db"
    if content == "other":
        with closing(sqlite3.connect(path)) as made, made:
            made.execute("CREATE TABLE claims (id)")
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=r"file\.db: "):
        call_command("import-reference", str(path))
