"""What a Prometheus said, as a value: parsing of HTTP answers, pure.

The important question is whose fault a failure is: a query's (`Refused`: the others may still be asked) or the
source's (`Failed`).
"""

import json
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing

TEXT = 400
"""Longest piece of a source's own words that is passed on, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A query's result: `kind` is Prometheus' resultType, `value` its result as decoded JSON."""

    kind: str
    value: list[Any]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The source works, but not for this query (BadQuery), or the answer is beyond the cap (TooLarge)."""

    message: str
    reason: MissingReason = MissingReason.BAD_QUERY

    def missing(self) -> Missing:
        return Missing(reason=self.reason, message=self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No answer.

    `whole`: nothing else needs to be asked now. Otherwise the query may have been too much for the source, and
    `telling` says whether this speaks against the query: it was really asked, and had time enough.
    """

    missing: Missing
    whole: bool = True
    telling: bool = True
    unauthorised: bool = False


Answer: TypeAlias = Result | Refused | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """An HTTP answer as it came."""

    status: int
    body: bytes = b""
    content_type: str = ""
    fields: dict[str, Any] | None = None
    """The body as a JSON object, if it is one."""


def down(message: str, *, unauthorised: bool = False) -> Failed:
    """The source as a whole does not answer."""
    return Failed(missing=Missing(reason=MissingReason.SOURCE_DOWN, message=message), unauthorised=unauthorised)


def broke(message: str) -> Failed:
    """An answer that began and broke, or never came: this request's fault or the source's, nobody knows yet."""
    return Failed(missing=Missing(reason=MissingReason.SOURCE_DOWN, message=message), whole=False)


def late(message: str, *, telling: bool = True) -> Failed:
    """No answer in time: the query's fault or the source's, nobody knows yet."""
    missing = Missing(reason=MissingReason.TIMED_OUT, message=message)
    return Failed(missing=missing, whole=False, telling=telling)


LATE = late("no answer within spec.timeout")
"""Without the seconds that were left: a message that differs at each tick would be news at each tick."""


def garbled(message: str) -> Failed:
    return Failed(missing=Missing(reason=MissingReason.BAD_ANSWER, message=message))


def too_large(cap: int) -> Refused:
    return Refused(reason=MissingReason.TOO_LARGE, message=f"the answer is larger than {cap} bytes: aggregate it")


def raw(status: int, body: bytes, content_type: str = "") -> Raw:
    """An HTTP answer with its body decoded, if that is a JSON object."""
    return Raw(status=status, body=body, content_type=content_type, fields=_fields(body))


def decode(answer: Raw) -> Answer:
    """The meaning of an answer from `/api/v1/query`."""
    if answer.status == 200 and answer.fields is not None:
        return _success(answer.fields) if answer.fields.get("status") == "success" else _error(answer)
    return _by_status(answer)


def _by_status(answer: Raw) -> Answer:
    code = answer.status
    if 300 <= code < 400:
        return down(f"answers with a redirect (HTTP {code}): write the final address in spec.url")
    if code in (401, 403):
        return down(f"refuses our credentials (HTTP {code}): see spec.auth and spec.tenant", unauthorised=True)
    if code == 413:
        return Refused(reason=MissingReason.TOO_LARGE, message="the query is too long for the source (HTTP 413)")
    if code in (404, 405):
        return down(f"HTTP {code}: there is no Prometheus API at this address; does spec.url lack a path?")
    if code == 429:
        return down("asks us to slow down (HTTP 429)")
    if answer.fields is not None and answer.fields.get("status") == "error":
        return _error(answer)
    if code >= 500:
        return broke(f"HTTP {code}")
    return garbled(f"HTTP {code}, but not as a Prometheus answers ({_type(answer)}): is spec.url a Prometheus?")


def _error(answer: Raw) -> Answer:
    """`status: error`, which some proxies send with HTTP 200."""
    fields = answer.fields or {}
    kind, text = str(fields.get("errorType", "")), str(fields.get("error", ""))[:TEXT]
    if kind in ("timeout", "canceled"):
        return late(f"the source gave up: {text}")
    if kind in ("bad_data", "execution") or answer.status in (400, 422):
        return Refused(message=text or f"refused without a reason (HTTP {answer.status})")
    if answer.status >= 500 or kind:
        return broke(f"HTTP {answer.status}: {kind}: {text}")
    return garbled("the answer is JSON, but no Prometheus answer: is spec.url a Prometheus?")


def _success(fields: dict[str, Any]) -> Answer:
    data = fields.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("resultType"), str):
        return garbled("the answer holds no resultType: is spec.url a Prometheus?")
    if not isinstance(data.get("result"), list):
        return garbled("the answer holds no list of results: is spec.url a Prometheus?")
    warnings = fields.get("warnings")
    texts = tuple(str(text)[:TEXT] for text in warnings[:10]) if isinstance(warnings, list) else ()
    return Result(kind=data["resultType"], value=data["result"], warnings=texts)


def _fields(body: bytes) -> dict[str, Any] | None:
    try:
        decoded = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _type(answer: Raw) -> str:
    # The body is not repeated: an error page may echo our Authorization header.
    return answer.content_type[:60] or f"{len(answer.body)} bytes without a type"
