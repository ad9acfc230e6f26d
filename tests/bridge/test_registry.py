"""``server.json`` and ``docs/mcp.md`` say what the code does."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from coordsite.bridge.environment import KEYS
from coordsite.bridge.server import described

from .conftest import ROOT

SERVER = json.loads((ROOT / "server.json").read_text())
DOCS = (ROOT / "docs" / "mcp.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_it_names_the_package_and_its_version() -> None:
    [package] = SERVER["packages"]
    assert package["identifier"] == PROJECT["name"]
    assert {SERVER["version"], package["version"]} == {PROJECT["version"]}
    assert package["runtimeArguments"][0]["value"] == f"{PROJECT['name']}=={PROJECT['version']}"
    assert package["runtimeArguments"][1]["value"] in PROJECT["scripts"]


def test_it_keeps_the_registrys_bounds() -> None:
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", SERVER["name"])
    assert 1 <= len(SERVER["description"]) <= 100
    assert 1 <= len(SERVER["title"]) <= 100


def test_its_variables_are_read() -> None:
    [package] = SERVER["packages"]
    assert {variable["name"] for variable in package["environmentVariables"]} <= set(KEYS)


@pytest.mark.parametrize("tool", described(), ids=lambda tool: tool.name)
def test_every_tool_and_parameter_is_documented(tool) -> None:
    [row] = re.findall(rf"`{tool.name}\(([^)]*)\)", "\n".join(DOCS.split("| Tool |")[1:]))
    names = {part.partition("=")[0].strip() for part in row.split(",")}
    assert names == set(tool.input_schema["properties"])


def test_every_variable_is_documented() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "coordsite" / "bridge").glob("*.py"))
    used = set(re.findall(r'"(COORD_[A-Z_]+)"', source)) - {"COORD_SERVICE_URL"}
    assert used == set(re.findall(r"`(COORD_[A-Z_]+)`", DOCS.split("## Environment")[1].split("## When")[0]))
