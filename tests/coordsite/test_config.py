"""The settings: every variable's default, bounds, and the one line that a wrong one is answered with."""

from __future__ import annotations

import os
import re

import pytest

from coordsite import keys
from coordsite.config import SECRETS, Config, load, require_authentication
from coordsite.misconfigured import ConfigError, NoAuthentication

DEFAULTS = {
    "DATABASE_PATH": "data/coordination.db",
    "AUTH_TOKEN": "",
    "ALLOW_INSECURE_NO_AUTH": False,
    "HOST": "0.0.0.0",
    "PORT": 8080,
    "LOG_LEVEL": "info",
    "LOG_JSON": False,
    "REPO_ROOT": "",
    "REPO_SCOPE": "",
    "MAX_CLAIM_FILES": 100,
    "MAX_CLAIM_RATIO": 0.2,
    "CLEANUP_INTERVAL_SEC": 900,
    "DEFAULT_TTL_HOURS": 4,
    "SHARED_TTL_HOURS": 2,
    "IDLE_TIMEOUT_SEC": 1800,
    "REQUEST_TTL_SHORT_SEC": 300,
    "AUTO_PROMOTE_THRESHOLD": 0,
    "AUTO_PROMOTE_WINDOW_DAYS": 7,
    "AUTO_PROMOTE_SUBTREE_MIN_FILES": 3,
    "AUTO_DEMOTE_INTERVAL_SEC": 3600,
    "AUTO_DEMOTE_WINDOW_DAYS": 14,
    "QUEUE_AGE_BOOST_SECONDS": 60,
    "BACKPRESSURE_HEADER": True,
    "WEBHOOK_URL": "",
    "WEBHOOK_SECRET": "",
    "WEBHOOK_EVENTS": "",
    "WEBHOOK_MAX_RETRIES": 5,
    "WEBHOOK_RETRY_BACKOFF_SEC": 60,
    "WEBHOOK_DELIVERY_INTERVAL_SEC": 5,
    "DISABLE_BACKGROUND_CLEANUP": False,
    "DISABLE_INSTANCE_LOCK": False,
    "LS_FILES_CACHE_TTL_SEC": 10,
    "SYMBOL_PARSER": "auto",
    "DATABASE_URL": "",
    "REDIS_URL": "",
    "HOME": "~/.coord",
    "START_READY_TIMEOUT_SEC": 15,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No COORD_* variable of whoever runs the tests."""
    for name in list(os.environ):
        if name.upper().startswith("COORD_"):
            monkeypatch.delenv(name)
    return monkeypatch


def value(config: Config, name: str) -> object:
    found = getattr(config, name.lower())
    return found.get_secret_value() if hasattr(found, "get_secret_value") else found


def refusal(environment: pytest.MonkeyPatch, **variables: str) -> str:
    for name, text in variables.items():
        environment.setenv(f"COORD_{name}", text)
    with pytest.raises(ConfigError) as caught:
        load()
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(("name", "default"), list(DEFAULTS.items()))
def test_it_has_the_default(name, default):
    assert value(load(), name) == default


def test_it_takes_an_empty_variable_for_unset(environment):
    for name in DEFAULTS:
        environment.setenv(f"COORD_{name}", "")
    assert load() == Config()


def test_it_reads_names_in_any_case(environment):
    environment.setenv("coord_port", "9001")
    environment.setenv("COORD_LOG_LEVEL", "WARNING")
    assert load().port == 9001
    assert load().log_level == "warning"


@pytest.mark.parametrize("text", ["1", "true", "yes", "on", "TRUE"])
def test_it_reads_what_means_yes(environment, text):
    environment.setenv("COORD_LOG_JSON", text)
    assert load().log_json is True


BOUNDED = [
    (name, mark)
    for name, field in Config.model_fields.items()
    for mark in field.metadata
    if hasattr(mark, "ge") or hasattr(mark, "le")
]


def test_every_number_has_both_bounds():
    for name, field in Config.model_fields.items():
        if field.annotation in (int, float):
            assert any(hasattr(mark, "ge") for mark in field.metadata), name
            assert any(hasattr(mark, "le") for mark in field.metadata), name


@pytest.mark.parametrize(("name", "mark"), BOUNDED, ids=[f"{name}-{mark}" for name, mark in BOUNDED])
def test_it_takes_each_bound_and_nothing_beyond(environment, name, mark):
    bound = getattr(mark, "ge", None)
    least = bound is not None
    bound = bound if least else mark.le
    variable = f"COORD_{name.upper()}"
    if name not in ("hotspot_split_attempts", "hotspot_share_attempts"):  # one bounds the other
        environment.setenv(variable, str(bound))
        assert getattr(load(), name) == pytest.approx(bound)
    step = 1 if Config.model_fields[name].annotation is int else 0.001
    beyond = str(bound - step if least else bound + step)
    environment.setenv(variable, beyond)
    with pytest.raises(ConfigError) as caught:
        load()
    assert re.fullmatch(
        rf"{variable}='{re.escape(beyond)}': allowed: (whole )?number from \S+ to \S+", str(caught.value)
    )


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("PORT", "eighty", "whole number from 1 to 65535"),
        ("PORT", "80.5", "whole number from 1 to 65535"),
        ("MAX_CLAIM_RATIO", "nan", "number from 0 to 1"),
        ("DEFAULT_TTL_HOURS", "inf", "number from 0.01667 to 720"),
        ("LOG_JSON", "perhaps", "`true` or `false`"),
        ("LOG_LEVEL", "loud", "'trace', 'debug', 'info', 'warning', 'error' or 'critical'"),
        ("SYMBOL_PARSER", "regex", "'auto' or 'treesitter'"),
        ("REPO_ID", "no repository!", "a repository id such as owner/name"),
        ("WEBHOOK_URL", "ftp://host/x", "an http or https URL (not an http or https URL)"),
        (
            "WEBHOOK_EVENTS",
            "claim_granted, nonsense",
            "event types such as claim_granted, comma separated, not 'nonsense'",
        ),
    ],
)
def test_it_names_the_variable_the_value_and_what_is_allowed(environment, name, text, allowed):
    assert refusal(environment, **{name: text}) == f"COORD_{name}={text!r}: allowed: {allowed}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", "secret-nonsense"),
        ("DATABASE_URL", "mysql://u:secret@h/db"),
        ("DATABASE_URL", "postgres://u:secret@h:99999999/db"),
        ("DATABASE_URL", "postgres://[secret"),
        ("REDIS_URL", "http://u:secret@h"),
        ("AUTH_TOKEN", "secret token"),
        ("AUTH_TOKEN", "secret\ntoken"),
        ("AUTH_TOKEN", " "),
        ("AUTH_TOKEN", "secret\x7f"),
    ],
)
def test_it_never_shows_a_secret(environment, name, text):
    line = refusal(environment, **{name: text})
    assert line.startswith(f"COORD_{name}=(hidden): allowed: ")
    assert "secret" not in line


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", "postgresql://u:p%40@h:5432/db?sslmode=require"),
        ("DATABASE_URL", "sqlite:////tmp/x.db"),
        ("REDIS_URL", "rediss://:p@h:6380/1"),
        ("AUTH_TOKEN", "tokén-~!{}"),
        ("REPO_ID", "Org/App"),
        ("WEBHOOK_URL", "https://h.example/hook?x=1"),
        ("WEBHOOK_EVENTS", " claim_granted ,auto-coexist, "),
    ],
)
def test_it_takes_what_is_right(environment, name, text):
    environment.setenv(f"COORD_{name}", text)
    assert value(load(), name) == text


@pytest.mark.parametrize("other", ["REQUIRE_PER_ENGINEER_TOKEN", "REQUIRE_SCOPED_TOKEN"])
def test_insecure_mode_contradicts_a_token_requirement(environment, other):
    line = refusal(environment, ALLOW_INSECURE_NO_AUTH="true", **{other: "true"})
    assert line == f"COORD_ALLOW_INSECURE_NO_AUTH=true contradicts COORD_{other}=true; allowed: one of them"


def test_hotspot_advice_to_share_comes_before_the_one_to_split(environment):
    assert "COORD_HOTSPOT_SPLIT_ATTEMPTS=10" in refusal(environment, HOTSPOT_SPLIT_ATTEMPTS="10")


@pytest.mark.parametrize("name", SECRETS)
def test_it_reads_a_secret_from_a_file(environment, tmp_path, name):
    given = {"database_url": "sqlite:////tmp/x.db", "redis_url": "redis://h/0"}.get(name, "from-a-file")
    (tmp_path / "secret").write_text(f"{given}\r\n", encoding="utf-8")
    environment.setenv(f"COORD_{name.upper()}_FILE", str(tmp_path / "secret"))
    assert value(load(), name) == given
    line = refusal(environment, **{name.upper(): "x"})
    assert line == f"COORD_{name.upper()} and COORD_{name.upper()}_FILE are both set; allowed: one of them"


def test_it_says_why_a_secrets_file_cannot_be_read(environment, tmp_path):
    missing = str(tmp_path / "missing")
    assert refusal(environment, AUTH_TOKEN_FILE=missing) == (
        f"COORD_AUTH_TOKEN_FILE={missing!r}: No such file or directory; allowed: a readable text file"
    )
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert "not UTF-8 text" in refusal(environment, AUTH_TOKEN_FILE=str(tmp_path / "bytes"))


def test_nobody_is_served_by_accident(environment):
    with pytest.raises(NoAuthentication, match=r"COORD_AUTH_TOKEN .* COORD_ALLOW_INSECURE_NO_AUTH"):
        require_authentication(load())
    environment.setenv("COORD_ALLOW_INSECURE_NO_AUTH", "true")
    require_authentication(load())
    environment.setenv("COORD_ALLOW_INSECURE_NO_AUTH", "false")
    environment.setenv("COORD_AUTH_TOKEN", "t")
    require_authentication(load())


def test_a_kept_secret_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "new" / "token"
    assert keys.kept_secret(path, create=False) == ""
    made = keys.kept_secret(path, create=True)
    assert len(made) >= 32
    assert keys.kept_secret(path, create=True) == made
    assert path.stat().st_mode & 0o777 == 0o600
