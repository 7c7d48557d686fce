"""Logging set-up: constant messages with facts as keys, as text on a terminal or JSON lines."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def _facts(record: logging.LogRecord) -> dict[str, object]:
    return {k: v for k, v in record.__dict__.items() if k not in _STANDARD}


class TextFormatter(logging.Formatter):
    """`time level logger: message key=value …`, for people."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, then the traceback if there is one."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        facts = "".join(f" {k}={v}" for k, v in _facts(record).items())
        line = f"{at} {record.levelname[0]} {record.name}: {record.getMessage()}{facts}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for log stores."""

    def format(self, record: logging.LogRecord) -> str:
        """Standard keys first, then the facts."""
        row: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            row["traceback"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=False, default=str)


def set_up(level: str = "INFO", form: Literal["text", "json"] = "text") -> None:
    """Send all logs to stderr in one form; call once, at a process's root."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("bacpypes3", "pymodbus", "asyncio", "httpx", "apprise"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # a pool that cannot refill itself says so with a traceback each time; we tell the database's absence once
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
