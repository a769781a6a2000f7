"""From an HTTP answer, or the lack of one, to an Answer. Pure."""

import json
import os
import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp

from brownout.cluster.port import UNANSWERED, Answer

UNANSWERED_REASON = "Unanswered"
TIMED_OUT = "TimedOut"
_SHOWN = 300
"""Characters of a text answer that a message repeats."""


def answer_of(status: int, headers: Mapping[str, str], data: bytes, where: str) -> Answer:
    """What the server at `where` said.

    A failure's reason and message come from its Status body; a body that is not JSON has the reason `HTTP404` or such.
    A success that is not JSON comes from something else than an API server, and is no answer at all.
    """
    body = _json(data)
    wait = _retry_after(headers, body or {})
    if 200 <= status < 300:
        if body is None:
            return Answer(status=UNANSWERED, reason=UNANSWERED_REASON, message=f"{where} answered, but not with JSON")
        return Answer(status=status, body=body)
    if body is None or body.get("kind") != "Status":
        text = " ".join(data.decode(errors="replace").split())[:_SHOWN]
        return Answer(status=status, reason=f"HTTP{status}", message=text or f"HTTP {status}", retry_after=wait)
    reason, message = str(body.get("reason") or f"HTTP{status}"), str(body.get("message") or "")
    return Answer(status=status, body=body, reason=reason, message=message, retry_after=wait)


def unanswered(error: BaseException, where: str, timeout: float | None) -> Answer:
    """What is said of a request that got no answer: the address, and what failed."""
    reason = TIMED_OUT if isinstance(error, TimeoutError) else UNANSWERED_REASON
    return Answer(status=UNANSWERED, reason=reason, message=f"{where} {_words(error, timeout)}")


def _words(error: BaseException, timeout: float | None) -> str:
    match error:
        case TimeoutError():
            return f"did not answer within {timeout:g} s" if timeout else "did not answer in time"
        case aiohttp.ClientConnectorDNSError():
            return "has a name that cannot be resolved"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError() | ssl.SSLError():
            return f"cannot be trusted: {error}"
        case aiohttp.ClientConnectorError():
            return f"cannot be reached: {_why(error.os_error)}"
        case aiohttp.ServerDisconnectedError():
            return "closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            return "broke off in the middle of its answer"
        case OSError():
            return f"broke the connection: {_why(error)}"
    return f"gave no answer: {type(error).__name__} {error}".rstrip()


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def _json(data: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(data)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _retry_after(headers: Mapping[str, str], body: Mapping[str, Any]) -> float | None:
    """Seconds to wait, from the header or the Status; an HTTP date is not read: no API server sends one."""
    said = headers.get("Retry-After") or (body.get("details") or {}).get("retryAfterSeconds")
    try:
        return max(0.0, float(said)) if said else None
    except (TypeError, ValueError):
        return None
