"""Ctrl-C, SIGTERM and SIGHUP: the run stops within 30 s and leaves a row that says so.

The job works in a thread of its own. The main thread gets the signals and has a free connection to Spark,
on which it cancels the queries.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TypeVar

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

from expectations.contract.errors import Cancelled

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds in which a cancelled job has to come to its end, and in how many of these all has to be
#: written down: 27 seconds.
_PATIENCE = 10.0
_ALL = 2.7
#: A signal that comes so soon after the first is the same: a terminal or a scheduler sends it to a group.
_SAME_SECONDS = 2.0
_Found = TypeVar("_Found")


class Stop:
    """Whether someone asked this process to stop."""

    def __init__(self) -> None:
        self.name = ""
        #: Set while the end of a run is written down, which must not be cancelled.
        self.is_recording = threading.Event()
        self._asked_at: float | None = None
        self._is_interruptible = True

    @property
    def is_asked(self) -> bool:
        """Whether a signal came."""
        return self._asked_at is not None

    def error(self) -> Cancelled:
        """The error that ends the run."""
        return Cancelled(f"stopped by {self.name}; run it again to go on")

    def reset(self) -> None:
        """Forget a signal, for a process that runs several jobs."""
        self._asked_at, self.name = None, ""
        self._is_interruptible = True

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """A block in which a signal is only noted; outside of it the signal is raised at once."""
        self._is_interruptible = False
        try:
            yield
        finally:
            self._is_interruptible = True

    def on_signal(self, number: int, _: FrameType | None) -> None:
        """Note the signal. A second one, seconds later, ends the process at once."""
        now = time.monotonic()
        if self._asked_at is not None:
            if now - self._asked_at > _SAME_SECONDS:
                os._exit(1)
            return
        self._asked_at, self.name = now, signal.Signals(number).name
        if self._is_interruptible:
            raise self.error()


STOP = Stop()


@contextmanager
def stop_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP stop the run, except signals that the caller set to be ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    STOP.reset()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    wanted = [number for number in _SIGNALS if before[number] is not signal.SIG_IGN]
    for number in wanted:
        signal.signal(number, STOP.on_signal)
    try:
        yield
    finally:
        for number in wanted:
            signal.signal(number, before[number] or signal.SIG_DFL)


def run_stoppable(
    spark: SparkSession,
    work: Callable[[], _Found],
    cancelled: Callable[[], object],
    patience: float = _PATIENCE,
) -> _Found:
    """Do some work. After a signal, cancel its Spark queries until it ends.

    If the work does not end in time, the process ends at once with exit code 1. Its locks last until its
    JVM has ended too.

    Args:
        spark: the session.
        work: the work; it ends with an error when its queries are cancelled.
        cancelled: records that the run was stopped; called only if the work does not end in time.
        patience: seconds for the queries to end; the process ends within 2.7 times as many.
    """
    # SparkContext sets a handler of its own for Ctrl-C.
    with suppress(ValueError):
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, STOP.on_signal)
    found: list[_Found] = []
    errors: list[BaseException] = []

    def worked() -> None:
        try:
            found.append(work())
        except BaseException as error:
            errors.append(error)

    with STOP.uninterrupted():
        thread = _started(inheritable_thread_target(spark)(worked))
        while thread.is_alive() and not STOP.is_asked:
            thread.join(0.2)
        begun = time.monotonic()
        while thread.is_alive() and time.monotonic() < begun + patience * (
            _ALL if STOP.is_recording.is_set() else 1
        ):
            if not STOP.is_recording.is_set():
                # In a thread: a JVM that is at its end may not answer.
                _started(lambda: _cancel_all(spark)).join(1.0)
            thread.join(0.5)
        if thread.is_alive():
            _started(cancelled).join(timeout=max(1.0, begun + _ALL * patience - time.monotonic()))
            os._exit(1)
    if errors:
        raise errors[0]
    if not found:
        raise STOP.error()
    return found[0]


def _started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _cancel_all(spark: SparkSession) -> None:
    # Whatever Spark says to that, the run is at its end.
    with suppress(Exception):
        spark.sparkContext.cancelAllJobs()
