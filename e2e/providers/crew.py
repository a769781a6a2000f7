"""The processes of a local control plane: started, awaited, watched, ended."""

import random
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from e2e.controlplane.api import trusting
from e2e.controlplane.process import spawn, stop, tail
from e2e.providers.parts import Part
from e2e.providers.provider import NotToBeHad


@dataclass(slots=True)
class Crew:
    """Parts by name; each one's log is `<name>.log` in the folder."""

    folder: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, part: Part) -> None:
        """Starts the part if it is not running, without waiting for it."""
        if part.name not in self._running:
            self._running[part.name] = spawn(part.argv, log=self._log(part.name))

    def wait(self, part: Part, seconds: float = 60) -> None:
        """Returns once the part answers 200; raises NotToBeHad with its last lines if it ends or takes longer."""
        deadline = time.monotonic() + seconds
        while not answers(part):
            code = self._running[part.name].poll()
            if code is not None:
                self._running.pop(part.name)
                raise NotToBeHad(f"{part.name} ended with code {code}. {self._last_lines(part.name)}")
            if time.monotonic() > deadline:
                raise NotToBeHad(f"{part.name} gave no answer in {seconds:.0f} s. {self._last_lines(part.name)}")
            time.sleep(0.05)

    def stop(self, name: str) -> None:
        """Kills the part if it runs, and returns when it is gone."""
        if process := self._running.pop(name, None):
            stop(process)

    def stop_all(self) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)

    def pids(self) -> Mapping[str, int]:
        return {name: process.pid for name, process in self._running.items()}

    def fallen(self) -> list[str]:
        """A sentence for each part that ended by itself since the last call, with its last lines."""
        gone = {name: process.returncode for name, process in self._running.items() if process.poll() is not None}
        for name in gone:
            del self._running[name]
        return [f"{name} ended by itself with code {code}. {self._last_lines(name)}" for name, code in gone.items()]

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _last_lines(self, name: str) -> str:
        return f"The last lines of {self._log(name)}:\n{tail(self._log(name))}"


def answers(part: Part) -> bool:
    """One request with a short timeout."""
    try:
        context = trusting(part.ca) if part.ca else None
        with urllib.request.urlopen(part.ready, timeout=2, context=context) as response:
            return bool(response.status == 200)
    except (OSError, ssl.SSLError, urllib.error.HTTPError):  # refused, no certificate yet, 500 while starting
        return False


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now and below the range from which the kernel lends ports to clients.

    A part that is stopped for a while finds its port still free when it comes back.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(20_000, 30_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port not in found and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found
