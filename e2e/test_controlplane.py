"""The control plane itself: what every other end-to-end test takes for granted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.controlplane.api import MERGE_PATCH, Api
from e2e.controlplane.handle import Controlplane
from e2e.fixtures.kubectl import Kubectl, KubectlRefused
from e2e.fixtures.polling import until
from e2e.fixtures.promql import query
from e2e.fixtures.relay import Relay
from e2e.gauge import Gauges

CONTAINER = {"name": "main", "image": "busybox:1.37", "command": ["sleep", "3600"]}


def deployment(name: str, replicas: int) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def test_a_deployment_becomes_available_on_a_node_that_is_not_there(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("shop", 3))
    kubectl.wait("deployment", "shop", "condition=Available")
    until(lambda: kubectl.get("deployment", "shop")["status"].get("readyReplicas") == 3, "three pods are ready")
    kubectl.patch("deployment", "shop", {"spec": {"replicas": 1}})
    until(lambda: len(kubectl.list("pod", "app=shop")) == 1, "two pods are gone")


def test_a_cron_job_makes_jobs_that_end(kubectl: Kubectl) -> None:
    pod = {"containers": [{**CONTAINER, "command": ["true"]}], "restartPolicy": "Never"}
    spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    kubectl.apply({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": spec})
    assert kubectl.get("cronjob", "nightly")["spec"]["suspend"] is False
    kubectl.run("create", "job", "now", "--from=cronjob/nightly")
    kubectl.wait("job", "now", "condition=Complete")


def test_an_autoscaler_is_seen_by_its_controller(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("shop", 1))
    kubectl.run("autoscale", "deployment", "shop", "--min=1", "--max=3", "--cpu=50%")
    conditions = "jsonpath={.status.conditions[?(@.type=='AbleToScale')].status}=True"
    kubectl.wait("hpa", "shop", conditions)


def test_prometheus_answers_with_a_gauge_that_a_test_set(
    controlplane: Controlplane, gauges: Gauges, namespace: str
) -> None:
    gauges.set_and_wait("pressure", 0.25, test=namespace)
    gauges.set_and_wait("pressure", 0.5, test=namespace)
    gauges.remove("pressure", test=namespace)
    expression = f'pressure{{test="{namespace}"}}'
    until(lambda: not query(controlplane.prometheus_url, expression), "the series is gone", seconds=10)


def test_a_relay_makes_prometheus_unreachable_for_one_test_alone(
    controlplane: Controlplane, relay: Callable[[str], Relay]
) -> None:
    way = relay(controlplane.prometheus_url)
    assert query(way.url, "vector(1)")
    way.cut()
    with pytest.raises(OSError):  # noqa: PT011 - reset, closed or refused, as it happens
        query(way.url, "vector(1)")
    assert query(controlplane.prometheus_url, "vector(1)")
    way.mend()
    assert query(way.url, "vector(1)")


def test_a_service_account_may_do_what_its_role_says_and_no_more(
    controlplane: Controlplane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    kubectl.run("create", "serviceaccount", "reader")
    kubectl.run("create", "role", "reader", "--verb=get,list", "--resource=deployments.apps")
    kubectl.run("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader")
    token = kubectl.run("create", "token", "reader").strip()
    config = controlplane.kubeconfig_for(token, tmp_path / "reader.kubeconfig", namespace)
    reader = Kubectl(command=controlplane.kubectl, kubeconfig=config, namespace=namespace)
    until(lambda: reader.run("auth", "can-i", "list", "deployments").strip() == "yes", "the role is bound")
    assert reader.list("deployment") == []
    with pytest.raises(KubectlRefused, match="forbidden"):
        reader.run("create", "configmap", "taken")
    answer = controlplane.api(token).get("/api/v1/secrets")
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")


def test_raw_http_gives_every_answer_as_a_value(api: Api, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    made = api.post(path, {"metadata": {"name": "a"}, "data": {"k": "<ä&"}})
    assert (made.status, made.body["data"]["k"]) == (201, "<ä&")
    assert api.patch(f"{path}/a", {"data": {"k": "v"}}, MERGE_PATCH).body["data"]["k"] == "v"
    assert api.patch(f"{path}/a", [{"op": "test", "path": "/data/k", "value": "x"}]).status == 422
    assert api.delete(f"{path}/a").status == 200
    assert api.get(f"{path}/a").body["reason"] == "NotFound"
    assert api.get("/apis/nowhere.example/v1/things").body == "404 page not found\n"


@pytest.mark.usefixtures("feature_flag_crd")
def test_a_feature_flag_is_served_in_the_operators_shape(kubectl: Kubectl) -> None:
    flag = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}
    targeting = {"if": [{"==": [{"var": "user"}, "ann"]}, "on", "off"]}
    flags = {"recommendations": {**flag, "targeting": targeting}}
    body = {"apiVersion": "core.openfeature.dev/v1beta1", "kind": "FeatureFlag", "metadata": {"name": "shop"}}
    kubectl.apply({**body, "spec": {"flagSpec": {"flags": flags}}})
    assert kubectl.get("featureflag", "shop")["spec"]["flagSpec"]["flags"] == flags
    with pytest.raises(KubectlRefused, match="defaultVariant: Required value"):
        kubectl.apply({**body, "spec": {"flagSpec": {"flags": {"x": {"state": "ENABLED", "variants": {}}}}}})
