"""The conditions of a policy: each an ordered chain of pure rules, the first that speaks is the verdict.

All four are always present, with status True, False or Unknown, so that `kubectl wait` works both ways. Ready is False
whenever Stalled is True, as kstatus and GitOps tools expect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from brownout.api.instants import show_instant
from brownout.api.policy import NORMAL
from brownout.api.reasons import BlockedReason, MissingReason
from brownout.api.status import Condition
from brownout.decide.model import Missing
from brownout.ledger.entries import Instant
from brownout.report.facts import READY, BlockedAction, Evaluation, counts
from brownout.report.text import WORD, cut, listed

ACTIVE = "DegradationActive"
AVAILABLE = "SignalsAvailable"
STALLED = "Stalled"


class ConditionReason(StrEnum):
    """Reasons of conditions; DegradationActive also has the level's name, SignalsAvailable a signal's MissingReason."""

    ACCEPTED = "Accepted"
    ALL_FRESH = "AllFresh"
    BAD_QUERY = "BadQuery"
    DRY_RUN = "DryRun"
    FORBIDDEN = "Forbidden"
    GIVING_BACK = "GivingBack"
    INVALID = "Invalid"
    LEDGER_LOST = "LedgerLost"
    NORMAL = "Normal"
    NOT_YET_READ = "NotYetRead"
    RESTORE_FAILED = "RestoreFailed"
    SIGNALS_NOT_SEEN = "SignalsNotSeen"
    SOURCE_DOWN = "SourceDown"
    TARGET_NOT_FOUND = "TargetNotFound"
    WORKING = "Working"


class Verdict(NamedTuple):
    status: str
    reason: str
    message: str


Rule: TypeAlias = Callable[[Evaluation], Verdict | None]

_LOST = (BlockedReason.LOST_LEDGER, BlockedReason.ILLEGIBLE_LEDGER)
_NOT_FOUND = (BlockedReason.NOT_FOUND, BlockedReason.KEY_NOT_FOUND, BlockedReason.VARIANT_NOT_FOUND)


def invalid(facts: Evaluation) -> Verdict | None:
    return Verdict("True", ConditionReason.INVALID, facts.refusal) if facts.refusal else None


def bad_query(facts: Evaluation) -> Verdict | None:
    bad = _missing(facts, lambda each: each.reason is MissingReason.BAD_QUERY)
    return Verdict("True", ConditionReason.BAD_QUERY, listed(bad)) if bad else None


def forbidden(facts: Evaluation) -> Verdict | None:
    found = _among((*facts.unrestored, *facts.blocked), (BlockedReason.FORBIDDEN,))
    return Verdict("True", ConditionReason.FORBIDDEN, found) if found else None


def ledger_lost(facts: Evaluation) -> Verdict | None:
    found = _among((*facts.unrestored, *facts.blocked), _LOST)
    return Verdict("True", ConditionReason.LEDGER_LOST, found) if found else None


def restore_failed(facts: Evaluation) -> Verdict | None:
    found = listed([_said(each) for each in facts.unrestored])
    return Verdict("True", ConditionReason.RESTORE_FAILED, found) if found else None


def working(_: Evaluation) -> Verdict:
    return Verdict("False", ConditionReason.WORKING, "nothing needs a person")


def not_ready_while_stalled(facts: Evaluation) -> Verdict | None:
    stalled = _first(CHAINS[STALLED], facts)
    return Verdict("False", stalled.reason, stalled.message) if stalled.status == "True" else None


def signals_not_seen(facts: Evaluation) -> Verdict | None:
    if not facts.unproven:
        return None
    said = [_signal_said(name, facts) for name in facts.unproven]
    return Verdict("False", ConditionReason.SIGNALS_NOT_SEEN, "no number yet: " + listed(said))


def target_not_found(facts: Evaluation) -> Verdict | None:
    found = _among(facts.blocked, _NOT_FOUND)
    return Verdict("False", ConditionReason.TARGET_NOT_FOUND, found) if found else None


def accepted(_: Evaluation) -> Verdict:
    message = "accepted; each signal has given a number, each target was found"
    return Verdict("True", ConditionReason.ACCEPTED, message)


def not_yet_read(facts: Evaluation) -> Verdict | None:
    return None if facts.seen else Verdict("Unknown", ConditionReason.NOT_YET_READ, "no signal was read yet")


def source_down(facts: Evaluation) -> Verdict | None:
    return Verdict("False", ConditionReason.SOURCE_DOWN, facts.source_down) if facts.source_down else None


def signals_missing(facts: Evaluation) -> Verdict | None:
    lost = [each for each in facts.spec.signals if not counts(each, facts.seen.get(each.name))]
    if not lost:
        return None
    first = facts.seen.get(lost[0].name)
    reason = first.reason if isinstance(first, Missing) else ConditionReason.NOT_YET_READ
    return Verdict("False", reason, listed([_signal_said(each.name, facts) for each in lost]))


def all_fresh(_: Evaluation) -> Verdict:
    return Verdict("True", ConditionReason.ALL_FRESH, "every signal gives a number")


def dry_run(facts: Evaluation) -> Verdict | None:
    if not facts.dry_run:
        return None
    left = f"; {facts.give_back_left} targets are still to be given back" if facts.give_back_left else ""
    return Verdict("False", ConditionReason.DRY_RUN, f"dry run: nothing is taken; {facts.why}{left}")


def level_applied(facts: Evaluation) -> Verdict | None:
    level = facts.decision.level
    return None if level == NORMAL else Verdict("True", level, facts.why)


def giving_back(facts: Evaluation) -> Verdict | None:
    if not facts.held:
        return None
    fields = "field is" if len(facts.held) == 1 else "fields are"
    message = f"well again; {len(facts.held)} {fields} still to be given back"
    return Verdict("True", ConditionReason.GIVING_BACK, message)


def normal(_: Evaluation) -> Verdict:
    return Verdict("False", ConditionReason.NORMAL, "nothing is degraded")


CHAINS: Mapping[str, Sequence[Rule]] = {
    READY: (not_ready_while_stalled, signals_not_seen, target_not_found, accepted),
    ACTIVE: (dry_run, level_applied, giving_back, normal),
    AVAILABLE: (not_yet_read, source_down, signals_missing, all_fresh),
    STALLED: (invalid, bad_query, forbidden, ledger_lost, restore_failed, working),
}


def conditions_of(previous: Iterable[Condition], facts: Evaluation) -> tuple[Condition, ...]:
    """The policy's conditions after an evaluation; a time of transition moves only with its status."""
    verdicts = {kind: _first(chain, facts) for kind, chain in CHAINS.items()}
    return _dated(previous, verdicts, facts.generation, facts.now)


