"""The dashboard as an operator's browser shows it, over the real service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from . import stage
from .conftest import serving
from .service import Service, wait_for

REPO = "org/browser"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Service]:
    """A service whose accounts' sessions this process can make."""
    with serving(tmp_path_factory, migrated, {"COORD_SECRET_KEY": "s" * 50}) as running:
        yield running


@pytest.fixture(scope="module")
def cookies(service: Service) -> dict[str, str]:
    """The session cookie of each account; hotspots of a month are there too."""
    return stage.prepare("story", {**service.environ, "COORD_DATABASE_PATH": str(service.database)})


@pytest.fixture
def dashboard(visit, service, cookies):
    """Open the dashboard: ``dashboard("victor", "?repo=…", width=360)``; waits until it is live."""

    def open_page(who="olivia", query="", **how):
        cookie = {"name": "coord_session", "value": cookies[who], "url": service.url}
        seen = visit(f"{service.url}/dashboard{query}", cookies=[cookie], **how)
        if how.get("script", True):
            expect(seen.page.locator("#live")).to_have_attribute("data-state", "live")
        return seen

    return open_page


@pytest.fixture
def claim(http):
    """Claim over REST: ``claim("alice", "src/a.py")``; the answer."""

    def ask(engineer, *patterns, **fields):
        items = [{"type": "file", "pattern": pattern} for pattern in patterns]
        body = {"engineer": engineer, "repo": REPO, "claims": items, **fields}
        return http.post("/claims", json=body)

    return ask


def panel(page: Page, name: str):
    return page.locator(f'[data-panel="{name}"]')


def height_within(row: Locator, region: Locator) -> float:
    """Where a row is seen in its region, in pixels."""
    inner, outer = row.bounding_box(), region.bounding_box()
    assert inner is not None
    assert outer is not None
    return inner["y"] - outer["y"]


def mark(page: Page) -> None:
    """Leave something on the page that a reload would lose."""
    page.evaluate("window.notReloaded = true")


def test_it_shows_a_claim_made_over_rest_without_reloading(dashboard, claim, http):
    page = dashboard(query=f"?repo={REPO}").page
    mark(page)
    made = claim("alice", "live/one.py").json()
    row = panel(page, "claims").get_by_text("live/one.py")
    expect(row).to_be_visible()
    refused = claim("bob", "live/one.py", description="also here")
    assert refused.status_code == 409
    expect(panel(page, "conflicts")).to_contain_text("bob wanted live/one.py")
    http.delete(f"/claims/{made['claim_ids'][0]}", params={"engineer": "alice"})
    expect(row).to_have_count(0)
    assert page.evaluate("window.notReloaded")


def test_it_counts_down_by_itself(dashboard, claim):
    page = dashboard(query=f"?repo={REPO}").page
    claim("alice", "count/down.py", ttl_hours=0.1)
    moment = panel(page, "claims").locator("tr", has_text="count/down.py").locator("time")
    expect(moment).to_have_text(re.compile(r"^in 5 min \d+ s$"))
    first = moment.text_content()
    expect(moment).not_to_have_text(first)


def test_it_keeps_focus_selection_and_scroll_when_a_panel_changes(dashboard, claim):
    page = dashboard(query="?repo=org/keep").page
    claim("alice", *(f"keep/{n:02}.py" for n in range(25)), repo="org/keep")
    region = panel(page, "claims").locator(".scroll")
    expect(region.locator("tbody tr")).to_have_count(25)
    seen, last = (region.locator("tbody tr").nth(n).locator("code").first for n in (5, 24))
    looked_at, wanted = seen.text_content(), last.text_content()
    region.focus()
    region.evaluate("element => { element.scrollTop = 120; }")
    row = region.locator("code", has_text=looked_at)
    row.evaluate("element => getSelection().selectAllChildren(element)")
    before = height_within(row, region)
    details = panel(page, "graph").locator("details")
    claim("bob", wanted, wait_seconds=1, hold_place_seconds=60, repo="org/keep")
    claim("carol", "other/new.py", repo="org/keep")
    expect(region.get_by_text("other/new.py")).to_have_count(1)
    expect(region.locator("tbody tr").first).to_contain_text(wanted)
    assert page.evaluate("document.activeElement.className") == "scroll"
    wait_for(lambda: abs(height_within(row, region) - before) < 1, "what one looks at is where it was before")
    assert page.evaluate("String(getSelection())") == looked_at
    expect(details).to_have_count(1)
    details.locator("summary").click()
    claim("dmitri", "other/newer.py", repo="org/keep")
    expect(region.get_by_text("other/newer.py")).to_have_count(1)
    expect(details).to_have_attribute("open", "")


