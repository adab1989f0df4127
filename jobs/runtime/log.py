"""Structured log lines in a file, and the same in short for whoever watches the terminal."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog
from rich.console import Console

from expectations.contract.errors import ConfigError

CONSOLE = Console(stderr=True, highlight=False)


def open_log(path: str, **context: str) -> structlog.stdlib.BoundLogger:
    """A logger that appends JSON lines to a file and echoes them on stderr.

    Raises:
        ConfigError: when the file cannot be opened.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # Stays open for as long as the logger that is returned.
        file: TextIO = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115
    except OSError as error:
        raise ConfigError(f"log.file: cannot write {path}: {error.strerror}") from None
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(file),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _echo,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=True,
    ).bind(**context)
    return logger


def _echo(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show a line on the terminal; the identity of the run is in the file only."""
    hidden = {"event", "level", "timestamp", "run_id", "job"}
    facts = "  ".join(f"{name}={value}" for name, value in event.items() if name not in hidden)
    style = {"warning": "yellow", "error": "bold red"}.get(method, "")
    label = {"warning": "warning: ", "error": "error: "}.get(method, "")
    CONSOLE.print(
        f"{event['timestamp'][11:19]} {event.get('job', ''):28} {label}{event['event']}  {facts}".rstrip(),
        style=style,
        markup=False,
        soft_wrap=True,
    )
    return event
