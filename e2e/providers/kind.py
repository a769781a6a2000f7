"""A kind cluster, for machines with Docker: the same tests against a kubelet and real pods.

Prometheus runs in the cluster and reads its targets from a folder of this machine that is mounted into the node, so
that a test registers an exporter in the same way as with the local control plane.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from e2e.controlplane.cache import Say
from e2e.controlplane.handle import Controlplane
from e2e.controlplane.kubeconfig import write_private
from e2e.providers.crew import Crew, free_ports
from e2e.providers.files import prometheus_config
from e2e.providers.parts import Part
from e2e.providers.provider import NotToBeHad

NODE_TARGETS = "/brownout/targets"
TOKEN_SECONDS = "86400s"
MANIFEST = Path(__file__).with_name("kind-prometheus.yaml")
_NEEDED = {"docker": "Docker", "kind": "kind", "kubectl": "kubectl"}


def cluster_config(targets: Path, name: str) -> str:
    """kind's configuration: one node, the targets' folder mounted into it."""
    mount = {"hostPath": str(targets), "containerPath": NODE_TARGETS, "readOnly": True}
    config = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": name,
        "nodes": [{"role": "control-plane", "extraMounts": [mount]}],
    }
    return yaml.safe_dump(config, sort_keys=False)


def prometheus_manifests() -> Sequence[Mapping[str, object]]:
    """Namespace, configuration and Deployment of a Prometheus that looks into the mounted folder."""
    objects = list(yaml.safe_load_all(MANIFEST.read_text()))
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "prometheus", "namespace": "brownout-e2e"},
        "data": {"prometheus.yml": prometheus_config(NODE_TARGETS)},
    }
    return [objects[0], config, *objects[1:]]


def port_forward(port: int, kubeconfig: str) -> Part:
    """The process through which this machine reaches the cluster's Prometheus."""
    words = ("-n", "brownout-e2e", "port-forward", "--address=127.0.0.1", "deployment/prometheus", f"{port}:9090")
    return Part(
        name="prometheus",
        argv=("kubectl", f"--kubeconfig={kubeconfig}", *words),
        ready=f"http://127.0.0.1:{port}/-/ready",
    )


class Kind:
    """One cluster per run, named after the process, deleted at the end."""

    def __init__(self) -> None:
        self._name = f"brownout-{os.getpid()}"
        self._folder = Path()
        self._crew: Crew | None = None
        self._forward: Part | None = None

    def prepare(self, say: Say) -> None:
        missing = [text for command, text in _NEEDED.items() if not shutil.which(command)]
        if missing:
            raise NotToBeHad(f"E2E_PROVIDER=kind needs {', '.join(missing)} on the PATH; or leave E2E_PROVIDER unset")
        if subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=30).returncode:
            raise NotToBeHad("E2E_PROVIDER=kind: `docker info` fails, so Docker does not run; or leave it unset")

    def boot(self, folder: Path, say: Say) -> Controlplane:
        self._folder, targets = folder, folder / "targets"
        targets.mkdir()
        (folder / "kind.yaml").write_text(cluster_config(targets, self._name))
        say(f"kind creates the cluster {self._name} (about a minute; the first time it fetches its image)")
        kubeconfig = str(folder / "kind.kubeconfig")
        self._command(
            "kind", "create", "cluster", f"--config={folder / 'kind.yaml'}", f"--kubeconfig={kubeconfig}", "--wait=120s"
        )
        self._kubectl("apply", "-f", "-", given=yaml.safe_dump_all(prometheus_manifests()))
        self._kubectl("-n", "brownout-e2e", "rollout", "status", "deployment/prometheus", "--timeout=180s")
        ca, server, admin = self._administrator()
        self._crew = Crew(folder)
        self._forward = port_forward(free_ports(1)[0], kubeconfig)
        self.start("prometheus")
        return Controlplane(
            folder=folder,
            kubeconfig=admin,
            server=server,
            ca=ca,
            kubectl=Path(shutil.which("kubectl") or "kubectl"),
            promtool=Path(found) if (found := shutil.which("promtool")) else None,
            prometheus_url=self._forward.ready.removesuffix("/-/ready"),
            targets=targets,
            exporter_host=self._gateway(),
            audit_log=None,
            control=folder / "control",
        )

    def stop(self, part: str) -> None:
        if part == "kube-apiserver":
            self._command("docker", "pause", f"{self._name}-control-plane")
        elif part == "prometheus" and self._crew:
            self._crew.stop(part)
        else:
            raise KeyError(part)

    def start(self, part: str) -> None:
        if part == "kube-apiserver":
            self._command("docker", "unpause", f"{self._name}-control-plane")
        elif part == "prometheus" and self._crew and self._forward:
            self._crew.start(self._forward)
            self._crew.wait(self._forward)
        else:
            raise KeyError(part)

    def pids(self) -> Mapping[str, int]:
        return self._crew.pids() if self._crew else {}

    def fallen(self) -> Sequence[str]:
        return self._crew.fallen() if self._crew else []

    def close(self) -> None:
        if self._crew:
            self._crew.stop_all()
        if (self._folder / "kind.yaml").exists():
            subprocess.run(
                ["kind", "delete", "cluster", f"--name={self._name}"], capture_output=True, check=False, timeout=120
            )

    def _administrator(self) -> tuple[Path, str, Path]:
        """kind's own kubeconfig has a client certificate; the tests speak with a token, as with any cluster."""
        self._kubectl("-n", "brownout-e2e", "create", "serviceaccount", "admin")
        binding = ("clusterrolebinding", "brownout-e2e-admin", "--clusterrole=cluster-admin")
        self._kubectl("create", *binding, "--serviceaccount=brownout-e2e:admin")
        token = self._kubectl("-n", "brownout-e2e", "create", "token", "admin", f"--duration={TOKEN_SECONDS}").strip()
        config = json.loads(self._kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        cluster = config["clusters"][0]["cluster"]
        config["users"][0]["user"] = {"token": token}
        ca = self._folder / "ca.crt"
        ca.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        return ca, str(cluster["server"]), write_private(self._folder / "kubeconfig", json.dumps(config, indent=2))

    def _gateway(self) -> str:
        """This machine's address as kind's network sees it."""
        told = self._command("docker", "network", "inspect", "kind")
        configs = json.loads(told)[0]["IPAM"]["Config"]
        return next(str(c["Gateway"]) for c in configs if "." in c.get("Gateway", ""))

    def _kubectl(self, *words: str, given: str | None = None) -> str:
        return self._command("kubectl", f"--kubeconfig={self._folder / 'kind.kubeconfig'}", *words, given=given)

    def _command(self, *words: str, given: str | None = None) -> str:
        try:
            done = subprocess.run(words, input=given, capture_output=True, text=True, check=False, timeout=600)
        except subprocess.TimeoutExpired as refusal:
            raise NotToBeHad(f"`{' '.join(words)}` took longer than 10 minutes") from refusal
        if done.returncode:
            raise NotToBeHad(f"`{' '.join(words)}` failed: {done.stderr.strip()[-2000:]}")
        return done.stdout
