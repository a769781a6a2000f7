"""What only the local control plane can do, and that nothing of it is left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.controlplane.handle import Controlplane, PartRefused
from e2e.fixtures.kubectl import Kubectl
from e2e.fixtures.polling import until
from e2e.fixtures.promql import query
from e2e.providers.kind import prometheus_manifests

ROOT = Path(__file__).resolve().parents[1]


def test_a_job_runs_for_as_long_as_its_annotation_says(kubectl: Kubectl) -> None:
    pod = {"containers": [{"name": "main", "image": "none"}], "restartPolicy": "Never"}
    spec = {"template": {"metadata": {"annotations": {"e2e.brownout.dev/run-for": "10m"}}, "spec": pod}}
    kubectl.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "long"}, "spec": spec})
    until(lambda: kubectl.get("job", "long")["status"].get("ready") == 1, "its pod is ready")
    kubectl.patch("job", "long", {"spec": {"suspend": True}})
    until(lambda: not kubectl.list("pod"), "a suspended job has no pod")


def test_the_audit_log_says_who_did_what(controlplane: Controlplane, kubectl: Kubectl, namespace: str) -> None:
    kubectl.run("create", "configmap", "settings")
    until(lambda: "admin" in creators(controlplane, "configmaps", namespace), "the entry is written")


def creators(controlplane: Controlplane, resource: str, namespace: str) -> set[str]:
    """Who created such objects in the namespace, by the audit log (its last line may still be half)."""
    assert controlplane.audit_log
    whole = controlplane.audit_log.read_text().rpartition("\n")[0]
    entries = [json.loads(line) for line in whole.splitlines() if namespace in line]
    return {e["user"]["username"] for e in entries if e["verb"] == "create" and e["objectRef"]["resource"] == resource}


def test_kinds_manifests_are_accepted_by_an_api_server(cluster_kubectl: Kubectl) -> None:
    namespace, *rest = prometheus_manifests()
    cluster_kubectl.apply(dict(namespace))
    inside = replace(cluster_kubectl, namespace="brownout-e2e")
    for item in rest:
        inside.run("apply", "--dry-run=server", "--validate=strict", "-f", "-", given=json.dumps(item))


def test_the_prometheus_configuration_passes_promtool(controlplane: Controlplane) -> None:
    assert controlplane.promtool
    config = controlplane.folder / "prometheus.yml"
    subprocess.run([controlplane.promtool, "check", "config", config], check=True, capture_output=True, timeout=30)


def test_a_part_that_is_not_there_is_refused_with_a_sentence(controlplane: Controlplane) -> None:
    with pytest.raises(PartRefused, match="there is no part 'cloud'"):
        controlplane.ask("stop cloud")


def test_a_caller_who_hangs_up_does_no_harm(controlplane: Controlplane) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(controlplane.control))
        line.sendall(b"pids\n")
    assert "etcd" in controlplane.pids()


SECOND = """
import json, time
from e2e.controlplane.handle import Controlplane
it = Controlplane.here()
print(json.dumps({"pids": it.pids(), "folder": str(it.folder)}), flush=True)
while True:
    time.sleep(0.1)
"""
"""Never one long pause: a signal that comes just before it would not end it."""


def processes_with(word: str) -> list[str]:
    """Command lines of the running processes that contain the word."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it ended while we looked
            continue
        if word in line:
            found.append(line)
    return found


def _hears_ctrl_c() -> None:
    """A shell starts what runs in the background deaf to SIGINT, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def second() -> Any:
    """A control plane of the test's own, in a process group of its own; yields its process and what it said."""
    command = [sys.executable, "-m", "e2e.controlplane", "--", sys.executable, "-c", SECOND]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hears_ctrl_c,  # noqa: PLW1509 - it only resets a signal
    ) as wrapper:
        assert wrapper.stdout
        yield wrapper, json.loads(wrapper.stdout.readline())
        if wrapper.poll() is None:
            wrapper.kill()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGKILL, -9, id="SIGKILL"),
        pytest.param(signal.SIGTERM, 143, id="SIGTERM"),
        pytest.param(signal.SIGINT, 130, id="Ctrl-C, which the command gets too"),
    ],
)
def test_nothing_is_left_when_the_wrapper_gets(number: signal.Signals, code: int, second: Any) -> None:
    wrapper, said = second
    assert set(said["pids"]) == {"etcd", "kube-apiserver", "kube-controller-manager", "kwok", "prometheus"}
    os.killpg(wrapper.pid, number) if number is signal.SIGINT else wrapper.send_signal(number)
    assert wrapper.wait(timeout=30) == code
    until(lambda: not processes_with(said["folder"]), "every process is gone")
    until(lambda: not Path(said["folder"]).exists(), "its folder is gone")


def test_prometheus_and_the_api_server_go_and_come_back_at_the_same_address(second: Any) -> None:
    _, said = second
    cluster = Controlplane.read(Path(said["folder"]) / "controlplane.json")
    cluster.stop_prometheus()
    with pytest.raises(OSError):  # noqa: PT011 - refused
        query(cluster.prometheus_url, "vector(1)")
    cluster.start_prometheus()
    assert query(cluster.prometheus_url, "vector(1)")
    api = cluster.api()
    assert api.post("/api/v1/namespaces", {"metadata": {"name": "kept"}}).status == 201
    cluster.stop_apiserver()
    with pytest.raises(OSError):  # noqa: PT011 - refused
        api.get("/readyz")
    cluster.start_apiserver()
    assert api.get("/api/v1/namespaces/kept").status == 200
