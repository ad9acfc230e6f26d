"""What goes wrong during a run, one thing after the other, each put right again."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable

from tests.engines.servers import Postgres, Valkey
from tests.history.fleet import Fleet

Fault = Callable[[], None]


class Nemesis(threading.Thread):
    """Hurts the fleet until told to stop, then heals it. ``told`` lists what it did."""

    def __init__(
        self,
        fleet: Fleet,
        seed: int,
        stop: threading.Event,
        postgres: Postgres | None = None,
        valkey: Valkey | None = None,
        calm: float = 1.5,
    ) -> None:
        super().__init__(name="nemesis", daemon=True)
        self.fleet, self.stop, self.calm = fleet, stop, calm
        self.postgres, self.valkey = postgres, valkey
        self.random = random.Random(f"nemesis/{seed}")
        self.told: list[str] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Every fault once in random order, then again."""
        try:
            while not self.stop.is_set():
                faults = self.faults()
                self.random.shuffle(faults)
                for fault in faults:
                    if self.stop.wait(self.calm * self.random.uniform(0.5, 1.5)):
                        break
                    self.told.append(fault.__name__)
                    fault()
        except BaseException as error:
            self.error = error
        finally:
            for replica in self.fleet.replicas:
                replica.signal(signal.SIGCONT)
                replica.step_clock(0)

    def faults(self) -> list[Fault]:
        """What can go wrong here."""
        found: list[Fault] = [self.kill_replica, self.freeze_replica, self.step_clock]
        if self.fleet.clusters:
            found.append(self.kill_cluster)
        if self.postgres is not None:
            found.append(self.kill_postgres)
        if self.valkey is not None:
            found.append(self.kill_valkey)
        return found

    def kill_replica(self) -> None:
        """kill -9, and a fresh start."""
        replica = self.random.choice(self.fleet.replicas)
        replica.kill()
        replica.start()
        replica.wait()

    def freeze_replica(self) -> None:
        """SIGSTOP for longer than its waiters wait, then on as if nothing had been."""
        replica = self.random.choice(self.fleet.replicas)
        replica.signal(signal.SIGSTOP)
        self.stop.wait(self.random.uniform(3, 5))
        replica.signal(signal.SIGCONT)

    def step_clock(self) -> None:
        """One replica's clock jumps, by less than a lease, and back."""
        replica = self.random.choice(self.fleet.replicas)
        replica.step_clock(self.random.uniform(-3600, 3600))
        self.stop.wait(self.random.uniform(1, 3))
        replica.step_clock(0)

    def kill_cluster(self) -> None:
        """kill -9 of the task cluster's whole group, and a fresh start."""
        for cluster in self.fleet.clusters:
            cluster.kill()
            cluster.start()

    def kill_postgres(self) -> None:
        """kill -9 of PostgreSQL, and recovery."""
        assert self.postgres is not None
        self.postgres.kill()
        self.postgres.start()

    def kill_valkey(self) -> None:
        """kill -9 of Valkey, and an empty one in its place."""
        assert self.valkey is not None
        self.valkey.kill()
        self.stop.wait(self.random.uniform(0.2, 1))
        self.valkey.start()
