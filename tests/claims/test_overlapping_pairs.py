"""Pairs of patterns through the API: claim, check and batch give one verdict, whoever comes first."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from claims.models import Claim

MEETING = [
    ("src/*/a.py", "src/b/*.py"),
    ("src/**/*.ts", "src/auth/**"),
    ("**/test_*.py", "tests/**"),
    ("*.py", "src/a*"),
    ("src/a*.py", "src/*b.py"),
    ("docs/*.md", "docs/README*"),
    ("src/[a-m]*.py", "src/*z.py"),
    ("src/../lib/a.py", "lib/a.py"),
    ("#gen/**", "#gen/a.py"),
    ("src/auth/**", "src/auth/login.ts"),
    ("src/", "src/a.py"),
    ("src", "src/a/b.py"),
    ("src\\a.py", "src/a.py"),
    ("src//a.py", "src/a.py"),
    ("./././src/a.py", "src/a.py"),
    ("/src/a.py", "src/a.py"),
    ("src/a.py ", "src/a.py"),
    (" src/a.py", "src/a.py"),
    ("t/./a.py", "t/a.py"),
    ("app/[id]/page.tsx", "app/[id]/page.tsx"),
    ("app/[id]/page.tsx", "app/i/page.tsx"),
    ("caf\u00e9.py", "cafe\u0301.py"),
    ("src/new_dir/**", "src/new_dir/n.py"),
    ("**", "anything/at/all"),
    ("src/[!a]*.py", "src/b.py"),
    ("src/?.py", "src/a.py"),
]
APART = [
    ("README.md", "docs/README.md"),
    ("/README.md", "docs/README.md"),
    ("package.json", "apps/web/package.json"),
    ("a.py", "src/a.py"),
    ("src", "lib/src/x.py"),
    ("src/auth_v2/**", "src/auth/**"),
    ("src/auth/*", "src/auth/deep/file.ts"),
    ("Src/a.py", "src/a.py"),
    ("src/[!a].py", "src/a.py"),
    ("src/a?b.py", "src/a/b.py"),
    ("src/a", "src/ab"),
    ("**/*.toml", "src/**/*.py"),
]


def verdicts(api, held: str, asked: str, repo: str) -> tuple[bool, bool, bool]:
    """Whether claim, check and batch let ``asked`` pass while alice holds ``held``."""
    assert api.claim("alice", held, repo=repo)[0] == 200
    checked = api.get(f"/conflicts?{urlencode({'engineer': 'bob', 'pattern': asked, 'repo': repo})}")[1]
    batch = api.post("/conflicts/batch", {"engineer": "bob", "patterns": [asked], "repo": repo})[1]
    status, body = api.claim("bob", asked, repo=repo)
    assert status in (200, 409), body
    return status == 200, checked["safe"], batch["safe_to_proceed"]


@pytest.mark.parametrize(("one", "other"), MEETING)
def test_they_meet(api, clock, one, other):
    assert verdicts(api, one, other, "org/forth") == (False, False, False)
    assert verdicts(api, other, one, "org/back") == (False, False, False)
    assert Claim.objects.filter(engineer="bob").count() == 0


@pytest.mark.parametrize(("one", "other"), APART)
def test_they_stay_apart(api, clock, one, other):
    assert verdicts(api, one, other, "org/forth") == (True, True, True)
    assert verdicts(api, other, one, "org/back") == (True, True, True)
    assert Claim.objects.filter(engineer="bob").count() == 2


def test_braces_are_refused_with_what_to_write_instead(api, clock):
    status, body = api.claim("alice", "src/{a,b}.ts")
    assert status == 400
    assert body["options"] == ["narrow_claim"]
    assert "src/a.ts" in body["next"]
    assert "src/b.ts" in body["next"]
    status, body = api.get("/conflicts?engineer=alice&pattern=src/%7Ba,b%7D.ts")
    assert status == 400
    assert "src/a.ts" in body["next"]


@pytest.mark.parametrize("poison", ["src/[z-a].py", "src/[a", "[", "[[:digit:]]*", "a/[]b]", "\\"])
def test_an_odd_class_poisons_nothing(api, clock, poison):
    status, _ = api.claim("alice", poison, repo="org/app")
    assert status in (200, 400)
    assert api.claim("bob", "lib/x.py", repo="org/app")[0] == 200
    assert api.get("/conflicts?engineer=bob&pattern=lib/x.py&repo=org/app")[1]["safe"] is True


def test_a_pattern_built_to_backtrack_is_decided_in_few_steps(api, clock):
    """Were the cost exponential, this test would not end."""
    assert api.claim("alice", "d/" + "a" * 60, repo="org/app")[0] == 200
    assert api.claim("bob", "d/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", repo="org/app")[0] == 200
    assert api.claim("carol", "d/" + "a*" * 30 + "a", repo="org/app")[0] == 409
    stars = "/".join(["**", "*a*a*"] * 20)
    status, _ = api.claim("dave", stars, repo="org/other")
    assert status in (200, 400)
    assert api.claim("erin", stars + "/b", repo="org/other")[0] in (400, 409)


@pytest.mark.parametrize(
    "pattern", ["..", "../x", ".", "a/../..", "nul\x00byte", "\ud800", "a\nb", "!x", " ", "C:\\..\\.."]
)
def test_what_is_no_path_is_refused_and_changes_nothing(api, clock, pattern):
    status, body = api.claim("alice", "fine.py", pattern)
    assert status in (400, 422), body
    assert Claim.objects.count() == 0
