"""What is known of each expression: its form, whether it is in quarantine, whether it is slow.

Kept per source and keyed by the expression's text. All times are monotonic seconds, handed in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from brownout.decide.model import Missing
from brownout.observe.batch import Form, Member, partition

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 120.0
"""Seconds until a bad expression is asked again, doubled each time: cheap when it stays bad, soon back when mended."""
UNUSED = 7200.0
"""Seconds after which an expression nobody asks for is forgotten: twice the longest interval of a policy."""
SWEEP = 600.0
_DEEPEST = 7


@dataclass(slots=True)
class Standing:
    """One expression. `missing` is set while it is in quarantine; `suspicion` counts its batch's late answers."""

    form: Form | None = None
    missing: Missing | None = None
    until: float = 0.0
    strikes: int = 0
    suspicion: int = 0
    used: float = 0.0


@dataclass(slots=True)
class Plan:
    """What one tick asks: batches of proved members, then bare new ones; `held` is answered without asking."""

    held: dict[str, Missing] = field(default_factory=dict)
    batches: list[Sequence[Member]] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)


class Register:
    """The memory of one source about its expressions."""

    def __init__(self) -> None:
        self._standing: dict[str, Standing] = {}
        self._swept = 0.0

    def __len__(self) -> int:
        return len(self._standing)

    def plan(self, queries: Iterable[str], now: float, *, largest: int, spread: int) -> Plan:
        """Sorts distinct queries. Suspects share ever smaller batches, about `spread` of them at most."""
        self._sweep(now)
        plan, trusted, suspects = Plan(), [], dict[int, list[Member]]()
        for query in queries:
            standing = self._use(query, now)
            if standing.missing is not None and now < standing.until:
                plan.held[query] = standing.missing
            elif standing.missing is not None or standing.form is None:
                plan.bare.append(query)
            elif standing.suspicion:
                suspects.setdefault(standing.suspicion, []).append(Member(query, standing.form))
            else:
                trusted.append(Member(query, standing.form))
        plan.batches = [*partition(trusted, largest), *_narrowed(suspects, largest, spread)]
        return plan

    def proved(self, query: str, form: Form) -> None:
        """The source accepted it bare: it may share a batch. Strikes stay until it has done so."""
        standing = self._standing[query]
        standing.form, standing.missing = form, None

    def answered(self, query: str) -> None:
        """It gave its answer in a batch."""
        standing = self._standing[query]
        standing.strikes = standing.suspicion = 0

    def strike(self, query: str, missing: Missing, now: float) -> None:
        """Quarantine: `missing` is its answer until it is asked again, bare."""
        standing = self._standing[query]
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(standing.strikes, 10))
        standing.missing, standing.until, standing.strikes = missing, now + pause, standing.strikes + 1

    def suspect(self, query: str) -> None:
        """Its batch was late or broke the source: next time it sits in half as large a one."""
        standing = self._standing[query]
        standing.suspicion = min(standing.suspicion + 1, _DEEPEST)

    def _use(self, query: str, now: float) -> Standing:
        standing = self._standing.get(query)
        if standing is None:
            standing = self._standing[query] = Standing()
        standing.used = now
        return standing

    def _sweep(self, now: float) -> None:
        if now - self._swept < SWEEP:
            return
        self._swept = now
        self._standing = {query: one for query, one in self._standing.items() if now - one.used < UNUSED}


def _narrowed(suspects: dict[int, list[Member]], largest: int, spread: int) -> list[Sequence[Member]]:
    # A source that is slow as a whole makes everything suspect: the floor keeps that from becoming a storm of requests.
    floor = -(-sum(map(len, suspects.values())) // spread)
    batches: list[Sequence[Member]] = []
    for suspicion, members in sorted(suspects.items()):
        batches += partition(members, min(largest, max(1, largest >> suspicion, floor)))
    return batches
