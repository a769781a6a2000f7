"""The one door to Prometheus: blocking, one request at a time, never longer than asked, never a surprise.

prometheus-api-client brings the session; what its own calls do (the query in the URL, retries that block for seconds,
followed redirects, lost warnings and result types, no deadline) is replaced here.
"""

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import requests
import urllib3
from prometheus_api_client.prometheus_connect import PrometheusConnect
from requests.adapters import HTTPAdapter

from brownout.api.source import SourceSpec
from brownout.observe.access import Access, Unreadable, token_from, trust
from brownout.observe.answer import LATE, Failed, Raw, Refused, broke, down, raw, too_large
from brownout.observe.cut import CUTTABLE, Cut

CONNECT = 3.0
"""Longest wait for a connection, in seconds: within a cluster it takes milliseconds or does not come."""
_PIECE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: `fields` go in a form by POST; without any it is a GET. `cap` bounds the answer, in bytes."""

    path: str
    fields: tuple[tuple[str, str], ...] = ()
    cap: int


class _Adapter(HTTPAdapter):
    """Keeps `size` connections, verifies against one context, and lets each request be cut."""

    def __init__(self, size: int, context: ssl.SSLContext, server_name: str | None) -> None:
        self._context, self._server_name = context, server_name
        super().__init__(pool_connections=1, pool_maxsize=size, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **_: object) -> None:
        self.poolmanager = urllib3.PoolManager(
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=self._context,
            server_hostname=self._server_name,
        )
        self.poolmanager.pool_classes_by_scheme = CUTTABLE

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Nothing: requests would add its own bundle to the context's CA here."""


class PrometheusClient(PrometheusConnect):
    """Blocking requests to one source. Safe for several threads."""

    def __init__(self, spec: SourceSpec, access: Access, monotonic: Callable[[], float]) -> None:
        base = spec.url.rstrip("/")
        session = requests.Session()
        # Otherwise .netrc, proxies and CA bundles of the environment would take part.
        session.trust_env = False
        super().__init__(url=base, session=session)
        server_name = spec.tls.server_name if spec.tls else None
        session.mount(base, _Adapter(spec.max_connections, trust(access.ca), server_name))
        self._spec, self._access, self._monotonic = spec, access, monotonic

    def ask(self, call: Call, seconds: float, cut: Cut) -> Raw | Refused | Failed:
        """The HTTP answer, or why there is none, at most about `seconds` later; `cut` ends it at once."""
        headers = self._headers()
        if isinstance(headers, Unreadable):
            return down(headers.message)
        try:
            with cut:
                answer = self._send(call, headers, seconds)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            # requests' own exceptions are OSErrors.
            return _why(error)
        return answer if isinstance(answer, Refused | Failed) else self._redacted(answer, headers)

    def _send(self, call: Call, headers: dict[str, str], seconds: float) -> Raw | Refused | Failed:
        end = self._monotonic() + seconds
        body = urlencode(call.fields, errors="replace").encode("ascii") if call.fields else None
        response = self._session.request(
            "POST" if body else "GET",
            self.url + call.path,
            data=body,
            headers=headers,
            timeout=(min(CONNECT, seconds), seconds),
            stream=True,
            allow_redirects=False,
        )
        with response:
            content = self._read(response, call.cap, end)
        if not isinstance(content, bytes):
            return content or LATE
        return raw(response.status_code, content, response.headers.get("Content-Type", ""))

    def _read(self, response: requests.Response, cap: int, end: float) -> bytes | Refused | None:
        """The whole body; None when the time is up."""
        pieces, size = [], 0
        while piece := response.raw.read1(_PIECE, decode_content=False):
            pieces.append(piece)
            size += len(piece)
            if size > cap:
                return too_large(cap)
            if self._monotonic() > end:
                return None
        return b"".join(pieces)

    def _headers(self) -> dict[str, str] | Unreadable:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "brownout",
        }
        spec = self._spec
        if spec.tenant:
            headers[spec.tenant.header] = spec.tenant.value
        authorization: str | Unreadable | None = self._access.authorization
        if spec.auth and spec.auth.token_file:
            # At each request: the kubelet replaces a projected token without telling.
            authorization = token_from(spec.auth.token_file)
        if isinstance(authorization, Unreadable):
            return authorization
        if authorization:
            headers["Authorization"] = authorization
        return headers

    @staticmethod
    def _redacted(answer: Raw, headers: dict[str, str]) -> Raw:
        """An error that repeats our credentials loses them; a result stays as it is, to the last digit."""
        secret = headers.get("Authorization", "").partition(" ")[2].encode("latin-1")
        if not secret or (answer.fields is not None and answer.fields.get("status") == "success"):
            return answer
        return raw(answer.status, answer.body.replace(secret, b"..."), answer.content_type)


def _why(error: Exception) -> Failed:
    """A transport failure in words. Never an exception's own text from the outside: it may hold URLs and headers."""
    if isinstance(error, requests.ConnectTimeout):
        return down("no connection: it is not there, or something drops our packets")
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return LATE
    root = _root(error)
    if isinstance(root, TimeoutError):
        return LATE
    if isinstance(root, ssl.SSLCertVerificationError):
        return down(f"TLS: {root.verify_message}: see spec.tls")
    if isinstance(root, ssl.SSLError):
        return down(f"TLS: {root.reason or type(root).__name__}")
    if isinstance(root, OSError) and root.strerror and not isinstance(root, ConnectionResetError):
        return down(root.strerror)
    return broke(f"the connection broke ({type(root).__name__})")


def _root(error: BaseException) -> BaseException:
    """The innermost cause: requests and urllib3 wrap it several times, in several ways."""
    for _ in range(10):
        inner = getattr(error, "reason", None) if not isinstance(error, OSError) else None
        if not isinstance(inner, BaseException):
            inner = next((part for part in reversed(error.args) if isinstance(part, BaseException)), None)
        inner = inner or error.__cause__
        if inner is None:
            return error
        error = inner
    return error
