"""PrometheusSource: where signals are read, written by platform admins; policies name one, never a URL."""

from typing import Annotated

from pydantic import Field

from brownout.api.base import Duration, model
from brownout.api.status import Condition, Time, Word


@model()
class SecretKey:
    name: Annotated[str, Field(min_length=1, max_length=253)]
    key: Annotated[str, Field(min_length=1, max_length=253)]


@model()
class BasicAuth:
    username: SecretKey
    password: SecretKey


@model()
class Auth:
    bearer: SecretKey | None = None
    basic: BasicAuth | None = None
    token_file: Annotated[str, Field(min_length=1, max_length=4096)] | None = None


@model()
class Tenant:
    header: Annotated[str, Field(min_length=1, max_length=64)] = "X-Scope-OrgID"
    value: Annotated[str, Field(min_length=1, max_length=253)]


@model()
class Tls:
    ca_secret: SecretKey | None = None
    server_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None


@model()
class SourceSpec:
    url: Annotated[str, Field(min_length=1, max_length=2048, pattern=r"^https?://")]
    auth: Auth | None = None
    tenant: Tenant | None = None
    tls: Tls | None = None
    timeout: Duration = 10.0
    max_connections: Annotated[int, Field(ge=1, le=64)] = 8


@model()
class SourceStatus:
    observed_generation: int = 0
    version: Word = ""
    checked_at: Time | None = None
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16)] = ()
