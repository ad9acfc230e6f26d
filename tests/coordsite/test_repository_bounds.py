"""A token that is bound to repositories sees and touches nothing else: every path of the URL map is tried."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.urls import URLPattern, get_resolver

from claims.models import Claim, ReleaseRequest, StoredAnswer
from common import clock as time_source
from coordsite.gate import is_site
from coordsite.models import Token
from ownership.models import Contention, Revision
from queueing.models import Ticket
from tests.conftest import Api
from webhooks.models import Delivery, Endpoint

MINE, SECRET = "org/mine", "org/secret"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SAMS_SESSION, TINA_SESSION = "sam-session-0123456789", "tina-session-0123456789"
PUBLIC = {"health", "readyz", "meta", "metrics", "openapi.json", "docs", "redoc"}
ROWS = (Claim, Ticket, ReleaseRequest, Contention, Revision, Endpoint, Delivery)


def items(*patterns):
    return [{"type": "file", "pattern": pattern} for pattern in patterns]


@pytest.fixture
def secret(api, person):
    """In org/secret sam holds, tina was refused, asks and waits; alice herself holds there too."""
    sam, tina = person("sam", session=SAMS_SESSION), person("tina", session=TINA_SESSION)
    body = {"repo": SECRET, "branch": "hush-branch", "description": "hush-text"}
    claim = sam.post("/claims", {**body, "claims": items("vault/keys.py")})[1]["claim_ids"][0]
    own = person("alice", session="alice-secret-0123456789")
    hers = own.post("/claims", {**body, "claims": items("vault/hers.py")})[1]["claim_ids"][0]
    for _ in range(5):
        tina.post("/claims", {**body, "claims": items("vault/keys.py")})
    ticket = tina.post("/claims", {**body, "claims": items("vault/keys.py"), "hold_place_seconds": 3000})[1]
    asked = tina.post("/requests", {"claim_id": claim, "reason": "hush-why", "wait_seconds": 0})[1]["id"]
    receiver = {"url": "http://127.0.0.1:9/vault", "repositories": [SECRET]}
    endpoint = api.post("/webhooks/endpoints", receiver)[1]
    api.post(f"/webhooks/endpoints/{endpoint['id']}/test")
    text = "modules:\n  vault:\n    paths: [vault/**]\n"
    api.client.post("/config/ownership", data=text, content_type="text/yaml", headers=api.headers)
    return {
        "claim_id": claim,
        "hers": hers,
        "session_id": SAMS_SESSION,
        "request_id": asked,
        "queue_id": ticket["queue_id"],
        "endpoint_id": endpoint["id"],
        "delivery_id": str(Delivery.objects.get().id),
        "revision_id": str(Revision.objects.get().pk),
        "token_id": sam.token.id,
        "tool": "claude",
    }


@pytest.fixture
def markers(secret):
    """What must never be read: names, ids and texts of the other repository."""
    names = [SECRET, "vault", "hush-", "sam-sess", "tina-ses", '"sam"', '"tina"', "whsec_"]
    ids = [
        value
        for name, value in secret.items()
        if name not in ("session_id", "revision_id", "token_id", "tool")
    ]
    return [*names, *ids]


def routes(patterns=None, prefix=""):
    """Every path of the URL map that is not the browser's part."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(entry.pattern)
        if is_site("/" + path):
            continue
        if isinstance(entry, URLPattern):
            yield path, list(entry.pattern.converters)
        else:
            yield from routes(entry.url_patterns, path)


def addressed(route, names, ids):
    path = re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", lambda found: ids[found[1]], route)
    return f"/{path}"


def everything(ids, **more):
    """One body with every field that any operation knows."""
    return {
        "claim_id": ids["claim_id"],
        "claim_ids": [ids["claim_id"], ids["hers"]],
        "fences": {ids["claim_id"]: 999},
        "patterns": ["vault/keys.py"],
        "pattern": "vault/keys.py",
        "action": "shared_file",
        "session_id": SAMS_SESSION,
        "session_ids": [SAMS_SESSION],
        "wait_seconds": 0,
        "decision": "approved",
        "ttl_hours": 9,
        "url": "http://127.0.0.1:9/x",
        "from_seq": 1,
        "changes": ["vault/keys.py"],
        **more,
    }


QUERIES = [
    "",
    "?engineer=alice",
    "?active_only=false",
    "?queued=true",
    f"?session_id={SAMS_SESSION}",
    "?min_attempts=1&days=90",
    "?pattern=vault/keys.py&engineer=alice&min_attempts=1",
    f"?pattern=vault/keys.py&session_id={SAMS_SESSION}",
    "?after=0&limit=1000",
    "?wait=0&fence=999",
    "?include_revoked=true",
]


