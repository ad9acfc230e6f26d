"""``claim_files``: what is sent, what comes back, and every refusal as data."""

from __future__ import annotations

from typing import Any

import pytest

from coordsite.bridge.bridge import Bridge
from coordsite.bridge.replies import size

from .fake_service import FakeService


async def test_it_sends_the_whole_request(call: Any, fake: FakeService) -> None:
    reply = await call(
        "claim_files",
        engineer="alice",
        patterns=["a.py", "b.py"],
        description="auth",
        branch="b1",
        shared_files=["go.mod"],
        ttl_hours=0.5,
        symbols={"b.py": ["f"], "c.py": ["A::g"], "d.py": []},
        narrowable=False,
        urgency="high",
    )

    [sent] = fake.calls("POST", "/claims")
    assert sent.body == {
        "engineer": "alice",
        "claims": [
            {"type": "file", "pattern": "a.py", "narrowable": False},
            {"type": "file", "pattern": "b.py", "symbols": ["f"], "narrowable": False},
            {"type": "file", "pattern": "c.py", "symbols": ["A::g"], "narrowable": False},
            {"type": "shared_file", "pattern": "go.mod", "narrowable": False},
        ],
        "branch": "b1",
        "description": "auth",
        "session_id": "SA",
        "ttl_hours": 0.5,
        "urgency": "high",
        "repo": "org/app",
    }
    assert sent.headers["x-coord-session"] == "SA"
    assert sent.headers["idempotency-key"]
    assert len(reply["claim_ids"]) == 4


async def test_it_leaves_out_what_is_not_given(call: Any, fake: FakeService) -> None:
    await call("claim_files", engineer="alice", patterns=["a.py"])
    [sent] = fake.calls("POST", "/claims")
    assert set(sent.body or {}) == {"engineer", "claims", "branch", "description", "session_id", "repo"}
    assert "authorization" not in sent.headers


async def test_it_sends_the_token(call: Any, fake: FakeService, bridge_settings: dict[str, Any]) -> None:
    bridge_settings["token"] = "s€cret"
    await call("claim_files", patterns=["a.py"])
    [sent] = fake.calls("POST", "/claims")
    assert sent.headers["authorization"] == "Bearer s€cret"


async def test_it_takes_a_single_text_for_a_list(call: Any, fake: FakeService) -> None:
    await call("claim_files", patterns="a.py")
    await call("claim_files", patterns='["b.py", "c.py"]')
    assert fake.held_by("SA") == ["a.py", "b.py", "c.py"]


async def test_it_asks_for_something_to_claim(call: Any, fake: FakeService) -> None:
    reply = await call("claim_files", engineer="alice", patterns=[])
    assert reply["claim_ids"] == []
    assert "patterns" in reply["next"]
    assert fake.seen == []


@pytest.mark.parametrize(
    ("changes", "owner", "expected"),
    [
        ({"requester": "rita", "user": "alice"}, "tom", "rita"),
        ({"user": "alice"}, "tom", "alice"),
        ({"user": None}, "tom", "tom"),
        ({"user": None}, None, "agent"),
    ],
)
async def test_it_knows_who_asks(
    call: Any, fake: FakeService, bridge_settings: dict[str, Any], changes: Any, owner: Any, expected: str
) -> None:
    bridge_settings.update(changes)
    fake.whoami = {"auth_kind": "per_engineer", "engineer": owner}
    await call("claim_files", patterns=["a.py"])
    [sent] = fake.calls("POST", "/claims")
    assert sent.body
    assert sent.body["engineer"] == expected


async def test_it_uses_one_name_for_claims_and_requests(
    call: Any, fake: FakeService, bridge_settings: dict[str, Any]
) -> None:
    bridge_settings["user"] = None
    held = fake.hold("b.py")
    await call("claim_files", engineer="alice/7", patterns=["a.py"])
    await call("request_release", claim_id=held, reason="need it", wait_seconds=0)
    [sent] = fake.calls("POST", "/requests")
    assert sent.body
    assert sent.body["requester"] == "alice/7"


async def test_it_grants_in_400_bytes(call: Any, fake: FakeService) -> None:
    reply = await call("claim_files", patterns=["src/authentication/backends/ldap_directory.py"])
    assert size(reply) <= 400
    claim = reply["claims"][0]
    assert claim["id"] == reply["claim_ids"][0]
    assert claim["pattern"] == "src/authentication/backends/ldap_directory.py"
    assert set(claim) == {"id", "pattern", "fence", "expires_at"}


async def test_it_names_every_claim_of_a_large_grant(call: Any) -> None:
    reply = await call("claim_files", patterns=[f"src/module_{n}/file.py" for n in range(50)])
    assert len(reply["claim_ids"]) == 50
    assert size(reply) <= 400 + 49 * 40
    assert reply["expires_at"].startswith("2099")


async def test_it_refuses_with_holder_time_and_one_next_step(call: Any, fake: FakeService) -> None:
    held = fake.hold("a.py", repo="org/app")
    reply = await call("claim_files", engineer="alice", patterns=["a.py"])
    [conflict] = reply["conflicts"]
    assert reply["claim_ids"] == []
    assert conflict["conflicting_claim"]["id"] == held
    assert conflict["conflicting_claim"]["engineer"] == "bob"
    assert conflict["conflicting_claim"]["description"] == "bob's work"
    assert conflict["minutes_left"] == 120
    assert "kind" not in conflict
    assert reply["options"] == ["wait", "narrow_claim", "escalate", "override"]
    assert reply["code"] == "conflict"
    assert reply["next"] == "Wait with wait_seconds, or ask bob."
    assert size(reply) <= 700


