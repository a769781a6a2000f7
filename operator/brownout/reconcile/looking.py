"""What one policy sees of its targets before it plans: all that its actions find, and all that it holds."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from brownout.act.survey import Gone, Survey
from brownout.api.actions import Action
from brownout.api.policy import PolicySpec
from brownout.api.refs import PolicyRef, Target
from brownout.decide.plan import is_lost, mended
from brownout.ledger.entries import CRITICALITY_LABEL, Blocked, Found, Held, Instant, Ledger, Query
from brownout.ledger.pointer import look, pointer
from brownout.levers.registry import lever_of
from brownout.levers.selection import Selection, claims
from brownout.levers.surroundings import Surroundings, autoscalers
from brownout.reconcile.record import LEAST_VITAL, FieldId

NOTHING = Selection(wants={}, blocked=(), order=(), unread=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was seen. A held target is in exactly one of `found`, `gone` and `unread`."""

    selection: Selection = NOTHING
    found: Mapping[str, Found] = field(default_factory=dict)
    """By uid."""
    gone: frozenset[str] = frozenset()
    unread: Mapping[Target, Blocked] = field(default_factory=dict)


class Looking:
    """Reads for one policy at a time; all reads of a look run at once."""

    def __init__(self, survey: Survey, remembered: Callable[[Found], list[Held]]) -> None:
        """`remembered`: what any policy remembers holding on an object."""
        self._survey = survey
        self._remembered = remembered

    async def look(
        self,
        *,
        policy: PolicyRef,
        spec: PolicySpec | None,
        level: str,
        known: Sequence[Target],
        released: frozenset[FieldId],
        now: Instant,
    ) -> Looked:
        """`known` are the targets that the policy holds or has just given back; `spec` None: nothing is wanted."""
        actions = [action for each in (spec.up_to(level) if spec else ()) for action in each.actions]
        by_action, surroundings = await asyncio.gather(
            self._seek(actions, policy.namespace), self._surroundings(actions, policy.namespace)
        )
        selection = NOTHING
        if spec is not None:
            selection = claims(
                spec=spec,
                level=level,
                found_by_action={name: self._mended(each) for name, each in by_action.items()},
                policy=policy,
                surroundings=surroundings,
                released=released,
                now=now,
            )
        found = {
            each.target.uid: each for every in by_action.values() if not isinstance(every, Blocked) for each in every
        }
        return await self._with_known(selection, found, [target for target in known if target.uid not in found])

    async def vitality(self, policy: PolicyRef, spec: PolicySpec) -> int:
        """The criticality of what the policy protects, 1 for C1; the least vital where none is known."""
        if spec.protects is None:
            return LEAST_VITAL
        query = Query(namespace=policy.namespace, kinds=(spec.protects.kind.value,), name=spec.protects.name)
        found = await self._survey.seek(query)
        labels = [] if isinstance(found, Blocked) else [_criticality(each) for each in found]
        return min((int(label[1]) for label in labels if label), default=LEAST_VITAL)

    async def _seek(self, actions: Sequence[Action], namespace: str) -> dict[str, Sequence[Found] | Blocked]:
        queries = []
        for action in actions:
            lever, arguments = lever_of(action)
            queries.append(lever.seeks(arguments, namespace))
        found = await asyncio.gather(*(self._survey.seek(query) for query in queries))
        return {action.name: each for action, each in zip(actions, found, strict=True)}

    def _mended(self, found: Sequence[Found] | Blocked) -> Sequence[Found] | Blocked:
        return found if isinstance(found, Blocked) else [self._as_held(each) for each in found]

    def _as_held(self, found: Found) -> Found:
        """As it is once a lost ledger is written again. Where a person must do that, as it is remembered: judged by the
        value that we set it would be wanted no more, and a wave that cannot end would keep the others waiting."""
        known = self._remembered(found)
        again = mended(found, known)
        lost = {each.entry.pointer: each.entry for each in known if is_lost(again, each)}
        if not lost:
            return again
        return replace(again, ledger=Ledger(take="", uid=found.target.uid, entries={**again.held, **lost}))

    async def _surroundings(self, actions: Sequence[Action], namespace: str) -> Surroundings:
        """Flags have no autoscaler: a policy of flags only needs no right to see any."""
        if all(action.flag is not None for action in actions):
            return Surroundings()
        objects = await self._survey.autoscalers(namespace)
        if isinstance(objects, Blocked):
            return Surroundings(unread=objects)
        return Surroundings(autoscalers=autoscalers(*objects.values()))

    async def _with_known(self, selection: Selection, found: dict[str, Found], known: Sequence[Target]) -> Looked:
        again = await asyncio.gather(*(self._survey.look_again(target) for target in known))
        seen = list(zip(known, again, strict=True))
        return Looked(
            selection=selection,
            found=found | {each.target.uid: each for _, each in seen if isinstance(each, Found)},
            gone=frozenset(target.uid for target, each in seen if isinstance(each, Gone)),
            unread={target: each for target, each in seen if isinstance(each, Blocked)},
        )


def _criticality(found: Found) -> str | None:
    label = look(found.body, pointer("metadata", "labels", CRITICALITY_LABEL))
    return label if isinstance(label, str) and label in ("C1", "C2", "C3", "C4", "C5") else None
