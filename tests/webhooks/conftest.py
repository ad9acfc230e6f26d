"""Receivers and quick attempts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.webhooks.receiver import Receivers
from webhooks import sending


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    made = Receivers()
    yield made
    for receiver in made.made:
        receiver.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts end after a second instead of 10."""
    sending._tls()  # the first attempt of a process makes it, which may take longer than that
    monkeypatch.setattr(sending, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(sending, "EXCERPT_S", 0.1)