def refused(previous: Iterable[Condition], message: str, generation: int, now: Instant) -> tuple[Condition, ...]:
    """The conditions of a policy that has never had a usable spec here: what it did before still stands."""
    before = tuple(previous)
    unknown = Verdict("Unknown", ConditionReason.NOT_YET_READ, "the policy was never evaluated")
    verdicts = dict.fromkeys(CHAINS, unknown)
    verdicts |= {each.type: Verdict(each.status, each.reason, each.message) for each in before if each.type in CHAINS}
    verdicts[STALLED] = Verdict("True", ConditionReason.INVALID, message)
    verdicts[READY] = Verdict("False", ConditionReason.INVALID, message)
    return _dated(before, verdicts, generation, now)


def _dated(
    previous: Iterable[Condition], verdicts: Mapping[str, Verdict], generation: int, now: Instant
) -> tuple[Condition, ...]:
    since = {(each.type, each.status): each.last_transition_time for each in previous}
    return tuple(
        Condition(
            type=kind,
            status=verdict.status,
            reason=cut(verdict.reason, WORD),
            message=cut(verdict.message or verdict.reason),
            last_transition_time=since.get((kind, verdict.status)) or show_instant(math.floor(now)),
            observed_generation=generation,
        )
        for kind, verdict in verdicts.items()
    )


def _first(chain: Sequence[Rule], facts: Evaluation) -> Verdict:
    return next(verdict for rule in chain if (verdict := rule(facts)) is not None)


def _missing(facts: Evaluation, which: Callable[[Missing], bool]) -> list[str]:
    seen = ((signal.name, facts.seen.get(signal.name)) for signal in facts.spec.signals)
    return [_signal_said(name, facts) for name, each in seen if isinstance(each, Missing) and which(each)]


def _signal_said(name: str, facts: Evaluation) -> str:
    seen = facts.seen.get(name)
    if not isinstance(seen, Missing):
        return name
    return f"{name}: {seen.reason}" + (f", {seen.message}" if seen.message else "")


def _among(blocked: Sequence[BlockedAction], reasons: Sequence[BlockedReason]) -> str:
    return listed([_said(each) for each in blocked if each.reason in reasons])


def _said(each: BlockedAction) -> str:
    where = f"{each.action}, {each.target_shown}" if each.target_shown else each.action
    return f"{where}: {each.message}"
