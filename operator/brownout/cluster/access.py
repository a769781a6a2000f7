"""How the API server is reached: a kubeconfig, or the service account of the pod we run in."""

import asyncio
import logging
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException, load_kube_config
from kubernetes.aio.config.incluster_config import InClusterConfigLoader

from brownout.clock import Clock

log = logging.getLogger(__name__)

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
REREAD_AFTER = 60.0
"""Seconds between two readings of a token; the kubelet replaces one at 80% of its life, which is 10 minutes or more."""
READING_TIMEOUT = 30.0
"""Seconds that reading may take: an exec plugin may ask a cloud first."""

_TROUBLE = (ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, AttributeError, KeyError, TimeoutError)
# The loader answers a file that is not a kubeconfig with nearly any of these.


class Unusable(Exception):
    """A kubeconfig or service account that cannot be used. Its text says which and why, for a person to read."""


class Access:
    """Address, TLS and credentials of one API server; tokens are read again once a minute. One for each event loop."""

    def __init__(self, clock: Clock, source: "_Kubeconfig | _ServiceAccount") -> None:
        self._clock = clock
        self._source = source
        self._due = clock.monotonic() + REREAD_AFTER
        self.configuration: Any = Configuration()

    @classmethod
    async def load(
        cls,
        clock: Clock,
        *,
        kubeconfig: str | None = None,
        context: str | None = None,
        environ: Mapping[str, str] = os.environ,
        service_account: Path = SERVICE_ACCOUNT,
    ) -> Self:
        """The first that is there: `kubeconfig`, $KUBECONFIG, the pod's service account, ~/.kube/config.

        Raises Unusable.
        """
        return await cls(clock, _choose(kubeconfig, context, environ, service_account))._first()

    async def again(self) -> Self:
        """The same access, read anew, for another event loop. Raises Unusable."""
        return await type(self)(self._clock, self._source.anew())._first()

    @property
    def host(self) -> str:
        """The address, such as `https://10.0.0.1:443`."""
        return str(self.configuration.host)

    @property
    def root(self) -> str:
        """The path below which the API lives: empty, but for a server behind a proxy."""
        return urlsplit(self.host).path.rstrip("/")

    @property
    def namespace(self) -> str:
        """The namespace that kubectl would use: the context's, or the pod's own; else `default`."""
        return self._source.namespace() or "default"

    def make_tls(self) -> ssl.SSLContext:
        """The TLS settings for a connection of one's own. OSError or ssl.SSLError if their files are not right."""
        context: ssl.SSLContext = RESTClientObject(self.configuration).ssl_context
        return context

    async def authorization(self) -> str | None:
        """The Authorization header to send now."""
        await self.refresh()
        token: str | None = self.configuration.api_key.get("BearerToken")
        return token

    async def refresh(self) -> None:
        """Reads the credentials again if they are a minute old; when that fails the old ones stay."""
        if self._clock.monotonic() < self._due:
            return
        self._due = self._clock.monotonic() + REREAD_AFTER
        try:
            async with asyncio.timeout(READING_TIMEOUT):
                await self._source.fill(self.configuration)
        except _TROUBLE as error:
            log.warning("the credentials from %s cannot be read again, the old ones are kept: %s", self._source, error)

    async def _first(self) -> Self:
        try:
            async with asyncio.timeout(READING_TIMEOUT):
                await self._source.fill(self.configuration)
            self.make_tls()
        except _TROUBLE as error:
            raise Unusable(f"{self._source} cannot be used: {_words(error)}") from error
        if self.host.startswith("https") and not (self.configuration.api_key or self.configuration.cert_file):
            raise Unusable(f"{self._source} cannot be used: it has no token, client certificate or working exec plugin")
        return self


class _Kubeconfig:
    def __init__(self, path: str, context: str | None) -> None:
        self._path = path
        self._context = context
        self._loader: Any = None

    def __str__(self) -> str:
        return f"kubeconfig {self._path}" + (f", context {self._context}" if self._context else "")

    def anew(self) -> "_Kubeconfig":
        return _Kubeconfig(self._path, self._context)

    def namespace(self) -> str:
        return str(self._loader.current_context["context"].get("namespace") or "")

    async def fill(self, configuration: Any) -> None:
        if self._loader is None:
            _require(self._path)
            self._loader = await load_kube_config(self._path, self._context, configuration, persist_config=False)  # type: ignore[no-untyped-call]
        else:
            await self._loader.load_and_set(configuration)


class _ServiceAccount:
    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        token, authority = str(folder / "token"), str(folder / "ca.crt")
        self._folder = folder
        self._environ = environ
        self._loader: Any = InClusterConfigLoader(token, authority, try_refresh_token=False, environ=environ)  # type: ignore[no-untyped-call]

    def __str__(self) -> str:
        return f"service account {self._folder}"

    def anew(self) -> "_ServiceAccount":
        return _ServiceAccount(self._folder, self._environ)

    def namespace(self) -> str:
        try:
            return (self._folder / "namespace").read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    async def fill(self, configuration: Any) -> None:
        self._loader.load_and_set(configuration)


def _require(paths: str) -> None:
    """A list of paths, as in $KUBECONFIG, of which one at least must be there."""
    if not any(Path(path).expanduser().exists() for path in paths.split(os.pathsep) if path):
        raise FileNotFoundError("there is no such file")


def _choose(
    kubeconfig: str | None, context: str | None, environ: Mapping[str, str], service_account: Path
) -> _Kubeconfig | _ServiceAccount:
    path = kubeconfig or environ.get("KUBECONFIG")
    if not path and environ.get("KUBERNETES_SERVICE_HOST") and (service_account / "token").exists():
        return _ServiceAccount(service_account, environ)
    return _Kubeconfig(path or "~/.kube/config", context)


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"reading it took longer than {READING_TIMEOUT:g} s"
    text = " ".join(str(error).split())
    return text if isinstance(error, ConfigException | OSError | yaml.YAMLError) else f"it is malformed ({text})"
