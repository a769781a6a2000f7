"""What a test, the demo or a person holds of a running control plane."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from e2e.controlplane.api import Api
from e2e.controlplane.kubeconfig import write_kubeconfig, write_private

VARIABLE = "BROWNOUT_E2E"
_TEXTS = {"server", "prometheus_url", "exporter_host"}


class PartRefused(Exception):
    """A part of the control plane could not be stopped or started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlplane:
    """A running control plane; the same in every process, since the file `$BROWNOUT_E2E` holds it whole."""

    folder: Path
    kubeconfig: Path
    server: str
    ca: Path
    kubectl: Path
    promtool: Path | None
    prometheus_url: str
    targets: Path
    """Prometheus reads scrape targets from the `*.json` files in this folder (file_sd)."""
    exporter_host: str
    """The address on which Prometheus reaches this machine."""
    audit_log: Path | None
    control: Path

    @classmethod
    def here(cls) -> Self | None:
        """The control plane that `python -m e2e.controlplane -- CMD` gave to this process, if there is one."""
        told = os.environ.get(VARIABLE)
        return cls.read(Path(told)) if told else None

    @classmethod
    def read(cls, file: Path) -> Self:
        """Raises KeyError if the file is not one of `write`'s."""
        said = json.loads(file.read_text())
        values: dict[str, Any] = {field.name: said[field.name] for field in fields(cls)}
        paths = {n: Path(v) for n, v in values.items() if v is not None and n not in _TEXTS}
        return cls(**{**values, **paths})

    def write(self, pids: Mapping[str, int]) -> Path:
        """Writes `controlplane.json` into the folder, with the process id of each part as first started."""
        return write_private(self.file, json.dumps({**asdict(self), "pids": pids}, default=str, indent=2) + "\n")

    @property
    def file(self) -> Path:
        return self.folder / "controlplane.json"

    def environment(self) -> dict[str, str]:
        """This process's environment with KUBECONFIG, BROWNOUT_E2E and our kubectl and promtool first."""
        own = {"KUBECONFIG": str(self.kubeconfig), VARIABLE: str(self.file)}
        return {**os.environ, **own, "PATH": os.pathsep.join([*self.tools(), os.environ.get("PATH", "")])}

    def tools(self) -> list[str]:
        """The folders of kubectl and promtool, for a PATH."""
        return [str(tool.parent) for tool in (self.kubectl, self.promtool) if tool]

    def admin_token(self) -> str:
        user = json.loads(self.kubeconfig.read_text())["users"][0]["user"]
        return str(user["token"])

    def api(self, token: str | None = None) -> Api:
        """Raw HTTP as the administrator, or as whoever the token belongs to."""
        return Api(server=self.server, ca=self.ca, token=token or self.admin_token())

    def kubeconfig_for(self, token: str, path: Path, namespace: str = "default") -> Path:
        """Writes a kubeconfig for another user, for instance a ServiceAccount's token."""
        return write_kubeconfig(path, server=self.server, ca=self.ca, token=token, namespace=namespace)

    def stop_prometheus(self) -> None:
        """Kills it, as a crash would. Its port stays refused until `start_prometheus`."""
        self.ask("stop prometheus")

    def start_prometheus(self) -> None:
        """Same address, same data; returns when it answers."""
        self.ask("start prometheus")

    def stop_apiserver(self) -> None:
        """Kills it, as a crash would."""
        self.ask("stop kube-apiserver")

    def start_apiserver(self) -> None:
        """Same address, same data; returns when `/readyz` says ok."""
        self.ask("start kube-apiserver")

    def pids(self) -> dict[str, int]:
        """The running parts, by name, as of now."""
        return {str(name): int(pid) for name, pid in json.loads(self.ask("pids")).items()}

    def ask(self, request: str) -> str:
        """One line to the supervisor, one line back; raises PartRefused with its words."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(90)
            line.connect(str(self.control))
            line.sendall(request.encode() + b"\n")
            with line.makefile() as answers:
                answer = answers.readline().strip()
        verdict, _, text = answer.partition(" ")
        if verdict != "ok":
            raise PartRefused(text or "the supervisor gave no answer")
        return text
