"""The rights of manifests/rbac: what is missing is said, what is there is used, and idle policies cost no write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from e2e.conftest import OPERATOR_NAMESPACE, token_of
from e2e.controlplane.api import Api
from e2e.controlplane.handle import Controlplane
from e2e.fixtures.account import Audit, Keep, documents
from e2e.fixtures.kubectl import Kubectl, Object
from e2e.fixtures.objects import (
    config_map,
    cron_job,
    deployment,
    feature_flag,
    flag,
    job,
    level,
    scaled,
    shed,
    stateful_set,
    turned,
    written,
)
from e2e.fixtures.polling import until
from e2e.fixtures.stage import Stage


@dataclass
class Account:
    """A ServiceAccount of the test's own, so that the audit log tells its operator from all others."""

    name: str
    admin: Kubectl
    kubeconfig: Path
    audit: Audit

    def may(self, keep: Keep) -> None:
        """From now on it has those rights."""
        self.admin.apply(*documents(self.name, keep), server_side=True)


@pytest.fixture
def account(
    controlplane: Controlplane, cluster_kubectl: Kubectl, api: Api, namespace: str, tmp_path: Path, installed: None
) -> Iterator[Account]:
    """With all rights of manifests/rbac, at first."""
    if controlplane.audit_log is None:
        pytest.fail("this control plane keeps no audit log")
    name = f"brownout-{namespace}"
    admin = replace(cluster_kubectl, namespace=OPERATOR_NAMESPACE)
    admin.apply(*documents(name), server_side=True)
    file = controlplane.kubeconfig_for(token_of(api, name), tmp_path / "account.kubeconfig")
    user = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{name}"
    log = controlplane.audit_log
    yield Account(name, admin, file, Audit(log=log, user=user, start=log.stat().st_size))
    for kind in ("clusterrolebinding", "clusterrole", "rolebinding", "role", "serviceaccount"):
        admin.run("delete", kind, name, "--wait=false")


def without(*resources: str) -> Keep:
    """No right on these at all."""
    return lambda rule: None if set(resources) & set(rule["resources"]) else rule


def reading_only(resource: str) -> Keep:
    """May see these, and not patch them."""

    def keep(rule: Object) -> Object:
        verbs = [verb for verb in rule["verbs"] if verb != "patch"]
        return {**rule, "verbs": verbs} if resource in rule["resources"] else rule

    return keep


ALL: Keep = lambda rule: rule  # noqa: E731 - a name for "no change"


def operated_by(stage: Stage, account: Account) -> None:
    start = stage.start
    stage.start = lambda *flags: start(*flags, kubeconfig=account.kubeconfig)


def test_a_kind_that_may_not_be_seen_is_stalled_with_the_missing_right_and_the_rest_works(
    stage: Stage, account: Account
) -> None:
    operated_by(stage, account)
    account.may(without("configmaps"))
    running = stage.opens(
        deployment("web", 2),
        config_map("flags", mode="full"),
        stage.policy(level("trimmed", 1, written("lite", "flags", "mode", "lite"), scaled("web", atMost=1))),
    )
    stage.degrades()
    assert stage.replicas("web") == {"web": 1}
    assert stage.blocked() == {("lite", ""): "Forbidden"}
    stalled = stage.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "Forbidden")
    assert "Brownout may not get configmaps (API group core)" in stalled["message"]
    assert "manifests/rbac" in stalled["message"]
    stage.everything_is_as_it_was(("Deployment", "web"))

    account.may(ALL)
    until(lambda: stage.status()["held"] == 2, "it is taken when the right is there", 40)
    assert stage.condition("Stalled")["status"] == "False"
    stage.recovers()
    stage.everything_is_as_it_was()
    until(lambda: running.page("/readyz")[0] == 200, "it is ready", 60)


