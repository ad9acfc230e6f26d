"""The wheel, installed into an empty environment: the commands start, everything they read is there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import httpx
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from .service import clean_environ, free_port, is_ready, wait_for

# The first test of the environment installs everything.
pytestmark = [pytest.mark.timeout(400), pytest.mark.long(80)]

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = ("tests/", "benchmarks/", "docs/", "deploy/", "build/")


def tracked(*suffixes: str) -> set[str]:
    """The project's files with these endings, as git lists them."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if name.endswith(suffixes) and name}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", out, ROOT]
    built = subprocess.run(command, capture_output=True, text=True, env=clean_environ(), check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment that has the wheel and what it requires, nothing else."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place)
    command = [sys.executable, "-m", "pip", "--python", place / "bin" / "python", "--quiet"]
    command += ["install", "--disable-pip-version-check", "--constraint", ROOT / "constraints.txt"]
    command += ["--no-compile", wheel]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environ(), check=False)
    assert done.returncode == 0, done.stderr
    yield place / "bin"
    shutil.rmtree(place)


def test_everything_that_is_read_at_run_time_is_in_it(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"coordsite/{name}" if name.startswith("templates/") else name
        for name in tracked(
            ".py", ".html", ".scm", ".css", ".js", ".svg", ".md", ".json", ".toml", ".sh", ".txt"
        )
        if "/" in name and not name.startswith((*OUTSIDE, "."))
    }
    assert len(wanted) > 150
    assert wanted - names == set()
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


async def test_its_programs_run_from_a_clean_installation(installed, tmp_path):
    said = subprocess.run([installed / "coord", "--version"], capture_output=True, text=True, check=True)
    version = said.stdout.strip().removeprefix("coord ")
    assert version[0].isdigit()
    database = tmp_path / "x.db"
    environ = clean_environ(
        COORD_AUTH_TOKEN="t",
        COORD_PORT=str(free_port()),
        COORD_HOST="127.0.0.1",
        COORD_DATABASE_PATH=str(database),
    )
    url = f"http://127.0.0.1:{environ['COORD_PORT']}"
    log = (tmp_path / "log").open("wb")
    service = subprocess.Popen([installed / "coord-api"], env=environ, cwd=tmp_path, stdout=log, stderr=log)
    try:

        def healthy() -> bool:
            assert service.poll() is None, (tmp_path / "log").read_text()
            return is_ready(url)

        wait_for(healthy, "coord-api answers")
        assert httpx.get(f"{url}/health", timeout=60).text == "ok"
        assert httpx.get(f"{url}/meta", timeout=60).json()["version"] == version
        assert httpx.get(f"{url}/openapi.json", timeout=60).json()["openapi"].startswith("3.")
        assert "/openapi.json" in httpx.get(f"{url}/docs", timeout=60).text
        assert httpx.get(f"{url}/static/coordsite/docs.js", timeout=60).status_code == 200
        assert httpx.get(f"{url}/admin/login/", timeout=60).status_code == 200
        client_environ = clean_environ(COORD_API_URL=url, COORD_AUTH_TOKEN="t", COORD_REPO_ID="org/app")
        bridge = StdioServerParameters(
            command=str(installed / "coord-mcp"), args=[], env=client_environ, cwd=tmp_path
        )
        async with Client(bridge) as client:
            assert client.server_info.version == version
            (tmp_path / "code.py").write_text("def f():\n    pass\n")
            asked = {"engineer": "alice", "patterns": ["code.py"], "symbols": {"code.py": ["f"]}}
            granted = (await client.call_tool("claim_files", asked)).structured_content
            assert granted["claims"][0]["pattern"] == "code.py"
        listed = subprocess.run(
            [installed / "coord", "claims", "--json"],
            env=client_environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        (row,) = json.loads(listed.stdout)["claims"]
        assert (row["repo"], row["scope_type"]) == ("org/app", "symbol")
    finally:
        service.terminate()
        assert service.wait(30) == 0
        log.close()


EXPLAIN = """
import sys
from coordsite import cli
for name in sys.argv[1:]:
    try:
        code = cli.main([name, "--help"])
    except SystemExit as ended:
        code = ended.code
    print("ended", code, flush=True)
"""


def test_every_command_explains_itself_from_a_clean_installation(installed, tmp_path):
    """In one process: each would read and compile everything anew."""
    names = sorted(Path(name).stem for name in tracked(".py") if "/management/commands/" in name)
    names = [name for name in names if name != "__init__"]
    assert len(names) > 20
    command = [installed / "python", "-c", EXPLAIN, *names]
    run = subprocess.run(
        command, env=clean_environ(), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    told = run.stdout.split("ended 0\n")
    assert told.pop() == ""
    assert [text.split()[:3] for text in told] == [["usage:", "coord", name] for name in names]
    assert list(tmp_path.iterdir()) == []
    for program in ("coord-mcp", "coord-hook"):
        run = subprocess.run([installed / program, "--help"], capture_output=True, text=True, check=False)
        assert f"usage: {program}" in run.stdout + run.stderr
