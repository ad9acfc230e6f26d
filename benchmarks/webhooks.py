"""Time from the commit of a change to its receiver: ``python -m benchmarks.webhooks``.

Starts the service as the README does (SQLite, one web process, one task cluster) in a directory of its own,
with a receiver on loopback, and claims files one after the other, pausing in between. The clock of a delivery
runs from the answer to the claim, which is sent after the commit, to the receiver's first byte.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.system.service import Service, wait_for

CLAIMS = 100
PAUSE_S = 0.1
BURST = 200


class Receiver(ThreadingHTTPServer):
    """Remembers when each delivery came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.times: list[float] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """Answers 204."""

    server: Receiver

    def do_POST(self) -> None:
        """Take the time first."""
        self.server.times.append(time.perf_counter())
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing."""


def main() -> None:
    """Run both measurements."""
    receiver = Receiver()
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    with tempfile.TemporaryDirectory() as place:
        service = Service(Path(place) / "home", {"COORD_LOG_LEVEL": "error"}).start()
        try:
            measure(service, receiver, url)
        finally:
            service.stop()


def measure(service: Service, receiver: Receiver, url: str) -> None:
    """Print the times of single deliveries, and the rate of a burst."""
    with service.client() as client:
        client.post(
            "/webhooks/endpoints", json={"url": url, "event_types": ["claim_granted"]}
        ).raise_for_status()

        def claim(name: str) -> float:
            items = [{"type": "file", "pattern": name}]
            client.post("/claims", json={"engineer": "alice", "claims": items}).raise_for_status()
            return time.perf_counter()

        claim("warm-up.py")
        wait_for(lambda: receiver.times, "the first delivery")
        receiver.times.clear()
        taken = []
        for number in range(CLAIMS):
            answered = claim(f"single/{number}.py")
            wait_for(lambda wanted=number + 1: len(receiver.times) >= wanted, "a delivery")
            taken.append((receiver.times[-1] - answered) * 1000)
            time.sleep(PAUSE_S)
        taken.sort()
        print(
            f"commit to receiver: median {statistics.median(taken):.0f} ms, "
            f"95 % {taken[int(CLAIMS * 0.95)]:.0f} ms, worst {taken[-1]:.0f} ms ({CLAIMS} claims)"
        )
        receiver.times.clear()
        begun = time.perf_counter()
        for number in range(BURST):
            claim(f"burst/{number}.py")
        wait_for(lambda: len(receiver.times) >= BURST, "the burst")
        seconds = receiver.times[-1] - begun
        print(f"burst: {BURST} claims delivered in {seconds:.1f} s ({BURST / seconds:.0f} per second)")


if __name__ == "__main__":
    main()
