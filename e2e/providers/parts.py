"""The command line of each part of the local control plane. Pure: paths and ports in, words out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

KWOK_NODE = "kwok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A process: its words, and the address that answers 200 once it works."""

    name: str
    argv: tuple[str, ...]
    ready: str
    ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    etcd: int
    etcd_peer: int
    apiserver: int
    controllers: int
    kwok: int
    prometheus: int

    @classmethod
    def of(cls, numbers: Sequence[int]) -> Self:
        """One number for each, in the order of the fields."""
        names = [field.name for field in fields(cls)]
        return cls(**dict(zip(names, numbers, strict=True)))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each file of a control plane is, in its folder."""

    folder: Path

    @property
    def certificates(self) -> Path:
        return self.folder / "certificates"

    @property
    def ca(self) -> Path:
        """The API server signs itself: its certificate is followed by the authority's in this file."""
        return self.certificates / "apiserver.crt"

    @property
    def key(self) -> Path:
        return self.certificates / "apiserver.key"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        return self.folder / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    @property
    def prometheus_config(self) -> Path:
        return self.folder / "prometheus.yml"

    @property
    def targets(self) -> Path:
        return self.folder / "targets"

    @property
    def stages(self) -> Path:
        return self.folder / "stages.yaml"

    def kubeconfig(self, user: str) -> Path:
        return self.folder / ("kubeconfig" if user == "admin" else f"{user}.kubeconfig")

    def data(self, part: str) -> Path:
        return self.folder / "data" / part

    def log(self, part: str) -> Path:
        return self.folder / f"{part}.log"


def etcd(tools: Mapping[str, Path], at: Layout, ports: Ports) -> Part:
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    return Part(
        name="etcd",
        ready=f"{client}/health",
        argv=(
            str(tools["etcd"]),
            f"--data-dir={at.data('etcd')}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
    )


def apiserver(tools: Mapping[str, Path], at: Layout, ports: Ports) -> Part:
    return Part(
        name="kube-apiserver",
        ready=f"https://127.0.0.1:{ports.apiserver}/readyz",
        ca=at.ca,
        argv=(
            str(tools["kube-apiserver"]),
            f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={ports.apiserver}",
            # Without a network there is no other address to advertise, and nobody looks for it.
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={at.certificates}",
            f"--service-account-key-file={at.key}",
            f"--service-account-signing-key-file={at.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={at.tokens}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            # Its pods would each wait for a token that no kubelet mounts.
            "--disable-admission-plugins=ServiceAccount",
            "--event-ttl=1h",
            f"--audit-policy-file={at.audit_policy}",
            f"--audit-log-path={at.audit_log}",
        ),
    )


def controllers(tools: Mapping[str, Path], at: Layout, ports: Ports) -> Part:
    name, own = "kube-controller-manager", at.data("kube-controller-manager")
    return Part(
        name=name,
        ready=f"https://127.0.0.1:{ports.controllers}/healthz",
        ca=own / f"{name}.crt",
        argv=(
            str(tools[name]),
            f"--kubeconfig={at.kubeconfig(name)}",
            f"--service-account-private-key-file={at.key}",
            "--use-service-account-credentials=false",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={ports.controllers}",
            f"--cert-dir={own}",
            "--horizontal-pod-autoscaler-sync-period=5s",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ),
    )


def kwok(tools: Mapping[str, Path], at: Layout, ports: Ports) -> Part:
    return Part(
        name="kwok",
        ready=f"http://127.0.0.1:{ports.kwok}/healthz",
        argv=(
            str(tools["kwok"]),
            f"--kubeconfig={at.kubeconfig('kwok')}",
            f"--config={at.stages}",
            "--manage-all-nodes=true",
            "--node-ip=127.0.0.1",
            f"--server-address=127.0.0.1:{ports.kwok}",
        ),
    )


def prometheus(tools: Mapping[str, Path], at: Layout, ports: Ports) -> Part:
    return Part(
        name="prometheus",
        ready=f"http://127.0.0.1:{ports.prometheus}/-/ready",
        argv=(
            str(tools["prometheus"]),
            f"--config.file={at.prometheus_config}",
            f"--storage.tsdb.path={at.data('prometheus')}",
            # A killed one leaves its lock behind and would not come back.
            "--storage.tsdb.no-lockfile",
            f"--web.listen-address=127.0.0.1:{ports.prometheus}",
            "--scrape.discovery-reload-interval=1s",
            "--log.level=warn",
        ),
    )
