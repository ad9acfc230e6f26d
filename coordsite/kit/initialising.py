"""``coord init`` and ``coord upgrade``: from flags and what stands there to a plan, and applying it."""

from __future__ import annotations

import os
import tomllib
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from coordsite.bridge.environment import DEFAULT_URL, is_placeholder, local_url, starter
from coordsite.home import home_here
from coordsite.keys import kept_secret
from coordsite.kit.changes import Change, apply
from coordsite.kit.environment import local_of
from coordsite.kit.gitread import git
from coordsite.kit.payloads import TOOLS, Tool
from coordsite.kit.service import Service, Unreachable
from coordsite.kit.sites import NotHere, Site, repository_id, site_at, site_of, warnings
from coordsite.kit.wiring import FILES, Choices, Mode, exposed_tokens, plan


class Asked(NamedTuple):
    """The flags of ``coord init``; ``None`` and ``()`` mean not given."""

    tools: tuple[str, ...] = ()
    mode: str | None = None
    service_url: str | None = None
    hooks: bool = True
    owners: bool = True
    force: bool = False
    root: str | None = None
    ci: str | None = None


class Outcome(NamedTuple):
    """What was (or would be) done."""

    site: Site
    choices: Choices
    changes: list[Change]
    kinds: list[str]
    warnings: list[str]

    @property
    def refused(self) -> list[Change]:
        """The files that were left alone because they could not be understood."""
        return [change for change in self.changes if change.refused]

    def as_json(self) -> dict[str, Any]:
        """The outcome for programs."""
        base = self.site.repository.top
        return {
            "root": self.site.root,
            "directory": self.site.directory,
            "tools": list(self.choices.tools),
            "mode": self.choices.mode,
            "service_url": self.choices.service_url,
            "repo_id": self.choices.repo_id,
            "changes": [
                {"path": os.path.relpath(change.path, base), "kind": kind, "note": change.refused or None}
                for change, kind in zip(self.changes, self.kinds, strict=True)
            ],
            "warnings": self.warnings,
        }


def config_of(directory: str) -> dict[str, Any]:
    """The ``config.toml`` of a ``.coordination`` directory; ``{}`` when absent. Raises :class:`NotHere`."""
    path = os.path.join(directory, "config.toml")
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NotHere(f"{path} cannot be read ({error}); mend it and run the command again") from None


def tools_of(config: dict[str, Any]) -> tuple[Tool, ...]:
    """The tools that a configuration names, in the order of :data:`TOOLS`."""
    named = config.get("tools")
    names = named if isinstance(named, list) else [config.get("tool")]
    return tuple(tool for tool in TOOLS if tool in names)


def initialise(start: str, asked: Asked, *, dry_run: bool = False) -> Outcome:
    """Wire a repository. Raises :class:`NotHere` for a wrong place or a wrong flag; writes nothing then."""
    site = site_at(start, asked.root)
    config = config_of(site.directory)
    choices = _choices(site, asked, config, create=not dry_run)
    return _carry_out(site, choices, dry_run)


def upgrade(start: str, root: str | None = None, *, dry_run: bool = False) -> Outcome:
    """Renew what an earlier ``init`` laid down; settings and ownership stay. Raises :class:`NotHere`."""
    found = site_at(start, root) if root else site_of(start)
    if found is None:
        site_at(start)
    if found is None or not os.path.exists(os.path.join(found.directory, "config.toml")):
        raise NotHere("this repository is not initialised; run `coord init` first")
    config = config_of(found.directory)
    standing = [tool for tool in TOOLS if os.path.exists(os.path.join(found.root, FILES[tool].server))]
    tools = tuple(tool for tool in TOOLS if tool in standing or tool in tools_of(config))
    asked = Asked(tools=tools)
    choices = _choices(found, asked, config, create=not dry_run)._replace(upgrade=True)
    return _carry_out(found, choices, dry_run)


