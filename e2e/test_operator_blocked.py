"""What is never taken, and why; and several policies that want the same thing."""

from typing import Any

from e2e.fixtures.kubectl import Object
from e2e.fixtures.objects import (
    config_map,
    cron_job,
    deployment,
    feature_flag,
    flag,
    job,
    level,
    pressure,
    scaled,
    shed,
    stateful_set,
    turned,
    written,
)
from e2e.fixtures.polling import until
from e2e.fixtures.stage import Stage


def autoscaler(name: str) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {"minReplicas": 1, "maxReplicas": 3, "scaleTargetRef": target},
    }


def labelled(body: Object, **labels: str) -> Object:
    body["metadata"].setdefault("labels", {}).update(labels)
    return body


def with_spec(body: Object, **spec: Any) -> Object:
    body["spec"].update(spec)
    return body


def test_what_must_not_be_taken_is_blocked_with_its_reason_and_the_rest_is_taken(stage: Stage) -> None:
    finished = with_spec(job("finished", "C5"), suspend=False)
    finished["spec"]["template"]["metadata"]["annotations"] = {}
    stage.kubectl.apply(finished, deployment("owner", 1))
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "owner", "controller": True}
    owned = deployment("owned", 1)
    uid = stage.get("Deployment", "owner")["metadata"]["uid"]
    owned["metadata"]["ownerReferences"] = [{**owner, "uid": uid}]
    stage.kubectl.wait("job", "finished", "condition=Complete")
    stage.opens(
        deployment("vital", 1, "C1"),
        deployment("checkout", 1, "C5"),
        deployment("autoscaled", 1, "C5"),
        autoscaler("autoscaled"),
        labelled(deployment("operator", 1, "C5"), **{"app.kubernetes.io/name": "brownout"}),
        owned,
        with_spec(stateful_set("volumes", 1, "C5"), persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"}),
        {**config_map("fixed", mode="full"), "immutable": True},
        config_map("large", page="x" * 33_000),
        {**config_map("binary"), "binaryData": {"mode": "AAAA"}},
        feature_flag("shop", reviews=flag("on"), disabled={**flag("on"), "state": "DISABLED"}),
        cron_job("taken", "C5"),
        deployment("vital-with-room", 1, "C1"),
        stage.policy(
            level(
                "trimmed",
                1,
                shed("batch", "C5", kinds=["Deployment", "StatefulSet", "CronJob", "Job"]),
                scaled("vital", atMost=0),
                scaled("owned", atMost=0),
                scaled("missing", atMost=0),
                scaled("vital-with-room", atLeast=2),
                written("fixed", "fixed", "mode", "lite"),
                written("large", "large", "page", "lite"),
                written("binary", "binary", "mode", "lite"),
                written("no-map", "nowhere", "mode", "lite"),
                turned("no-key", "shop", "nothing", "off"),
                turned("no-variant", "shop", "reviews", "nothing"),
                turned("disabled", "shop", "disabled", "off"),
            ),
            protects={"kind": "Deployment", "name": "checkout"},
        ),
        stage.policy(
            level("trimmed", 1, written("first", "small", "mode", "lite"), shed("many", selector=MANY)),
            name="greedy",
            safety={"maxTargets": 2},
        ),
        config_map("small", mode="full"),
        labelled(cron_job("one"), many="yes"),
        labelled(cron_job("two"), many="yes"),
    )
    stage.degrades()
    stage.comes_to("trimmed", "greedy")
    assert stage.blocked() == {
        ("batch", "Deployment autoscaled"): "Autoscaler",
        ("batch", "Deployment checkout"): "Protected",
        ("batch", "Deployment operator"): "Operator",
        ("batch", "Job finished"): "Finished",
        ("batch", "StatefulSet volumes"): "Volumes",
        ("vital", "Deployment vital"): "Criticality",
        ("owned", "Deployment owned"): "Controlled",
        ("missing", ""): "NotFound",
        ("fixed", "ConfigMap fixed"): "Immutable",
        ("large", "ConfigMap large"): "TooLarge",
        ("binary", "ConfigMap binary"): "KeyNotFound",
        ("no-map", ""): "NotFound",
        ("no-key", "FeatureFlag shop"): "KeyNotFound",
        ("no-variant", "FeatureFlag shop"): "VariantNotFound",
        ("disabled", "FeatureFlag shop"): "KeyNotFound",
    }
    assert stage.blocked("greedy") == {("many", ""): "MaxTargets"}
    assert stage.get("CronJob", "taken")["spec"]["suspend"] is True
    assert stage.replicas("vital-with-room") == {"vital-with-room": 2}
    assert stage.get("ConfigMap", "small")["data"] == {"mode": "lite"}
    assert (stage.status()["held"], stage.status("greedy")["held"]) == (2, 1)
    stage.everything_is_as_it_was(("CronJob", "taken"), ("Deployment", "vital-with-room"), ("ConfigMap", "small"))
    assert stage.condition("Ready")["reason"] == "TargetNotFound"

    stage.kubectl.apply(deployment("missing", 1), config_map("nowhere"))
    until(lambda: stage.status()["held"] == 4, "what was missing is taken when it appears", 30)
    assert stage.replicas("missing") == {"missing": 0}
    assert ("missing", "") not in stage.blocked()
    stage.recovers("shop", "greedy")
    assert stage.replicas("missing") == {"missing": 1}
    assert "data" not in stage.get("ConfigMap", "nowhere")
    stage.everything_is_as_it_was()


MANY = {"matchLabels": {"many": "yes"}}


def test_a_held_target_that_must_not_be_taken_any_more_is_given_back_at_once(stage: Stage) -> None:
    stage.opens(
        deployment("vital", 2),
        deployment("autoscaled", 2),
        deployment("web", 2),
        stage.policy(level("trimmed", 1, *(scaled(name, atMost=1) for name in ("vital", "autoscaled", "web")))),
    )
    stage.degrades()
    stage.kubectl.apply(autoscaler("autoscaled"))
    stage.kubectl.run("label", "deployment", "vital", "brownout.dev/criticality=C1")
    until(lambda: stage.status()["held"] == 1, "two are given back", 30)
    assert stage.replicas("vital", "autoscaled", "web") == {"vital": 2, "autoscaled": 2, "web": 1}
    assert stage.blocked() == {
        ("vital", "Deployment vital"): "Criticality",
        ("autoscaled", "Deployment autoscaled"): "Autoscaler",
    }
    stage.nothing_of_ours_is_left(("Deployment", "vital"), ("Deployment", "autoscaled"))
    stage.recovers()
    stage.everything_is_as_it_was(("Deployment", "vital"))


def test_two_policies_on_one_workload_the_lowest_holds_and_the_original_returns_with_the_last(stage: Stage) -> None:
    stage.opens(
        deployment("web", 3),
        stage.policy(level("trimmed", 1, scaled("web", atMost=2)), name="mild"),
        stage.policy(level("core-only", 4, scaled("web", atMost=1)), name="strong"),
    )
    stage.degrades("trimmed", 3, name="mild")
    assert stage.replicas("web") == {"web": 2}
    stage.degrades("core-only", 5, name="strong")
    assert stage.replicas("web") == {"web": 1}
    assert (stage.status("mild")["held"], stage.status("strong")["held"]) == (1, 1)
    stage.press(1.5)
    stage.comes_to("Normal", "strong")
    stage.owes_nothing("strong")
    assert stage.replicas("web") == {"web": 2}
    assert stage.level("mild") == "trimmed"
    stage.recovers("mild")
    stage.everything_is_as_it_was()


def test_two_policies_on_one_flag_the_first_holds_and_the_other_waits(stage: Stage) -> None:
    second = [{"name": "pressure", "query": pressure(f"{stage.namespace}-second")}]
    stage.press(0, f"{stage.namespace}-second")
    stage.opens(
        config_map("flags", mode="full"),
        stage.policy(level("trimmed", 1, written("lite", "flags", "mode", "lite")), name="first"),
        stage.policy(level("core-only", 1, written("off", "flags", "mode", "off")), name="second", signals=second),
    )
    stage.degrades(name="first")
    stage.press(5, f"{stage.namespace}-second")
    stage.comes_to("core-only", "second")
    assert stage.blocked("second") == {("off", "ConfigMap flags"): "HeldByOther"}
    assert f"{stage.namespace}/first" in str(stage.status("second")["blocked"])
    assert stage.get("ConfigMap", "flags")["data"] == {"mode": "lite"}
    stage.recovers("first")
    until(lambda: stage.get("ConfigMap", "flags")["data"] == {"mode": "off"}, "the second holds it now", 30)
    stage.press(0, f"{stage.namespace}-second")
    stage.recovers("second")
    stage.everything_is_as_it_was()
