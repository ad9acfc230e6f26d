"""Symbols of the local checkout: checked before a claim is sent, and listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coordsite.bridge.bridge import Bridge
from coordsite.bridge.environment import Settings
from coordsite.bridge.replies import size
from coordsite.bridge.source import LocalSource
from symbols.languages import LANGUAGES, Language

from .fake_service import FakeService
from .test_environment import repository

__all__ = ["repository"]

CODE = "class Router:\n    def add(self):\n        pass\n\n\ndef login():\n    pass\n"


@pytest.fixture
def checkout(repository: Path, bridge: Bridge) -> Path:
    """A repository whose bridge was started in a directory below its top."""
    (repository / "src").mkdir()
    (repository / "src" / "auth.py").write_text(CODE)
    bridge.source = LocalSource(Settings, str(repository / "src"), {})
    return repository


async def test_it_claims_symbols_that_exist(call: Any, fake: FakeService, checkout: Path) -> None:
    reply = await call(
        "claim_files", patterns=[], symbols={"src/auth.py": ["Router::add", "login", "Router"]}
    )
    assert len(reply["claim_ids"]) == 1


async def test_it_refuses_unknown_symbols_without_a_call(
    call: Any, fake: FakeService, checkout: Path
) -> None:
    reply = await call(
        "claim_files", patterns=["src/auth.py"], symbols={"src/auth.py": ["logins", "Router::zz"]}
    )
    assert fake.seen == []
    [warning] = reply["warnings"]
    assert warning.startswith("client-side validation: symbols not found in local source: ")
    assert "src/auth.py: logins, Router::zz" in warning
    assert "did you mean login" in warning
    assert reply["options"] == ["narrow_claim"]
    assert reply["client_validated"] is True
    assert (reply["claim_ids"], reply["conflicts"]) == ([], [])


async def test_it_shows_at_most_five_files(call: Any, checkout: Path) -> None:
    for number in range(9):
        (checkout / f"f{number}.py").write_text("x = 1\n")
    reply = await call("claim_files", patterns=[], symbols={f"f{n}.py": ["nope"] * 30 for n in range(9)})
    assert size(reply) <= 700


@pytest.mark.parametrize(
    "path", ["new.py", "src/*.py", "notes.xyz", "../outside.py", "/etc/passwd", "src", "big.py", "bin.py"]
)
async def test_it_leaves_what_it_cannot_read_to_the_service(
    call: Any, fake: FakeService, checkout: Path, path: str
) -> None:
    (checkout / "notes.xyz").write_text("x")
    (checkout.parent / "outside.py").write_text("x = 1")
    (checkout / "big.py").write_bytes(b"x = 1\n" * 400_000)
    (checkout / "bin.py").write_bytes(b"(" * 100_000)
    await call("claim_files", patterns=[], symbols={path: ["anything"]})
    assert len(fake.calls("POST", "/claims")) == 1


async def test_it_warns_of_a_file_that_it_cannot_check(
    call: Any, fake: FakeService, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Language("python", "tree-sitter-lost", "tree_sitter_lost", (".py",))
    monkeypatch.setitem(LANGUAGES, "python", lost)
    reply = await call("claim_files", patterns=[], symbols={"src/auth.py": ["nope"], "new.py": ["f"]})
    assert len(reply["claim_ids"]) == 2
    assert reply["warnings"] == [
        "Symbols of 'src/auth.py' are not checked:"
        " Symbols of python files cannot be read: the package tree-sitter-lost is not available."
    ]


async def test_it_can_be_switched_off(call: Any, fake: FakeService, bridge: Bridge, checkout: Path) -> None:
    bridge.source = LocalSource(Settings, str(checkout), {"COORD_DISABLE_CLIENT_VALIDATION": "1"})
    await call("claim_files", patterns=[], symbols={"src/auth.py": ["nope"]})
    assert len(fake.calls("POST", "/claims")) == 1


def test_the_root_can_be_given(checkout: Path, tmp_path: Path) -> None:
    elsewhere = LocalSource(lambda: Settings(repo_root=str(checkout)), str(tmp_path), {})
    assert elsewhere.root == str(checkout)
    missing = LocalSource(lambda: Settings(repo_root="/nowhere"), str(checkout / "src"), {})
    assert missing.root == str(checkout)
    assert LocalSource(Settings, str(tmp_path), {}).root == str(tmp_path)


async def test_it_lists_what_can_be_claimed(call: Any, checkout: Path) -> None:
    assert await call("list_symbols", file="src/auth.py") == {
        "file": "src/auth.py",
        "symbols": [
            {"path": "Router", "kind": "class", "lines": "1-3"},
            {"path": "Router::add", "kind": "method", "lines": "2-3"},
            {"path": "login", "kind": "function", "lines": "6-7"},
        ],
        "count": 3,
    }


async def test_its_list_is_bounded(call: Any, checkout: Path) -> None:
    (checkout / "many.py").write_text("".join(f"def function_{n}(): pass\n" for n in range(500)))
    reply = await call("list_symbols", file="many.py")
    assert size(reply) <= 3100
    assert len(reply["symbols"]) + reply["more"] == reply["count"] == 500


@pytest.mark.parametrize(
    ("file", "code"), [("none.py", "no_file"), ("../outside.py", "no_file"), ("notes.xyz", "no_language")]
)
async def test_it_says_why_there_is_no_list(call: Any, checkout: Path, file: str, code: str) -> None:
    (checkout / "notes.xyz").write_text("x")
    (checkout.parent / "outside.py").write_text("x = 1")
    reply = await call("list_symbols", file=file)
    assert reply["code"] == code
    assert reply["detail"]
    assert reply["next"]


async def test_it_says_that_there_is_no_checkout(call: Any) -> None:
    assert (await call("list_symbols", file="a.py"))["code"] == "no_source"


async def test_it_lists_the_symbols_of_a_text_that_is_given(call: Any, checkout: Path) -> None:
    reply = await call("list_symbols", file="src/auth.py", source="def other():\n    pass\n")
    assert [row["path"] for row in reply["symbols"]] == ["other"]
    reply = await call("list_symbols", file="new/not_there.py", source="def f():\n    pass\n")
    assert (reply["file"], [row["path"] for row in reply["symbols"]]) == ("new/not_there.py", ["f"])


async def test_a_text_needs_no_checkout(call: Any, bridge: Bridge, tmp_path: Path) -> None:
    bridge.source = None
    reply = await call("list_symbols", file="a.py")
    assert reply["code"] == "no_source"
    assert reply["next"] == "Send the file's text as source, or claim the file."


async def test_what_a_text_cannot_tell_is_said(call: Any, checkout: Path) -> None:
    assert (await call("list_symbols", file="a.unknown", source="x"))["code"] == "no_language"
    assert (await call("list_symbols", file="a.py", source="(" * 5000))["code"] == "unparsable"
    assert (await call("list_symbols", file="a.py", source="é" * 1_500_000))["code"] == "too_large"
