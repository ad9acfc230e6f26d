"""Three agents in one clone, against the real service: real payloads, real git, real pushes.

Everything is what a user has after `coord start` and `coord init`: the installed programs, the hooks that
`init` wrote, a bare remote, linked work trees.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.agent import Agent, Done
from tests.system.service import COORD, Service, clean_environ

TOOLS = ("claude", "codex", "cursor")


class Person:
    """A clone with git and coord as a person at its terminal runs them."""

    def __init__(self, path: Path, environ: dict[str, str]) -> None:
        self.path = path
        self.environ = environ

    def run(self, *command: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.path,
            env={**self.environ, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def git(self, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run("git", *arguments, check=check, **more)

    def coord(self, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(COORD), *arguments, check=check, **more)


class Tool:
    """One agent of one tool: its events go through the command that `init` wrote into the tool's file."""

    def __init__(self, tool: str, session: str, place: Path, agent: Agent) -> None:
        self.tool, self.session, self.place, self.agent = tool, f"{session}-{place.parent.name}", place, agent
        self._calls = 0

    def start(self) -> Done:
        return self._fire("SessionStart", "sessionStart", source="startup")

    def end(self) -> Done:
        return self._fire("SessionEnd", "sessionEnd", reason="other")

    def edit(self, name: str) -> Done:
        path = str(self.place / name)
        if self.tool == "codex":
            patch = f"*** Begin Patch\n*** Add File: {name}\n+x\n*** End Patch"
            return self._call("apply_patch", {"command": patch})
        return self._call("Write" if self.tool == "cursor" else "Edit", {"file_path": path})

    def before_shell(self, command: str) -> Done:
        if self.tool == "cursor":
            return self._fire("", "beforeShellExecution", command=command, cwd=str(self.place))
        return self._call("Bash", {"command": command})

    def after_shell(self, command: str) -> Done:
        fields = {
            "tool_name": "Shell" if self.tool == "cursor" else "Bash",
            "tool_input": {"command": command},
        }
        return self._fire("PostToolUse", "postToolUse", tool_use_id=f"{self.tool}-{self._calls}", **fields)

    def shell(self, command: str) -> Done:
        return self.agent.run(command, cwd=self.place)

    def blocked(self, done: Done) -> str:
        """Why the call was refused; empty when it was let through."""
        if self.tool == "cursor":
            answer = json.loads(done.out)
            return str(answer["agent_message"]) if answer.get("permission") == "deny" else ""
        return done.err if done.code == 2 else ""

    def _call(self, name: str, given: dict[str, Any]) -> Done:
        self._calls += 1
        fields = {"tool_name": name, "tool_input": given, "tool_use_id": f"{self.tool}-{self._calls}"}
        return self._fire("PreToolUse", "preToolUse", **fields)

    def _fire(self, event: str, cursors: str, **fields: Any) -> Done:
        if self.tool == "cursor":
            whose = {"conversation_id": self.session, "workspace_roots": [str(self.place)]}
            payload = {**whose, "hook_event_name": cursors, **fields}
        else:
            payload = {"session_id": self.session, "cwd": str(self.place), "hook_event_name": event, **fields}
        return self.agent.run(self._command(cursors if self.tool == "cursor" else event), json.dumps(payload))

    def _command(self, event: str) -> str:
        """What the tool's own file says."""
        name = {"claude": ".claude/settings.json"}.get(self.tool, f".{self.tool}/hooks.json")
        entries = json.loads((self.place / name).read_text())["hooks"].get(event)
        if not entries:
            return "true"  # the tool has no such event
        first = entries[0]
        return str(first["command"] if "command" in first else first["hooks"][0]["command"])


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A machine of one's own: home, git identity, the installed programs on PATH."""
    home = tmp_path / "machine"
    (home / "hooks").mkdir(parents=True)
    (home / ".gitconfig").write_text(
        "[user]\nname = Alice Example\nemail = alice@example.invalid\n[init]\ndefaultBranch = main\n"
    )
    return clean_environ(
        HOME=str(home),
        GIT_CONFIG_NOSYSTEM="1",
        COORD_HOOK_STATE=str(home / "hooks"),
        COORD_HOME=str(home / "coord"),
        PATH=f"{COORD.parent}:{os.environ['PATH']}",
    )