def test_a_kind_that_may_not_be_changed_is_stalled_also_when_it_is_to_be_given_back(
    stage: Stage, account: Account
) -> None:
    operated_by(stage, account)
    stage.opens(
        deployment("web", 2),
        cron_job("bill", "C5"),
        cron_job("mail", "C5"),
        stage.policy(level("trimmed", 1, shed("batch", "C5"), scaled("web", atMost=1))),
    )
    stage.degrades()
    assert stage.status()["held"] == 3
    account.may(reading_only("cronjobs"))
    stage.press(0)
    until(lambda: stage.condition("Stalled")["status"] == "True", "what cannot be given back is said", 40)
    assert stage.condition("Stalled")["reason"] == "Forbidden"
    assert "Brownout may not patch cronjobs (API group batch)" in stage.condition("Stalled")["message"]
    until(lambda: stage.replicas("web") == {"web": 2}, "the others are given back", 40)
    assert stage.owes(), "never says that all is given back when it is not"
    assert stage.get("CronJob", "bill")["spec"]["suspend"] is True
    until(lambda: stage.events("RestoreFailed"), "an event says so")
    account.may(ALL)
    stage.owes_nothing()
    stage.everything_is_as_it_was()


def test_idle_policies_cost_reads_only(stage: Stage, account: Account) -> None:
    operated_by(stage, account)
    lite = written("lite", "flags", "mode", "lite")
    policies = [stage.policy(level("trimmed", 1, lite), name=f"idle-{number}") for number in range(5)]
    running = stage.opens(config_map("flags", mode="full"), *policies)
    for each in policies:
        stage.kubectl.wait("dgp", each["metadata"]["name"], "condition=Ready")
    known = len(account.audit.requests())
    before = running.metric("brownout_decision_seconds_count")
    until(lambda: running.metric("brownout_decision_seconds_count") >= before + 5 * 4, "four more ticks", 40)
    later = account.audit.requests()[known:]
    assert [each for each in later if not each.reads and each.resource != "prometheussources/status"] == []


NEVER_NEEDED_HERE = {
    ("brownout.dev", "degradationpolicies", "get"): "after a conflict, and by the sweep for what the watch missed",
    ("events.k8s.io", "events", "patch"): "when an event repeats",
    ("keda.sh", "scaledobjects", "list"): "KEDA is not installed: a path that is not served needs no right",
    ("autoscaling.k8s.io", "verticalpodautoscalers", "list"): "nor is the VPA",
}


def test_the_rights_in_manifests_are_all_that_is_used_and_no_more(
    stage: Stage, account: Account, controlplane: Controlplane, add_source: Callable[..., str]
) -> None:
    operated_by(stage, account)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": account.name},
        "stringData": {"token": "anything"},
    }
    account.admin.apply(secret)
    named = {"name": account.name, "key": "token"}
    add_source("locked", controlplane.prometheus_url, auth={"bearer": named})
    running = stage.opens(
        deployment("web", 2),
        stateful_set("cache", 1, "C5"),
        cron_job("bill", "C5"),
        job("export", "C5"),
        config_map("flags", mode="full"),
        feature_flag("shop", reviews=flag("on")),
        stage.policy(
            level(
                "trimmed",
                1,
                scaled("web", atMost=1),
                shed("batch", "C5", kinds=["StatefulSet", "CronJob", "Job"]),
                written("lite", "flags", "mode", "lite"),
                turned("reviews", "shop", "reviews", "off"),
            ),
            protects={"kind": "Deployment", "name": "web-2"},
            sourceRef={"name": f"{stage.namespace}-locked"},
        ),
    )
    stage.degrades()
    assert stage.status()["held"] == 6
    running.kill()
    stage.start()
    stage.recovers()
    stage.everything_is_as_it_was()
    account.admin.run("delete", "secret", account.name)

    used = account.audit.requests()
    assert [each for each in used if each.code in (401, 403)] == []
    rights = {each.right for each in used}
    granted = {
        (group, resource, verb)
        for document in documents(account.name)
        for rule in document.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert rights - granted == set()
    assert granted - rights - NEVER_NEEDED_HERE.keys() == set()
