"""The contention log."""

from __future__ import annotations

import uuid

import pytest

from ownership.models import Contention
from ownership.services import Attempt, log_contention, resolve_contention

pytestmark = pytest.mark.django_db


def attempt(request_uid, **fields):
    given = {
        "repo": "org/app",
        "pattern": "hot/a.py",
        "attempted_by": "alice",
        "attempted_session_id": "s1",
        "claim_id": str(uuid.uuid4()),
        "holder_engineer": "bob",
        "holder_pattern": "hot/**",
    }
    return Attempt(request_uid=request_uid, **(given | fields))


def test_it_writes_one_row_per_item_and_holder(clock):
    uid = str(uuid.uuid4())
    log_contention([attempt(uid), attempt(uid, holder_engineer="carol"), attempt(uid, pattern="b.py")])
    assert list(Contention.objects.order_by("id").values_list("pattern", "holder_engineer")) == [
        ("hot/a.py", "bob"),
        ("hot/a.py", "carol"),
        ("b.py", "bob"),
    ]
    row = Contention.objects.order_by("id")[0]
    assert (row.request_uid, row.repo, row.attempted_by, row.attempted_session_id) == (
        uid,
        "org/app",
        "alice",
        "s1",
    )
    assert (row.holder_pattern, row.resolution, row.created_at) == ("hot/**", "", clock.time)


def test_it_takes_one_query(django_assert_num_queries):
    uid = str(uuid.uuid4())
    with django_assert_num_queries(1):
        log_contention([attempt(uid, pattern=f"p{n}.py") for n in range(60)])
    assert Contention.objects.count() == 60


def test_it_writes_nothing_for_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        log_contention([])


def test_it_says_what_became_of_a_request():
    mine, other = str(uuid.uuid4()), str(uuid.uuid4())
    log_contention([attempt(mine), attempt(mine, pattern="b.py"), attempt(other)])
    assert resolve_contention(mine, "waited") == 2
    assert resolve_contention(mine, "granted_later") == 2
    assert set(Contention.objects.filter(request_uid=mine).values_list("resolution", flat=True)) == {
        "granted_later"
    }
    assert Contention.objects.get(request_uid=other).resolution == ""


def test_it_keeps_a_final_resolution():
    uid = str(uuid.uuid4())
    log_contention([attempt(uid)])
    resolve_contention(uid, "granted_later")
    assert resolve_contention(uid, "gave_up") == 0
    assert Contention.objects.get().resolution == "granted_later"


def test_it_refuses_an_unknown_resolution():
    with pytest.raises(ValueError, match="unknown resolution 'lost'"):
        resolve_contention(str(uuid.uuid4()), "lost")
