"""The kind provider, as far as a machine without Docker allows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from e2e.providers.kind import NODE_TARGETS, Kind, cluster_config, port_forward, prometheus_manifests
from e2e.providers.local import Local
from e2e.providers.provider import NotToBeHad, Provider, chosen


def test_the_targets_folder_of_this_machine_is_mounted_where_prometheus_looks(tmp_path: Path) -> None:
    config = yaml.safe_load(cluster_config(tmp_path, "brownout-1"))
    assert config["nodes"][0]["extraMounts"] == [
        {"hostPath": str(tmp_path), "containerPath": NODE_TARGETS, "readOnly": True}
    ]
    _, settings, deployment = prometheus_manifests()
    data = settings["data"]
    assert isinstance(data, dict)
    scrape = json.loads(data["prometheus.yml"])["scrape_configs"][0]
    assert scrape["file_sd_configs"][0]["files"] == [f"{NODE_TARGETS}/*.json"]
    pod = deployment["spec"]["template"]["spec"]  # type: ignore[index]
    assert {"name": "targets", "hostPath": {"path": NODE_TARGETS, "type": "Directory"}} in pod["volumes"]
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts["targets"] == NODE_TARGETS


def test_prometheus_is_reached_through_loopback() -> None:
    part = port_forward(20_001, "/config")
    assert "--address=127.0.0.1" in part.argv
    assert part.ready == "http://127.0.0.1:20001/-/ready"


def test_without_docker_the_sentence_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotToBeHad, match=r"needs Docker, kind, kubectl.*leave E2E_PROVIDER unset"):
        Kind().prepare(print)


def test_a_docker_that_does_not_run_is_told_from_one_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("docker", "kind", "kubectl"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotToBeHad, match="Docker does not run"):
        Kind().prepare(print)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("", Local, id="nothing chosen means local"),
        pytest.param("local", Local, id="local by name"),
        pytest.param("kind", Kind, id="kind by name"),
    ],
)
def test_the_provider_is_chosen_by_a_variable(
    name: str, expected: type[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("E2E_PROVIDER", name)
    assert type(chosen()) is expected


@pytest.mark.parametrize(
    ("words", "variables", "code", "sentence"),
    [
        pytest.param(
            ["make", "test"], {}, 2, "python -m e2e.controlplane -- CMD", id="a command without -- is told how"
        ),
        pytest.param(
            ["--", "true"], {"E2E_PROVIDER": "minikube"}, 1, "it can be local or kind", id="an unknown provider"
        ),
    ],
)
def test_a_wrong_call_ends_with_a_sentence(
    words: list[str], variables: dict[str, str], code: int, sentence: str
) -> None:
    command = ["env", *(f"{k}={v}" for k, v in variables.items()), sys.executable, "-m", "e2e.controlplane", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
