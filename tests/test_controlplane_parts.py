"""Command lines and files of the local control plane, without starting it."""

import json
import socket
from collections import defaultdict
from pathlib import Path

import pytest

from e2e.controlplane.handle import Controlplane
from e2e.controlplane.kubeconfig import write_kubeconfig
from e2e.providers import parts
from e2e.providers.crew import Crew, free_ports
from e2e.providers.files import prometheus_config, write_files
from e2e.providers.parts import Layout, Part, Ports
from e2e.providers.provider import NotToBeHad

PORTS = Ports.of(range(20_001, 20_007))
MAKERS = (parts.etcd, parts.apiserver, parts.controllers, parts.kwok, parts.prometheus)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: f"{maker.__name__} listens on loopback alone")
def test_nothing_listens_beyond_this_machine(maker: object, tmp_path: Path) -> None:
    assert callable(maker)
    part: Part = maker(defaultdict(lambda: Path("/tool")), Layout(tmp_path), PORTS)
    assert "//127.0.0.1:" in part.ready
    assert not [word for word in part.argv if "=0.0.0.0" in word or "localhost" in word]
    assert [word for word in part.argv if "127.0.0.1" in word]


def test_the_api_server_authorises_with_rbac_and_writes_an_audit_log(tmp_path: Path) -> None:
    argv = parts.apiserver(defaultdict(Path), Layout(tmp_path), PORTS).argv
    assert "--authorization-mode=RBAC" in argv
    assert f"--audit-log-path={tmp_path}/audit.log" in argv


def test_keys_and_tokens_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    stages, at = tmp_path / "stages", Layout(tmp_path / "run")
    stages.write_text("kind: Stage\n")
    at.folder.mkdir()
    tokens = write_files(at, stages)
    assert set(tokens) == {"admin", "kube-controller-manager", "kwok"}
    assert at.tokens.stat().st_mode & 0o777 == 0o600
    assert at.stages.read_text().startswith("kind: Stage\n")
    assert "pod-complete" in at.stages.read_text()


def test_a_kubeconfig_is_private_even_where_another_file_was_open_to_all(tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_text("certificate")
    written = write_kubeconfig(tmp_path / "config", server="https://127.0.0.1:1", ca=ca, token="t", namespace="shop")
    assert written.stat().st_mode & 0o777 == 0o600
    context = json.loads(written.read_text())["contexts"][0]["context"]
    assert context["namespace"] == "shop"


def test_prometheus_scrapes_each_second_what_the_folder_names(tmp_path: Path) -> None:
    config = json.loads(prometheus_config(str(tmp_path)))
    assert config["global"]["scrape_interval"] == "1s"
    assert config["scrape_configs"][0]["file_sd_configs"][0]["files"] == [f"{tmp_path}/*.json"]


def test_free_ports_are_free_different_and_below_those_lent_to_clients() -> None:
    ports = free_ports(6)
    assert len(set(ports)) == 6
    assert all(20_000 <= port < 30_000 for port in ports)
    for port in ports:
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_a_part_that_ends_before_it_is_ready_is_named_with_its_last_lines(tmp_path: Path) -> None:
    crew, part = (
        Crew(tmp_path),
        Part(name="etcd", argv=("sh", "-c", "echo no space left; exit 3"), ready="http://127.0.0.1:1"),
    )
    crew.start(part)
    with pytest.raises(NotToBeHad, match=r"(?s)etcd ended with code 3.*etcd\.log.*no space left"):
        crew.wait(part)


def test_a_part_that_never_answers_is_named_and_can_be_stopped(tmp_path: Path) -> None:
    crew, part = Crew(tmp_path), Part(name="etcd", argv=("sleep", "60"), ready="http://127.0.0.1:1")
    crew.start(part)
    with pytest.raises(NotToBeHad, match="etcd gave no answer"):
        crew.wait(part, seconds=0.2)
    crew.stop_all()
    assert crew.pids() == {}


def test_a_part_that_falls_later_is_told_once(tmp_path: Path) -> None:
    crew, part = Crew(tmp_path), Part(name="kwok", argv=("sh", "-c", "exit 4"), ready="http://127.0.0.1:1")
    crew.start(part)
    told: list[str] = []
    while not told:
        told = crew.fallen()
    assert "kwok ended by itself with code 4" in told[0]
    assert crew.fallen() == []


def test_a_control_plane_reads_back_from_its_file_as_it_was_written(tmp_path: Path) -> None:
    names = ("folder", "kubeconfig", "ca", "kubectl", "promtool", "targets", "control")
    paths = {name: tmp_path / ("" if name == "folder" else name) for name in names}
    texts = {"server": "https://127.0.0.1:1", "prometheus_url": "http://127.0.0.1:2", "exporter_host": "127.0.0.1"}
    cluster = Controlplane(**paths, **texts, audit_log=None)  # type: ignore[arg-type]
    assert Controlplane.read(cluster.write({"etcd": 7})) == cluster
    assert json.loads(cluster.file.read_text())["pids"] == {"etcd": 7}
    assert cluster.file.stat().st_mode & 0o777 == 0o600
