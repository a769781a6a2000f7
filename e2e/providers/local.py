"""A control plane of real processes on this machine, without a container engine."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from e2e.controlplane.api import Answer, Api
from e2e.controlplane.build import build
from e2e.controlplane.cache import Say
from e2e.controlplane.handle import Controlplane
from e2e.controlplane.kubeconfig import write_kubeconfig
from e2e.providers import parts
from e2e.providers.crew import Crew, free_ports
from e2e.providers.files import USERS, node, placing, pod, write_files
from e2e.providers.parts import Layout, Part, Ports
from e2e.providers.provider import NotToBeHad


class Local:
    """etcd, kube-apiserver, kube-controller-manager, kwok and Prometheus, each a process on loopback."""

    def __init__(self) -> None:
        self._crew: Crew | None = None
        self._parts: dict[str, Part] = {}

    def prepare(self, say: Say) -> None:
        build(say)

    def boot(self, folder: Path, say: Say) -> Controlplane:
        tools, at, ports = build(say), Layout(folder), Ports.of(free_ports(6))
        tokens = write_files(at, tools["stages"])
        self._crew = crew = Crew(folder)
        makers = (parts.etcd, parts.prometheus, parts.apiserver, parts.controllers, parts.kwok)
        etcd, prometheus, apiserver, *rest = made = [maker(tools, at, ports) for maker in makers]
        self._parts = {part.name: part for part in made}
        crew.start(prometheus)
        _start_one_by_one(crew, etcd, apiserver)
        server = apiserver.ready.removesuffix("/readyz")
        for user in USERS:
            write_kubeconfig(at.kubeconfig(user), server=server, ca=at.ca, token=tokens[user])
        for part in rest:
            crew.start(part)
        for part in (prometheus, *rest):
            crew.wait(part)
        _add_node(Api(server=server, ca=at.ca, token=tokens["admin"]))
        return Controlplane(
            folder=folder,
            kubeconfig=at.kubeconfig("admin"),
            server=server,
            ca=at.ca,
            kubectl=tools["kubectl"],
            promtool=tools["promtool"],
            prometheus_url=prometheus.ready.removesuffix("/-/ready"),
            targets=at.targets,
            exporter_host="127.0.0.1",
            audit_log=at.audit_log,
            control=folder / "control",
        )

    def stop(self, part: str) -> None:
        self._running.stop(self._parts[part].name)

    def start(self, part: str) -> None:
        _start_one_by_one(self._running, self._parts[part])

    def pids(self) -> Mapping[str, int]:
        return self._running.pids()

    def fallen(self) -> Sequence[str]:
        return self._running.fallen()

    def close(self) -> None:
        if self._crew:
            self._crew.stop_all()

    @property
    def _running(self) -> Crew:
        if self._crew is None:
            raise NotToBeHad("the control plane has not been booted")
        return self._crew


def _start_one_by_one(crew: Crew, *several: Part) -> None:
    for part in several:
        crew.start(part)
        crew.wait(part)


def _add_node(api: Api) -> None:
    """A Ready node, and every new pod on it."""
    api.post("/api/v1/nodes", node())
    for path, item in placing():
        api.post(path, item)
    path = f"/api/v1/nodes/{parts.KWOK_NODE}"
    _until(lambda: _is_ready(api.get(path)), "kwok did not make its node Ready in 30 s")
    _until(lambda: _is_placed(api), "the API server did not begin to place pods in 30 s")


def _is_ready(answer: Answer) -> bool:
    conditions = answer.body.get("status", {}).get("conditions", []) if answer.status == 200 else []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _is_placed(api: Api) -> bool:
    answer = api.post("/api/v1/namespaces/default/pods?dryRun=All", pod("probe"))
    return answer.status == 201 and "nodeName" in answer.body["spec"]


def _until(true: Callable[[], bool], otherwise: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise NotToBeHad(otherwise)
        time.sleep(0.05)