@pytest.fixture
def clone(service: Service, environ: dict[str, str], tmp_path: Path, request: Any) -> Person:
    """A clone of a bare remote, wired for all three tools; its wiring is committed and pushed."""
    bare = tmp_path / "org" / f"{request.node.name.split('[')[0].replace('_', '-')[:60]}.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], env=environ, check=True)
    (tmp_path / "clone").mkdir()
    person = Person(tmp_path / "clone", environ)
    person.git("init", "-q")
    person.git("remote", "add", "origin", str(bare))
    (person.path / "src").mkdir()
    for name in ("a.py", "b.py", "c.py"):
        (person.path / "src" / name).write_text("x = 1\n")
    named = [word for tool in TOOLS for word in ("--tool", tool)]
    given = {"COORD_AUTH_TOKEN": service.token}
    person.coord("init", "--yes", "--mode", "remote", "--service-url", service.url, *named, **given)
    person.git("add", "-A")
    person.git("commit", "-qm", "wiring")
    person.git("push", "-q", "-u", "origin", "main")
    person.git("remote", "set-head", "origin", "main")
    return person


@pytest.fixture
def agents(clone: Person, environ: dict[str, str]) -> Iterator[dict[str, Tool]]:
    """One agent of each tool, in the same clone."""
    started = {tool: Agent(clone.path, environ) for tool in TOOLS}
    yield {tool: Tool(tool, tool, clone.path, agent) for tool, agent in started.items()}
    for agent in started.values():
        agent.end()


def held(http: Any, person: Person) -> dict[str, str]:
    """Who holds what in the clone's repository: pattern and session."""
    repo = json.loads(person.coord("status", "--json").stdout)["repo"]
    rows = http.get("/claims", params={"repo": repo}).json()["claims"]
    return {row["pattern"]: row["session_id"] for row in rows}


def test_each_tool_claims_and_is_blocked_by_the_others(clone, agents, http) -> None:
    files = dict(zip(agents, ("src/a.py", "src/b.py", "src/c.py"), strict=True))
    for tool, agent in agents.items():
        assert agent.blocked(agent.start()) == ""
        done = agent.edit(files[tool])
        assert (done.code, agent.blocked(done), done.err) == (0, "", "")
    assert held(http, clone) == {files[tool]: agents[tool].session for tool in agents}
    for tool, agent in agents.items():
        for other in files.keys() - {tool}:
            why = agent.blocked(agent.edit(files[other]))
            assert why.startswith(f"coord: {files[other]} is held by Alice Example for ")
            assert len(why.splitlines()) == 2
            assert why.splitlines()[1].startswith("Next: ")
            why = agent.blocked(agent.before_shell(f"sed -i s/1/2/ {files[other]}"))
            assert f"{files[other]} is held by" in why
        assert agent.blocked(agent.edit(files[tool])) == ""


def test_what_one_ends_another_takes(clone, agents, http) -> None:
    claude, cursor = agents["claude"], agents["cursor"]
    claude.start()
    claude.edit("src/a.py")
    assert cursor.blocked(cursor.edit("src/a.py"))
    assert claude.end().code == 0
    assert held(http, clone) == {}
    assert cursor.blocked(cursor.edit("src/a.py")) == ""
    assert held(http, clone) == {"src/a.py": cursor.session}
    cursor.end()
    assert held(http, clone) == {}


def test_what_a_command_changes_unannounced_is_claimed_after_it(clone, agents, http) -> None:
    claude, codex = agents["claude"], agents["codex"]
    codex.edit("src/b.py")
    command = "python3 -c \"for n in 'bc': open(f'src/{n}.py', 'w').write('y')\""
    assert claude.blocked(claude.before_shell(command)) == ""
    claude.shell(command)
    done = claude.after_shell(command)
    assert (done.code, "src/b.py is held by" in done.err) == (2, True)
    assert held(http, clone) == {"src/b.py": codex.session, "src/c.py": claude.session}


def test_a_commit_carries_only_the_agents_own(clone, agents, http) -> None:
    claude, codex = agents["claude"], agents["codex"]
    for agent, name in ((claude, "src/a.py"), (codex, "src/b.py")):
        agent.start()
        agent.edit(name)
        (clone.path / name).write_text("y = 2\n")
    done = claude.shell("git add -A && git commit -qm both")
    assert done.code != 0
    assert "src/b.py is held by" in done.err
    assert "Next: git commit -- src/a.py\n" in done.err
    assert claude.shell("git commit -qm mine -- src/a.py").code == 0
    assert codex.shell("git commit -qm its -- src/b.py").code == 0
    assert clone.git("log", "--format=%s", "-2").stdout.split() == ["its", "mine"]