def test_it_promotes_a_hotspot_with_a_reason_and_keeps_it_on_record(dashboard, http):
    page = dashboard().page
    mark(page)
    row = panel(page, "hotspots").locator("tr", has_text="package-lock.json")
    row.get_by_role("link", name="Promote package-lock.json to a shared file").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    reason = dialog.get_by_label("Reason")
    expect(reason).to_be_focused()
    expect(reason).to_have_value(re.compile(r"attempts by \d+ in 30 days"))
    reason.fill("")
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    reason.fill("lock files merge")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#said")).to_have_text("'package-lock.json' is shared.")
    expect(row.get_by_text("shared", exact=True)).to_be_visible()
    expect(row.get_by_role("link", name="Promote")).to_have_count(0)
    assert "package-lock.json" in http.get("/config/ownership").text
    events = http.get("/events", params={"limit": 1000}).json()["events"]
    assert [
        (event["operator"], event["detail"]["reason"])
        for event in events
        if event["event_type"] == "ownership_edited"
    ] == [("olivia", "lock files merge")]
    assert page.evaluate("window.notReloaded")


def test_it_works_with_the_keyboard_alone(dashboard):
    page = dashboard().page
    link = panel(page, "hotspots").get_by_role("link", name="Pin pyproject.toml as shared")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dialog").get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(link).to_be_focused()


def test_it_lets_a_viewer_look_but_not_act(dashboard, service):
    seen = dashboard("victor")
    expect(panel(seen.page, "hotspots")).to_contain_text("src/checkout/cart.py")
    expect(seen.page.locator("a[data-dialog]")).to_have_count(0)
    seen.expected.append("403")
    answer = seen.page.goto(f"{service.url}/admin/hotspots/?action=pin&pattern=a&repo=")
    assert answer is not None
    assert answer.status == 403


def test_it_reads_without_script(dashboard, claim):
    claim("alice", "plain/page.py")
    page = dashboard(query=f"?repo={REPO}", script=False).page
    expect(panel(page, "claims")).to_contain_text("plain/page.py")
    expect(panel(page, "claims").locator("time").first).to_have_text(re.compile(r"^\d+ \w+ \d\d:\d\d$"))
    page.get_by_label("Text").fill("no such thing")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"q=no\+such\+thing"))
    expect(panel(page, "claims")).to_contain_text("Nobody holds anything that matches the filter")


def test_it_keeps_the_filter_in_the_address(dashboard):
    page = dashboard().page
    page.locator("select[name=repo]").select_option("acme/web")
    expect(page).to_have_url(re.compile(r"\?repo=acme%2Fweb$"))
    expect(panel(page, "claims")).to_contain_text("src/routes/**")
    expect(panel(page, "claims")).not_to_contain_text("src/checkout/**")
    page.get_by_role("link", name="Show all").click()
    expect(panel(page, "claims")).to_contain_text("src/checkout/**")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_the_screen_in_both_themes(dashboard, width, theme):
    page = dashboard(width=width, theme=theme).page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in re.findall(r"\d+", ground)[:3]) / 3
    assert (brightness < 60) == (theme == "dark")
    page.get_by_role("button", name=re.compile("Toggle theme")).click()
    chosen = page.evaluate("document.documentElement.dataset.theme")
    assert chosen == ("light" if theme == "dark" else "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != ground


def test_it_asks_now_and_then_while_there_is_no_websocket(dashboard, claim, visit, service, cookies):
    cookie = {"name": "coord_session", "value": cookies["olivia"], "url": service.url}
    seen = visit(f"{service.url}/admin/records/", cookies=[cookie])
    seen.expected.append("WebSocket")
    seen.page.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose()); } }"
    )
    seen.page.goto(f"{service.url}/dashboard?repo={REPO}")
    expect(seen.page.locator("#live")).to_have_attribute("data-state", "polling")
    claim("alice", "poll/ed.py")
    expect(panel(seen.page, "claims")).to_contain_text("poll/ed.py")


def test_it_says_when_it_is_stale(visit, service, cookies):
    cookie = {"name": "coord_session", "value": cookies["olivia"], "url": service.url}
    seen = visit(f"{service.url}/admin/records/", cookies=[cookie])
    seen.expected += ["WebSocket", "ERR_", "Failed to load resource"]
    page = seen.page
    page.clock.install()
    page.goto(f"{service.url}/dashboard")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    seen.context.set_offline(True)
    page.route("**/admin/panels/**", lambda route: route.abort())
    page.route_web_socket("**/ws/dashboard*", lambda socket: socket.close())
    page.evaluate("panels.dataset.socket = '/nowhere'")
    page.clock.fast_forward(25_000)
    expect(page.locator("#live")).to_have_attribute("data-state", "stale")
    expect(page.locator("#live")).to_contain_text("Stale: nothing heard since")
    expect(page.locator("#live-words")).to_contain_text("Stale")


def test_it_signs_in_at_the_door_and_comes_to_the_dashboard(visit, service, cookies):
    page = visit(f"{service.url}/dashboard").page
    page.get_by_label("Username").fill("olivia")
    page.get_by_label("Password").fill(stage.PASSWORD)
    page.get_by_role("button", name=re.compile("Log in|Sign in")).click()
    expect(page).to_have_url(f"{service.url}/dashboard")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
