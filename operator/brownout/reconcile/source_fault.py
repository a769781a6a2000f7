"""When many signals of one source go at once, it is the source's fault and not that of each query. Pure."""

from collections.abc import Mapping

from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing, Seen

FEWEST = 4
"""Fewer signals than this going without data is no evidence against a source that answers."""
_THE_SOURCE = frozenset({MissingReason.SOURCE_DOWN, MissingReason.SOURCE_MISSING, MissingReason.TIMED_OUT})


class Fault:
    """Follows one source from tick to tick. `sentence` is "" while it is not at fault."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._gave: frozenset[str] = frozenset()
        self.sentence = ""

    def observe(self, seen: Mapping[str, Seen]) -> None:
        """Takes in one tick: what each distinct query answered."""
        missing = {query: each for query, each in seen.items() if isinstance(each, Missing) and not _idle(each)}
        half = len(seen) / 2
        unreached = [each for each in missing.values() if each.reason in _THE_SOURCE]
        vanished = [query for query in missing if query in self._gave]
        if len(unreached) > half:
            self.sentence = unreached[0].message
        elif len(vanished) > half and len(seen) >= FEWEST:
            self.sentence = (
                f"source {self._source} answers, but {len(vanished)} of {len(seen)} signals are gone at once:"
                " it may have lost its data"
            )
        elif len(missing) <= half:
            self.sentence = ""
        self._gave = frozenset(seen.keys() - missing.keys())


def _idle(missing: Missing) -> bool:
    """No traffic is an answer: that of every service at night."""
    return missing.reason is MissingReason.NO_TRAFFIC
