"""What holds for every status, whatever a tick found and whatever was written before."""

from __future__ import annotations

import json
from typing import TypeVar

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from brownout.api.load import dump, load_status
from brownout.api.policy import Mode
from brownout.api.reasons import BlockedReason, DecisionReason, MissingReason
from brownout.api.refs import Target
from brownout.api.status import PolicyStatus
from brownout.decide.model import Dwell, Missing, Reading, State, Zone
from brownout.ledger.entries import Owner
from brownout.report.changes import changes
from brownout.report.facts import BlockedAction, Evaluation, ReleasedField
from brownout.report.meaning import needs_write
from brownout.report.recorder import body_of
from brownout.report.series import Series
from brownout.report.status import next_status
from brownout.report.writer import merge_patch
from tests.report.api_server import merged
from tests.report.condition_rules import broken, jumped
from tests.report.evaluations import DRY, NOW, REF, SPEC, blocked, decided, escalated, held, released, target

LEVELS = ("Normal", "trimmed", "core-only")
times = st.floats(NOW, NOW + 1e6)
texts = st.one_of(st.text(max_size=40), st.integers(0, 3000).map("é".__mul__), st.just("\ud800<&>"))
names = st.sampled_from(["web", "batch", "thumbnailer"])
LARGE = {"large": "v" * 40_000, "nested": {"a": [1, None]}, "null": None}
values = st.one_of(st.integers(), st.text(max_size=20), st.sampled_from(sorted(LARGE)).map(LARGE.__getitem__))
seen = st.one_of(
    st.builds(Reading, value=st.floats(), at=times),
    st.builds(Missing, reason=st.sampled_from(MissingReason), message=texts),
)
targets = st.builds(
    Target, api_version=st.just("apps/v1"), kind=st.just("Deployment"), namespace=st.just("shop"), name=names, uid=names
)
obstacles = st.builds(
    BlockedAction,
    action=st.sampled_from(["thin", "shed"]),
    reason=st.sampled_from(BlockedReason),
    message=texts,
    target=st.one_of(targets, st.just(""), texts),
)
owners = st.lists(st.builds(Owner, manager=texts, operation=st.just("Update")), max_size=3).map(tuple)
fields = st.builds(
    held,
    names,
    original=values,
    applied=values,
    field=st.sampled_from(["replicas", "suspend"]),
    owners=owners,
)
let_go = st.builds(
    ReleasedField, target=targets, pointer=texts, original=values, applied=values, found=values, at=times, manager=texts
)
dwells = st.builds(Dwell, seconds=st.floats(0, 1e6), still=st.floats(0, 1e6), zone=st.sampled_from(Zone), at=times)


T = TypeVar("T")


def several(of: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(of, max_size=3).map(tuple)


several_fields, several_obstacles, several_let_go = several(fields), several(obstacles), several(let_go)
readings = st.just(()) | st.tuples(seen, seen)
clocks = st.dictionaries(st.sampled_from(LEVELS[1:]), dwells)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""Not explain: it traces every line, and the lines are many."""


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    level, mode = draw(st.sampled_from(LEVELS)), draw(st.sampled_from(Mode))
    state = State(
        level=level,
        escalation=draw(clocks),
        recovery=draw(dwells),
        giving_back=draw(st.booleans()),
        settle_from=draw(st.none() | times),
    )
    reason = draw(st.sampled_from(DecisionReason))
    return Evaluation(
        now=draw(times),
        policy=REF,
        generation=draw(st.integers(1, 3)),
        spec=SPEC if mode is Mode.ENFORCE else DRY,
        decision=decided(level, reason=reason, seen=draw(readings), state=state if draw(st.booleans()) else None),
        why=draw(texts),
        unproven=draw(st.just(()) | st.just(("p99",))),
        source_down=draw(st.just("") | texts),
        held=draw(several_fields),
        blocked=draw(several_obstacles),
        unrestored=draw(several_obstacles),
        released=draw(several_let_go),
        give_back_left=draw(st.integers(0, 1000)),
        refusal=draw(st.just("") | texts),
    )


@settings(max_examples=40, phases=PHASES)
@given(evaluations(), evaluations())
def test_a_status_within_every_bound_that_is_written_once(before: Evaluation, facts: Evaluation) -> None:
    old = next_status(PolicyStatus(), before)
    new = next_status(old, facts)

    assert needs_write(new, next_status(new, facts)) is None, "the same again must not be written again"
    assert broken(new, facts.generation) == []
    assert jumped(old.conditions, new.conditions) == []
    assert new.held == len({each.target for each in facts.held})
    stored = dump(new)
    assert len(json.dumps(stored, ensure_ascii=False).encode()) < 1_300_000, "etcd takes 1.5 MiB, with the spec"
    assert load_status({"status": stored}) == new, "what a restart reads is what was written"


@settings(max_examples=40, phases=PHASES)
@given(evaluations(), evaluations())
def test_a_merge_patch_makes_exactly_the_new_status(before: Evaluation, facts: Evaluation) -> None:
    old = next_status(PolicyStatus(), before)
    new = dump(next_status(old, facts))

    assert merged(dump(old), merge_patch(dump(old), new)) == new


@settings(max_examples=40, phases=PHASES)
@given(evaluations(), evaluations())
def test_every_event_fits_what_the_api_takes(before: Evaluation, facts: Evaluation) -> None:
    old = next_status(PolicyStatus(), before)
    for event in changes(old, next_status(old, facts), facts)[:50]:
        body = body_of(Series(event=event, name="e", first=NOW, last=NOW), "pod-0")
        assert 0 < len(body["note"].encode()) <= 1024
        assert 0 < len(body["reason"]) <= 128
        assert 0 < len(body["action"]) <= 128


def test_extreme_sizes_stay_within_every_bound() -> None:
    facts = escalated(
        why="é" * 5000,
        held=tuple(held(f"web-{index}", original="<" * 300) for index in range(1500)),
        blocked=tuple(blocked(message="é" * 5000, on=target(f"web-{index}")) for index in range(2000)),
        unrestored=tuple(
            blocked(BlockedReason.FORBIDDEN, "m" * 5000, on=target(f"x-{index}")) for index in range(2000)
        ),
        released=tuple(released(f"web-{index}", found="é" * 3_000) for index in range(1500)),
    )
    status = next_status(PolicyStatus(), facts)
    stored = dump(status)

    assert (status.held, len(status.blocked), len(status.released)) == (1500, 256, 256)
    assert 0 < len(status.applied) <= 1000
    assert len(json.dumps(stored, ensure_ascii=False).encode()) < 1_300_000
    assert load_status({"status": stored}) == status
    assert needs_write(status, next_status(status, facts)) is None
