"""The documents of the settings say what the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from coordsite import cli, configdocs
from coordsite.config import PREFIX, Config

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", configdocs.FILES)
def test_it_is_up_to_date(name):
    assert (ROOT / name).read_text(encoding="utf-8") == configdocs.rendered()[name], "run 'make settings'"


def test_every_setting_is_described_in_both():
    texts = configdocs.rendered()
    for name, field in Config.model_fields.items():
        assert field.description, name
        assert f"| `{PREFIX}{name.upper()}` |" in texts["docs/configuration.md"]
        assert f"\n# {PREFIX}{name.upper()}=" in texts[".env.example"]


def test_the_example_uncommented_is_the_default(monkeypatch):
    lines = configdocs.example().splitlines()
    given = dict(line[2:].split("=", 1) for line in lines if line.startswith(f"# {PREFIX}"))
    assert len(given) == len(Config.model_fields)
    for name, text in given.items():
        monkeypatch.setenv(name, text)
    assert isinstance(Config(), BaseSettings)
    assert Config() == Config.model_construct()


def test_the_command_writes_compares_and_names_what_is_stale(tmp_path, capsys):
    (tmp_path / "docs").mkdir()
    assert cli.main(["configdocs", "--root", str(tmp_path), "--check"]) == 1
    said = capsys.readouterr().err
    assert said == "coord: docs/configuration.md and .env.example out of date: run 'make settings'\n"
    assert cli.main(["configdocs", "--root", str(tmp_path)]) == 0
    assert cli.main(["configdocs", "--root", str(tmp_path), "--check"]) == 0
    (tmp_path / ".env.example").write_text("COORD_PORT=1\n")
    assert cli.main(["configdocs", "--root", str(tmp_path), "--check"]) == 1
    assert ".env.example" in capsys.readouterr().err


def test_the_command_writes_nowhere_else(tmp_path, capsys):
    assert cli.main(["configdocs", "--root", str(tmp_path)]) == 1
    assert "is no source tree of coord" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
