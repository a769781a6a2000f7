"""What a source needs to be let in: its Secrets and token file. No secret is ever shown or logged."""

import asyncio
import base64
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from brownout.api.source import Auth, SecretKey, SourceSpec

SECRET_TIMEOUT = 10.0
_VALUE = re.compile(r"[\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why something is not to be had, in a sentence."""

    message: str


ReadSecret: TypeAlias = Callable[[str, str], Awaitable[bytes | Unreadable]]
"""(name, key) in the operator's namespace -> the decoded value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The secrets of one source, as read at one time."""

    authorization: str | None = field(default=None, repr=False)
    ca: bytes | None = field(default=None, repr=False)


async def read_access(spec: SourceSpec, read_secret: ReadSecret) -> Access | Unreadable:
    """Reads every Secret that the source names."""
    authorization = await _authorization(spec.auth, read_secret) if spec.auth else None
    if isinstance(authorization, Unreadable):
        return authorization
    ca = await _read(spec.tls.ca_secret, read_secret) if spec.tls and spec.tls.ca_secret else None
    if isinstance(ca, Unreadable):
        return ca
    return _trusted(Access(authorization=authorization, ca=ca))


def bearer(token: bytes, origin: str) -> str | Unreadable:
    """The Authorization header's value; `origin` names where the token is from."""
    text = token.strip().decode("latin-1")
    return f"Bearer {text}" if _VALUE.fullmatch(text) else Unreadable(f"{origin} holds no token of one line")


def token_from(file: str) -> str | Unreadable:
    """The header's value from a token file."""
    try:
        with Path(file).open("rb") as opened:
            return bearer(opened.read(65_536), f"token file {file}")
    except OSError as error:
        return Unreadable(f"token file {file} cannot be read: {error.strerror}")


def trust(ca: bytes | None) -> ssl.SSLContext:
    """Only this CA (PEM), or the system's own where none is named."""
    return ssl.create_default_context(cadata=ca.decode("ascii") if ca is not None else None)


async def _authorization(auth: Auth, read_secret: ReadSecret) -> str | Unreadable | None:
    if auth.bearer is not None:
        token = await _read(auth.bearer, read_secret)
        return token if isinstance(token, Unreadable) else bearer(token, _shown(auth.bearer))
    if auth.basic is None:
        return None
    user = await _read(auth.basic.username, read_secret)
    password = await _read(auth.basic.password, read_secret)
    if isinstance(user, Unreadable):
        return user
    if isinstance(password, Unreadable):
        return password
    pair = user.rstrip(b"\r\n") + b":" + password.rstrip(b"\r\n")
    return "Basic " + base64.b64encode(pair).decode("ascii")


async def _read(secret: SecretKey, read_secret: ReadSecret) -> bytes | Unreadable:
    try:
        async with asyncio.timeout(SECRET_TIMEOUT):
            value = await read_secret(secret.name, secret.key)
    except TimeoutError:
        return Unreadable(f"{_shown(secret)} could not be read within {SECRET_TIMEOUT:g}s")
    if isinstance(value, bytes) and not value.strip():
        return Unreadable(f"{_shown(secret)} is empty")
    return value


def _shown(secret: SecretKey) -> str:
    return f"Secret {secret.name}, key {secret.key},"


def _trusted(access: Access) -> Access | Unreadable:
    try:
        if access.ca is not None:
            trust(access.ca)
    except (ssl.SSLError, ValueError):
        return Unreadable("the Secret of spec.tls.caSecret holds no PEM certificate")
    return access
