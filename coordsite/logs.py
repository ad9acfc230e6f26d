"""Log lines: plain text, or one JSON object per line; each with the id of the request it belongs to."""

from __future__ import annotations

import contextvars
import json
import logging
from datetime import UTC, datetime
from typing import Any

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("coord_request_id", default="")
"""The id of the request being served, on the event loop and on its lane."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """What a call to the logger put into ``extra``."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class JsonLines(logging.Formatter):
    """``{"ts","level","logger","msg"[,"request_id"][,"exc"], extras…}``; ``ts`` in microseconds, UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the record carries."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "ts": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if current := request_id.get():
            line["request_id"] = current
        line |= {name: value for name, value in extras(record).items() if name not in ("request", "response")}
        if record.exc_info:
            line["exc"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=True)


class Plain(logging.Formatter):
    """``<date time,ms> <LEVEL> <logger> <message>``, then the access line's figures."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a trace."""
        line = super().formatMessage(record)
        if getattr(record, "event", None) == "http_request":
            found = vars(record)
            line += (
                f" {found['method']} {found['path']} {found['status']}"
                f" {found['duration_ms']}ms {found['request_id']}"
            )
        # A message may carry what a client sent: it stays one line.
        return line.replace("\n", "\\n").replace("\r", "\\r")


def logging_config(level: str, as_json: bool) -> dict[str, Any]:
    """Django's ``LOGGING`` for everything this process says, on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "coordsite.logs.JsonLines" if as_json else "coordsite.logs.Plain"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "coord": {"level": "DEBUG" if level == "trace" else level.upper()},
            "django": {"level": "WARNING"},
            # The access line tells of refusals; only failures deserve a second one.
            "django.request": {"level": "ERROR"},
            "django-q": {"handlers": [], "level": "WARNING"},
        },
    }
