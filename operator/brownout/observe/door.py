"""Asking a source from asyncio: a bounded number of blocking calls, each with a deadline that holds."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TypeAlias, TypeVar

from brownout.clock import Clock
from brownout.observe.answer import LATE, Answer, Failed, Raw, Refused, decode, late
from brownout.observe.cut import Cut
from brownout.observe.prometheus import Call, PrometheusClient
from brownout.observe.threads import Threads

BATCH_CAP = 16 * 1024 * 1024
BARE_CAP = 1024 * 1024
"""Bytes of an answer to a batch, and to one expression alone."""
BUILD_CAP = 64 * 1024
_SERVER_SHARE = 0.9

A = TypeVar("A", bound=Answer | Raw)

OnRequest: TypeAlias = Callable[[float, str], None]
"""Told of each request: its seconds, and `Answered`, `BadQuery`, `SourceDown`, ... (the values of MissingReason)."""


def untold(seconds: float, outcome: str) -> None:
    """An OnRequest for nobody."""


class Door:
    """At most `max_connections` requests at a time, in as many threads.

    A request that is late or cancelled is cut: its socket is shut down, its thread wakes up and takes the next one.
    Only when a thread has really ended its request is its place free again, so that nothing piles up; when all places
    are taken a call waits for one and, if there is none by its deadline, answers TimedOut without having asked.
    """

    def __init__(self, name: str, client: PrometheusClient, clock: Clock, size: int, on_request: OnRequest) -> None:
        self._name, self._client, self._clock, self._size = name, client, clock, size
        self._on_request = on_request
        self._places = asyncio.Semaphore(size)
        self._threads = Threads(size, f"source-{name}")
        self._cuts: set[Cut] = set()

    async def query(self, text: str, seconds: float, cap: int) -> Answer:
        """An instant query at the source's own now."""
        # Less than our own deadline, so that the source's answer, which says more, comes first. The last field makes
        # Thanos answer with an error rather than with the part that it has: a partial sum is a wrong number.
        server = f"{max(1, int(seconds * _SERVER_SHARE * 1000))}ms"
        fields = (("query", text), ("timeout", server), ("partial_response", "false"))
        begun = self._clock.monotonic()
        answer = await self._ask(Call(path="/api/v1/query", fields=fields, cap=cap), seconds)
        return self._told(begun, decode(answer) if isinstance(answer, Raw) else answer)

    async def build(self, seconds: float) -> Raw | Refused | Failed:
        """`/api/v1/status/buildinfo`, which not every compatible source has."""
        begun = self._clock.monotonic()
        return self._told(begun, await self._ask(Call(path="/api/v1/status/buildinfo", cap=BUILD_CAP), seconds))

    def close(self) -> None:
        """Cuts what is in flight."""
        for cut in self._cuts:
            cut.fire()
        self._threads.close()
        self._client.close()

    def _told(self, begun: float, answer: A) -> A:
        self._on_request(self._clock.monotonic() - begun, _outcome(answer))
        if isinstance(answer, Failed):
            missing = replace(answer.missing, message=f"source {self._name}: {answer.missing.message}")
            return replace(answer, missing=missing)
        return answer

    async def _ask(self, call: Call, seconds: float) -> Raw | Refused | Failed:
        cut = Cut()
        sent = False
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
                sent = True
                return await self._sent(partial(self._client.ask, call, seconds, cut), cut)
        except TimeoutError:
            if sent:
                return LATE
            return late(f"all {self._size} connections are busy", telling=False)
        finally:
            cut.fire()
            self._cuts.discard(cut)

    async def _sent(self, call: Callable[[], Raw | Refused | Failed], cut: Cut) -> Raw | Refused | Failed:
        self._cuts.add(cut)
        future = self._threads.submit(call)
        future.add_done_callback(partial(self._free, asyncio.get_running_loop()))
        return await asyncio.wrap_future(future)

    def _free(self, loop: asyncio.AbstractEventLoop, _: Future[Raw | Refused | Failed]) -> None:
        # In the thread; the loop may be closed already, and then nobody waits for a place.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._places.release)


def _outcome(answer: Answer | Raw) -> str:
    if isinstance(answer, Refused):
        return answer.reason.value
    return answer.missing.reason.value if isinstance(answer, Failed) else "Answered"
