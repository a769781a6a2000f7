"""A signal's readings as text, one word for each run of ticks: `0.2x5 1.0x12 _x3 NaN`.

| word | ticks |
|---|---|
| `0.2` | one of 0.2 |
| `0.2x5` | five of 0.2 |
| `0.2+0.1x5`, `1-0.1x5` | five, from 0.2 up by 0.1 (from 1 down) |
| `_`, `_x3` | no data |
| `NaN`, `Inf`, `-Inf` | no traffic; infinite |
| `SourceDown`, `TimedOutx3` | any other reason for having no number |
"""

import re

from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing, Reading, Seen

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_WORD = re.compile(rf"(?P<what>[+-]?{_NUMBER}|_|[+-]?[A-Za-z]+?)(?P<step>[+-]{_NUMBER})?(?:x(?P<times>\d{{1,6}}))?")
_NAMED = {
    "_": MissingReason.NO_DATA,
    "NaN": MissingReason.NO_TRAFFIC,
    "Inf": MissingReason.INFINITE,
    "+Inf": MissingReason.INFINITE,
    "-Inf": MissingReason.INFINITE,
    **{each.value: each for each in MissingReason},
}


def parse_series(text: str) -> tuple[Seen, ...]:
    """What a signal says at each tick; ValueError names the word that cannot be read."""
    return tuple(seen for word in text.split() for seen in _run(word))


def _run(word: str) -> tuple[Seen, ...]:
    match = _WORD.fullmatch(word)
    if match is None:
        raise ValueError(f"{word!r} is no reading: write a number, _, NaN or a reason, and x5 for five ticks of it")
    what, step, times = match["what"], match["step"], int(match["times"] or 1)
    if what[-1].isdigit() or what[-1] == ".":
        first, by = float(what), float(step or 0)
        return tuple(Reading(value=round(first + i * by, 12), at=0.0) for i in range(times))
    if what not in _NAMED or step is not None:
        raise ValueError(f"{word!r} is no reading: write a number, _, NaN or one of {', '.join(MissingReason)}")
    return (Missing(reason=_NAMED[what]),) * times
