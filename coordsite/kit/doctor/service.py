"""The service: reachable, the right token, the right identity, the same version."""

from __future__ import annotations

import re
from typing import Any

from coordsite.bridge.environment import is_placeholder, starter
from coordsite.kit.areas import Area
from coordsite.kit.doctor.checks import Check, fail, ok, warn
from coordsite.kit.gitread import line
from coordsite.kit.service import Answer, Service, Unreachable, clean, segment

RENEW = "coord init --force --no-owners --yes"
"""Takes the local service's token, else that of the environment; people paste one that an operator made."""


def service(area: Area, version: str) -> tuple[list[Check], bool]:
    """What the service says to this clone's token, and whether it may claim here."""
    client = area.service(5)
    where = area.settings.shown_url
    start = starter(client.url)
    try:
        ready = client.call("GET", "/readyz")
    except Unreachable as error:
        mend = f"{start} --background" if start else f"curl -fsS {where}/readyz"
        return [fail("service", str(error), mend)], False
    if ready.status != 200:
        return [fail("service", f"{where} is not ready: {ready.detail}", f"curl -fsS {where}/readyz")], False
    found = [ok("service", f"{where} is ready")]
    token, usable = _token(client, area, bool(start))
    found += token
    if usable:
        identity, usable = _identity(client, area)
        found += identity
    found += _version(client, version, start)
    return found, usable


def _token(client: Service, area: Area, local: bool) -> tuple[list[Check], bool]:
    source = area.settings.sources.get("COORD_AUTH_TOKEN")
    words = {"environment": "from the environment", "file": "from local.env"}.get(source or "", "not set")
    renew = RENEW if local else f'read -r COORD_AUTH_TOKEN && COORD_AUTH_TOKEN="$COORD_AUTH_TOKEN" {RENEW}'
    try:
        answer = client.call("GET", f"/claims?active_only=true&limit=1&repo={segment(area.repo)}")
    except Unreachable as error:
        return [fail("token", str(error), "coord doctor")], False
    if answer.status == 200:
        if is_placeholder(area.settings.token):
            return [ok("token", "the service wants no token")], True
        return [ok("token", f"the token ({words}) works")], True
    if answer.status == 401:
        return [fail("token", f"the service refuses the token ({words}): {answer.detail}", renew)], False
    return [fail("token", f"the service answers {answer.status}: {answer.detail}", "coord status")], False


def _identity(client: Service, area: Area) -> tuple[list[Check], bool]:
    try:
        answer = client.call("GET", "/whoami")
    except Unreachable as error:
        return [fail("identity", str(error), "coord doctor")], False
    if answer.status != 200:
        return [warn("identity", "the service cannot tell who asks; update it", "coord status")], True
    proven = answer.body.get("engineer")
    scope = _scope(answer, area)
    if scope is not None:
        return [scope], False
    configured = area.settings.identity
    if not isinstance(proven, str):
        name = configured or line(area.repository.top, "config", "user.name") or "agent"
        return [ok("identity", f"claims are made as {clean(name, 80)} (a shared token proves nobody)")], True
    if configured and configured != proven:
        text = f"the token is {clean(proven, 80)}'s; COORD_USER says {clean(configured, 80)} and is ignored"
        return [warn("identity", text, "unset COORD_USER COORD_REQUESTER")], True
    return [ok("identity", f"the token proves {clean(proven, 80)}")], True


def _scope(answer: Answer, area: Area) -> Check | None:
    """Why the token cannot be used to claim in this repository."""
    role = answer.body.get("role")
    if role in ("ci", "viewer"):
        text = f"the token has the role {role}, which claims nothing"
        return fail("identity", text, "coord tokens create NAME --role agent")
    repositories = answer.body.get("repositories")
    if isinstance(repositories, list) and repositories and area.repo not in repositories:
        shown = ", ".join(clean(str(name), 80) for name in repositories[:5])
        text = f"the token is for {shown}, this repository is {area.repo or 'unnamed'}"
        return fail("identity", text, f"coord tokens create NAME --repo {area.repo}")
    return None


def _version(client: Service, mine: str, start: str) -> list[Check]:
    try:
        body: dict[str, Any] = client.call("GET", "/meta").body
    except Unreachable:
        return []
    theirs = clean(str(body.get("version") or ""), 40)
    ours, other = numbers(mine), numbers(theirs)
    if not ours or not other:
        return []
    if ours == other:
        return [ok("version", f"client and service are both {mine}")]
    if ours < other:
        text = f"the service is newer ({theirs}) than this client ({mine})"
        return [warn("version", text, f"pip install --upgrade 'coord=={theirs}'")]
    text = f"this client is newer ({mine}) than the service ({theirs}), which wants an update and a restart"
    mend = f"coord stop && {start} --background" if start else "coord status"
    return [warn("version", text, mend)]


def numbers(version: str) -> tuple[int, ...]:
    """The release numbers of a version; ``()`` when it is none."""
    found = re.match(r"(\d+(?:\.\d+)*)", version)
    parts = tuple(int(part) for part in found[1].split(".")) if found else ()
    return parts if any(parts) else ()
