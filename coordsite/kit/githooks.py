"""git's hooks in a repository: a shim where git looks, the managed script beside ``local.env``.

A hook that stands there already is kept next to the shim and runs first. A hooks directory that is part of
the project (``core.hooksPath``) is not touched: the line to add is named instead.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from coordsite.kit.changes import Change
from coordsite.kit.files import read_text
from coordsite.kit.rendering import Renderer, render
from coordsite.kit.sites import Site

NAMES = {"pre-commit": "commit", "pre-push": "push"}
CHAINED = ".before-coord"


def executable() -> str:
    """Where ``coord-hook`` is installed: beside this interpreter, else wherever PATH has it."""
    beside = os.path.join(os.path.dirname(sys.executable), "coord-hook")
    return beside if os.path.exists(beside) else shutil.which("coord-hook") or beside


def managed(site: Site, name: str, renderer: Renderer = render) -> Change:
    """The managed script ``.coordination/hooks/<name>``."""
    path = os.path.join(site.directory, "hooks", name)
    text = renderer("git-hook.sh", name=name, what=NAMES[name], fallback=shlex.quote(executable()))
    return Change(path, read_text(path), text, mode=0o755)


def plan(site: Site, renderer: Renderer = render) -> list[Change]:
    """The managed scripts, git's shims, and the hooks that give way to them."""
    found = [managed(site, name, renderer) for name in NAMES]
    for name in NAMES:
        found += _shim(site, name, renderer)
    return found


def shim_text(site: Site, name: str, renderer: Renderer = render) -> str:
    """What git runs: it finds the managed script from the common git directory, also in linked work trees."""
    directory = os.path.relpath(site.directory, site.repository.common).replace(os.sep, "/")
    return renderer("git-shim.sh", name=name, directory=shlex.quote(directory))


def is_shim(text: str | None) -> bool:
    """Whether a hook is coord's: this version's, an older one's, or the reference's."""
    if text is None:
        return False
    return "# coord:begin" in text or (".coordination/hooks/" in text and len(text.splitlines()) <= 4)


def standing(site: Site, name: str) -> str:
    """``installed``, ``outdated`` (an older text), ``missing``, or ``project``: a hooks directory of the
    project whose hook calls coord; ``foreign`` where it does not, or where another hook stands."""
    path = os.path.join(site.hooks, name)
    try:
        text = read_text(path)
    except (OSError, ValueError):
        return "foreign"
    if site.hooks_are_tracked:
        return "project" if _calls(path) else "foreign"
    if text is None:
        return "missing"
    if not is_shim(text):
        return "project" if "coord-hook" in text else "foreign"
    current = text == shim_text(site, name) and managed(site, name).kind == "unchanged"
    return "installed" if current and os.access(path, os.X_OK) else "outdated"


def removal(site: Site) -> list[Change]:
    """The managed scripts and shims taken away; the hooks that gave way come back."""
    found = []
    for name in NAMES:
        script = managed(site, name)
        if script.before is not None:
            found.append(script._replace(after=None))
        path = os.path.join(site.hooks, name)
        try:
            text = read_text(path)
        except (OSError, ValueError):
            continue
        if site.hooks_are_tracked or not is_shim(text):
            continue
        found.append(Change(path, text, None))
        if os.path.lexists(path + CHAINED):
            found.append(Change(path, None, None, moved_from=path + CHAINED))
    return found


def _shim(site: Site, name: str, renderer: Renderer) -> list[Change]:
    path = os.path.join(site.hooks, name)
    if site.hooks_are_tracked:
        return _tracked(path, name)
    wanted = shim_text(site, name, renderer)
    try:
        before = read_text(path)
    except (OSError, ValueError):
        before = ""
    if before is None and not os.path.islink(path):
        return [Change(path, None, wanted, mode=0o755)]
    if is_shim(before) and not os.path.islink(path):
        return [Change(path, before, wanted, mode=0o755)]
    kept = path + CHAINED
    if os.path.lexists(kept):
        reason = f"is not coord's, and {os.path.basename(kept)} exists; join the two by hand"
        return [Change(path, before, before, refused=reason)]
    return [Change(kept, None, before, moved_from=path), Change(path, None, wanted, mode=0o755)]


def _tracked(path: str, name: str) -> list[Change]:
    """A hooks directory of the project: nothing is written; what to add is said once."""
    own = project_script(path)
    try:
        text = read_text(own) or ""
    except (OSError, ValueError):
        text = ""
    if _calls(path):
        return [Change(own, text, text)]
    return [
        Change(own, text, text, refused=f"belongs to the project (core.hooksPath): add `{line_for(name)}`")
    ]


def project_script(path: str) -> str:
    """The script that the project keeps for a hook: itself, or the one behind husky's generated one."""
    parent, name = os.path.split(path)
    return os.path.join(os.path.dirname(parent), name) if _is_generated(path) else path


def _is_generated(path: str) -> bool:
    return os.path.basename(os.path.dirname(path)) == "_"


def line_for(name: str) -> str:
    """The last line of a project's hook that calls coord's guard, unless what came before has failed."""
    return f'[ $? -eq 0 ] && coord-hook {name} "$@"'


def command_for(path: str, name: str, shown: str) -> str:
    """The command that lets the project's hook call coord's guard; ``shown`` names its script for people."""
    script, quoted = project_script(path), shlex.quote(shown)
    try:
        text = read_text(script)
    except (OSError, ValueError):
        text = ""
    alone = "" if _is_generated(path) else f" && chmod +x {quoted}"
    if text is None:
        return f"printf '%s\\n' '#!/bin/sh' 'coord-hook {name} \"$@\"' > {quoted}{alone}"
    if "coord-hook" in text:
        return f"chmod +x {quoted}"
    runs = alone if not os.access(script, os.X_OK) else ""
    return f"printf '%s\\n' '{line_for(name)}' >> {quoted}{runs}"


def _calls(path: str) -> bool:
    """Whether the project's hook calls coord's guard, and git runs it: it ignores what cannot be executed."""
    try:
        texts = {read_text(path) or "", read_text(project_script(path)) or ""}
    except (OSError, ValueError):
        return False
    return os.access(path, os.X_OK) and any("coord-hook" in text for text in texts)