def calls(ids):
    """Every method of every path, with the secret's ids, without a repository and with the secret one."""
    for route, names in routes():
        if route in PUBLIC:
            continue
        path = addressed(route, names, ids)
        for query in [*QUERIES, f"?repo={SECRET}", f"?repo={SECRET.upper()}&pattern=a&engineer=alice"]:
            yield route, "get", path + query, None
            yield route, "delete", path + query, None
        for method in ("post", "patch", "put"):
            yield route, method, path, everything(ids)
            yield route, method, path, everything(ids, repo=SECRET)
            yield route, method, path, everything(ids, claims=items("vault/keys.py"), repo=SECRET)
            yield route, method, path, everything(ids, claims=[{"id": ids["claim_id"], "fence": 1}])
            yield route, method, f"{path}?repo={SECRET}", everything(ids)
            yield route, method, f"{path}?engineer=sam", everything(ids, engineer="sam")


def text_of(answer):
    return json.dumps(answer, default=bytes.decode, ensure_ascii=False)


def told(answer, ids, path, body):
    """The answer without what the caller itself said: that is no leak."""
    text, said = text_of(answer), path + text_of(body)
    for value in (*ids.values(), SECRET, "vault/keys.py"):
        if value.casefold() in said.casefold():
            text = text.replace(value, "…")
    return text


def snapshot():
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in ROWS}


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["agent", "operator"])
def test_nothing_of_another_repository_leaks(clock, person, secret, markers, role):
    """And an id of another repository is as one that nobody has."""
    unknown = dict.fromkeys(secret, UNKNOWN) | {
        "session_id": "nobody-0123456789",
        "revision_id": "999",
        "tool": "claude",
    }
    bound = person("alice", role=role, repositories=[MINE], session="alice-session-0123456789")
    before = snapshot()
    tried, unheard = set(), set()
    for (route, method, path, body), (_, _, other, _) in zip(calls(secret), calls(unknown), strict=True):
        if (route, method) in unheard:
            continue
        status, answer = bound.call(method, path, body)
        if status == 405:
            unheard.add((route, method))
        said = told(answer, secret, path, body)
        assert status < 500, (method, path, said)
        assert not [marker for marker in markers if marker in said], (method, path, body, said)
        if path != other:
            nothing = bound.call(method, other, body)
            assert (status, said) == (nothing[0], told(nothing[1], unknown, other, body)), (method, path)
        tried.add(route)
    after = snapshot()
    for name in ("Ticket", "ReleaseRequest", "Revision", "Endpoint", "Delivery"):
        assert after[name] == before[name], name
    known = {row["id"] for row in before["Claim"]}
    assert [row for row in after["Claim"] if row["id"] in known] == before["Claim"]
    assert not Claim.objects.exclude(id__in=known).exclude(repository__name=MINE).exists()
    assert not Contention.objects.filter(repo=SECRET, attempted_by="alice").exists()
    assert tried >= {"claims", "events", "requests", "tokens", "whoami", "verify"}


@pytest.mark.django_db
def test_the_walk_knows_every_parameter(secret):
    assert {name for _, names in routes() for name in names} <= set(secret)


@pytest.mark.django_db
def test_the_markers_are_there_to_be_found(api, secret, markers):
    """An operator without limits reads them all: the walk could have found them."""
    paths = ["/claims", "/events?limit=1000", "/requests", "/requests?queued=true", "/webhooks/endpoints"]
    paths += ["/webhooks/deliveries", "/metrics/hotspots?min_attempts=1"]
    text = " ".join(json.dumps(api.get(path)[1]) for path in paths)
    assert [marker for marker in markers if marker not in text] == ["whsec_"]


@pytest.mark.django_db
def test_it_fills_its_repository_in(person, secret):
    bound = person("alice", repositories=[MINE])
    status, body = bound.post("/claims", {"claims": items("vault/keys.py")})
    assert status == 200
    assert Claim.objects.get(id=body["claim_ids"][0]).repository.name == MINE
    assert [row["repo"] for row in bound.get("/claims?active_only=false")[1]["claims"]] == [MINE]
    assert [row["repo"] for row in bound.get("/repos")[1]["repos"]] == [MINE]
    assert {event["repo"] for event in bound.get("/events")[1]["events"]} == {MINE}
    assert bound.get("/conflicts?pattern=vault/**")[1]["has_conflicts"] is False


