"""How the operator is told to run: flags, each also from a BROWNOUT_* variable; a flag wins."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that `brownout run` can be told."""

    kubeconfig: str | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()
    """The only ones to act in; all if empty."""
    operator_namespace: str = "default"
    """Where the Secrets of sources are read."""
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9095
    give_back_per_minute: int = 300
    """Targets over all policies; 0 is without limit."""
    log_format: str = "text"
    instance: str = "brownout"
    """This process in events, such as its pod's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flag:
    name: str
    metavar: str
    default: str
    text: str

    @property
    def variable(self) -> str:
        return "BROWNOUT_" + self.name.removeprefix("--").replace("-", "_").upper()


FLAGS = (
    _Flag(
        name="--kubeconfig",
        metavar="FILE",
        default="",
        text="kubeconfig to use; else $KUBECONFIG, the pod's service account, ~/.kube/config",
    ),
    _Flag(name="--context", metavar="NAME", default="", text="context of the kubeconfig; else its current one"),
    _Flag(
        name="--operator-namespace",
        metavar="NAME",
        default="",
        text="namespace of the Secrets that sources name; else the pod's own, else default",
    ),
    _Flag(
        name="--metrics-address",
        metavar="HOST:PORT",
        default="127.0.0.1:9095",
        text="where /livez, /readyz, /metrics and /policies are served; port 0 takes a free one",
    ),
    _Flag(
        name="--give-back-per-minute",
        metavar="N",
        default="300",
        text="targets given back per minute over all policies, the most vital first; 0 is without limit",
    ),
    _Flag(name="--log-format", metavar="FORMAT", default="text", text="text or json"),
    _Flag(name="--instance", metavar="NAME", default="", text="name of this process in events; else $HOSTNAME"),
)
NAMESPACE = "--namespace"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `brownout run`."""
    parser.add_argument(
        NAMESPACE,
        metavar="NAME",
        action="append",
        default=None,
        help="act in this namespace only; may be repeated (default: all) [BROWNOUT_NAMESPACE, separated by commas]",
    )
    for flag in FLAGS:
        shown = f" (default: {flag.default})" if flag.default else ""
        parser.add_argument(flag.name, metavar=flag.metavar, help=f"{flag.text}{shown} [{flag.variable}]")


def settings_from(args: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """From flags and variables; ValueError says which value cannot be used and what to write instead."""
    told = {flag.name: _told(flag, args, environ) for flag in FLAGS}
    host, port = _address(told["--metrics-address"])
    namespaces = args.namespace if args.namespace is not None else _list(environ.get("BROWNOUT_NAMESPACE", ""))
    if told["--log-format"] not in FORMATS:
        raise ValueError(f"--log-format {told['--log-format']}: write text or json")
    return Settings(
        kubeconfig=told["--kubeconfig"] or None,
        context=told["--context"] or None,
        namespaces=tuple(dict.fromkeys(namespaces)),
        operator_namespace=told["--operator-namespace"] or _own_namespace(),
        metrics_host=host,
        metrics_port=port,
        give_back_per_minute=_count(told["--give-back-per-minute"]),
        log_format=told["--log-format"],
        instance=told["--instance"] or environ.get("HOSTNAME", "") or "brownout",
    )


def _told(flag: _Flag, args: argparse.Namespace, environ: Mapping[str, str]) -> str:
    given = getattr(args, flag.name.removeprefix("--").replace("-", "_"))
    return str(given) if given is not None else environ.get(flag.variable, flag.default)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535 or not host:
        raise ValueError(f"--metrics-address {text}: write a host and a port, such as 127.0.0.1:9095")
    return host.strip("[]"), int(port)


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"--give-back-per-minute {text}: write a whole number of targets, 0 for no limit")
    return int(text)


def _own_namespace() -> str:
    try:
        return POD_NAMESPACE.read_text().strip() or "default"
    except OSError:
        return "default"
