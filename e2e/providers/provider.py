"""What a cluster for the tests has to offer, wherever it comes from."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from e2e.controlplane.cache import Say
from e2e.controlplane.handle import Controlplane

VARIABLE = "E2E_PROVIDER"


class NotToBeHad(Exception):
    """A cluster of this kind cannot be had on this machine; the text says why and what to do."""


class Provider(Protocol):
    """A cluster with a Prometheus that reads its targets from a folder on this machine."""

    def prepare(self, say: Say) -> None:
        """Slow, in the foreground, once: build or check what is needed. Raises NotToBeHad and the like."""
        ...

    def boot(self, folder: Path, say: Say) -> Controlplane:
        """Returns when everything answers; raises NotToBeHad with the failed part's last lines."""
        ...

    def stop(self, part: str) -> None:
        """Takes one part down, hard; KeyError for a name it does not know."""
        ...

    def start(self, part: str) -> None:
        """Brings it back as it was and waits until it answers."""
        ...

    def pids(self) -> Mapping[str, int]:
        """The running processes by part."""
        ...

    def fallen(self) -> Sequence[str]:
        """A sentence for each part that has ended by itself since the last call."""
        ...

    def close(self) -> None:
        """Ends everything that `boot` began, also after a `boot` that failed."""
        ...


def chosen() -> Provider:
    """By `$E2E_PROVIDER`: `local` (the default) or `kind`."""
    from e2e.providers.kind import Kind
    from e2e.providers.local import Local

    name = os.environ.get(VARIABLE) or "local"
    if name == "local":
        return Local()
    if name == "kind":
        return Kind()
    raise NotToBeHad(f"E2E_PROVIDER is {name!r}: it can be local or kind")
