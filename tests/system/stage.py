"""What a dashboard has to show: accounts, and a month of a few repositories with a busy present.

``python -m tests.system.stage accounts|story`` with the service's environment; prints the accounts' session
cookies as JSON.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

REPO_ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"


def prepare(what: str, environ: dict[str, str]) -> dict[str, str]:
    """Run this module beside a running service; the session cookie of each account."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.stage", what],
        env={**environ, "DJANGO_SETTINGS_MODULE": "coordsite.settings"},
        cwd=REPO_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cookies: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return cookies


def accounts() -> dict[str, str]:
    """``olivia`` may do everything, ``victor`` may look, ``nobody`` is staff without permissions."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.auth.models import Permission
    from django.contrib.sessions.backends.db import SessionStore

    users: Any = get_user_model().objects
    people = [
        users.create_superuser("olivia", password=PASSWORD),
        users.create_user("victor", password=PASSWORD, is_staff=True),
        users.create_user("nobody", password=PASSWORD, is_staff=True),
    ]
    people[1].user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    cookies = {}
    for person in people:
        session = SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.save()
        cookies[person.username] = str(session.session_key)
    return cookies


def story() -> None:
    """A month of refusals, a day of claims, and a present in which people wait for each other."""
    _month()
    _present()


SHOP, BILLING, WEB = "acme/shop", "acme/billing", "acme/web"
HOT = (
    (SHOP, "src/checkout/cart.py", 61),
    (SHOP, "pyproject.toml", 34),
    (BILLING, "billing/invoices/models.py", 27),
    (WEB, "package-lock.json", 19),
    (WEB, "src/routes/index.tsx", 11),
    (BILLING, "migrations/**", 7),
)


def _month() -> None:
    from common import clock
    from ownership.models import Contention
    from webhooks.models import Event

    chance, now = random.Random(7), clock.now()
    people = ("alice", "bob", "carol", "dmitri", "elif", "farid")
    rows, events = [], []
    for repo, pattern, attempts in HOT:
        for n in range(attempts):
            ago = timedelta(days=chance.triangular(0.3, 29, 4), hours=chance.uniform(0, 9))
            who, holder = chance.sample(people, 2)
            rows.append(
                Contention(
                    request_uid=f"{pattern[:20]}-{n}",
                    repo=repo,
                    pattern=pattern,
                    attempted_by=who,
                    claim_id="11111111-1111-4111-8111-111111111111",
                    holder_engineer=holder,
                    holder_pattern=pattern,
                    resolution=chance.choice(("granted_later", "granted_later", "gave_up")),
                    created_at=now - ago,
                )
            )
    for repo, share in ((SHOP, 9), (WEB, 5), (BILLING, 2)):
        for day in range(30):
            for _ in range(int(chance.expovariate(1 / share))):
                kind = chance.choice(("auto-coexist", "auto-coexist", "auto-narrow"))
                moment = now - timedelta(days=day, hours=chance.uniform(0, 3))
                events.append(Event(event_type=kind, repo=repo, actor_engineer="alice", created_at=moment))
    Contention.objects.bulk_create(rows)
    Event.objects.bulk_create(sorted(events, key=lambda event: event.created_at))


class Person:
    """An engineer with one session who claims through the services at any moment."""

    def __init__(self, name: str, repo: str) -> None:
        self.name, self.repo, self.session = name, repo, f"{name[:3]}9f31c-{repo}"

    def claim(self, *patterns: str, minutes_ago: float = 0, hours: float = 4, **fields: Any) -> Any:
        from claims.models import Claim
        from claims.parties import Party
        from claims.scopes import ClaimRequest, read_items
        from claims.services.claiming import Wait, claim_scopes
        from common import clock
        from common.caller import Caller

        wait, symbols = fields.pop("wait", 0), fields.pop("symbols", None)
        kind = fields.pop("kind", "file")
        now = clock.now() - timedelta(minutes=minutes_ago)
        items = read_items(
            [{"type": kind, "pattern": p, "symbols": symbols} for p in patterns], case_insensitive=False
        )
        party = Party(self.name, self.session)
        request = ClaimRequest(self.repo, party, items, ttl_hours=hours, **fields)
        caller = Caller(kind="shared", name="shared-token", operator=True)
        with clock.running(lambda: now):
            outcome = claim_scopes(request, caller, Wait(0, wait, server=""))
        Claim.objects.filter(released_at=None).update(last_activity=clock.now())  # nobody is idle yet
        return outcome

    def ask(self, claim: Any, reason: str, *, urgency: str = "normal", minutes_ago: float = 0) -> None:
        from claims.models import ReleaseRequest
        from common import clock

        now = clock.now() - timedelta(minutes=minutes_ago)
        ReleaseRequest.objects.create(
            claim=claim,
            requester_engineer=self.name,
            requester_session_id=self.session,
            requested_pattern=claim.pattern,
            reason=reason,
            urgency=urgency,
            original_expires_at=claim.expires_at,
            shortened_expires_at=claim.expires_at,
            created_at=now,
        )


def _present() -> None:
    from claims.models import Claim
    from claims.services.releasing import release_claims
    from common import clock
    from common.caller import Caller
    from webhooks.models import Delivery, Endpoint, Event

    def person(name: str, repo: str = SHOP) -> Person:
        return Person(name, repo)

    done = []
    for n, (name, pattern, began, held) in enumerate(
        (
            ("bob", "src/search/**", 420, 80),
            ("elif", "docs/**", 360, 50),
            ("alice", "src/checkout/tax.py", 300, 95),
            ("farid", "src/api/orders.py", 220, 40),
            ("carol", "src/checkout/payment.py", 150, 70),
        )
    ):
        outcome = person(name).claim(pattern, minutes_ago=began)
        done.append((outcome.claims[0].id, began - held, n))
    caller = Caller(kind="shared", name="shared-token", operator=True)
    for claim_id, ago, _ in done:
        moment = clock.now() - timedelta(minutes=ago)
        with clock.running(lambda moment=moment: moment):
            release_claims([claim_id], caller)
    cart = person("alice").claim(
        "src/checkout/**", minutes_ago=96, description="Split the cart from the payment step",
        branch="feat/cart", kind="module",
    )  # fmt: skip
    lock = person("dmitri").claim("pyproject.toml", minutes_ago=21, hours=0.45, description="Bump httpx")
    person("carol").claim("src/search/index.py", minutes_ago=12, symbols=["Index::add", "Index::drop"],
                          branch="fix/index")  # fmt: skip
    person("elif").claim("src/search/index.py", minutes_ago=9, symbols=["Index::query"])
    models = person("farid", BILLING).claim("billing/invoices/**", minutes_ago=44, description="VAT rates")
    person("carol", BILLING).claim("billing/reports/monthly.py", minutes_ago=31)
    person("bob", WEB).claim("src/routes/**", minutes_ago=64, branch="feat/router")
    person("alice", WEB).claim("package-lock.json", minutes_ago=3, hours=0.5)
    person("bob").claim("src/checkout/cart.py", minutes_ago=14, wait=7200, urgency="high")
    person("carol").claim("src/checkout/cart.py", "pyproject.toml", minutes_ago=9, wait=7200)
    person("elif").claim("pyproject.toml", minutes_ago=4, wait=7200)
    person("dmitri", BILLING).claim(
        "billing/invoices/models.py", minutes_ago=6, wait=7200, urgency="blocking"
    )
    person("farid").claim("src/checkout/tax.py", minutes_ago=2)
    person("elif", WEB).claim("src/routes/index.tsx", minutes_ago=5)
    person("farid").ask(cart.claims[0], "Hotfix of the rounding in tax.py must go out today",
                        urgency="blocking", minutes_ago=7)  # fmt: skip
    person("carol", BILLING).ask(models.claims[0], "Only need the report models", minutes_ago=3)
    now = clock.now()
    live = Claim.objects.filter(released_at=None)
    live.update(last_activity=now - timedelta(seconds=40))
    live.filter(engineer="bob").update(last_activity=now - timedelta(minutes=19))
    assert lock.granted
    endpoints = [
        Endpoint.objects.create(url=url, created_at=now, updated_at=now)
        for url in ("https://chat.acme.example/hooks/coord", "https://audit.acme.example/in")
    ]
    for event in Event.objects.order_by("-seq")[:40]:
        fine = Delivery(endpoint=endpoints[1], event=event, status="delivered", next_attempt_at=now,
                        created_at=event.created_at, delivered_at=now)  # fmt: skip
        dead = Delivery(endpoint=endpoints[0], event=event, next_attempt_at=now + timedelta(hours=1),
                        created_at=event.created_at, last_error="410 Gone")  # fmt: skip
        fine.save()
        dead.save()
    oldest = Delivery.objects.filter(endpoint=endpoints[0]).order_by("event_id").first()
    assert oldest is not None
    Delivery.objects.filter(pk=oldest.pk).update(status="failed", retry_count=4)


if __name__ == "__main__":
    import django

    django.setup()
    made = accounts()
    if sys.argv[1] == "story":
        story()
    print(json.dumps(made))
