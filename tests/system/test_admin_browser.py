"""What operators do in admin's pages, in a real browser: sign in, release, restore, test a receiver."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.webhooks.receiver import Receiver

from .service import coord

REPO = "org/admin-browser"


@pytest.fixture(scope="module")
def service(modules_service):
    """A service of their own: the rules that are restored here hold in every repository."""
    return modules_service


@pytest.fixture
def link(service):
    """A fresh one-time link into the first operator's account, as ``coord signin`` prints it."""
    variables = {"COORD_HOME": str(service.home), "COORD_DATABASE_PATH": str(service.database)}
    made = coord("signin", COORD_PORT=str(service.port), **variables)
    assert made.returncode == 0, made.stderr
    return made.stdout.splitlines()[0]


@pytest.fixture(scope="module")
def known():
    """The cookies of the first operator, once signed in."""
    return []


@pytest.fixture
def page(visit, service, known, request):
    """The dashboard of the first operator."""
    if known:
        seen = visit(f"{service.url}/admin/", cookies=known)
    else:
        seen = visit(request.getfixturevalue("link"))
        known += seen.context.cookies()
    expect(seen.page.locator("#live")).to_have_attribute("data-state", "live")
    return seen.page


def test_it_signs_in_by_a_link_that_works_once(visit, link):
    page = visit(link).page
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    expect(page.locator(".who")).to_have_text("operator")
    again = visit(link).page
    expect(again.get_by_text("This link was used or has run out")).to_be_visible()
    expect(again.locator("#live")).to_have_count(0)


LISTS = (
    "records",
    "claims/claim",
    "claims/holdingsession",
    "claims/releaserequest",
    "claims/repository",
    "queueing/ticket",
    "ownership/revision",
    "ownership/contention",
    "webhooks/event",
    "webhooks/endpoint",
    "webhooks/delivery",
    "coordsite/token",
)
FORMS = (
    "claims/repository/add",
    "ownership/revision/add",
    "webhooks/endpoint/add",
    "coordsite/token/add",
)


def test_every_page_fits_narrow_and_wide_screens(page, service, http):
    def claim(engineer, **more):
        items = [{"type": "file", "pattern": "a/long/path/to/some/file/that/is/wanted.py"}]
        return http.post(
            "/claims", json={"engineer": engineer, "repo": "org/screens", "claims": items, **more}
        )

    [claim_id] = claim("alice").json()["claim_ids"]
    claim("bob", wait_seconds=1, hold_place_seconds=60)
    found = {}
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for path in (*LISTS, *FORMS, f"claims/claim/{claim_id}/change"):
            page.goto(f"{service.url}/admin/{path}/")
            found[path, width] = page.evaluate("document.documentElement.scrollWidth")
    assert {key: wide for key, wide in found.items() if wide > key[1]} == {}
    http.delete(f"/claims/{claim_id}", params={"engineer": "alice"})


def test_it_releases_a_claim_with_a_reason(page, service, http):
    items = [{"type": "file", "pattern": "release/me.py"}]
    made = http.post("/claims", json={"engineer": "alice", "repo": REPO, "claims": items}).json()
    page.goto(f"{service.url}/dashboard?repo={REPO}")
    page.locator('[data-panel="claims"]').get_by_role("link", name="release/me.py").click()
    page.get_by_role("button", name="Release", exact=True).click()
    page.get_by_label("Reason").fill("alice is on holiday")
    page.get_by_role("button", name="Release").click()
    expect(page.locator(".messagelist")).to_be_visible()
    [claim] = http.get("/claims", params={"repo": REPO, "active_only": "false"}).json()["claims"]
    assert (claim["id"], claim["end_reason"]) == (made["claim_ids"][0], "operator")
    events = http.get("/events", params={"repo": REPO, "limit": 100}).json()["events"]
    assert [(event["operator"], event["detail"].get("reason")) for event in events if event["operator"]] == [
        ("operator", "alice is on holiday")
    ]


def test_it_restores_a_revision_of_the_ownership_document(page, service, http):
    for text in ("areas:\n  a: {paths: ['one/**']}\n", "areas:\n  a: {paths: ['two/**']}\n"):
        assert http.post("/config/ownership", content=text).status_code == 200
    revisions = http.get("/config/ownership/revisions").json()["revisions"]
    page.goto(f"{service.url}/admin/ownership/revision/{revisions[1]['id']}/change/")
    page.get_by_role("button", name="Restore", exact=True).click()
    page.get_by_label("Reason").fill("two was a mistake")
    page.get_by_role("button", name="Restore").click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert "one/**" in http.get("/config/ownership").text
    newest = http.get("/config/ownership/revisions").json()["revisions"][0]
    assert (newest["author"], newest["reason"]) == ("operator", "two was a mistake")


def test_it_tests_a_receiver(page, service, http):
    receiver = Receiver()
    try:
        made = http.post(
            "/webhooks/endpoints", json={"url": receiver.url, "event_types": ["queue_expire"]}
        ).json()
        page.goto(f"{service.url}/admin/webhooks/endpoint/{made['id']}/change/")
        page.get_by_role("button", name="Send a test event").click()
        page.get_by_role("button", name="Send a test event").click()
        expect(page.locator(".messagelist")).to_be_visible()
        [request] = receiver.wait_for(1, 15)
    finally:
        receiver.stop()
    assert b"endpoint_test" in request.body
