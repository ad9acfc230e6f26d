"""Who may ask."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from common import metrics

pytestmark = [pytest.mark.urls("tests.common.operations"), pytest.mark.django_db]


def test_it_knows_the_shared_token(api):
    assert api.get("/who") == (200, {"kind": "shared", "session": None, "operator": True})


def test_it_strips_blanks_around_the_token(api):
    assert api.get("/who", Authorization="Bearer   test-token  ")[0] == 200


def test_it_reads_the_session(api):
    assert api.get("/who", X_Coord_Session="sess-1")[1]["session"] == "sess-1"
    assert len(api.get("/who", X_Coord_Session="s" * 999)[1]["session"]) == 200


@pytest.mark.parametrize(
    "header", ["", "Basic dGVzdA==", "bearer test-token", "Bearer", "Bearer  ", "Bearertest-token"]
)
def test_it_misses_a_token(api, header):
    status, body = api.get("/who", Authorization=header)
    assert status == 401
    assert body["detail"] == "Missing bearer token"
    assert body["code"] == "unauthenticated"


@pytest.mark.parametrize(
    "token", ["wrong", "test-tokem", "t\xe9st", "\xff\xfe", "test-token extra", "é" * 4000, "日本"]
)
def test_it_refuses_a_wrong_token(api, token):
    status, body = api.get("/who", Authorization=f"Bearer {token}")
    assert status == 401
    assert body["detail"] == "Invalid bearer token"


def test_it_compares_the_bytes_that_were_sent(api, config):
    config(auth_token=SecretStr("é"))
    as_a_server_decodes = "é".encode().decode("latin-1")
    assert api.get("/who", Authorization=f"Bearer {as_a_server_decodes}")[0] == 200


def test_it_answers_everybody_in_insecure_mode(api, config):
    config(auth_token=SecretStr(""), allow_insecure_no_auth=True)
    assert api.get("/who", Authorization="Bearer anything")[1]["kind"] == "insecure"


def test_it_enforces_a_token_that_is_set(api, config):
    config(allow_insecure_no_auth=True)
    assert api.get("/who", Authorization="Bearer wrong")[0] == 401


def test_it_refuses_everybody_when_nothing_is_configured(api, config):
    config(auth_token=SecretStr(""))
    assert api.get("/who", Authorization="Bearer x")[0] == 401


def test_it_counts_each_refusal(api):
    before = metrics.REGISTRY.get_sample_value("auth_failures_total")
    api.get("/who", Authorization="Bearer wrong")
    api.get("/who", Authorization="")
    assert metrics.REGISTRY.get_sample_value("auth_failures_total") == before + 2
