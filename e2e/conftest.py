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
from e2e.fixtures.stage import Stage
from e2e.fixtures.warm import Warm
from e2e.gauge import Gauges

NEED_LOCAL = [
    "test_break_glass_page.py",
    "test_controlplane_local.py",
    "test_readme.py",
    "test_restore_without_crds.py",
    "test_rights.py",
]
"""These boot a control plane, ask its own processes, or read its audit log."""
collect_ignore = [] if os.environ.get("E2E_PROVIDER", "local") == "local" else NEED_LOCAL
CRDS = Path(__file__).parent / "crds"
PROJECT = Path(__file__).parent.parent
OPERATOR_NAMESPACE = "brownout-system"
SOURCES = "/apis/brownout.dev/v1alpha1/prometheussources"


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
def installed(cluster_kubectl: Kubectl, feature_flag_crd: None) -> None:
    """Our CRDs and rights (each worker applies them: the same thing twice is harmless)."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR_NAMESPACE}}
    cluster_kubectl.apply(namespace, server_side=True)
    cluster_kubectl.apply(*sorted((PROJECT / "crds").glob("*.yaml")), server_side=True)
    there = replace(cluster_kubectl, namespace=OPERATOR_NAMESPACE)
    there.apply(*sorted((PROJECT / "manifests" / "rbac").glob("*.yaml")), server_side=True)
    for kind in ("degradationpolicies", "prometheussources"):
        cluster_kubectl.wait("crd", f"{kind}.brownout.dev", "condition=Established")


@pytest.fixture
def add_source(api: Api, namespace: str, installed: None) -> Iterator[Callable[..., str]]:
    """`add_source("slow", url, timeout="1s")` makes the PrometheusSource NAMESPACE-slow; all go with the test."""
    names: list[str] = []

    def add(suffix: str, url: str, **spec: object) -> str:
        names.append(f"{namespace}-{suffix}" if suffix else namespace)
        made = {"apiVersion": "brownout.dev/v1alpha1", "kind": "PrometheusSource", "metadata": {"name": names[-1]}}
        answer = api.post(SOURCES, {**made, "spec": {"url": url, "timeout": "2s", **spec}})
        assert answer.status == 201, answer.body
        return names[-1]

    yield add
    for name in names:
        api.delete(f"{SOURCES}/{name}")


@pytest.fixture
def source(controlplane: Controlplane, add_source: Callable[..., str]) -> str:
    """A PrometheusSource of the test's own, named as its namespace, on the shared Prometheus."""
    return add_source("", controlplane.prometheus_url)


@pytest.fixture(scope="session")
def operator_kubeconfig(
    controlplane: Controlplane, api: Api, tmp_path_factory: pytest.TempPathFactory, installed: None
) -> Path:
    """The operator's own ServiceAccount, with the rights of manifests/rbac."""
    token = token_of(api, "brownout")
    return controlplane.kubeconfig_for(token, tmp_path_factory.mktemp("operator") / "kubeconfig")


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Where operators are forked from."""
    started = Warm()
    yield started
    started.close()


@pytest.fixture
def operator(
    operator_kubeconfig: Path, namespace: str, tmp_path: Path, warm: Warm
) -> Iterator[Callable[..., Operator]]:
    """`operator()` starts one for the test's namespace; `operator("--flag", ...)` with more flags.

    `kubeconfig=` is for another user than the operator's own, `ready=False` for one that is not to become ready.
    """
    started: list[Operator] = []

    def start(*flags: str, ready: bool = True, kubeconfig: Path = operator_kubeconfig) -> Operator:
        folder = tmp_path / f"operator-{len(started)}"
        folder.mkdir()
        started.append(Operator(kubeconfig, namespace, folder, *flags, launch=warm.start))
        return started[-1].start(ready=ready)

    yield start
    for each in started:
        each.close()
        print(f"--- log of the operator\n{each.log.read_text()[-8000:]}")


@pytest.fixture
def stage(
    namespace: str,
    source: str,
    kubectl: Kubectl,
    api: Api,
    gauges: Gauges,
    operator: Callable[..., Operator],
) -> Iterator[Stage]:
    """The test's own namespace, source, pressure and operator, with the story's steps as verbs."""
    ours = Stage(namespace=namespace, source=source, kubectl=kubectl, api=api, gauges=gauges, start=operator)
    yield ours
    print(*(f"--- policy {each['metadata']['name']}\n{ours.shown(each)}" for each in ours.listed("DegradationPolicy")))


def token_of(api: Api, account: str) -> str:
    """A new token of a ServiceAccount in the operator's namespace."""
    path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/serviceaccounts/{account}/token"
    answer = api.post(path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})
    assert answer.status == 201, answer.body
    return str(answer.body["status"]["token"])
