"""Waiting for something to become true, with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class NeverCameError(Exception):
    """What was waited for did not happen in time; the text says what and how long."""


async def until(what: str, true: Callable[[], Awaitable[bool]], seconds: float, pause: float = 0.2) -> None:
    """Return when `true()` is; raises NeverCameError after `seconds`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not await true():
        if loop.time() > deadline:
            raise NeverCameError(f"{what}: it did not happen in {seconds:.0f} s")
        await asyncio.sleep(pause)
