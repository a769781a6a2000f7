"""Break glass when Brownout is being uninstalled the hard way: operator, namespace and CRDs are gone or going.

On a control plane of its own: CRDs belong to all tests of one.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import OPERATOR_NAMESPACE, PROJECT, SOURCES
from e2e.controlplane.handle import Controlplane
from e2e.controlplane.start import controlplane
from e2e.fixtures.kubectl import Kubectl
from e2e.fixtures.objects import config_map, cron_job, deployment, level, scaled, shed, written
from e2e.fixtures.operator import Operator
from e2e.fixtures.polling import until
from e2e.fixtures.restore import Restore
from e2e.fixtures.stage import Stage
from e2e.gauge import Gauges

CRDS = ("degradationpolicies.brownout.dev", "prometheussources.brownout.dev")
SHOP = (deployment("web", 3), config_map("flags", mode="full"))
TRIMMED = level("trimmed", 1, scaled("web", atMost=1), written("lite", "flags", "mode", "lite"), shed("batch", "C5"))


@pytest.fixture
def private() -> Iterator[Controlplane]:
    """A control plane of the test's own, with Brownout installed."""
    with controlplane() as its_own:
        admin = Kubectl(command=its_own.kubectl, kubeconfig=its_own.kubeconfig)
        admin.run("create", "namespace", OPERATOR_NAMESPACE)
        admin.apply(*sorted((PROJECT / "crds").glob("*.yaml")), server_side=True)
        for crd in CRDS:
            admin.wait("crd", crd, "condition=Established")
        spec = {"url": its_own.prometheus_url, "timeout": "2s"}
        source = {"apiVersion": "brownout.dev/v1alpha1", "kind": "PrometheusSource", "metadata": {"name": "default"}}
        assert its_own.api().post(SOURCES, {**source, "spec": spec}).status == 201
        yield its_own


def degraded(plane: Controlplane, gauges: Gauges, name: str, folder: Path) -> tuple[Stage, Operator]:
    """A namespace whose objects are held, and the operator that holds them."""
    kubectl = Kubectl(command=plane.kubectl, kubeconfig=plane.kubeconfig, namespace=name)
    kubectl.run("create", "namespace", name)
    folder.mkdir()

    def start(*flags: str) -> Operator:
        return Operator(plane.kubeconfig, name, folder, *flags).start()

    stage = Stage(namespace=name, source="default", kubectl=kubectl, api=plane.api(), gauges=gauges, start=start)
    kubectl.apply(*SHOP, manager="gitops")
    operator = stage.opens(cron_job("bill", "C5"), stage.policy(TRIMMED))
    stage.remembers(("Deployment", "web"), ("ConfigMap", "flags"))
    stage.degrades()
    until(lambda: stage.status().get("held") == 3, "everything is taken", 40)
    return stage, operator


@pytest.mark.timeout(300)
def test_the_operator_its_namespace_and_the_crds_are_gone(private: Controlplane, tmp_path: Path) -> None:
    admin = Kubectl(command=private.kubectl, kubeconfig=private.kubeconfig)
    with Gauges(private) as gauges:
        stages = [degraded(private, gauges, name, tmp_path / name) for name in ("going", "gone")]
    for _, operator in stages:
        operator.kill()
    (going, _), (gone, _) = stages
    admin.run("delete", "namespace", OPERATOR_NAMESPACE, "--wait=false")
    admin.run("delete", "crd", *CRDS, "--wait=false")

    while_going = Restore(kubeconfig=private.kubeconfig, namespace="going")
    until(lambda: "Running" not in while_going.run("--dry-run", "-o", "json").out, "no Lease is fresh any more", 40)
    run = while_going.run("--yes")
    print(run.out, run.err)
    assert run.code == 0, run.err
    going.everything_is_as_it_was()
    assert private.api().get(going.path("DegradationPolicy", "shop")).status == 404, "its finalizer kept it"

    gone.kubectl.patch(CRDS[0], "shop", {"metadata": {"finalizers": None}})
    admin.wait("crd", CRDS[0], "delete")
    answer = private.api().get(gone.path("DegradationPolicy"))
    assert (answer.status, answer.body) == (404, "404 page not found\n")
    run = Restore(kubeconfig=private.kubeconfig, namespace="gone").run("--yes")
    print(run.out, run.err)
    assert run.code == 0, run.err
    assert "gone/shop" in run.out, "the claims name the policy that is no more"
    gone.everything_is_as_it_was()
    gone.kubectl.apply(*SHOP, manager="gitops")
    everywhere = Restore(kubeconfig=private.kubeconfig, namespace="").run("-A", "--deep")
    assert (everywhere.code, everywhere.out) == (0, "Nothing is held in any namespace.\n")
