"""The processes the demo starts: each with a log file and a lifeline, all of them stopped at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""


def listener() -> socket.socket:
    """A listening socket on a free loopback port: a child inherits it, so its address is known before it runs."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    sock.listen(1024)
    return sock


def port_of(sock: socket.socket) -> int:
    """The port of a listening socket."""
    port: int = sock.getsockname()[1]
    return port


class Children:
    """Starts programs in their own session (a terminal's Ctrl-C reaches only the demo, which stops them in order)."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: set[Process] = set()
        logs.mkdir(parents=True, exist_ok=True)

    async def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        inherit: socket.socket | None = None,
        environment: Mapping[str, str] | None = None,
        lifeline: bool = True,
    ) -> Process:
        """Run `command`, its output in NAME.log. With a lifeline it reads the end of its input when we are gone."""
        with (self._logs / f"{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE if lifeline else DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=() if inherit is None else (inherit.fileno(),),
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        self._running.add(process)
        return process

    async def python(self, name: str, *arguments: str, inherit: socket.socket | None = None) -> Process:
        """Run `python -m ARGUMENTS` with this interpreter."""
        return await self.start(name, [sys.executable, "-m", *arguments], inherit=inherit)

    async def stop(self, process: Process) -> None:
        """SIGTERM, and SIGKILL after the grace; a process that has ended already is fine."""
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), GRACE)
        except TimeoutError:
            await self.kill(process)
        self._running.discard(process)

    async def kill(self, process: Process) -> None:
        """SIGKILL, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        self._running.discard(process)

    async def stop_all(self) -> None:
        """Stop whatever still runs."""
        await asyncio.gather(*(self.stop(process) for process in tuple(self._running)))
