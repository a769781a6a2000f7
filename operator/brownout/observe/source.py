"""The port to a source of signals."""

from collections.abc import Sequence
from typing import Protocol

from brownout.decide.model import Seen


class Source(Protocol):
    """Answers queries with one number each, or says why there is none. Never raises, never hangs."""

    async def evaluate(self, queries: Sequence[str]) -> Sequence[Seen]:
        """One Seen for each query, in order."""
        ...
