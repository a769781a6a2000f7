"""Policies that tick together, and what one of them must not do to the others."""

import asyncio
from collections.abc import Mapping
from typing import Any

from brownout.api.load import load_metadata, load_policy
from brownout.api.policy import Policy
from brownout.decide.model import Seen
from brownout.reconcile.cohorts import Cohorts
from brownout.reconcile.record import Record
from brownout.report.metrics import Metrics
from brownout.testing.clock import VirtualClock
from brownout.testing.engine import ScriptedSource
from tests.reconcile.stories import level, spec


def record_of(name: str) -> Record:
    metadata = {"name": name, "namespace": "shop", "uid": name, "generation": 1, "resourceVersion": "1"}
    body: dict[str, Any] = {"metadata": metadata, "spec": spec(level("trimmed"))}
    loaded = load_policy(body)
    assert isinstance(loaded, Policy)
    return Record(about=load_metadata(body), spec=loaded.spec)


def test_a_policy_that_brings_a_defect_to_light_stops_no_other_and_is_reported() -> None:
    ticked: list[str] = []
    reported: list[str] = []

    def tick(record: Record, seen: Mapping[str, Seen], source_down: str, now: float) -> None:
        if record.about.name == "poisonous":
            raise ZeroDivisionError("a defect")
        ticked.append(record.about.name)

    async def story() -> None:
        clock = VirtualClock()
        asyncio.get_running_loop().set_exception_handler(lambda _, what: reported.append(str(what["exception"])))
        cohorts = Cohorts(clock, lambda _: ScriptedSource(clock), tick, Metrics())
        for name in ("before", "poisonous", "after"):
            cohorts.place(record_of(name))
        await clock.advance(25)
        assert cohorts.failures() == []
        cohorts.close()

    asyncio.run(story())
    assert ticked == ["before", "after"] * 3
    assert reported == ["a defect"] * 3