def _carry_out(site: Site, choices: Choices, dry_run: bool) -> Outcome:
    exposed = exposed_tokens(site)
    changes = plan(site, choices)
    kinds = [str(change.kind) for change in changes]
    tracked = [
        change.path
        for change in changes
        if change.kind in ("created", "updated")
        and not change.path.startswith((site.directory, site.repository.common))
    ]
    said = warnings(site, tracked)
    said += [f"{name} held a real token; replace that token, it may have been shared" for name in exposed]
    said += _kept_token(site, choices) + _service_trouble(choices)
    if not dry_run:
        apply(changes)
        if site.below:
            git(site.repository.top, "config", "coord.root", site.below)
    return Outcome(site, choices, changes, kinds, said)


def _choices(site: Site, asked: Asked, config: dict[str, Any], *, create: bool) -> Choices:
    for tool in asked.tools:
        if tool not in TOOLS:
            raise NotHere(f"--tool {tool}: choose from {', '.join(TOOLS)}")
    mode = _mode(asked.mode or config.get("mode"))
    local = local_of(site.directory)
    url = asked.service_url or _known_url(config, local.file, mode, asked.mode)
    if not url:
        raise NotHere("--mode remote needs --service-url, for example --service-url https://coord.acme.dev")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in url):
        raise NotHere(f"--service-url {url!r}: give an http or https URL")
    known_repo = local.file.get("COORD_REPO_ID", "")
    repo = os.environ.get("COORD_REPO_ID", "")
    repo = next((name for name in (repo, known_repo) if not is_placeholder(name)), "")
    given = os.environ.get("COORD_AUTH_TOKEN", "").strip()
    old = local.file.get("COORD_AUTH_TOKEN", "")
    if is_placeholder(given) or mode == "local":
        needed = mode == "local" and (asked.force or is_placeholder(old))
        kept = home_here(os.environ).token
        given = kept_secret(kept, create=create and needed) if mode == "local" else ""
    return Choices(
        tools=tuple(tool for tool in TOOLS if tool in asked.tools) or tools_of(config) or ("claude",),
        mode=mode,
        service_url=url.rstrip("/"),
        token=given,
        repo_id=repo or repository_id(site),
        hooks=asked.hooks,
        owners=asked.owners,
        force=asked.force,
        ci=asked.ci or "",
    )


def _mode(text: object) -> Mode:
    if text in (None, "", "local"):
        return "local"
    if text == "remote":
        return "remote"
    raise NotHere(f"mode {text!r}: choose local or remote (--mode, or mode in config.toml)")


def _known_url(config: dict[str, Any], file: dict[str, str], mode: Mode, asked: str | None) -> str:
    """The URL in use when none is given: what stands there for the same mode, else this machine's."""
    same = asked in (None, config.get("mode"))
    known = [file.get("COORD_API_URL", ""), str(config.get("service_url") or "")] if same else []
    found = next((url for url in known if not is_placeholder(url)), "")
    if found or mode == "local":
        return found or home_here(os.environ).url() or local_url(os.environ)
    return next((url for url in known if url == DEFAULT_URL), "")


def _kept_token(site: Site, choices: Choices) -> list[str]:
    """That a token was given, and another one stays."""
    kept = local_of(site.directory).file.get("COORD_AUTH_TOKEN", "")
    given = choices.mode == "remote" and bool(choices.token) and not choices.force and not choices.upgrade
    if not given or is_placeholder(kept) or kept == choices.token:
        return []
    return ["local.env keeps its token; `coord init --force --no-owners` takes that of COORD_AUTH_TOKEN"]


def _service_trouble(choices: Choices) -> list[str]:
    try:
        service = Service(choices.service_url, timeout=2)
        answer = service.call("GET", "/readyz")
    except Unreachable as error:
        start = starter(choices.service_url) if choices.mode == "local" else ""
        return [f"{error}; run `{start}`" if start else str(error)]
    return [] if answer.status == 200 else [f"{service.shown} is not ready (HTTP {answer.status})"]
