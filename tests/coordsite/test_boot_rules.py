"""What the service refuses to start with."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from coordsite.authentication import auth_mode
from coordsite.config import Config, require_authentication
from coordsite.misconfigured import ConfigError, NoAuthentication


def test_it_refuses_when_nobody_could_be_let_in():
    with pytest.raises(NoAuthentication, match="COORD_AUTH_TOKEN is not set: nobody could ever be let in"):
        require_authentication(Config())


@pytest.mark.parametrize(
    "given",
    [{"auth_token": "t"}, {"require_per_engineer_token": True}, {"allow_insecure_no_auth": True}],
)
def test_it_starts_when_somebody_can(given):
    require_authentication(Config(**given))


@pytest.mark.parametrize("strict", ["require_per_engineer_token", "require_scoped_token"])
@pytest.mark.parametrize("token", ["", "t"])
def test_it_refuses_to_be_open_and_strict(strict, token):
    with pytest.raises(ConfigError, match=f"contradicts COORD_{strict.upper()}=true"):
        Config(allow_insecure_no_auth=True, auth_token=token, **{strict: True})


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({"auth_token": SecretStr("t")}, "bearer"),
        ({"auth_token": SecretStr("t"), "allow_insecure_no_auth": True}, "bearer"),
        ({"auth_token": SecretStr(""), "allow_insecure_no_auth": True}, "insecure-no-auth"),
        ({"auth_token": SecretStr("")}, "misconfigured"),
        ({"auth_token": SecretStr(""), "require_per_engineer_token": True}, "per_engineer"),
        ({"auth_token": SecretStr("t"), "require_per_engineer_token": True}, "per_engineer"),
    ],
)
def test_it_says_how_callers_prove_themselves(config, changes, mode):
    config(**changes)
    assert auth_mode() == mode
