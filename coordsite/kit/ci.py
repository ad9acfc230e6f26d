"""The gate in CI: whose are the files that a range of commits changes? Asks the service; claims nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from coordsite.bridge.environment import Settings
from coordsite.kit.claiming import Holder, Verdict
from coordsite.kit.gitread import GitFailed, git, line, names
from coordsite.kit.places import is_private, repository_of
from coordsite.kit.service import Service, clean
from coordsite.kit.sites import Site, repository_id
from coordsite.kit.verifying import Fence, Who, verify

MAX_AUTHORS = 10
_CLAIM = re.compile(r"([0-9A-Za-z-]{1,64})[:\s]\s*([0-9]{1,18})")


class Remote(NamedTuple):
    """A repository known by its name, and the service to ask about it."""

    url: str
    token: str
    repo: str
    engineer: str = ""

    def service(self, timeout: float = 20) -> Service:
        """A client of the service."""
        return Service(self.url, self.token, "", timeout)


class Range(NamedTuple):
    """The commits that are to land: what ``head`` adds to ``base``."""

    base: str
    head: str
    paths: list[str]
    authors: tuple[str, ...]
    fences: tuple[Fence, ...]


class Finding(NamedTuple):
    """One file that must not land, and why."""

    path: str
    why: str
    holder: Holder | None = None


def range_of(cwd: str, base: str, head: str) -> Range:
    """What a range of commits changes, by whom, and the claims that its messages name.

    Files that reached the base meanwhile are not counted. Raises :class:`GitFailed` with what to do.
    """
    git(cwd, "rev-parse", "--git-dir")  # no repository, or one that git does not trust: its own words help
    commits = {}
    for name, ref in (("--base", base), ("--head", head)):
        found = line(cwd, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if not found:
            raise GitFailed(f"{name} {ref}: no such commit here; fetch the whole history (fetch-depth: 0)")
        commits[name] = found
    fork = line(cwd, "merge-base", commits["--base"], commits["--head"])
    if not fork:
        raise GitFailed(f"{base} and {head} share no history here; fetch the whole history (fetch-depth: 0)")
    diff = ("diff", "--no-relative", "--name-only", "-z", "--no-renames", fork, commits["--head"])
    repository = repository_of(cwd)
    paths = [
        path
        for path in names(git(cwd, *diff, timeout=120))
        if repository is None or not is_private(repository, path)
    ]
    authors, fences = _told(cwd, fork, commits["--head"])
    return Range(commits["--base"], commits["--head"], paths, authors, fences)


def _told(cwd: str, fork: str, head: str) -> tuple[tuple[str, ...], tuple[Fence, ...]]:
    """Authors of the commits; trailers ``Coord-Engineer:`` and ``Coord-Claim: ID FENCE`` say more."""
    trailer = "%(trailers:key={},valueonly,separator=%x1f)"
    form = "%x1e".join(["%an", trailer.format("Coord-Engineer"), trailer.format("Coord-Claim")])
    log = git(cwd, "log", "-z", f"--format={form}", "--end-of-options", f"{fork}..{head}", timeout=120)
    authors: dict[str, None] = {}
    fences: dict[str, Fence] = {}
    for record in names(log):
        author, engineers, claims = [*record.split("\x1e"), "", ""][:3]
        named = [name.strip() for name in engineers.split("\x1f") if name.strip()]
        authors.update(dict.fromkeys(named or [author.strip()]))
        for text in claims.split("\x1f"):
            if found := _CLAIM.fullmatch(text.strip()):
                fences[found[1]] = Fence(found[1], int(found[2]))
    return tuple(authors)[:MAX_AUTHORS], tuple(fences.values())


def fence_of(text: str) -> Fence:
    """A claim as ``ID:FENCE``. Raises ``ValueError``."""
    found = _CLAIM.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not ID:FENCE, for example 3f0c4a52-6d0e-4a53-9d0f-2f6f1d0c8a11:7")
    return Fence(found[1], int(found[2]))


def judge(remote: Remote, asked: Range, engineers: tuple[str, ...], sessions: tuple[str, ...]) -> Verdict:
    """The verdict on the range: a file that any of the engineers may land, may land."""
    verdict = Verdict()
    paths = asked.paths
    for engineer in engineers or ("",):
        one = verify(remote, paths, Who(engineer, sessions), asked.fences, asked.base, asked.head)
        if one.fault:
            return one
        verdict = one
        paths = [path for path in paths if path in {*(held.path for held in one.held), *one.stale}]
        if not paths:
            return Verdict()
    return verdict


def findings_of(verdict: Verdict) -> list[Finding]:
    """What keeps the range from landing, one entry a file."""
    found: dict[str, Finding] = {}
    for holder in verdict.held:
        left = "" if holder.minutes is None else f" for {holder.minutes} more min"
        why = f" ({holder.description})" if holder.description else ""
        text = f"{clean(holder.path, 300)} is held by {holder.engineer}{left}{why}."
        found.setdefault(holder.path, Finding(holder.path, text, holder))
    for path in verdict.stale:
        text = f"{clean(path, 300)} was changed under a claim that is over; claim it again and look anew."
        found.setdefault(path, Finding(path, text))
    return list(found.values())


def event_range(environ: Mapping[str, str]) -> tuple[str, str]:
    """The base and head that the CI system names; ``""`` where it names none."""
    if environ.get("GITLAB_CI"):
        # A pipeline of merged results runs on a merge: that commit has the target's changes as well.
        source = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", "")
        return environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""), source
    try:
        with open(environ.get("GITHUB_EVENT_PATH") or os.devnull, encoding="utf-8") as file:
            event = json.load(file)
        if "merge_group" in event:
            return str(event["merge_group"]["base_sha"]), str(event["merge_group"]["head_sha"])
        request = event["pull_request"]
        return str(request["base"]["sha"]), str(request["head"]["sha"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def repository_name(environ: Mapping[str, str], settings: Settings, cwd: str) -> str:
    """The repository's name for the service: configured, else the CI system's, else of ``origin``."""
    given = settings.repo_id or environ.get("GITHUB_REPOSITORY") or ""
    if not given and environ.get("CI_PROJECT_PATH"):
        given = "/".join(environ["CI_PROJECT_PATH"].split("/")[-2:])
    repository = repository_of(cwd)
    if given or repository is None:
        return given
    return repository_id(Site(repository, repository.top, "", repository.top))


def github(finding: Finding, level: str = "error") -> str:
    """A GitHub Actions annotation of one file."""
    path = _escaped(finding.path).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} file={path},line=1,title=coord::{_escaped(finding.why)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def code_quality(findings: list[Finding]) -> list[dict[str, Any]]:
    """GitLab's code quality report."""
    import hashlib

    return [
        {
            "description": finding.why,
            "check_name": "coord",
            "fingerprint": hashlib.sha256(f"coord {finding.path}".encode("utf-8", "replace")).hexdigest(),
            "severity": "blocker",
            "location": {"path": finding.path, "lines": {"begin": 1}},
        }
        for finding in findings
    ]


def as_json(asked: Range, repo: str, findings: list[Finding], fault: str) -> dict[str, Any]:
    """The outcome for programs."""
    return {
        "ok": not findings and not fault,
        "repo": repo or None,
        "base": asked.base,
        "head": asked.head,
        "changed": len(asked.paths),
        "fault": fault or None,
        "conflicts": [
            {
                "path": finding.path,
                "verdict": "held_by_other" if finding.holder else "stale_fence",
                "holder": finding.holder.engineer if finding.holder else None,
                "claim_id": finding.holder.claim_id if finding.holder else None,
                "minutes_left": finding.holder.minutes if finding.holder else None,
                "detail": finding.why,
            }
            for finding in findings
        ],
    }
