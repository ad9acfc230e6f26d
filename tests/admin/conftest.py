"""An operator and a viewer in front of the admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from common.admin import CONFIRMED
from tests.conftest import Api


class Desk:
    """A signed-in person's browser, as far as pages and forms go."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.client = Client()
        self.client.force_login(user)

    def page(self, path: str) -> str:
        answer = self.client.get(f"/admin/{path}")
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content.decode()

    def status(self, path: str) -> int:
        return self.client.get(f"/admin/{path}").status_code

    def act(self, model: str, action: str, *rows: Any, **fields: Any) -> list[str]:
        """Choose rows, choose the action, answer its question; what the page says afterwards."""
        chosen = {"action": action, "_selected_action": [str(row) for row in rows]}
        rows_of = site._registry[apps.get_model(*model.split("/"))].every_row
        path = f"/admin/{model}/{rows_of}"
        asked = self.client.post(path, chosen)
        assert asked.status_code == 200, asked
        return self.said(self.client.post(path, {**chosen, CONFIRMED: "1", **fields}, follow=True))

    def save(self, path: str, **fields: Any) -> list[str]:
        """Fill in a form and save it; what the page says afterwards."""
        return self.said(self.client.post(f"/admin/{path}", fields, follow=True))

    @staticmethod
    def said(answer: Any) -> list[str]:
        assert answer.status_code == 200
        return [str(message) for message in answer.context["messages"]]


def visible_text(html: str) -> str:
    """What a person reads."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.fixture
def olga(db: None) -> Desk:
    """An operator."""
    return Desk(get_user_model().objects.create_superuser("olga", password="x"))


@pytest.fixture
def vera(db: None) -> Desk:
    """A viewer: every permission to view, none to change."""
    user = get_user_model().objects.create_user("vera", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return Desk(user)


@pytest.fixture
def held(api: Api) -> str:
    """A claim of alice's on ``src/**``."""
    status, body = api.claim("alice", "src/**", repo="org/app", session_id="alice-session-1")
    assert status == 200
    return str(body["claim_ids"][0])
