"""One tick's questions to one source: what is still to ask, what has come, and whose fault a failure is."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing, Seen
from brownout.observe.answer import Answer, Failed, Refused, Result
from brownout.observe.batch import LABEL, Member, compose, distribute, halves, seen_bare
from brownout.observe.register import Plan, Register
from brownout.observe.sample import CROWD, several

SPLITS = 100
"""Questions that one tick may spend on finding the bad members of refused batches; the next tick goes on."""
PROBES = 2000
"""Bare questions of one tick: new expressions beyond that wait for the next."""

Job: TypeAlias = Sequence[Member] | str
"""A batch, or one bare expression."""

_ODD = Missing(reason=MissingReason.BAD_ANSWER, message="the source's answer does not fit the question")
_WAITS = Missing(reason=MissingReason.TIMED_OUT, message="one of many new queries: its turn is at a later tick")
_SEARCHING = Missing(
    reason=MissingReason.BAD_ANSWER, message="it shares a batch with a bad query, which is being looked for"
)


def text_of(job: Job) -> str:
    """What to send."""
    return job if isinstance(job, str) else compose(job)


@dataclass(slots=True)
class Tick:
    """`jobs` is worked off by several workers; `take` judges each answer and may add jobs."""

    register: Register
    now: float
    jobs: deque[Job] = field(default_factory=deque)
    seen: dict[str, Seen] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    unauthorised: bool = False
    narrow: bool = False
    """Some batch was refused although each of its members alone is good: batches are too large for this source."""
    refused: int = 0
    struck: int = 0
    _splits: int = SPLITS
    _fatal: Missing | None = None
    _answered: bool = False
    _slow: dict[str, Missing] = field(default_factory=dict)

    def begin(self, plan: Plan) -> None:
        """Proved batches first: new expressions never delay them."""
        self.seen.update(plan.held)
        self.jobs.extend(plan.batches)
        self.jobs.extend(plan.bare[:PROBES])
        self.seen.update(dict.fromkeys(plan.bare[PROBES:], _WAITS))

    def next(self) -> Job | None:
        """The next question; none once the source as a whole has failed."""
        while self.jobs:
            job = self.jobs.popleft()
            if self._fatal is None:
                return job
            self._all(job, self._fatal)
        return None

    def take(self, job: Job, answer: Answer) -> None:
        """Judges one answer."""
        if isinstance(answer, Failed):
            self._failed(job, answer)
        elif isinstance(answer, Refused):
            self._refused(job, answer)
        else:
            self._answered = True
            self.warnings = self.warnings or answer.warnings
            if isinstance(job, str):
                self._bare(job, answer)
            else:
                self._batch(job, answer)

    def end(self) -> None:
        """The source answered others: an expression that was late alone is itself to blame."""
        if self._answered:
            for query, missing in self._slow.items():
                self.register.strike(query, missing, self.now)
        self.narrow = self.refused > 0 and self.struck == 0

    def _bare(self, query: str, result: Result) -> None:
        seen, form = seen_bare(result)
        self.seen[query] = seen
        if form is None and isinstance(seen, Missing):
            self._strike(query, seen)
        elif form is not None:
            self.register.proved(query, form)
            if len(result.value) > CROWD:
                self._strike(query, several(len(result.value)))

    def _batch(self, members: Sequence[Member], result: Result) -> None:
        answers = distribute(result, len(members))
        if answers is None:
            self._all(members, _ODD)
            return
        for member, seen in zip(members, answers, strict=True):
            self.seen[member.query] = seen
            self.register.answered(member.query)
        if len(result.value) > len(members) + CROWD:
            self._crowded(members, result)

    def _crowded(self, members: Sequence[Member], result: Result) -> None:
        counts: dict[str, int] = {}
        for sample in result.value:
            place = sample["metric"][LABEL]
            counts[place] = counts.get(place, 0) + 1
        for place, count in counts.items():
            if count > CROWD:
                self._strike(members[int(place)].query, several(count))

    def _refused(self, job: Job, refused: Refused) -> None:
        if isinstance(job, str):
            self._strike(job, refused.missing())
        elif len(job) == 1:
            self._strike(job[0].query, refused.missing())
        else:
            self._split(job)

    def _split(self, members: Sequence[Member]) -> None:
        self.refused += 1
        if self._splits < 2:
            self._all(members, _SEARCHING)
            return
        self._splits -= 2
        # Depth first: however many are bad, each tick finds some of them for good.
        self.jobs.extendleft(reversed(halves(members)))

    def _failed(self, job: Job, failed: Failed) -> None:
        self._all(job, failed.missing)
        if failed.whole:
            self._fatal = self._fatal or failed.missing
            self.unauthorised = self.unauthorised or failed.unauthorised
        elif failed.telling:
            self._suspect(job, failed.missing)

    def _suspect(self, job: Job, missing: Missing) -> None:
        if isinstance(job, str):
            self._slow[job] = missing
            return
        if len(job) == 1:
            self._slow[job[0].query] = missing
        for member in job:
            self.register.suspect(member.query)

    def _strike(self, query: str, missing: Missing) -> None:
        self.seen[query] = missing
        self.struck += 1
        self.register.strike(query, missing, self.now)

    def _all(self, job: Job, missing: Missing) -> None:
        for query in [job] if isinstance(job, str) else [member.query for member in job]:
            self.seen[query] = missing
