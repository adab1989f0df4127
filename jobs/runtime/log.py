"""Structured log lines in a file, and a short form of them on the terminal.

All output passes `masked`, so no secret is in a log or on a terminal.
"""

import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import IO, Any, Literal, TextIO, cast

import structlog
from rich.console import Console

from expectations.contract.errors import ConfigError
from jobs.runtime.secrets import masked, masked_tree

Echo = Literal["all", "warnings"]


class _MaskedStderr:
    """The standard error of the moment of writing, with masked secrets."""

    def write(self, text: str) -> int:
        """Write a text without its secrets."""
        self._stream().write(masked(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        if name == "rich_proxied_file":
            # Rich would write past this one.
            raise AttributeError(name)
        return getattr(self._stream(), name)

    def _stream(self) -> Any:
        """Not Rich's stand-in for standard error while it shows a bar: that would write here again."""
        return getattr(sys.stderr, "rich_proxied_file", sys.stderr)


CONSOLE = Console(file=cast(IO[str], _MaskedStderr()), highlight=False)


class _LogFile:
    """A file that grows line by line. A full disk gives one warning and ends no run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Stays open for as long as the logger that writes to it.
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
        self._has_told = False

    def write(self, text: str) -> None:
        """Append a text."""
        try:
            self._file.write(text)
        except OSError as error:
            if not self._has_told:
                self._has_told = True
                CONSOLE.print(
                    f"log.file: cannot write {self._path}: {error.strerror}; later lines are on the terminal only",
                    style="yellow",
                    markup=False,
                    soft_wrap=True,
                )

    def flush(self) -> None:
        """Do nothing: each line is written at once."""


def open_log(path: str, echo: Echo = "all", **context: str) -> structlog.stdlib.BoundLogger:
    """A logger that appends JSON lines to a file and echoes them on stderr.

    Args:
        path: the file; its folder is made.
        echo: whether a terminal shows all lines, or warnings and errors only.
        context: values in every line.

    Raises:
        ConfigError: when the file cannot be opened.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = _LogFile(Path(path))
    except OSError as error:
        raise ConfigError(
            f"log.file: cannot write {path}: {error.strerror}; give a file in a folder that can be written"
        ) from None
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(cast(TextIO, file)),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            _echo if echo == "all" else _echo_warnings,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=True,
    ).bind(**context)
    return logger


def spark_log(log_file: str) -> Path:
    """The file for the output of Ivy and Spark: `x.spark.log` beside the log `x.jsonl`."""
    return Path(log_file).with_suffix(".spark.log")


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return cast(MutableMapping[str, Any], masked_tree(event))


def _echo_warnings(
    _: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return _echo(_, method, event) if method in ("warning", "error") else event


def _echo(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show a line on the terminal; the identity of the run is in the file only."""
    hidden = {"event", "level", "timestamp", "run_id", "job", "frames"}
    facts = "  ".join(
        f"{name}={value}"
        for name, value in event.items()
        if name not in hidden and value is not None
    )
    style = {"warning": "yellow", "error": "bold red"}.get(method, "")
    label = {"warning": "warning: ", "error": "error: "}.get(method, "")
    CONSOLE.print(
        f"{event['timestamp'][11:19]} {event.get('job', ''):28} {label}{event['event']}  {facts}".rstrip(),
        style=style,
        markup=False,
        soft_wrap=True,
    )
    return event
