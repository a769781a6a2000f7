"""The only kopf: it watches, in a thread and loop of its own, and writes nothing."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from typing import Any

import aiohttp
import kopf

from brownout.clock import Clock
from brownout.cluster.access import Access
from brownout.cluster.freshness import WATCHED, Freshness
from brownout.cluster.inbox import Inbox, change_of
from brownout.cluster.kinds import TARGETS, Kind
from brownout.cluster.reading import reading_session
from brownout.ledger.entries import HELD_LABEL

log = logging.getLogger(__name__)

STOP_WITHIN = 2.0
"""Seconds a stopping watch has before its thread is left behind (it is a daemon and holds nothing)."""
SETTLED_AFTER = 0.3
"""Seconds without another object of a list until the list counts as told: kopf tells each in a task of its own."""
_LONGEST_WAIT = 30.0
_HEALTHY_AFTER = 60.0
_RELOGIN_PAUSE = 5.0
_LOOK_EVERY = 0.5


class Watch:
    """Puts a Change into the inbox for each change of our kinds and of the targets that bear the held label.

    `on_synced` is called in the loop of `run` whenever all collections have been listed anew: at first, after kopf was
    started again, and after a list that had expired. What vanished meanwhile is told by nobody: sweep then.
    """

    def __init__(
        self,
        access: Access,
        inbox: Inbox,
        clock: Clock,
        *,
        namespaces: Collection[str] = (),
        on_synced: Callable[[], None] = lambda: None,
    ) -> None:
        """`namespaces`: the only ones to watch; all if empty."""
        self._access = access
        self._inbox = inbox
        self._clock = clock
        self._namespaces = tuple(namespaces)
        self._on_synced = on_synced
        self._life: _Life | None = None
        self.restarts = 0

    @property
    def synced(self) -> bool:
        """Whether each collection has been listed since kopf was last started."""
        return self._life is not None and self._life.freshness.synced

    @property
    def stale(self) -> bool:
        """Whether the inbox may lag behind: not synced, kopf is down, or a collection cannot be watched just now."""
        return self._life is None or not self._life.freshness.current

    async def run(self) -> None:
        """Watches until cancelled, whatever happens; then stops within STOP_WITHIN."""
        wait = 1.0
        while True:
            started = self._clock.monotonic()
            self._life = _Life(self._access, self._inbox, self._clock, self._namespaces, self._on_synced)
            try:
                await self._life.live()
            finally:
                self._life = None
            wait = 1.0 if self._clock.monotonic() - started > _HEALTHY_AFTER else wait
            log.warning("the watch has ended; it starts again in %g s", wait)
            await self._clock.sleep(wait)
            self.restarts += 1
            wait = min(2 * wait, _LONGEST_WAIT)


class _Life:
    """One run of kopf, from the start of its thread to its end."""

    def __init__(
        self,
        access: Access,
        inbox: Inbox,
        clock: Clock,
        namespaces: Collection[str],
        on_synced: Callable[[], None],
    ) -> None:
        self._origin = access
        self._inbox = inbox
        self._clock = clock
        self._namespaces = namespaces
        self._on_synced = on_synced
        self._home = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_flag: asyncio.Event | None = None
        self._told: dict[Kind | None, int] = {}
        self._logins = 0
        self._session: aiohttp.ClientSession | None = None
        self._closed: aiohttp.ClientSession | None = None
        self._access: Access = access
        self.freshness = Freshness(namespaces)

    async def live(self) -> None:
        """Returns when kopf has ended; a cancelled caller ends it."""
        threading.Thread(target=self._thread, name="watch", daemon=True).start()
        try:
            await self._ended.wait()
        finally:
            await self._stop()

    async def _stop(self) -> None:
        self._stopping.set()
        if self._loop is not None and self._stop_flag is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop_flag.set)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), STOP_WITHIN)

    def _thread(self) -> None:
        try:
            asyncio.run(self._watch())
        except Exception:
            log.exception("kopf has ended")
        finally:
            self._tell_home(self._ended.set)

    def _tell_home(self, what: Callable[[], object]) -> None:
        # A closed loop has nobody left to tell.
        with suppress(RuntimeError):
            self._home.call_soon_threadsafe(what)

    async def _watch(self) -> None:
        self._stop_flag = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if self._stopping.is_set():
            return
        self._access = await self._origin.again()
        operator = asyncio.create_task(
            kopf.operator(
                registry=self._registry(),
                settings=_settings(),
                standalone=True,
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                stop_flag=self._stop_flag,
            )
        )
        while not operator.done() and not self._forsaken():
            overdue = self._stopping.is_set()
            await asyncio.wait({operator}, timeout=_LOOK_EVERY)
            if overdue:
                break
        failure = operator.exception() if operator.done() else RuntimeError("its watchers have failed, but it stays")
        await _end_all()
        if self._session is not None:
            await self._session.close()
        if failure is not None and not self._stopping.is_set():
            raise failure

    def _forsaken(self) -> bool:
        """Whether kopf has closed its connections, but neither logs in again nor ends.

        When one of its watchers fails, the others swallow their cancellation and wait for credentials for ever.
        """
        before, self._closed = self._closed, self._session if self._session and self._session.closed else None
        return before is not None and before is self._closed

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry, id="login")(self._login)
        for kind in WATCHED:
            group, _, version = kind.api_version.rpartition("/")
            decorate = kopf.on.event(group=group, version=version, plural=kind.plural, id=kind.kind, registry=registry)
            decorate(self._teller(kind))
        return registry

    def _teller(self, kind: Kind) -> Callable[..., Awaitable[None]]:
        async def tell(event: kopf.RawEvent, **_: Any) -> None:
            if event["type"] is None:
                self._told[kind] = self._told.get(kind, 0) + 1
            self._inbox.put(change_of(kind, event["object"], gone=event["type"] == "DELETED"))

        return tell

    async def _login(self, **_: Any) -> kopf.AiohttpSession:
        self._session = None
        if self._logins:
            # kopf asks again as soon as it was refused: a token that stays wrong must not become a busy loop.
            await self._clock.sleep(_RELOGIN_PAUSE)
        self._logins += 1
        self._session = reading_session(self._access, self.freshness, lambda path: self._settle(path, -1))
        return kopf.AiohttpSession(server=self._access.host, aiohttp_session=self._session)

    def _settle(self, path: str, told: int) -> None:
        """Calls the list told once no object of its kind has come for SETTLED_AFTER."""
        now = self._told.get(self.freshness.kind_of(path), 0)
        if now != told:
            asyncio.get_running_loop().call_later(SETTLED_AFTER, self._settle, path, now)
            return
        before = self.freshness.synced
        self.freshness.listed(path)
        if self.freshness.synced and not before:
            self._tell_home(self._on_synced)


async def _end_all() -> None:
    """Cancels what is left in this loop, more than once: kopf's tasks swallow a cancellation."""
    for _ in range(5):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            return
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.3)


