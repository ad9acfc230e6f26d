"""``coord start --replicas``: which ports, and when not."""

from __future__ import annotations

import pytest
from django.core.management.base import CommandError

from coordsite.config import Config
from coordsite.home import Home
from coordsite.management.commands.start import in_words, ports_of, state_of
from coordsite.supervision import Supervisor


def config(**values):
    return Config(auth_token="secret", **values)


def test_it_uses_consecutive_ports(tmp_path):
    given = config(database_url="postgres:///coord", host="127.0.0.1", port=9000)
    ports = ports_of(given, 3)
    assert ports == [9000, 9001, 9002]
    state = state_of(given, Home(tmp_path), ports)
    assert state.api_url == "http://127.0.0.1:9000"
    assert state.replicas == tuple(f"http://127.0.0.1:{port}" for port in ports)
    shown = in_words(state)
    assert all(f"API        http://127.0.0.1:{port}" in shown for port in ports)
    supervisor = Supervisor({}, ports)
    assert [web.variables["COORD_PORT"] for web in supervisor.webs] == ["9000", "9001", "9002"]


def test_it_shows_one_process_as_ever(tmp_path):
    state = state_of(config(port=9000), Home(tmp_path), [9000])
    assert state.replicas == ()
    assert in_words(state).count("API  ") == 1


def test_it_needs_postgres():
    with pytest.raises(CommandError, match="COORD_DATABASE_URL"):
        ports_of(config(), 2)


@pytest.mark.parametrize(("replicas", "port"), [(0, 9000), (-1, 9000), (17, 9000), (2, 65535)])
def test_it_refuses_more_than_fit(replicas, port):
    with pytest.raises(CommandError, match="allowed: 1 to 16"):
        ports_of(config(database_url="postgres:///coord", port=port), replicas)
