"""The rules in force."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ownership.models import Revision
from ownership.selectors import current_rules
from patterns import parse

pytestmark = pytest.mark.django_db

HARD = "modules:\n  a: {paths: ['src/auth/**'], severity: hard}\n"


def store(text, clock, replaces=0):
    return Revision.objects.create(
        replaces=replaces,
        text=text,
        digest=sha256(text.encode()).hexdigest(),
        rules=1,
        author="alice",
        created_at=clock(),
    )


def severity(pattern, repo="org/app"):
    return current_rules().severity(repo, parse(pattern))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("src/auth/x.py", "hard"),
        ("src/**", "hard"),
        ("src/*/x.py", "hard"),
        ("*.py", "hard"),
        ("src/foo.py", "soft"),
        ("docs/**", "soft"),
    ],
)
def test_it_takes_the_severity_from_the_exact_overlap(clock, pattern, expected):
    store(HARD, clock)
    assert severity(pattern) == expected


def test_it_lets_hard_beat_soft(clock):
    store("areas:\n  a: {paths: [src/**]}\nmodules:\n  b: {paths: [src/x/**], severity: HARD}\n", clock)
    assert severity("src/x/a.py") == "hard"
    assert severity("src/a.py") == "soft"


def test_it_is_soft_without_a_document():
    assert severity("src/auth/x.py") == "soft"


def test_it_has_no_rules_when_the_document_is_invalid(clock, caplog):
    store("modules: [", clock)
    assert severity("src/auth/x.py") == "soft"
    assert "not valid" in caplog.text


def test_it_takes_one_query_once_the_document_is_known(clock, django_assert_num_queries):
    store(HARD, clock)
    current_rules()
    with django_assert_num_queries(1):
        assert severity("src/auth/x.py") == "hard"


def test_it_follows_a_new_revision(clock):
    first = store(HARD, clock)
    assert severity("src/auth/x.py") == "hard"
    store("modules:\n  a: {paths: [docs/**]}\n", clock, replaces=first.pk)
    assert severity("src/auth/x.py") == "soft"


def test_it_lists_shared_files_of_both_shapes(clock):
    store(
        "modules: {a: {paths: [src/**]}}\nshared_files:\n  - a.lock\n  - pattern: b/**\n    why: x\n", clock
    )
    assert current_rules().shared("org/app") == (parse("a.lock"), parse("b/**"))


def test_it_adds_the_rules_of_one_repository(clock):
    store(
        "modules: {a: {paths: [src/**]}}\n"
        "repos:\n"
        "  Org/App:\n"
        "    modules: {b: {paths: [src/x/**], severity: hard}}\n"
        "    shared_files: [x.lock]\n",
        clock,
    )
    assert severity("src/x/a.py", "org/app") == "hard"
    assert severity("src/x/a.py", "org/other") == "soft"
    assert current_rules().shared("org/app") == (parse("x.lock"),)
    assert current_rules().shared("org/other") == ()


def test_it_never_softens_a_global_hard_rule(clock):
    store(HARD + "repos:\n  org/app:\n    modules: {b: {paths: ['src/auth/**'], severity: soft}}\n", clock)
    assert severity("src/auth/x.py", "org/app") == "hard"


def test_it_compiles_rules_in_the_case_mode_of_the_pattern(clock):
    store(HARD + "shared_files: [A.lock]\n", clock)
    rules = current_rules()
    assert rules.severity("", parse("SRC/Auth/x.py", case_insensitive=True)) == "hard"
    assert rules.severity("", parse("SRC/Auth/x.py")) == "soft"
    assert rules.shared("", case_insensitive=True) == (parse("A.lock", case_insensitive=True),)
