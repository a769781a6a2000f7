"""The real API server answers every case of the conformance table that the one in memory answers."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from brownout.clock import SystemClock
from brownout.cluster.kinds import Kind
from brownout.cluster.kubernetes import Kubernetes
from brownout.testing.conformance import Case, play
from brownout.testing.conformance_cases import CASES
from e2e.controlplane.api import Api
from e2e.controlplane.handle import Controlplane
from e2e.fixtures.kubectl import Kubectl

CRDS = Path(__file__).parent.parent / "crds"


@dataclass
class Real:
    cluster: Kubernetes
    namespace: str
    api: Api

    async def delete(self, kind: Kind, name: str) -> None:
        await asyncio.to_thread(self.api.delete, kind.path(self.namespace, name))


@pytest.fixture(scope="session")
def our_crds(cluster_kubectl: Kubectl) -> None:
    cluster_kubectl.apply(*sorted(CRDS.glob("*.yaml")), server_side=True)
    cluster_kubectl.wait("crd", "degradationpolicies.brownout.dev", "condition=Established")
    cluster_kubectl.wait("crd", "prometheussources.brownout.dev", "condition=Established")


@pytest.mark.usefixtures("our_crds", "feature_flag_crd")
@pytest.mark.parametrize("case", [pytest.param(case, id=sentence) for sentence, case in CASES.items()])
def test_the_api_server_conforms(controlplane: Controlplane, namespace: str, api: Api, case: Case) -> None:
    async def run() -> list[str]:
        cluster = await Kubernetes.connect(SystemClock(), kubeconfig=str(controlplane.kubeconfig))
        try:
            return await play(Real(cluster, namespace, api), case)
        finally:
            await cluster.close()

    assert asyncio.run(run()) == []
