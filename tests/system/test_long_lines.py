"""Requests whose first line or headers are longer than anybody needs are answered, not dropped."""

from __future__ import annotations


def test_a_long_query_is_a_414_that_names_the_way_out(http):
    answer = http.get("/conflicts", params={"engineer": "alice", "pattern": "x" * 20_000})
    assert answer.status_code == 414
    assert answer.json()["code"] == "too_large"
    assert "/conflicts/batch" in answer.json()["next"]
    assert http.get("/whoami").status_code == 200


def test_a_long_header_is_a_431(http):
    answer = http.get("/whoami", headers={"X-Long": "x" * 20_000})
    assert answer.status_code == 431
    assert http.get("/whoami").status_code == 200
