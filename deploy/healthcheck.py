"""The container's health check: 0 when ``/readyz`` answers 200 within four seconds, else 1."""

import http.client
import os
import sys


def main() -> int:
    """Ask once, under a name that the service answers to."""
    host = os.environ.get("COORD_ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
    named = host if host not in ("", "*") else "127.0.0.1"
    port = int(os.environ.get("COORD_PORT") or 8080)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/readyz", headers={"Host": named})
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
