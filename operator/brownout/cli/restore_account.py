"""What `brownout restore` found and did, and the exit code that follows from it. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from brownout.act.break_glass import Finished
from brownout.act.finalizers import bears_ours
from brownout.act.held_objects import Seen
from brownout.act.holdings import FORGED, LOST, Ended, Ending, Fate, HeldField, Holding
from brownout.act.presence import Presence

FINE, HELD, CANNOT = 0, 1, 2


class Course(StrEnum):
    """How far it went."""

    DONE = "Done"
    DRY_RUN = "DryRun"
    DECLINED = "Declined"
    """The person said no."""
    NOT_ASKED = "NotAsked"
    """There was nobody to ask."""
    INTERRUPTED = "Interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class StillHeld:
    """Something that is held, or may be, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One run. `ended` and `finished` are there once something was done."""

    namespace: str
    """Where it looked; "" is everywhere."""
    course: Course
    seen: Seen
    ended: tuple[Ended, ...] = ()
    finished: Finished | None = None

    def still_held(self) -> tuple[StillHeld, ...]:
        """Everything that is held or may be, now."""
        now = self.finished.later if self.finished is not None else self.seen
        ours = {each.holding.found.target.uid: each for each in self.ended}
        objects = [
            StillHeld(what=str(each.found.target), why=why)
            for each in now.holdings
            if (why := _why_held(each, ours.get(each.found.target.uid), self.course))
        ]
        return (*objects, *(StillHeld(what=each.what, why=each.why) for each in now.unread))

    def exit_code(self) -> int:
        """0 all is given back, 1 something is held or may be, or a finalizer stays for no good reason, 2 it could not
        be done."""
        unread = self.seen.unread
        if self.course is Course.NOT_ASKED or (unread and all(each.unanswered for each in unread)):
            return CANNOT
        failed = self.finished is not None and any(each.failed for each in self.finished.finalizers)
        return HELD if self.still_held() or failed else FINE


def count(account: Account, ending: Ending) -> tuple[int, int]:
    """How many fields ended so, of how many objects."""
    by_object = [sum(field.ending is ending for field in each.fields) for each in account.ended]
    return sum(by_object), sum(1 for number in by_object if number)


def to_give_back(seen: Seen) -> tuple[list[HeldField], list[Holding]]:
    """The fields that would be given back, and the objects that would be changed at all."""
    followed = [each for each in seen.holdings if not each.problem]
    untouched = (Fate.REFUSE, Fate.NOT_FOLLOWED)
    changed = [each for each in followed if not each.fields or any(f.fate not in untouched for f in each.fields)]
    fields = [f for each in changed for f in each.fields if f.fate in (Fate.GIVE_BACK, Fate.HAND_BACK)]
    return fields, changed


def policies_with_finalizer(seen: Seen) -> list[str]:
    """Policies whose finalizer is ours to take off, unless an operator is running."""
    if seen.sign.presence is Presence.RUNNING:
        return []
    return [f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in seen.policies if bears_ours(each)]


def _why_held(holding: Holding, result: Ended | None, course: Course) -> str:
    if holding.problem:
        return f"not followed: {holding.problem}" if holding.may_be_held else ""
    if result is not None and result.held:
        return next(field.why for field in result.fields if field.ending is Ending.HELD) or "not given back"
    if any(field.fate is Fate.REFUSE for field in holding.fields):
        return FORGED
    if any(field.fate is Fate.NOT_FOLLOWED for field in holding.fields):
        return LOST
    if course in (Course.DONE, Course.INTERRUPTED):
        return "taken again meanwhile: an operator is running"
    return "nothing was changed"