class _Backoffs:
    """Seconds between attempts, without end: with a list that ends, kopf ends with it."""

    def __iter__(self) -> Iterator[float]:
        wait = 1.0
        while True:
            yield wait
            wait = min(2 * wait, 15.0)


class _Forgetful(kopf.DiffBaseStorage):
    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class _NoProgress(kopf.ProgressStorage):
    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: Any) -> Any:
        return essence


def _settings() -> kopf.OperatorSettings:
    """Why each differs from kopf's default is written beside it; the numbers were measured with 10,000 objects."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.process.ultimate_exiting_timeout = None  # it would kill the whole process, our writes included
    settings.networking.error_backoffs = _Backoffs()
    settings.networking.connect_timeout = 10.0
    settings.networking.request_timeout = 60.0
    settings.queueing.idle_timeout = 0.2  # at 5 s, 10,000 workers stay alive after a list: 192 MB against 85
    settings.watching.chunk_size = 500
    settings.watching.initial_streaming = False  # cut off mid-stream it lost half of the objects
    settings.persistence.finalizer = "brownout.dev/unused"  # kopf strips whatever is named here
    settings.persistence.diffbase_storage = _Forgetful()
    settings.persistence.progress_storage = _NoProgress()
    for kind in TARGETS.values():
        group, _, version = kind.api_version.rpartition("/")
        settings.watching.label_selectors[group, version, kind.plural] = HELD_LABEL
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # a line for each event otherwise
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)  # it is meant not to take our signals
    return settings
