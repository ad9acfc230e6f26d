"""One connection and many requests: order, back-pressure, and what ends it."""

from __future__ import annotations

import http.client
import socket
from contextlib import closing

from .service import Service


def connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=20)


def get(path: str, *headers: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/{version}", "Host: coord", *headers, "\r\n"]).encode()


def answers(connection: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """The next answers on the connection, in the order they come."""
    found = []
    stream = connection.makefile("rb")
    for _ in range(count):
        status = int(stream.readline().split()[1])
        headers = http.client.parse_headers(stream)
        found.append((status, stream.read(int(headers["Content-Length"]))))
    return found


def test_requests_sent_at_once_are_answered_in_order(service):
    with closing(connect(service)) as connection:
        connection.sendall(get("/health") + get("/nowhere") + get("/openapi.json") + get("/health"))
        assert [status for status, _ in answers(connection, 4)] == [200, 404, 200, 200]


def test_a_client_that_reads_late_gets_everything(service):
    with closing(connect(service)) as connection:
        connection.sendall(get("/openapi.json") * 60)  # more than the sockets' buffers hold
        found = answers(connection, 60)
    assert {status for status, _ in found} == {200}
    assert len({body for _, body in found}) == 1


def test_a_client_may_leave_with_answers_unread(service, http):
    with closing(connect(service)) as connection:
        connection.sendall(get("/openapi.json") * 20)
    assert http.get("/health").status_code == 200


def test_the_last_request_of_a_connection_ends_it(service):
    for request in (get("/health", "Connection: close"), get("/health", version="1.0")):
        with closing(connect(service)) as connection:
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        assert answer.split(b" ", 2)[1] == b"200"


def test_a_header_with_control_characters_is_a_400(service):
    with closing(connect(service)) as connection:
        connection.sendall(get("/health", "X-Odd: a\x0bb"))
        assert connection.recv(65536).split(b" ", 2)[1] == b"400"


def test_names_with_underscores_reach_nobody(service):
    """``X_Coord_Session`` must not be taken for ``X-Coord-Session``."""
    with closing(connect(service)) as connection:
        connection.sendall(get("/claims", "Authorization_: Bearer x", "Authorization: Bearer wrong"))
        assert answers(connection, 1)[0][0] == 401


def test_an_offered_protocol_that_is_no_websocket_is_passed_over(service):
    with closing(connect(service)) as connection:
        connection.sendall(get("/health", "Connection: Upgrade", "Upgrade: h2c"))
        assert answers(connection, 1)[0][0] == 200
