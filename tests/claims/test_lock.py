"""Who had to wait for a repository's lock sees what was done under it meanwhile."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import pytest
from actors import Actor, look
from django.db import connection, transaction

from claims.locks import repository_lock

pytestmark = pytest.mark.usefixtures("shared_database")

alice, bob, carol = Actor("alice"), Actor("bob"), Actor("carol")
BLOCKED = (
    "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock')"
)


@contextmanager
def kept_waiting(function, *args):
    """The function begins on a thread of its own, and goes on when the block's transaction is committed."""
    answers = []

    def work():
        try:
            answers.append(function(*args))
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        with repository_lock("org/app"):
            yield answers
        thread.start()
        while thread.is_alive() and not is_blocked():
            continue
    thread.join()


def is_blocked():
    if connection.vendor != "postgresql":
        return True  # nobody writes before the transaction ends
    time.sleep(0.005)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(BLOCKED)
        return cursor.fetchone()[0]


def test_a_release_serves_who_came_into_line_meanwhile():
    held = alice.hold("a.py")
    with kept_waiting(alice.release, held) as released:
        ticket = bob.queue("a.py", hold=600)
    assert released == [1]
    assert look(ticket) == "granted"


def test_a_newcomer_stands_behind_who_came_into_line_meanwhile():
    alice.hold("a.py")
    with kept_waiting(lambda: carol.ask("b.py").granted) as granted:
        bob.queue("a.py", "b.py", hold=600)
    assert granted == [False]


def test_the_first_call_of_a_repository_sees_the_line_too():
    held = []
    with kept_waiting(lambda: carol.ask("b.py").granted) as granted:
        held.append(alice.hold("a.py"))
        bob.queue("a.py", "b.py", hold=600)
    assert granted == [False]