@pytest.mark.django_db
def test_it_names_its_repositories_when_another_is_asked_for(person, secret):
    bound = person("alice", repositories=[MINE])
    status, body = bound.post("/claims", {"claims": items("a.py"), "repo": SECRET})
    assert (status, body["code"]) == (403, "forbidden")
    assert body["next"] == f"Use repo: {MINE}."
    for path in ("/claims", "/requests", "/events", "/metrics/hotspots", "/metrics/auto-resolutions"):
        assert bound.get(f"{path}?repo={SECRET}")[0] == 403
        assert bound.get(f"{path}?repo={MINE.upper()}")[0] == 200


@pytest.mark.django_db
def test_a_token_of_several_must_say_which(person):
    bound = person("alice", repositories=[MINE, "org/other"])
    status, body = bound.post("/claims", {"claims": items("a.py")})
    assert (status, body["detail"]) == (403, "This token needs a repository.")
    assert bound.post("/claims", {"claims": items("a.py"), "repo": MINE})[0] == 200
    assert bound.post("/claims", {"claims": items("a.py"), "repo": "org/other"})[0] == 200
    assert bound.get("/claims")[1]["count"] == 2


@pytest.mark.django_db
def test_a_page_is_full_although_others_are_hidden(person, clock):
    """What is hidden is left out before the page is cut."""
    sam, bound = person("sam"), person("alice", repositories=[MINE])
    for n in range(5):
        sam.post("/claims", {"claims": items(f"s{n}.py"), "repo": SECRET})
    for n in range(3):
        bound.post("/claims", {"claims": items(f"m{n}.py")})
        clock.advance(1)
    for n in range(5, 10):
        sam.post("/claims", {"claims": items(f"s{n}.py"), "repo": SECRET})
    for query in ("?limit=2", "?active_only=false&limit=2"):
        first = bound.get(f"/claims{query}")[1]
        rest = bound.get(f"/claims{query}&cursor={first['next_cursor']}")[1]
        assert (first["count"], rest["count"], rest["next_cursor"]) == (2, 1, None)
    events = bound.get("/events?limit=3")[1]["events"]
    assert [event["repo"] for event in events] == [MINE] * 3


@pytest.mark.django_db
def test_lost_leases_of_others_push_none_of_its_own_out(person, clock):
    sam, bound = person("alice", session="s-0123456789"), person("alice", repositories=[MINE])
    bound.post("/claims", {"claims": items("mine.py"), "session_id": "s-0123456789", "ttl_hours": 1})
    clock.advance(60)
    sam.post("/claims", {"claims": items(*(f"{n}.py" for n in range(120))), "repo": SECRET, "ttl_hours": 1})
    clock.advance(3700)
    lost = bound.post("/sessions/s-0123456789/heartbeat")[1]["lost"]
    assert [one["pattern"] for one in lost] == ["mine.py"]


@pytest.mark.django_db
def test_a_cap_is_counted_in_its_repositories(person, config):
    config(max_claims_per_engineer=1)
    free, bound = person("alice"), person("alice", repositories=[MINE])
    assert free.post("/claims", {"claims": items("a.py"), "repo": SECRET})[0] == 200
    assert bound.post("/claims", {"claims": items("a.py")})[0] == 200
    status, body = bound.post("/claims", {"claims": items("b.py")})
    assert (status, body["code"]) == (429, "too_many")
    assert "holds 1 claims" in body["detail"]


@pytest.mark.django_db
def test_a_sign_of_life_stays_in_its_repositories(person, clock, config):
    config(idle_timeout_sec=100)
    free, bound = person("alice", session="s-0123456789"), person("alice", repositories=[MINE])
    free.post("/claims", {"claims": items("a.py"), "repo": SECRET})
    free.post("/claims", {"claims": items("a.py"), "repo": MINE})
    clock.advance(50)
    assert bound.post("/sessions/s-0123456789/heartbeat")[1]["renewed"] == 1
    ages = {c.repository.name: (clock() - c.last_activity).total_seconds() for c in Claim.objects.all()}
    assert ages == {SECRET: 50, MINE: 0}


@pytest.mark.django_db
def test_ending_a_session_ends_it_in_its_repositories(person):
    free, bound = person("alice", session="s-0123456789"), person("alice", repositories=[MINE])
    for repo in (SECRET, MINE):
        free.post("/claims", {"claims": items("a.py"), "repo": repo})
    assert bound.post("/sessions/s-0123456789/release") == (200, {"released": 1})
    assert [c.repository.name for c in Claim.objects.filter(released_at__isnull=True)] == [SECRET]


