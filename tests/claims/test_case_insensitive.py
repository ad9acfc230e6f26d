"""Repositories whose checkouts do not tell case apart."""

from __future__ import annotations

import pytest

from claims.models import Repository


@pytest.fixture
def folded(api, clock):
    Repository.objects.create(name="org/mac", case_insensitive=True, created_at=clock())
    return api


@pytest.mark.parametrize("spelling", ["SRC/M.py", "src/m.PY", "Src/*.py", "src/[L-N].py"])
def test_spelling_in_another_case_is_the_same_scope(folded, spelling):
    assert folded.claim("alice", "src/m.py", repo="org/mac")[0] == 200
    status, body = folded.claim("bob", spelling, repo="org/mac")
    assert status == 409
    assert body["conflicts"][0]["conflicting_claim"]["pattern"] == "src/m.py"
    assert folded.get(f"/conflicts?repo=org/mac&engineer=bob&pattern={spelling}")[1]["has_conflicts"]


def test_other_repositories_tell_case_apart(folded):
    assert folded.claim("alice", "src/m.py", repo="org/linux")[0] == 200
    assert folded.claim("bob", "SRC/M.py", repo="org/linux")[0] == 200
