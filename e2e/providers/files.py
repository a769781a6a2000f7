"""The files a local control plane reads, written before it starts."""

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from e2e.controlplane.kubeconfig import write_private
from e2e.providers.parts import KWOK_NODE, Layout

OWN = Path(__file__).parent
USERS = ("admin", "kube-controller-manager", "kwok")
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


def write_files(at: Layout, stages: Path) -> Mapping[str, str]:
    """Everything that is known before the API server has made its certificate. Returns each user's token."""
    for folder in (at.certificates, at.targets, at.data("etcd").parent):
        folder.mkdir(parents=True)
    tokens = {user: secrets.token_hex(16) for user in USERS}
    write_private(at.tokens, "".join(f"{token},{user},{user},system:masters\n" for user, token in tokens.items()))
    at.audit_policy.write_text(json.dumps(_AUDIT_POLICY))
    at.prometheus_config.write_text(prometheus_config(str(at.targets)))
    shutil.copy(stages, at.stages)
    with at.stages.open("a") as file:
        file.write("\n---\n" + (OWN / "pod-complete.yaml").read_text())
    return tokens


def prometheus_config(targets: str) -> str:
    """Scrapes whatever the folder's `*.json` files name, each second, keeping the labels that are exported."""
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": "targets",
                "honor_labels": True,
                "file_sd_configs": [{"files": [f"{targets}/*.json"], "refresh_interval": "1s"}],
            }
        ],
    }
    return json.dumps(config, indent=2) + "\n"


def node() -> Mapping[str, object]:
    """The node on which every pod runs, played by kwok."""
    labels = {"kubernetes.io/hostname": KWOK_NODE, "kubernetes.io/os": "linux", "type": "kwok"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": KWOK_NODE, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
    }


def pod(name: str) -> Mapping[str, object]:
    """The least that is a pod."""
    spec = {"containers": [{"name": "main", "image": "none"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def placing() -> Sequence[tuple[str, Mapping[str, object]]]:
    """What puts each new pod on the node, with the path to POST it to."""
    group = "/apis/admissionregistration.k8s.io/v1"
    paths = (f"{group}/mutatingadmissionpolicies", f"{group}/mutatingadmissionpolicybindings")
    objects = yaml.safe_load_all((OWN / "place-pods.yaml").read_text())
    return list(zip(paths, objects, strict=True))
