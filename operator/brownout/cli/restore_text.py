"""What `brownout restore` prints for people. Pure."""

from collections.abc import Iterator, Sequence

from brownout.act.holdings import FORGED, Ending, Fate, HeldField, Holding
from brownout.act.presence import Presence
from brownout.api.base import show_duration
from brownout.cli.restore_account import Account, Course, count, policies_with_finalizer, to_give_back
from brownout.cluster.kinds import POLICY, TARGETS, Kind
from brownout.decide.words import joined
from brownout.ledger.entries import FINALIZER, HELD_LABEL, LEDGER_ANNOTATION, WHY_ANNOTATION, Instant
from brownout.ledger.pointer import Pointer, look, parts_of, pointer
from brownout.ledger.why import show

COLUMNS = ("NAMESPACE", "OBJECT", "FIELD", "NOW", "ORIGINAL", "SINCE", "POLICY", "LEVEL", "WILL BE")
LONGEST_CELL, LONGEST_FIELD, LONGEST_TEXT = 40, 70, 1000
"""Characters of a cell, of a field's name, and of a ledger that nobody could read; -o json has them whole."""
WORDS = {Fate.GIVE_BACK: "given back", Fate.HAND_BACK: "given back", Fate.REFUSE: "refused: forged"}


def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """What may go to a terminal: a ledger that somebody forged could hold anything, escape sequences too."""
    safe = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[: longest + 1])
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"


def table(holdings: Sequence[Holding], now: Instant) -> str:
    """One line for each field, with a heading; "" when there is nothing."""
    rows = [row for each in holdings for row in _rows(each, now)]
    if not rows:
        return ""
    lines = [COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "".join("  ".join(line).rstrip() + "\n" for line in padded)


def notes(account: Account) -> Iterator[str]:
    """What a person must know before anything is done: what is not followed, what could not be read."""
    for each in account.seen.holdings:
        if each.problem:
            yield from _not_followed(each)
        elif any(field.fate is Fate.REFUSE for field in each.fields):
            yield f"{each.found.target}: {FORGED}, and stays."
            yield from _commands("Once you have looked at it, remove our metadata", each)
        if not each.problem:
            yield from (
                f"{each.found.target} is not followed in one field: {printable(str(it))}." for it in each.remembered
            )
    for unread in (*account.seen.unread, account.seen.unread_policies, account.seen.unread_leases):
        if unread is not None:
            yield f"Not known: {printable(unread.why)}."


def operator(account: Account) -> Iterator[str]:
    """Whether an operator is running, and what that means."""
    sign = account.seen.sign
    if sign.presence is Presence.GONE:
        yield f"No operator is running: {printable(sign.why)}."
        return
    certain = sign.presence is Presence.RUNNING
    yield f"An operator {'is' if certain else 'may be'} running: {printable(sign.why)}."
    yield from pausing(account, certain=certain)


def pausing(account: Account, *, certain: bool) -> Iterator[str]:
    """How to keep an operator from taking again. Only names that the API server knows go into a command."""
    claiming = {
        (claim.policy.namespace, claim.policy.name)
        for each in account.seen.holdings
        for field in each.fields
        for claim in field.claims
    }
    known = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in account.seen.policies}
    active = [place for place in sorted(claiming & known.keys()) if _is_active(known[place])]
    if not claiming:
        return
    takes = "It takes" if certain else "If so, it takes"
    if account.seen.unread_policies is not None:
        yield f"{takes} again what is given back here, unless its policies are deleted, or paused by mode: DryRun."
    elif not active:
        yield "The policies that took these fields are paused or gone: an operator gives all back itself, in waves."
    else:
        yield f"{takes} again what is given back here while these policies are on. Pause them first:"
        for namespace, name in active:
            patch = """-p '{"spec":{"mode":"DryRun"}}'"""
            yield f"  kubectl -n {namespace} patch {_resource(POLICY)}/{name} --type=merge {patch}"


def question(account: Account) -> str:
    """What is to be agreed to; "" when there is nothing to do."""
    fields, objects = to_give_back(account.seen)
    left = [f for each in objects for f in each.fields if f.fate is Fate.LEAVE]
    parts = [f"give {_number(len(fields), 'field')} back at once"] if fields else []
    parts += (
        [f"leave {_number(len(left), 'field')} to whoever changed {'it' if len(left) == 1 else 'them'}"] if left else []
    )
    parts += ["remove our metadata"] if objects and not parts else []
    parts = [f"{', '.join(parts)} ({_number(len(objects), 'object')})"] if parts else []
    if policies := policies_with_finalizer(account.seen):
        parts.append(f"take our finalizer off {_number(len(policies), 'policy', 'policies')} once nothing is owed")
    text = ", and ".join(parts)
    return f"{text[0].upper()}{text[1:]}?" if parts else ""


