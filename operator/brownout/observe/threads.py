"""A few threads for blocking calls. They are daemons: one stuck in name resolution never keeps the process alive."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Job: TypeAlias = Callable[[], None]


class Threads:
    """At most `size` threads, started when first needed."""

    def __init__(self, size: int, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._size, self._name, self._started = size, name, 0

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Runs `call` in one of the threads; what it raises is raised by the future."""
        future: Future[T] = Future()
        self._jobs.put(lambda: _run(future, call))
        if self._started < self._size:
            self._started += 1
            threading.Thread(target=_work, args=(self._jobs,), name=self._name, daemon=True).start()
        return future

    def close(self) -> None:
        """Each thread ends after what it is doing and what is queued."""
        for _ in range(self._started):
            self._jobs.put(None)
        self._started = 0


def _work(jobs: "SimpleQueue[Job | None]") -> None:
    while (job := jobs.get()) is not None:
        job()


def _run(future: "Future[T]", call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001  not swallowed: the awaiting caller gets it
        future.set_exception(error)
