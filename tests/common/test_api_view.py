"""The base view: input, errors, and answers that come later."""

from __future__ import annotations

import asyncio

import pytest
from django.test import AsyncClient

from tests.common.operations import Parking
from tests.conftest import TOKEN

pytestmark = [pytest.mark.urls("tests.common.operations"), pytest.mark.django_db]


def test_it_returns_what_was_validated(api):
    body = {
        "engineer": "alice",
        "count": "3",
        "flag": "yes",
        "unknown": [1],
        "items": [{"pattern": "a", "x": 1}],
    }
    status, answer = api.post("/echo", body)
    assert status == 200
    assert answer == {"engineer": "alice", "count": 3, "flag": True, "items": [{"pattern": "a"}]}


@pytest.mark.parametrize("number", ["3", 3, 3.0])
def test_it_takes_whole_numbers_laxly(api, number):
    assert api.post("/echo", {"engineer": "alice", "count": number})[1]["count"] == 3


@pytest.mark.parametrize("number", [1.5, "x", -1, 601, None, [1], float("nan")])
def test_it_refuses_other_numbers(api, number):
    status, answer = api.post("/echo", {"engineer": "alice", "count": number})
    assert status == 422
    assert isinstance(answer["detail"], list)


def test_it_names_every_wrong_field(api):
    status, answer = api.post("/echo", {"items": [{"pattern": "ok"}, {"pattern": "x" * 11}, {}]})
    assert status == 422
    found = {tuple(problem["loc"]): problem for problem in answer["detail"]}
    assert found[("body", "engineer")]["type"] == "missing"
    assert found[("body", "items", 1, "pattern")]["type"] == "too_long"
    assert found[("body", "items", 1, "pattern")]["input"] == "x" * 11
    assert found[("body", "items", 2, "pattern")]["type"] == "missing"
    assert set(answer) == {"detail", "code", "retryable", "retry_after_s", "next"}
    assert answer["code"] == "invalid"
    assert answer["retryable"] is False


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_it_refuses_text_that_no_database_keeps(api, text):
    status, answer = api.post("/echo", {"engineer": text})
    assert status == 422
    assert answer["detail"][0]["loc"] == ["body", "engineer"]


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff\xfe", b'{"engineer": NaN}', b"[" * 100_000, b"9" * 10_000, b'"\xed\xa0\x80"']
)
def test_it_refuses_malformed_json(api, raw):
    answer = api.client.post("/echo", data=raw, content_type="application/json", headers=api.headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "json_invalid"
    assert answer.json()["detail"][0]["loc"][0] == "body"


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"text"', b"null"])
def test_it_refuses_json_that_is_no_object(api, raw):
    answer = api.client.post("/echo", data=raw, content_type="application/json", headers=api.headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "model_attributes_type"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_it_refuses_other_content_types(api, kind):
    answer = api.client.generic("POST", "/echo", b'{"engineer":"a"}', content_type=kind, headers=api.headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "model_attributes_type"
    assert answer.json()["detail"][0]["loc"] == ["body"]


def test_it_takes_repeated_query_parameters(api):
    assert api.get("/echo?pattern=a&pattern=b&other=1") == (200, {"pattern": ["a", "b"], "active_only": True})
    assert api.get("/echo?active_only=no") == (200, {"active_only": False})


def test_it_names_a_wrong_query_parameter(api):
    status, answer = api.get("/echo?active_only=perhaps")
    assert status == 422
    assert answer["detail"][0]["loc"] == ["query", "active_only"]
    assert answer["detail"][0]["input"] == "perhaps"


def test_it_refuses_strangers_before_reading_anything(api):
    api.headers = {}
    for method, path in (("post", "/echo"), ("get", "/echo?active_only=perhaps"), ("get", "/refuse/plain")):
        status, answer = api.call(method, path)
        assert status == 401
        assert answer["detail"] == "Missing bearer token"


@pytest.mark.parametrize("method", ["put", "delete", "head", "options", "trace"])
def test_it_refuses_other_methods(api, method):
    answer = getattr(api.client, method)("/echo")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, POST"
    if method != "head":
        assert answer.json()["detail"] == "Method Not Allowed"


def test_it_answers_json_whatever_is_accepted(api):
    status, _ = api.get("/echo", Accept="text/html")
    assert status == 200
    assert api.last["Content-Type"] == "application/json"


def test_it_gives_a_refusal_its_shape(api):
    assert api.get("/refuse/plain") == (
        404,
        {
            "detail": "Claim not found or not owned",
            "code": "not_found",
            "retryable": False,
            "retry_after_s": None,
            "next": None,
        },
    )


def test_it_merges_a_refusals_own_body(api):
    status, answer = api.get("/refuse/body")
    assert status == 409
    assert answer == {
        "claim_ids": [],
        "conflicts": [],
        "code": "conflict",
        "retryable": False,
        "retry_after_s": 5,
        "next": "Wait.",
    }
    assert api.last["Retry-After"] == "5"


def test_it_leaks_nothing_of_a_failure(api):
    status, answer = api.get("/refuse/unforeseen")
    assert status == 500
    assert answer["code"] == "internal"
    assert "secret" not in api.last.content.decode()
    assert api.last["X-Request-ID"] in answer["detail"]


@pytest.fixture
def parking():
    Parking.bell, Parking.parked, Parking.left = asyncio.Event(), asyncio.Event(), []
    return Parking


HEADERS = {"Authorization": f"Bearer {TOKEN}"}


async def _park():
    return await AsyncClient().post(
        "/park", data={"engineer": "alice"}, content_type="application/json", headers=HEADERS
    )


@pytest.mark.django_db(transaction=True)
async def test_it_answers_later(parking):
    waiting = asyncio.ensure_future(_park())
    await parking.parked.wait()
    assert not waiting.done()
    parking.bell.set()
    answer = await waiting
    assert answer.status_code == 200
    assert answer.json() == {"engineer": "alice"}
    assert answer["Content-Type"] == "application/json"
    assert parking.left == ["alice"]


@pytest.mark.django_db(transaction=True)
async def test_it_cleans_up_when_the_client_leaves(parking):
    waiting = asyncio.ensure_future(_park())
    await parking.parked.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert parking.left == ["alice"]


def test_it_parks_under_a_synchronous_client(api, parking):
    parking.bell.set()
    status, answer = api.post("/park", {"engineer": "alice"})
    assert (status, answer) == (200, {"engineer": "alice"})


def test_it_validates_before_it_parks(api):
    status, answer = api.post("/park", {})
    assert status == 422
    assert answer["detail"][0]["loc"] == ["body", "engineer"]


def test_it_translates_a_refusal_after_parking(api):
    status, answer = api.post("/park/refused", {})
    assert status == 409
    assert answer["detail"] == "held by bob"
    assert answer["code"] == "conflict"