@pytest.mark.django_db
def test_a_retry_hears_no_answer_of_another_repository(person):
    free, bound = person("alice"), person("alice", repositories=[MINE])
    key = {"Idempotency_Key": "one"}
    first = free.post("/claims", {"claims": items("a.py")}, **key)[1]
    second = bound.post("/claims", {"claims": items("a.py")}, **key)[1]
    assert first["claim_ids"] != second["claim_ids"]
    assert StoredAnswer.objects.count() == 2


@pytest.mark.django_db
def test_events_of_a_request_are_its_repositories(person, secret):
    bound = person("alice", repositories=[MINE])
    for request_id in (secret["request_id"], UNKNOWN, "no-such-id"):
        assert bound.get(f"/requests/{request_id}/events") == (200, {"events": [], "count": 0})


class Socket(WebsocketCommunicator):
    def __init__(self, path, token):
        from coordsite.asgi import application

        headers = [(b"host", b"coord.test"), (b"authorization", f"Bearer {token}".encode())]
        super().__init__(application, path, headers)


def socket_paths():
    from coordsite.asgi import _websockets

    return [str(route.pattern) for route in _websockets()]


@pytest.mark.django_db(transaction=True)
async def test_no_socket_tells_of_another_repository(person, secret, markers):
    bound = await sync_to_async(person)("alice", repositories=[MINE])
    token = bound.headers["Authorization"].split()[1]
    paths = [addressed(route, [], secret) for route in socket_paths()]
    assert paths
    paths += ["/ws/events?after=0", f"/ws/events?repo={SECRET}&after=0"]
    for path in paths:
        socket = Socket(path, token)
        accepted, _ = await socket.connect(timeout=10)
        heard = []
        if accepted:
            heard.append(await socket.receive_output(timeout=10))
            await sync_to_async(bound.post)("/claims", {"claims": items(f"{paths.index(path)}.py")})
            while heard[-1]["type"] != "websocket.close" and MINE not in text_of(heard[-1]):
                heard.append(await socket.receive_output(timeout=10))
        await socket.disconnect(timeout=10)
        said = told(heard, secret, path, None)
        assert not [marker for marker in markers if marker in said], (path, said)


@pytest.mark.django_db(transaction=True)
async def test_a_socket_ends_with_its_token(person, monkeypatch):
    from queueing import consumers

    monkeypatch.setattr(consumers, "RECHECK_S", 0.0)
    alice = await sync_to_async(person)("alice")
    socket = Socket("/ws/events", alice.headers["Authorization"].split()[1])
    assert (await socket.connect(timeout=10))[0]
    await socket.receive_output(timeout=10)
    await sync_to_async(Token.objects.update)(revoked_at=time_source.now() - timedelta(seconds=1))
    await sync_to_async(Api().claim)("bob", "a.py")
    heard = [await socket.receive_output(timeout=10)]
    while heard[-1]["type"] != "websocket.close":
        heard.append(await socket.receive_output(timeout=10))
    await socket.disconnect(timeout=10)
    assert heard[-1]["code"] == 4401
    assert json.loads(heard[-2]["text"])["code"] == "unauthenticated"


@pytest.mark.django_db
def test_a_deadlock_through_another_repository_names_nobody_there(person):
    free = person("alice", session="alice-session-0123456789")
    bound = person("alice", repositories=[MINE], session="alice-session-0123456789")
    sam, tina = person("sam", session=SAMS_SESSION), person("tina", session=TINA_SESSION)
    free.post("/claims", {"claims": items("vault/a.py"), "repo": SECRET})
    sam.post("/claims", {"claims": items("vault/b.py"), "repo": SECRET})
    tina.post("/claims", {"claims": items("c.py"), "repo": MINE})
    wait = {"hold_place_seconds": 600, "repo": SECRET}
    assert sam.post("/claims", {"claims": items("vault/a.py"), **wait})[0] == 202
    assert tina.post("/claims", {"claims": items("vault/b.py"), **wait})[0] == 202
    asked = {"claims": items("c.py"), "hold_place_seconds": 600, "repo": MINE}
    status, body = bound.post("/claims", asked)
    assert (status, body["code"]) == (409, "deadlock")
    assert [link["held_by"] for link in body["cycle"]] == ["tina", "somebody", "alice"]
    text = text_of(body)
    assert not [marker for marker in ("sam", "vault", SECRET) if marker in text]
    assert body["next"] == "Release what you hold and somebody waits for, then claim both in one call."
    status, body = free.post("/claims", asked)
    assert [link["held_by"] for link in body["cycle"]] == ["tina", "sam", "alice"]
    assert "vault/a.py" in body["next"]
