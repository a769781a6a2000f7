"""Every row of tests/rules.yaml, handed to a real API server: what is loaded with a sentence is refused with it."""

from typing import Any

import pytest

from brownout.api.load import Refused, load_policy, load_source
from e2e.controlplane.api import Api
from e2e.fixtures.kubectl import Kubectl
from tests.api.cases import Case, cases

PATHS = {
    "DegradationPolicy": "/apis/brownout.dev/v1alpha1/namespaces/default/degradationpolicies",
    "PrometheusSource": "/apis/brownout.dev/v1alpha1/prometheussources",
}
LOAD = {"DegradationPolicy": load_policy, "PrometheusSource": load_source}
AS_KUBECTL_DOES = "?dryRun=All&fieldValidation=Strict"


@pytest.fixture(scope="module", autouse=True)
def _served(cluster_kubectl: Kubectl) -> None:
    cluster_kubectl.run("apply", "--server-side", "-f", "crds")
    for plural in ("degradationpolicies", "prometheussources"):
        cluster_kubectl.wait("crd", f"{plural}.brownout.dev", "condition=Established")


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases()])
def test_a_rule_holds_at_apply(api: Api, case: Case) -> None:
    answer = api.post(PATHS[case.kind] + AS_KUBECTL_DOES, case.body)
    if case.admission_says is None:
        assert answer.status == 201, answer.body
        _means_the_same(case, answer.body)
        return
    assert answer.status in (400, 422), answer.body
    assert case.admission_says in answer.body["message"]
    assert f"{case.at}: " in answer.body["message"] if case.at else True


def _means_the_same(case: Case, stored: dict[str, Any]) -> None:
    """What the API server fills in is what loading fills in, and nothing inside a list, where GitOps tools compare."""
    if case.says is None:
        loaded, sent = LOAD[case.kind](stored), LOAD[case.kind](case.body)
        assert not isinstance(loaded, Refused)
        assert not isinstance(sent, Refused)
        assert loaded.spec == sent.spec
    for name in ("signals", "levels"):
        assert stored["spec"].get(name) == case.body["spec"].get(name)