async def test_it_refuses_in_700_bytes_whatever_is_held(call: Any, fake: FakeService) -> None:
    names = [f"src/{'very' * 100}/{n}é.py" for n in range(40)]
    for name in names:
        fake.hold(name, engineer="b" * 200, repo="org/app")
    for claim in fake.claims.values():
        claim["description"] = "doing " * 300
    reply = await call("claim_files", patterns=names)
    assert size(reply) <= 700
    assert reply["conflicts"][0]["conflicting_claim"]["engineer"].startswith("bbb")
    assert len(reply["conflicts"]) + reply["more_conflicts"] == 40
    assert reply["next"]


REFUSALS = [
    (400, {"claim_ids": [], "warnings": ["Pattern '!a' is negated"], "options": ["narrow_claim"]}),
    (401, {"detail": "Invalid bearer token", "code": "unauthenticated", "next": "Check COORD_AUTH_TOKEN."}),
    (403, {"detail": "This token is for org/other", "code": "forbidden", "next": "Use another token."}),
    (404, {"detail": "Not Found", "code": "not_found"}),
    (409, {"detail": "Same key, another body", "code": "idempotency_mismatch"}),
    (413, {"detail": "The body is too large", "code": "too_large"}),
    (422, {"detail": [{"loc": ["body", "ttl_hours"], "msg": "must be at most 720"}]}),
    (429, {"detail": "Too many claims", "code": "too_many", "retry_after_s": 7, "next": "Come back in 7 s."}),
    (500, {"detail": "Internal error", "code": "internal"}),
    (503, {"detail": "Busy", "code": "unavailable", "retry_after_s": 30}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), REFUSALS, ids=[str(status) for status, _ in REFUSALS])
async def test_it_returns_refusals_as_data(call: Any, fake: FakeService, status: int, body: Any) -> None:
    fake.fail("POST", "/claims", (status, body))
    reply = await call("claim_files", patterns=["a.py"])
    assert [reply[key] for key in ("claim_ids", "conflicts")] == [[], []]
    assert reply["next"]
    assert size(reply) <= 700
    if status == 400:
        assert reply["warnings"] == ["Pattern '!a' is negated"]
        assert reply["options"] == ["narrow_claim"]
    elif status == 422:
        assert reply["detail"] == "ttl_hours: must be at most 720"
    else:
        assert reply["detail"] == body["detail"]
        assert reply["status"] == status
    for key in ("code", "retry_after_s"):
        assert reply.get(key) == body.get(key)


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("list_claims", {}),
    ("check_conflicts", {"files": ["a.py"], "engineer": "alice"}),
    ("release_claims", {"claim_ids": ["x"]}),
    ("release_session", {}),
    ("extend_claim", {"claim_id": "x"}),
    ("pending_requests", {}),
    ("request_release", {"claim_id": "x", "reason": "r"}),
    ("respond_to_request", {"request_id": "x", "decision": "approved"}),
    ("wait_for_request", {"request_id": "x"}),
    ("my_requests", {}),
    ("my_requests", {"queued": True}),
    ("cancel_queue_request", {"queue_id": "x"}),
]


@pytest.mark.parametrize(("name", "given"), OTHERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429])
async def test_every_tool_returns_refusals_as_data(
    call: Any, fake: FakeService, bridge: Bridge, name: str, given: dict[str, Any], status: int
) -> None:
    body = {"detail": "no, because", "code": "some_code", "next": "do this"}
    for method in ("GET", "POST", "DELETE"):
        fake.fail(method, "/", (status, body))
    reply = await call(name, **given)
    assert (reply["status"], reply["detail"]) == (status, "no, because")
    assert (reply["code"], reply["next"]) == ("some_code", "do this")


@pytest.mark.parametrize(("name", "given"), [*OTHERS, ("claim_files", {"patterns": ["a.py"]})])
async def test_every_tool_says_when_nobody_answers(
    call: Any, fake: FakeService, name: str, given: dict[str, Any]
) -> None:
    for method in ("GET", "POST", "DELETE"):
        fake.fail(method, "/", *["refuse"] * 500)
    reply = await call(name, **given)
    assert reply["code"] == "unreachable"
    assert "http://coord.test" in reply["detail"]
    assert reply["next"] == "Do not count on holding anything. Tell the user."
    assert "status" not in reply


async def test_it_says_when_the_answer_is_not_coords(call: Any, fake: FakeService, bridge: Bridge) -> None:
    import httpx

    page = httpx.Response(200, text="<html>It works!</html>")
    bridge.service.transport = httpx.MockTransport(lambda request: page)
    reply = await call("claim_files", patterns=["a.py"])
    assert reply["claim_ids"] == []
    assert reply["code"] == "not_coord"
    assert "COORD_API_URL" in reply["next"]


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://coord.test", ""])
async def test_it_says_when_the_url_is_none(
    call: Any, bridge: Bridge, bridge_settings: dict[str, Any], url: str
) -> None:
    bridge_settings["api_url"] = url
    bridge.service.transport = None
    reply = await call("claim_files", engineer="alice", patterns=["a.py"])
    assert reply["code"] == "bad_settings"
    assert "COORD_API_URL" in reply["next"]


async def test_it_forgets_nothing_after_release_session(call: Any, fake: FakeService) -> None:
    await call("claim_files", engineer="alice", patterns=["a.py"])
    assert await call("release_session") == {"released": 1}
    await call("claim_files", engineer="alice", patterns=["b.py"])
    assert {sent.body["session_id"] for sent in fake.calls("POST", "/claims") if sent.body} == {"SA"}
    assert fake.held_by("SA") == ["b.py"]
