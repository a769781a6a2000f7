"""PrometheusSource: where signals are read, written by platform admins; policies name one, never a URL."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from brownout.api.base import Duration, lasts, model
from brownout.api.rules import Rule
from brownout.api.status import KEYED_BY_TYPE, Condition, Time, Word
from brownout.api.texts import FILE, HEADER, HOST, PRINTABLE, DataKey, ObjectName, Whole

URL = (
    r"^https?://"
    r"([A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])"
    r"(:[0-9]{1,5})?"
    r"(/[-A-Za-z0-9._~%!$&'()*+,;=:@/]*)?$"
)
_URL = re.compile(URL)


@model()
class SecretKey:
    """One key of a Secret in the operator's own namespace."""

    name: ObjectName
    """Name of the Secret."""
    key: DataKey
    """Key below its `data`."""


@model()
class BasicAuth:
    """A user and a password, from Secrets."""

    username: SecretKey
    """Where the user's name is."""
    password: SecretKey
    """Where the password is."""


@model(
    rules=[
        Rule(
            says="write exactly one of bearer, basic and tokenFile",
            cel="[has(self.bearer), has(self.basic), has(self.tokenFile)].exists_one(set, set)",
            holds=lambda auth: [auth.bearer, auth.basic, auth.token_file].count(None) == 2,
        )
    ]
)
class Auth:
    """How the operator shows who it is: exactly one of bearer, basic and tokenFile. Not set: it does not."""

    bearer: SecretKey | None = None
    """A bearer token from a Secret. Example: {name: prometheus-token, key: token}."""
    basic: BasicAuth | None = None
    token_file: Annotated[str, Field(min_length=1, max_length=4096, pattern=FILE)] | None = None
    """A bearer token from a file in the operator's container, such as a projected ServiceAccount token. Example:
    /var/run/secrets/prometheus/token."""


@model()
class Tenant:
    """Whose series are asked for, as a header sent with each query, in a source that keeps several tenants (Mimir,
    Thanos, Cortex)."""

    header: Annotated[str, Field(min_length=1, max_length=64, pattern=HEADER)] = "X-Scope-OrgID"
    """The header that names the tenant. Thanos: THANOS-TENANT."""
    value: Annotated[str, Field(min_length=1, max_length=253, pattern=PRINTABLE)]
    """The tenant's name."""


@model()
class Tls:
    """How the source shows who it is; only with https://. The certificate is always checked, and there is no way to
    turn that off."""

    ca_secret: SecretKey | None = None
    """Certificates of the authorities to trust, PEM, from a Secret; the system's own if not set."""
    server_name: Annotated[str, Field(min_length=1, max_length=253, pattern=HOST)] | None = None
    """The name that its certificate is for, where it is not the URL's host."""


@model(
    rules=[
        Rule(
            says="write http:// or https://, a host, and if need be a port and a path, such as"
            " http://prometheus.monitoring:9090; no user, query or fragment (write auth for a user)",
            cel=f'self.url.matches(r"{URL}")',
            holds=lambda spec: _URL.fullmatch(spec.url) is not None,
            at="url",
        ),
        Rule(
            says="tls needs a URL that starts with https://",
            cel="!has(self.tls) || self.url.startsWith('https://')",
            holds=lambda spec: spec.tls is None or spec.url.startswith("https://"),
            at="tls",
        ),
        lasts("timeout", "100ms", "5m"),
    ]
)
class SourceSpec:
    """Where it is and how to ask it."""

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    """The address below which `/api/v1/query` is. Example: http://prometheus.monitoring:9090, or
    https://mimir.example.com/prometheus. No user, query or fragment. Redirects are not followed."""
    auth: Auth | None = None
    tenant: Tenant | None = None
    tls: Tls | None = None
    timeout: Duration = 10.0
    """How long one batch of queries may take, from 100ms to 5m, whole: a slow drip is cut off. Its signals are then
    Unknown. Default 10s."""
    max_connections: Annotated[Whole, Field(ge=1, le=64)] = 8
    """How many connections are open to it at a time, whatever the number of policies. A Prometheus takes 512 in all by
    default. Default here: 8."""


@model()
class SourceStatus:
    """Whether the source answers."""

    observed_generation: int = 0
    """The generation of the spec that this status is about."""
    version: Word = ""
    """The version that the server gives for itself."""
    checked_at: Time | None = None
    """When it was asked last."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=KEYED_BY_TYPE)] = ()
    """Ready is True when the source answers; else its reason and message say why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceObject:
    """A PrometheusSource as it was loaded: its spec is valid."""

    name: str
    uid: str
    generation: int
    spec: SourceSpec
