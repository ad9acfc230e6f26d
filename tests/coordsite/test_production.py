"""The production settings that the guide shows: checked by Django, and what browsers are told under them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coordsite.config import Config
from coordsite.misconfigured import ConfigError

ROOT = Path(__file__).parents[2]
ASK = """
import json
import django
django.setup()
from django.test import Client
answers = {}
for name, how in {
    "plain": {"path": "/admin/login/", "HTTP_X_FORWARDED_PROTO": "http"},
    "secure": {"path": "/admin/login/", "HTTP_X_FORWARDED_PROTO": "https"},
}.items():
    response = Client(HTTP_HOST="coord.acme.dev").get(**how)
    cookies = {key: morsel.OutputString() for key, morsel in response.cookies.items()}
    answers[name] = {"status": response.status_code, "headers": dict(response.items()), "cookies": cookies}
print(json.dumps(answers))
"""


def example():
    """The variables of the guide's example."""
    guide = (ROOT / "docs" / "identity.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```ini\n(.*?)```", guide, flags=re.S)
    lines = [line for line in block.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def run(tmp_path, *command, **more):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, **example(), "DJANGO_SETTINGS_MODULE": "coordsite.settings", **more}
    environment["COORD_DATABASE_PATH"] = str(tmp_path / "coord.db")
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_deployment_check_finds_nothing(tmp_path):
    done = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), (
        done.stderr
    )


def test_the_deployment_check_would_find_something(tmp_path):
    done = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", COORD_PUBLIC_URL="")
    assert done.returncode != 0
    assert "security.W004" in done.stderr


def test_browsers_are_kept_to_https(tmp_path):
    run(tmp_path, "manage.py", "migrate", "--verbosity", "0")
    done = run(tmp_path, "-c", ASK)
    answers = json.loads(done.stdout.splitlines()[-1])
    plain, secure = answers["plain"], answers["secure"]
    assert (plain["status"], plain["headers"]["Location"]) == (301, "https://coord.acme.dev/admin/login/")
    assert secure["status"] == 200
    headers = secure["headers"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "Secure" in secure["cookies"]["coord_csrf"]
    assert "SameSite=Lax" in secure["cookies"]["coord_csrf"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"public_url": "https://coord.acme.dev"}, "COORD_TRUSTED_PROXIES=0 contradicts"),
        ({"public_url": "coord.acme.dev"}, "COORD_PUBLIC_URL='coord.acme.dev': allowed: https://host"),
        ({"public_url": "https://coord.acme.dev/sub"}, "COORD_PUBLIC_URL"),
        ({"oidc_issuer": "https://id.acme.dev"}, "go together"),
        ({"oidc_client_id": "coord"}, "go together"),
        (
            {"oidc_issuer": "http://id.acme.dev"},
            "COORD_OIDC_ISSUER='http://id.acme.dev': allowed: an https URL",
        ),
        (
            {"oidc_issuer": "https://id.acme.dev", "oidc_client_id": "coord", "oidc_client_secret": "s"},
            "COORD_OIDC_ALLOWED_PRINCIPALS is empty: nobody could sign in",
        ),
    ],
)
def test_it_refuses_settings_that_cannot_work(given, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        Config(**given)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_documents_run_no_foreign_script(client, path):
    response = client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert "script-src" not in policy
    assert policy["frame-ancestors"] == "'none'"
    assert response["X-Frame-Options"] == "DENY"


def test_no_answer_is_taken_for_another_kind(api):
    for path in ("/claims", "/health", "/metrics"):
        api.get(path)
        assert api.last["X-Content-Type-Options"] == "nosniff"