def test_a_push_carries_nothing_that_another_holds(clone, agents, http) -> None:
    claude, codex = agents["claude"], agents["codex"]
    for agent in (claude, codex):
        agent.start()
    codex.edit("src/b.py")
    (clone.path / "src/b.py").write_text("y = 2\n")
    clone.git("commit", "-qam", "past the guard", "--no-verify")
    before = clone.git("ls-remote", "origin", "main").stdout
    done = claude.shell("git push -q origin main")
    assert (done.code != 0, "src/b.py is held by" in done.err) == (True, True)
    assert clone.git("ls-remote", "origin", "main").stdout == before
    assert codex.shell("git push -q origin main").code == 0
    assert clone.git("ls-remote", "origin", "main").stdout != before


def test_linked_work_trees_share_the_claims_and_push_through_the_same_guard(clone, agents, http) -> None:
    clone.git("worktree", "add", "-q", "../feature", "-b", "feature")
    place = clone.path.parent / "feature"
    there = Tool("claude", "feature", place, agents["claude"].agent)
    there.start()
    assert there.blocked(there.edit("src/a.py")) == ""
    assert held(http, clone) == {"src/a.py": there.session}
    assert agents["codex"].blocked(agents["codex"].edit("src/a.py"))
    (place / "src/a.py").write_text("y = 2\n")
    assert there.shell("git commit -qam work && git push -q -u origin feature").code == 0
    (place / "src/c.py").write_text("y = 2\n")
    agents["codex"].edit("src/c.py")
    assert there.shell("git commit -qam more").code != 0
    assert there.shell("git commit -qam more --no-verify && git push -q").code != 0


def test_a_lost_lease_is_noticed_at_the_push(clone, agents, http) -> None:
    """A fence that is refused stays refused, also when the file is free again."""
    claude = agents["claude"]
    claude.start()
    claude.edit("src/a.py")
    (clone.path / "src/a.py").write_text("y = 2\n")
    assert claude.shell("git commit -qam work").code == 0
    assert http.post(f"/sessions/{claude.session}/release").json()["released"] == 1
    done = claude.shell("COORD_PREPUSH_MODE=enforce git push -q")
    assert (done.code != 0, "changed under a claim that is over: src/a.py" in done.err) == (True, True)
    claude.edit("src/a.py")
    assert claude.shell("COORD_PREPUSH_MODE=enforce git push -q").code == 0


def test_the_gate_in_ci_asks_the_service(clone, agents, http, service) -> None:
    clone.git("checkout", "-qb", "feature")
    (clone.path / "src/a.py").write_text("y = 2\n")
    clone.git("commit", "-qam", "work")
    ask = ("ci", "--base", "main", "--head", "feature", "--engineer", "carol")
    assert clone.coord(*ask).stdout == "coord: 1 changed file, not held by others.\n"
    agents["codex"].edit("src/a.py")
    done = clone.coord(*ask, "--format", "github", check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(
        "::error file=src/a.py,line=1,title=coord::src/a.py is held by Alice Example"
    )
    assert clone.coord(*ask, "--session", agents["codex"].session).returncode == 0
    away = clone.coord(*ask, check=False, COORD_API_URL="http://127.0.0.1:9")
    assert away.returncode == 2


def test_doctor_finds_all_three_protected(clone) -> None:
    done = clone.coord("doctor", "--json")
    every = ["blocks edits", "blocks commits", "blocks pushes"]
    assert json.loads(done.stdout)["protection"] == dict.fromkeys(TOOLS, every)
    assert json.loads(clone.coord("claims", "--json").stdout)["count"] == 0


def test_a_personal_token_pushes_what_its_ended_session_left(clone, agents, http, service) -> None:
    repo = json.loads(clone.coord("status", "--json").stdout)["repo"]
    answer = http.post("/tokens", json={"engineer": "alice/claude", "repositories": [repo]})
    assert answer.status_code in (200, 201), answer.text
    token = answer.json()["token"]
    path = clone.path / ".coordination/local.env"
    path.write_text(path.read_text().replace(service.token, token))
    claude = agents["claude"]
    claude.start()
    claude.edit("src/a.py")
    (clone.path / "src/a.py").write_text("y = 2\n")
    assert claude.shell("git commit -qam work").code == 0
    claude.agent.end()  # the process is gone, its claim and its line in sessions.live stay
    assert held(http, clone) == {"src/a.py": claude.session}
    assert clone.git("push", "-q").returncode == 0
