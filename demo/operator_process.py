"""The operator as it would run in the cluster: a process of its own, with its ServiceAccount's token and no more."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp

from demo.waiting import until
from e2e.controlplane.process import spawn, stop


class OperatorProcess:
    """`brownout run`, to be started, killed and started again."""

    def __init__(self, kubeconfig: Path, namespace: str, log: Path, session: aiohttp.ClientSession) -> None:
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        self._log = log
        self._session = session
        self._address = f"127.0.0.1:{_free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> int:
        """Start it without waiting; returns the process id."""
        command = [sys.executable, "-m", "brownout", "run", "--kubeconfig", str(self._kubeconfig)]
        options = ["--operator-namespace", self._namespace, "--metrics-address", self._address]
        self._process = spawn([*command, *options], log=self._log)
        return self._process.pid

    async def until_ready(self, seconds: float = 30) -> None:
        """Wait for its /readyz; raises NeverCameError."""
        await until("the operator is ready", self._ready, seconds)

    def kill(self) -> None:
        """SIGKILL: it gets no chance to do anything."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(timeout=10)

    def close(self) -> None:
        """Ask it to end, and end it."""
        if self._process is not None:
            stop(self._process, grace=10)

    async def _ready(self) -> bool:
        timeout = aiohttp.ClientTimeout(total=2)
        try:
            async with self._session.get(f"http://{self._address}/readyz", timeout=timeout) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
