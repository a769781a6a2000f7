"""The only reader of time and randomness: everything else is handed a Clock."""

import asyncio
import time
import uuid
from typing import Protocol


class Clock(Protocol):
    """Time, sleep and fresh names; the simulation has a virtual one."""

    def now(self) -> float:
        """UTC seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back and go on while the machine sleeps."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def take_id(self) -> str:
        """A random name for a take, valid as a label's value."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def take_id(self) -> str:
        return uuid.uuid4().hex
