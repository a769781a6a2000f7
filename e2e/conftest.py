"""Fixtures on a running control plane: run `make e2e`, or `python -m e2e.controlplane -- pytest e2e`."""

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.controlplane.api import Api
from e2e.controlplane.handle import Controlplane
from e2e.fixtures.kubectl import Kubectl
from e2e.fixtures.relay import Relay
from e2e.gauge import Gauges

collect_ignore = [] if os.environ.get("E2E_PROVIDER", "local") == "local" else ["test_controlplane_local.py"]
CRDS = Path(__file__).parent / "crds"


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
