"""All checks together, the protection that they add up to, and the safe repairs."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from coordsite.kit import githooks, sessions
from coordsite.kit.areas import Area
from coordsite.kit.doctor import files, service, trial
from coordsite.kit.doctor.checks import Check, fail, ok, warn
from coordsite.kit.initialising import upgrade
from coordsite.kit.sites import Site, site_of

LEVELS = {"edit": "blocks edits", "pre-commit": "blocks commits", "pre-push": "blocks pushes"}
ONLY_WARNS = "only warns"


class Diagnosis(NamedTuple):
    """Every check, and per wired tool what truly happens to a file that somebody else holds."""

    checks: list[Check]
    protection: dict[str, list[str]]

    @property
    def broken(self) -> bool:
        """Whether any check fails."""
        return any(check.level == "fail" for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The diagnosis for programs."""
        return {
            "ok": not self.broken,
            "checks": [
                {
                    "name": check.name,
                    "level": check.level,
                    "text": check.text,
                    "mend": check.mend or None,
                    "fixable": bool(check.fix),
                }
                for check in self.checks
            ],
            "protection": self.protection,
        }


def diagnose(start: str, version: str, *, trials: bool = True) -> Diagnosis:
    """Look at the repository around a directory. Changes nothing but for the moment of the ``trials``."""
    site, check = placed(start)
    if site is None:
        return Diagnosis([check], {})
    checks = [
        check,
        *files.local_env(site),
        *files.policies(site),
        files.ownership(site),
        files.worktree(site),
    ]
    checks += files.tools(site) + files.git_hooks(site) + files.programs()
    living = files.live_sessions(site)
    checks += [living] if living else []
    area = Area(site.repository, site.directory)
    told, usable = service.service(area, version)
    checks += [*told, symbols()]
    if not trials:
        return Diagnosis(checks, {})
    tried, protection = _protection(site, area, usable)
    return Diagnosis(checks + tried, protection)


def placed(start: str) -> tuple[Site | None, Check]:
    """The initialised site around a directory, or the one check that says why there is none."""
    from coordsite.kit.places import repository_of

    if repository_of(start) is None:
        return None, fail("repository", f"{start} is not in a git work tree", "git init")
    site = site_of(start)
    if site is None:
        return None, fail("initialized", "this repository is not initialised", "coord init")
    check = files.worktree(site)
    if check.level == "ok":
        check = files.configuration(site)
    return (None if check.level == "fail" else site), check


def symbols() -> Check:
    """Which grammars are installed, found out by loading each."""
    from symbols import languages

    missing = sorted({one.package for one in languages().values() if not one.available})
    if not missing:
        return ok("symbols", "symbols of every known language can be claimed")
    needed = {"tree-sitter-python", "tree-sitter-javascript", "tree-sitter-typescript", "tree-sitter-go"}
    text = f"no grammar is installed for {len(missing)} languages: {', '.join(missing)}"
    mend = f"pip install {' '.join(missing)}"
    return warn("symbols", text, mend) if needed & set(missing) else ok("symbols", f"{text} (optional)")


def _protection(site: Site, area: Area, usable: bool) -> tuple[list[Check], dict[str, list[str]]]:
    """Fire a test event through each installed hook and say what it did."""
    checks: list[Check] = []
    with trial.baited(site, area) as bait:
        guards = [trial.fire_guard(name, bait) for name in githooks.NAMES]
        tools = {tool: trial.fire_tool(tool, bait) for tool in files.wired_tools(site)}
        fault = bait.fault if usable or bait.fault else "the service gives no verdict"
    # Of a guard that is missing, the look at the files has told, with the command that mends it.
    named = [(one.name, one) for one in guards if one.result != "missing"]
    named += [(f"{tool} {one.name}", one) for tool, tried in tools.items() for one in tried]
    untried = [name for name, one in named if fault and one.result == "passes"]
    checks += [_judged(name, one) for name, one in named if name not in untried]
    if untried:
        text = f"{', '.join(untried)}: let everything pass, for {fault}"
        checks.append(warn("trial", text, "coord status"))
    protection: dict[str, list[str]] = {}
    for tool, tried in tools.items():
        done = [LEVELS["edit"]] if tried and all(one.result == "blocks" for one in tried) else []
        done += [LEVELS[one.name] for one in guards if one.result == "blocks"]
        protection[tool] = done or [ONLY_WARNS]
    return checks, protection


def _judged(name: str, tried: trial.Tried) -> Check:
    label = f"trial_{name.replace(' ', '_').replace('-', '_')}"
    if tried.result == "blocks":
        return ok(label, f"{name}: a test event on a held file was blocked")
    if tried.result == "missing":
        return warn(label, f"{name}: not installed, so nothing is blocked", "coord upgrade", "upgrade")
    detail = f" ({tried.detail})" if tried.detail else ""
    if tried.result == "passes":
        return fail(label, f"{name}: a test event on a held file passed{detail}", "coord upgrade", "upgrade")
    return fail(label, f"{name}: the hook is broken{detail}", "coord upgrade", "upgrade")


def repair(start: str, diagnosis: Diagnosis) -> list[str]:
    """Apply the safe repairs; what was done, one line each. Raises ``NotHere``."""
    site = site_of(start)
    wanted = {check.fix for check in diagnosis.checks if check.level != "ok" and check.fix}
    done: list[str] = []
    if site is None:
        return done
    if "mode" in wanted:
        os.chmod(os.path.join(site.directory, "local.env"), 0o600)
        done.append("local.env: mode 600")
    if "sessions" in wanted:
        done.append(f"sessions.live: {sessions.prune(site.directory)} lines of ended processes taken out")
    if "upgrade" in wanted:
        outcome = upgrade(start)
        base = site.repository.top
        done += [
            f"{os.path.relpath(change.path, base)}: {kind}"
            for change, kind in zip(outcome.changes, outcome.kinds, strict=True)
            if kind not in ("unchanged", "refused")
        ]
    return done
