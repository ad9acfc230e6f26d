"""The service's counters, by the reference's names. Per process; read at ``/metrics``."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

_created = Counter("claims_created", "Claims granted.", ["severity"], registry=REGISTRY)
_conflicts = Counter("claims_conflicts", "Item and holder pairs that were refused.", registry=REGISTRY)
_released = Counter("claims_released", "Claims that ended, whatever ended them.", registry=REGISTRY)
_auth_failures = Counter("auth_failures", "Requests answered 401.", registry=REGISTRY)
_requests = Counter("http_requests", "Answered requests.", ["method", "path", "status"], registry=REGISTRY)
_seconds = Histogram(
    "http_request_duration_seconds",
    "Time to answer, parked time included.",
    ["method", "path"],
    registry=REGISTRY,
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600),
)
_queue_wait = Histogram(
    "queue_wait_seconds",
    "Time in line until the grant.",
    registry=REGISTRY,
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
)
_build = Gauge("build_info", "The version that runs.", ["version"], registry=REGISTRY)


def claims_created(severity: str) -> None:
    """One claim was granted."""
    _created.labels(severity).inc()


def claims_conflicts(pairs: int) -> None:
    """Item and holder pairs were refused."""
    if pairs:
        _conflicts.inc(pairs)


def claims_released(count: int) -> None:
    """Claims ended."""
    _released.inc(count)


def auth_failed() -> None:
    """A request was answered 401."""
    _auth_failures.inc()


def answered(method: str, path: str, status: int, seconds: float) -> None:
    """A request was answered. ``path`` is a route template, never what the client sent."""
    _requests.labels(method, path, str(status)).inc()
    _seconds.labels(method, path).observe(seconds)


def queue_wait(seconds: float) -> None:
    """A waiter was granted after ``seconds`` in line."""
    _queue_wait.observe(seconds)


def built(version: str) -> None:
    """The version that runs."""
    _build.labels(version).set(1)
