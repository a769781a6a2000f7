"""The whole line: a policy is applied, its signals break their thresholds, targets are taken and given back."""

from collections.abc import Callable

from e2e.fixtures.kubectl import Kubectl
from e2e.fixtures.objects import config_map, cron_job, deployment, policy
from e2e.fixtures.operator import Operator
from e2e.fixtures.polling import until
from e2e.gauge import Gauges


def level(kubectl: Kubectl, name: str = "shop") -> str:
    status = kubectl.get("degradationpolicy", name).get("status") or {}
    return str(status.get("level", ""))


def test_a_breach_takes_and_recovery_gives_every_field_back(
    kubectl: Kubectl, namespace: str, gauges: Gauges, source: str, operator: Callable[..., Operator]
) -> None:
    gauges.set("pressure", 0, test=namespace)
    kubectl.apply(deployment("thumbnailer", 3), cron_job("bill", criticality="C5"), config_map("flags", mode="full"))
    kubectl.apply(policy(namespace, source))
    running = operator()
    until(lambda: level(kubectl) == "Normal", "the policy is at Normal")
    before = [kubectl.get(kind, name) for kind, name in (("deployment", "thumbnailer"), ("cronjob", "bill"))]
    gauges.set("pressure", 5, test=namespace)
    until(lambda: level(kubectl) == "core-only", "it degrades")
    until(lambda: kubectl.get("deployment", "thumbnailer")["spec"]["replicas"] == 1, "the thumbnailer is thin")
    until(lambda: kubectl.get("cronjob", "bill")["spec"]["suspend"] is True, "the batch is shed")
    until(lambda: kubectl.get("configmap", "flags")["data"]["mode"] == "lite", "the flag is lite")
    print(kubectl.run("get", "dgp"), kubectl.run("get", "dgp", "-o", "yaml"))
    gauges.set("pressure", 0, test=namespace)
    until(lambda: level(kubectl) == "Normal", "it recovers", 30)
    until(lambda: kubectl.get("configmap", "flags")["data"]["mode"] == "full", "the flag is full again")
    until(lambda: not kubectl.get("dgp", "shop")["metadata"].get("finalizers"), "nothing is owed")
    for each in before:
        now = kubectl.get(each["kind"], each["metadata"]["name"])
        assert now["spec"] == each["spec"]
        assert now["metadata"].get("labels") == each["metadata"].get("labels")
    assert running.terminate() == 0
