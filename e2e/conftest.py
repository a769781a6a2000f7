"""Fixtures on a running control plane: run `make e2e`, or `python -m e2e.controlplane -- pytest e2e`."""

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.controlplane.api import Api
from e2e.controlplane.handle import Controlplane
from e2e.fixtures.kubectl import Kubectl
from e2e.fixtures.operator import Operator
from e2e.fixtures.relay import Relay
from e2e.gauge import Gauges

collect_ignore = [] if os.environ.get("E2E_PROVIDER", "local") == "local" else ["test_controlplane_local.py"]
CRDS = Path(__file__).parent / "crds"
PROJECT = Path(__file__).parent.parent
OPERATOR_NAMESPACE = "brownout-system"


@pytest.fixture(scope="session")
def controlplane() -> Controlplane:
    """The one that the wrapper booted; the same for all workers of pytest-xdist."""
    found = Controlplane.here()
    if found is None:
        pytest.fail("no control plane here: run `make e2e`, or `python -m e2e.controlplane -- pytest e2e`")
    return found


@pytest.fixture(scope="session")
def gauges(controlplane: Controlplane) -> Iterator[Gauges]:
    """One exporter for each worker; tell a test's series apart by a label, for instance its namespace."""
    with Gauges(controlplane) as exporter:
        exporter.set_and_wait("e2e_gauges_ready", 1, exporter=uuid.uuid4().hex)
        yield exporter


@pytest.fixture(scope="session")
def api(controlplane: Controlplane) -> Api:
    """Raw HTTP as the administrator."""
    return controlplane.api()


@pytest.fixture(scope="session")
def cluster_kubectl(controlplane: Controlplane) -> Kubectl:
    """kubectl as the administrator in the namespace `default`, for what has no namespace."""
    return Kubectl(command=controlplane.kubectl, kubeconfig=controlplane.kubeconfig)


@pytest.fixture
def namespace(cluster_kubectl: Kubectl) -> Iterator[str]:
    """A namespace of the test's own, deleted after it."""
    name = f"t-{uuid.uuid4().hex[:10]}"
    cluster_kubectl.run("create", "namespace", name)
    yield name
    cluster_kubectl.run("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kubectl(controlplane: Controlplane, namespace: str) -> Kubectl:
    """kubectl as the administrator in the test's own namespace."""
    return Kubectl(command=controlplane.kubectl, kubeconfig=controlplane.kubeconfig, namespace=namespace)


@pytest.fixture
def relay() -> Iterator[Callable[[str], Relay]]:
    """`relay(url)`: a way to a server that the test can cut and mend."""
    with contextlib.ExitStack() as several:
        yield lambda url: several.enter_context(Relay(url))


@pytest.fixture(scope="session")
def feature_flag_crd(cluster_kubectl: Kubectl) -> None:
    """The OpenFeature operator's FeatureFlag is served (applying it twice at the same time is harmless)."""
    cluster_kubectl.apply(CRDS / "featureflag.yaml", server_side=True)
    cluster_kubectl.wait("crd", "featureflags.core.openfeature.dev", "condition=Established")


@pytest.fixture(scope="session")
def installed(cluster_kubectl: Kubectl) -> None:
    """Our CRDs and rights (each worker applies them: the same thing twice is harmless)."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR_NAMESPACE}}
    cluster_kubectl.apply(namespace, server_side=True)
    cluster_kubectl.apply(*sorted((PROJECT / "crds").glob("*.yaml")), server_side=True)
    there = replace(cluster_kubectl, namespace=OPERATOR_NAMESPACE)
    there.apply(*sorted((PROJECT / "manifests" / "rbac").glob("*.yaml")), server_side=True)
    for kind in ("degradationpolicies", "prometheussources"):
        cluster_kubectl.wait("crd", f"{kind}.brownout.dev", "condition=Established")


@pytest.fixture
def source(controlplane: Controlplane, cluster_kubectl: Kubectl, namespace: str, installed: None) -> Iterator[str]:
    """A PrometheusSource of the test's own, named as its namespace, on the shared Prometheus."""
    spec = {"url": controlplane.prometheus_url, "timeout": "2s"}
    made = {"apiVersion": "brownout.dev/v1alpha1", "kind": "PrometheusSource", "metadata": {"name": namespace}}
    cluster_kubectl.apply({**made, "spec": spec})
    yield namespace
    cluster_kubectl.run("delete", "prometheussource", namespace)


@pytest.fixture
def operator_kubeconfig(controlplane: Controlplane, cluster_kubectl: Kubectl, tmp_path: Path, installed: None) -> Path:
    """The operator's own ServiceAccount, with the rights of manifests/rbac."""
    token = cluster_kubectl.run("create", "token", "brownout", f"--namespace={OPERATOR_NAMESPACE}").strip()
    return controlplane.kubeconfig_for(token, tmp_path / "operator.kubeconfig")


@pytest.fixture
def operator(operator_kubeconfig: Path, namespace: str, tmp_path: Path) -> Iterator[Callable[..., Operator]]:
    """`operator()` starts one for the test's namespace; `operator("--flag", ...)` with more flags."""
    started: list[Operator] = []

    def start(*flags: str, ready: bool = True) -> Operator:
        started.append(Operator(operator_kubeconfig, namespace, tmp_path, *flags))
        return started[-1].start(ready=ready)

    yield start
    for each in started:
        each.close()
        print(f"--- log of the operator\n{each.log.read_text()[-8000:]}")
