"""The next step on one object, row by row; and that a row of steps comes to an end."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from brownout.api.refs import PolicyRef
from brownout.decide.plan import mended, next_step
from brownout.ledger.entries import Claim, Found, Held, Ledger, Order
from brownout.ledger.pointer import Pointer
from brownout.ledger.steps import Apply, HandBack, Release, Repair, Restore, Stuck
from tests.plan.held_objects import (
    CHECKOUT,
    KUBECTL,
    NOT_SET,
    PAUSED,
    REPLICAS,
    SEARCH,
    claim,
    entry,
    found,
    ledger,
    owned,
    ref,
    remembered,
)

OURS = [owned("brownout", REPLICAS)]
WANT: Mapping[Pointer, Claim] = {REPLICAS: claim()}
HOLDS = ledger(entry())
BOTH = ledger(entry(claim(1), claim(0, SEARCH, at=2.0), original=3, applied=0))
NEWEST = ledger(entry(), entry(where=PAUSED, original=NOT_SET, applied=True, owners=()))


def shown(step: Any) -> Any:
    """A step in few words: its name, and what it is about."""
    if isinstance(step, Apply):
        return "Apply", {where: _entry(each) for where, each in step.entries.items()}
    if isinstance(step, Repair):
        return "Repair", step.ledger.take, {where: _entry(each) for where, each in step.ledger.entries.items()}
    if isinstance(step, Restore | HandBack | Release | Stuck):
        return type(step).__name__, step.pointers
    return type(step).__name__ if step is not None else None


def _entry(each: Any) -> tuple[Any, Any, Any, str]:
    return each.original, each.applied, each.wanted, " ".join(sorted(policy.name for policy in each.claims))


def applies(original: Any, applied: Any, wanted: Any, by: str = "checkout") -> Any:
    return "Apply", {REPLICAS: (original, applied, wanted, by)}


def repairs(original: Any, applied: Any, by: str = "checkout", *, wanted: Any = None, take: str = "take-1") -> Any:
    return "Repair", take, {REPLICAS: (original, applied, applied if wanted is None else wanted, by)}


def row(
    said: str,
    object_: Found,
    wants: Mapping[Pointer, Claim],
    step: Any,
    *,
    by: PolicyRef = CHECKOUT,
    memory: Iterable[Held] = (),
    orphans: Iterable[PolicyRef] = (),
) -> Any:
    return pytest.param(object_, wants, by, tuple(memory), frozenset(orphans), step, id=said)


TAKING = [
    row("nothing wanted of an object that is free: nothing to do", found(), {}, None),
    row("a field that is free is taken, and its original written down", found(), WANT, applies(3, 3, 0)),
    row("a field that is as wanted already is claimed all the same", found(replicas=0), WANT, applies(0, 0, 0)),
    row("a field that is absent is taken, and absent is its original", found(), {PAUSED: claim(True)}, (
        "Apply", {PAUSED: (NOT_SET, NOT_SET, True, "checkout")},
    )),
    row("a field held as wanted stays as it is", found(HOLDS, replicas=0, managed=OURS), WANT, None),
    row(
        "a higher level's value replaces the one before, and the original stays",
        found(HOLDS, replicas=0, managed=OURS), {REPLICAS: claim(1)}, applies(3, 0, 1),
    ),
    row(
        "another level with the same value is written down",
        found(HOLDS, replicas=0, managed=OURS), {REPLICAS: claim(level="core")}, applies(3, 0, 0),
    ),
    row(
        "a second field is taken beside the first",
        found(HOLDS, replicas=0, managed=OURS), {**WANT, PAUSED: claim(True)},
        ("Apply", {PAUSED: (NOT_SET, NOT_SET, True, "checkout")}),
    ),
]  # fmt: skip

SEVERAL = [
    row(
        "another policy's milder claim is written beside ours and changes nothing",
        found(HOLDS, replicas=0, managed=OURS), {REPLICAS: claim(1, SEARCH, at=2.0)},
        applies(3, 0, 0, "checkout search"), by=SEARCH,
    ),
    row(
        "another policy's more degraded claim wins",
        found(ledger(entry(claim(1), applied=1)), replicas=1, managed=OURS), {REPLICAS: claim(0, SEARCH, at=2.0)},
        applies(3, 1, 0, "checkout search"), by=SEARCH,
    ),
    row(
        "when the winner goes the other's value holds, and nothing is given back",
        found(BOTH, replicas=0, managed=OURS), {}, applies(3, 0, 1), by=SEARCH,
    ),
    row(
        "when the loser goes its claim goes alone",
        found(BOTH, replicas=0, managed=OURS), {}, applies(3, 0, 0, "search"),
    ),
    row(
        "of values without an order the first that came holds",
        found(ledger(entry(claim("lite", order=Order.NONE), applied="lite")), replicas="lite", managed=OURS),
        {REPLICAS: claim("off", SEARCH, order=Order.NONE, at=2.0)},
        applies(3, "lite", "lite", "checkout search"), by=SEARCH,
    ),
]  # fmt: skip

GIVING = [
    row("what is no longer wanted is given back", found(HOLDS, replicas=0, managed=OURS), {}, ("Restore", (REPLICAS,))),
    row(
        "one of two fields goes back, the other stays",
        found(NEWEST, replicas=0, paused=True, managed=OURS), {PAUSED: claim(True)}, ("Restore", (REPLICAS,)),
    ),
    row(
        "a half-done give-back is finished before anything else",
        found(ledger(entry(restored=True)), managed=[owned("brownout-restore", REPLICAS)]), {},
        ("HandBack", (REPLICAS,)),
    ),
    row(
        "a half-done give-back is finished before a new take of the same field",
        found(ledger(entry(restored=True)), managed=[owned("brownout-restore", REPLICAS)]), WANT,
        ("HandBack", (REPLICAS,)),
    ),
    row(
        "a half-done give-back is finished before another field that somebody changed is let go",
        found(
            ledger(entry(restored=True), entry(where=PAUSED, original=NOT_SET, applied=True)),
            paused=False, managed=[owned("brownout-restore", REPLICAS)],
        ),
        {}, ("HandBack", (REPLICAS,)),
    ),
    row(
        "a half-done give-back is finished although somebody changed the field meanwhile",
        found(ledger(entry(restored=True)), replicas=7), {}, ("HandBack", (REPLICAS,)),
    ),
    row(
        "claims of policies that are gone count no more",
        found(HOLDS, replicas=0, managed=OURS), {}, ("Restore", (REPLICAS,)), by=ref("nobody"), orphans=[CHECKOUT],
    ),
    row(
        "the claims of others stand beside an orphan's",
        found(BOTH, replicas=0, managed=OURS), {}, applies(3, 0, 0, "search"), by=ref("nobody"), orphans=[CHECKOUT],
    ),
    row(
        "a policy made anew under the same name does not go with the claims of the old",
        found(HOLDS, replicas=0, managed=OURS), {REPLICAS: claim(0, ref("checkout", "new"))},
        applies(3, 0, 0, "checkout"), by=ref("checkout", "new"), orphans=[CHECKOUT],
    ),
]  # fmt: skip

FOREIGN = [
    row("a value that somebody else set is let go", found(HOLDS, replicas=7), WANT, ("Release", (REPLICAS,))),
    row("so is the original that somebody set", found(HOLDS, replicas=3), WANT, ("Release", (REPLICAS,))),
    row(
        "so is a value set through /scale, which leaves no owner",
        found(HOLDS, replicas=7, managed=[]), WANT, ("Release", (REPLICAS,)),
    ),
    row("so is a field that somebody removed", found(
        ledger(entry(where=PAUSED, original=False, applied=True)), managed=[]), {PAUSED: claim(True)},
        ("Release", (PAUSED,)),
    ),
    row(
        "what somebody else set is let go also when it is no longer wanted: it is not ours to give back",
        found(HOLDS, replicas=7), {}, ("Release", (REPLICAS,)),
    ),
    row(
        "true instead of 1 is another value",
        found(ledger(entry(applied=1)), replicas=True), {REPLICAS: claim(1)}, ("Release", (REPLICAS,)),
    ),
    row(
        "only the field that was changed is let go",
        found(NEWEST, replicas=7, paused=True), {**WANT, PAUSED: claim(True)}, ("Release", (REPLICAS,)),
    ),
]  # fmt: skip

ADMISSION = [
    row(
        "a value that admission made of ours is written down as it is stored",
        found(HOLDS, replicas=1, managed=OURS), WANT, repairs(3, 1, wanted=0),
    ),
    row(
        "and once written down it is held like any other",
        found(ledger(entry(claim(0), applied=1, wanted=0)), replicas=1, managed=OURS), WANT, None,
    ),
    row(
        "and given back like any other",
        found(ledger(entry(claim(0), applied=1, wanted=0)), replicas=1, managed=OURS), {}, ("Restore", (REPLICAS,)),
    ),
    row(
        "an original that admission put back in our own request is let go",
        found(HOLDS, replicas=3, managed=OURS), WANT, ("Release", (REPLICAS,)),
    ),
]  # fmt: skip

LOST = [
    row(
        "a ledger that is gone while its label stayed is written again from memory",
        found(label="take-1", replicas=0, managed=OURS), WANT, repairs(3, 0), memory=[remembered(entry())],
    ),
    row(
        "so is one that was replaced by that of another take",
        found(ledger(entry(original=9), take="old"), label="take-1", replicas=0, managed=OURS), WANT,
        repairs(3, 0), memory=[remembered(entry())],
    ),
    row(
        "so is one that cannot be read",
        found("{", label="take-1", replicas=0, managed=OURS), WANT, repairs(3, 0), memory=[remembered(entry())],
    ),
    row(
        "so is one of a version that is not known here",
        found('{"v":2}', label="take-1", replicas=0, managed=OURS), WANT, repairs(3, 0), memory=[remembered(entry())],
    ),
    row(
        "so is an entry that is missing in a ledger of the same take",
        found(ledger(entry(where=PAUSED, original=NOT_SET, applied=True)), replicas=0, paused=True, managed=OURS),
        {**WANT, PAUSED: claim(True)},
        ("Repair", "take-1", {
            PAUSED: (NOT_SET, True, True, "checkout"), REPLICAS: (3, 0, 0, "checkout"),
        }),
        memory=[remembered(entry())],
    ),
    row(
        "the claims of all that remember are in it again",
        found(label="take-1", replicas=0, managed=OURS), {}, repairs(3, 0, "checkout search"),
        memory=[remembered(entry()), remembered(entry(claim(0, SEARCH)), by=SEARCH)],
    ),
    row(
        "it is written again also by a policy that wants nothing here",
        found(label="take-1", replicas=0, managed=OURS), {}, repairs(3, 0), by=SEARCH, memory=[remembered(entry())],
    ),
    row(
        "with label and ledger gone and our value there a person has to look",
        found(replicas=0, managed=OURS), WANT, ("Stuck", (REPLICAS,)), memory=[remembered(entry())],
    ),
    row(
        "so it is when the label is that of another take",
        found(label="take-2", replicas=0, managed=OURS), WANT, ("Stuck", (REPLICAS,)), memory=[remembered(entry())],
    ),
    row(
        "a ledger that cannot be read and that nobody remembers is left for a person",
        found("{", label="take-1", replicas=0, managed=OURS), {}, ("Stuck", ()),
    ),
    row(
        "the same where what is remembered has another value now",
        found("{", label="take-1", replicas=7), {}, ("Stuck", (REPLICAS,)), memory=[remembered(entry())],
    ),
    row("a stale ledger that nobody remembers is stripped", found(HOLDS, label=None, replicas=0), {}, "Strip"),
    row("so is a label alone", found(label="take-1"), {}, "Strip"),
    row(
        "so is the ledger of another object, as a clone has it",
        found(ledger(entry(), uid="uid-2"), replicas=0), {}, "Strip",
    ),
    row(
        "so is one whose fields somebody has changed since",
        found(label="take-1", replicas=7), {}, "Strip", memory=[remembered(entry())],
    ),
    row(
        "so is one whose fields are back at their originals",
        found(label="take-1", replicas=3), {}, "Strip", memory=[remembered(entry())],
    ),
    row(
        "a stale ledger is stripped before anything is taken",
        found(HOLDS, label=None, replicas=0), WANT, "Strip",
    ),
    row(
        "memory of another object under the same name counts for nothing",
        found(replicas=0), {}, None, memory=[remembered(entry(), uid="uid-2")],
    ),
    row(
        "a field that was found as wanted has no original to lose",
        found(label="take-1", replicas=0), {}, "Strip", memory=[remembered(entry(original=0))],
    ),
    row(
        "memory of what was given back long ago changes nothing",
        found(replicas=3), {}, None, memory=[remembered(entry())],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("object_", "wants", "by", "memory", "orphans", "step"),
    [*TAKING, *SEVERAL, *GIVING, *FOREIGN, *ADMISSION, *LOST],
)
def test_the_next_step(
    object_: Found,
    wants: Mapping[Pointer, Claim],
    by: PolicyRef,
    memory: tuple[Held, ...],
    orphans: frozenset[PolicyRef],
    step: Any,
) -> None:
    assert shown(next_step(object_, wants, by, remembered=memory, orphans=orphans)) == step


def test_a_take_writes_down_who_owned_the_field_and_whose_claim_it_is() -> None:
    step = next_step(found(), WANT, CHECKOUT)
    assert isinstance(step, Apply)
    assert step.entries[REPLICAS].owners == (KUBECTL,)
    assert step.entries[REPLICAS].claims == {CHECKOUT: claim()}


def test_a_claim_that_is_renewed_keeps_owners_original_and_parent() -> None:
    parent = Pointer("/spec")
    held = ledger(entry(parent=parent))
    step = next_step(found(held, replicas=0, managed=OURS), {REPLICAS: claim(1)}, CHECKOUT)
    assert isinstance(step, Apply)
    assert (step.entries[REPLICAS].owners, step.entries[REPLICAS].parent) == ((KUBECTL,), parent)


def test_stuck_names_the_field_its_original_and_what_to_do() -> None:
    step = next_step(found(replicas=0, managed=OURS), {}, CHECKOUT, remembered=[remembered(entry())])
    assert isinstance(step, Stuck)
    for words in ("Deployment shop/thumbnailer", "/spec/replicas was 3", "brownout.dev/held", "brownout.dev/ledger"):
        assert words in step.message


def test_a_lost_ledger_is_known_while_it_is_not_written_yet() -> None:
    bare = found(label="take-1", replicas=0, managed=OURS)
    assert mended(bare, [remembered(entry())]).original(REPLICAS) == 3
    assert mended(bare, []) == bare
    whole = found(HOLDS, replicas=0, managed=OURS)
    assert mended(whole, []) is whole
    assert isinstance(mended(bare, [remembered(entry())]).ledger, Ledger)
