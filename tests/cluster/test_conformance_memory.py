"""The API server in memory answers every case of the conformance table; e2e/test_conformance.py asks the real one."""

import asyncio
from dataclasses import dataclass, field

import pytest

from brownout.cluster.kinds import Kind
from brownout.testing.clock import VirtualClock
from brownout.testing.cluster import InMemoryCluster
from brownout.testing.conformance import Case, play
from brownout.testing.conformance_cases import CASES
from brownout.testing.conformance_words import NO_KIND


@dataclass
class Memory:
    namespace: str = "here"
    cluster: InMemoryCluster = field(default_factory=lambda: InMemoryCluster(VirtualClock(), absent=[NO_KIND]))

    async def delete(self, kind: Kind, name: str) -> None:
        self.cluster.delete(kind, self.namespace, name)


@pytest.mark.parametrize("case", [pytest.param(case, id=sentence) for sentence, case in CASES.items()])
def test_memory_conforms(case: Case) -> None:
    assert asyncio.run(play(Memory(), case)) == []