def summary(account: Account) -> Iterator[str]:
    """What was done, and what is still held."""
    if account.course is Course.DRY_RUN and (asked := question(account)):
        yield f"Dry run, nothing was changed. Without --dry-run: {asked[0].lower()}{asked[1:-1]}."
    if account.course is Course.DECLINED:
        yield "Nothing was changed."
    if account.course is Course.INTERRUPTED:
        yield "Interrupted. What had been begun was finished; run it again for the rest."
    yield from _done(account)
    yield from _finished(account)
    where = f"in namespace {account.namespace}" if account.namespace else "in any namespace"
    held = account.still_held()
    if held and account.course not in (Course.DRY_RUN, Course.DECLINED, Course.NOT_ASKED):
        yield "Still held:"
        yield from (f"  {each.what}: {printable(each.why)}" for each in held)
    if not held:
        yield f"Nothing is held {where}."


def _done(account: Account) -> Iterator[str]:
    fields, objects = count(account, Ending.GIVEN_BACK)
    if fields:
        yield f"{_number(fields, 'field')} of {_number(objects, 'object')} given back."
    for each in account.ended:
        for field in each.fields:
            if field.ending is Ending.LEFT:
                name = f"{each.holding.found.target}: {_name(field.field.pointer)}"
                yield f"{name} is left alone: {printable(field.why)}."
        if each.fields and all(field.ending is Ending.GONE for field in each.fields):
            yield f"{each.holding.found.target} is gone: nothing is owed to it."


def _finished(account: Account) -> Iterator[str]:
    if account.finished is None:
        return
    removed = [f"{each.namespace}/{each.name}" for each in account.finished.finalizers if each.removed]
    if removed:
        yield f"The finalizer {FINALIZER} was taken off {joined(removed)}."
    for each in account.finished.finalizers:
        if not each.removed:
            yield f"The finalizer of policy {each.namespace}/{each.name} stays: {printable(each.why)}."
    if account.finished.moved and account.seen.sign.presence is not Presence.RUNNING:
        yield f"An operator is running after all: {printable(account.finished.moved)}."
        yield from pausing(account, certain=True)


def _cells(row: Sequence[str]) -> tuple[str, ...]:
    limits = (LONGEST_FIELD if column == "FIELD" else LONGEST_CELL for column in COLUMNS)
    return tuple(printable(cell, limit) for cell, limit in zip(row, limits, strict=True))


def _rows(holding: Holding, now: Instant) -> Iterator[tuple[str, ...]]:
    target = holding.found.target
    place = (target.namespace, f"{target.kind}/{target.name}")
    if not holding.fields:
        yield (*place, "-", "-", "-", "-", "-", "-", "not followed" if holding.problem else "cleaned")
    for field in holding.fields:
        policies = ",".join(dict.fromkeys(str(claim.policy) for claim in field.claims)) or "-"
        levels = ",".join(dict.fromkeys(claim.level for claim in field.claims)) or "-"
        since = "-" if field.since is None else age(now - field.since)
        values = (show(field.now), show(field.original))
        yield (*place, _name(field.pointer), *values, since, policies, levels, _will_be(field))


def _will_be(field: HeldField) -> str:
    if field.fate is Fate.NOT_FOLLOWED:
        return "not followed" if field.ours else "owes nothing"
    if field.fate is not Fate.LEAVE:
        return WORDS[field.fate]
    return f"left: {field.manager or 'somebody'} changed it"


def _not_followed(holding: Holding) -> Iterator[str]:
    target = holding.found.target
    told = "; ".join([holding.problem, *map(str, holding.remembered)])
    yield f"{target} is not followed: {printable(told)}."
    if not holding.may_be_held:
        yield from _commands("None of its fields is as we set it, it owes nothing. To remove our metadata", holding)
        return
    text = look(holding.found.body, pointer("metadata", "annotations", LEDGER_ANNOTATION))
    if not holding.fields and isinstance(text, str):
        yield f"  Its ledger reads: {printable(text)}"
    if holding.found.ledger is None:
        yield "  Set its fields as they should be."
        return
    yield from _commands("Set its fields as they should be, then remove our metadata", holding)


def _commands(what: str, holding: Holding) -> Iterator[str]:
    target = holding.found.target
    name = f"{_resource(TARGETS[target.kind])}/{target.name}"
    yield f"  {what}:"
    yield f"  kubectl -n {target.namespace} label {name} {HELD_LABEL}-"
    yield f"  kubectl -n {target.namespace} annotate {name} {LEDGER_ANNOTATION}- {WHY_ANNOTATION}-"


def age(seconds: float) -> str:
    """As kubectl shows it: two units at most."""
    whole = max(0, int(seconds))
    for unit, least in ((86400, 2 * 86400), (3600, 2 * 3600), (60, 120)):
        if whole >= least:
            smaller = {86400: 3600, 3600: 60, 60: 60}[unit]
            return show_duration(whole - whole % smaller)
    return show_duration(whole)


def _is_active(policy: object) -> bool:
    assert isinstance(policy, dict)
    return policy["spec"].get("mode") == "Enforce" and not policy["metadata"].get("deletionTimestamp")


def _name(where: Pointer) -> str:
    return printable(".".join(parts_of(where)) or where, LONGEST_FIELD)


def _resource(kind: Kind) -> str:
    group = kind.api_version.rpartition("/")[0]
    return f"{kind.plural}.{group}" if group else kind.plural


def _number(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
