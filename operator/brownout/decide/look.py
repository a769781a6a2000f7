"""One tick as the checks see it: the zones, and the state with its clocks moved on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brownout.api.policy import Level, PolicySpec
from brownout.decide.dwell import ZERO, anchored, escalation, recovery
from brownout.decide.model import Dwell, State, Zone
from brownout.decide.relapse import forgotten
from brownout.decide.zones import UNKNOWN
from brownout.ledger.entries import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`state` has its clocks at this tick, and is the same object where nothing moved; `current` is None at Normal and
    for a level that is not in the spec; `above` are the automatic levels above it, mildest first."""

    spec: PolicySpec
    state: State
    zones: Mapping[str, Zone]
    current: Level | None
    above: tuple[Level, ...]
    settling: bool

    @property
    def zone(self) -> Zone | None:
        """The current level's; None at Normal and for a manual level."""
        return self.zones.get(self.state.level)

    def above_is(self, zone: Zone) -> bool:
        return any(self.zones[each.name] is zone for each in self.above)


def look_at(spec: PolicySpec, state: State, zones: Mapping[str, Zone], now: Instant) -> Look:
    """The tick at `now`; `zones` has each automatic level's."""
    index = spec.index(state.level)
    above = tuple(each for each in spec.levels[index:] if each.name in zones)
    settle_from = _settle_from(spec, state, now)
    relapses, normal_since = forgotten(spec, state, now)
    unseen = any(zones.get(name) is UNKNOWN for name in (state.level, *(each.name for each in above)))
    ticked = State(
        level=state.level,
        since=state.since,
        below=names_below(spec, index) if index else state.below,
        escalation=state.escalation if settle_from is not None else _escalation(spec, state, above, zones, now),
        recovery=ZERO if settle_from is not None else _recovery(spec, state, zones, now),
        settle_from=settle_from,
        giving_back=state.giving_back,
        relapses=relapses,
        normal_since=normal_since,
        blind_since=(now if state.blind_since is None else min(state.blind_since, now)) if unseen else None,
    )
    return Look(
        spec=spec,
        state=state if ticked == state else ticked,
        zones=zones,
        current=spec.levels[index - 1] if index else None,
        above=above,
        settling=settle_from is not None,
    )


def names_below(spec: PolicySpec, index: int) -> tuple[str, ...]:
    """The names of the levels below the one at `index`, mildest first."""
    return tuple(each.name for each in spec.levels[: max(0, index - 1)])


def _settle_from(spec: PolicySpec, state: State, now: Instant) -> Instant | None:
    """From when it still settles at `now`; None once it has settled. A time that lies ahead counts as now."""
    if state.settle_from is None or now - state.settle_from >= spec.settle or spec.settle <= 0:
        return None
    return min(state.settle_from, now)


def _escalation(
    spec: PolicySpec, state: State, above: Sequence[Level], zones: Mapping[str, Zone], now: Instant
) -> Mapping[str, Dwell]:
    """The clocks of the levels above. The first tick after settling goes on from the time they had at the change."""
    settled_now = state.settle_from is not None and spec.settle > 0
    clocks: dict[str, Dwell] = {}
    for level in above:
        clock = state.escalation.get(level.name)
        if clock is not None and settled_now:
            clock = anchored(clock, now)
        clock = escalation(clock, zones[level.name], lasts=level.for_ or 0.0, interval=spec.interval, now=now)
        if clock is not None:
            clocks[level.name] = clock
    return clocks


def _recovery(spec: PolicySpec, state: State, zones: Mapping[str, Zone], now: Instant) -> Dwell:
    """The clock of the current level; zero at Normal and for a manual level."""
    zone = zones.get(state.level)
    return ZERO if zone is None else recovery(state.recovery, zone, interval=spec.interval, now=now)
