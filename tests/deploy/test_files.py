"""The deployment files: they parse, agree with one another and with the product."""

from __future__ import annotations

import configparser
import json
import re
import runpy
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from coordsite.config import Config
from coordsite.gate import MOST_BODY

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
MANIFESTS = [
    document
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
VARIABLES = {f"COORD_{name.upper()}" for name in Config.model_fields}
SECRET_FILES = {f"{name}_FILE" for name in VARIABLES}


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


def manifest(kind: str) -> dict[str, Any]:
    [found] = [document for document in MANIFESTS if document["kind"] == kind]
    return found


def test_the_image_has_two_stages_and_no_root() -> None:
    assert len(instructions("FROM")) == 2
    assert instructions("USER") == ["1000:1000"]
    assert instructions("VOLUME") == ["/data"]
    assert instructions("EXPOSE") == ["8080"]
    assert json.loads(instructions("CMD")[-1]) == ["coord", "start"]
    assert "git config --system --add safe.directory '*'" in instructions("RUN")


def test_the_image_is_built_from_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = " ".join(instructions("COPY")).split()
    for name in [*wheel["packages"], *wheel["force-include"], project["project"]["readme"], "LICENSE"]:
        assert name in copied, name
    [extras] = re.findall(r"'\.\[([a-z,-]+)\]'", DOCKERFILE)
    assert set(extras.split(",")) == set(project["project"]["optional-dependencies"]) - {"dev"}
    [python] = instructions("ARG")
    assert python.partition("=")[2] >= project["project"]["requires-python"].removeprefix(">=")


def test_the_build_context_holds_what_is_copied_and_no_more() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {source for line in instructions("COPY") if "--from" not in line for source in line.split()[:-1]}
    assert "*" in lines
    assert let_in == copied


def test_every_variable_is_a_setting() -> None:
    set_ = {line.partition("=")[0] for line in instructions("ENV")}
    for service in COMPOSE["services"].values():
        set_ |= set(service.get("environment", {}))
    set_ |= set(manifest("ConfigMap")["data"])
    set_ |= set(re.findall(r"Environment=(\w+)=", (DEPLOY / "systemd" / "coord.service").read_text()))
    ours = {name for name in set_ if name.startswith("COORD_")}
    assert len(ours) > 5
    assert ours <= VARIABLES | SECRET_FILES


def test_compose_starts_sqlite_by_default_and_replicas_on_request() -> None:
    services = COMPOSE["services"]
    assert [name for name, one in services.items() if "profiles" not in one] == ["coord"]
    assert services["replica"]["deploy"] == {"replicas": 2}
    assert "ports" not in services["replica"]
    for one in services.values():
        for volume in one.get("volumes", ()):
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]
        for name in one.get("depends_on", ()):
            assert name in services


def test_the_manifests_fit_together() -> None:
    deployment = manifest("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert manifest("Service")["spec"]["selector"] == labels
    assert manifest("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert {
        source["configMapRef"]["name"] for source in container["envFrom"] if "configMapRef" in source
    } == {manifest("ConfigMap")["metadata"]["name"]}
    port = manifest("Service")["spec"]["ports"][0]
    assert port["targetPort"] in [one["name"] for one in container["ports"]]
    assert deployment["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == 1000
    volumes = {one["name"] for one in deployment["spec"]["template"]["spec"]["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == volumes
    [path] = manifest("Ingress")["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "coord", "port": {"name": port["name"]}}
    assert "Secret" not in {document["kind"] for document in MANIFESTS}


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_the_probes_ask_pages_that_exist(api: Any, probe: str) -> None:
    [container] = manifest("Deployment")["spec"]["template"]["spec"]["containers"]
    assert api.get(container[probe]["httpGet"]["path"])[0] == 200


def test_the_unit_is_an_ini_file_with_the_image_s_command() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "systemd" / "coord.service")
    assert unit["Service"]["ExecStart"] == "/opt/coord/bin/coord start"
    assert unit["Service"]["User"] == "coord"
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_the_proxy_lets_through_what_the_service_takes() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert f"client_max_body_size {MOST_BODY // 1024 // 1024}m;" in text
    [timeout] = re.findall(r"proxy_read_timeout (\d+)s", text)
    assert int(timeout) > 600
    assert "server replica:8080;" in text
    assert text.count("{") == text.count("}")


def test_the_shell_script_parses() -> None:
    assert subprocess.run(["bash", "-n", DEPLOY / "try-image.sh"], check=False).returncode == 0


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_asks_readyz(monkeypatch: pytest.MonkeyPatch, status: int, code: int) -> None:
    asked = []

    class Connection:
        def __init__(self, host: str, port: int, timeout: float) -> None:
            asked.append((host, port))

        def request(self, method: str, path: str, headers: dict[str, str]) -> None:
            asked.append((method, path, headers["Host"]))

        def getresponse(self) -> Any:
            return type("Answer", (), {"status": status})

        def close(self) -> None:
            pass

    monkeypatch.setattr("http.client.HTTPConnection", Connection)
    monkeypatch.setenv("COORD_PORT", "8123")
    monkeypatch.setenv("COORD_ALLOWED_HOSTS", ".coord.example, other")
    check = runpy.run_path(str(DEPLOY / "healthcheck.py"))["main"]
    assert check() == code
    assert asked == [("127.0.0.1", 8123), ("GET", "/readyz", "coord.example")]


def test_the_health_check_fails_when_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COORD_PORT", "9")
    assert runpy.run_path(str(DEPLOY / "healthcheck.py"))["main"]() == 1
