"""What a person sets is not set back: the field is let go at once, said so, and everything else is given back."""

from typing import Any

from e2e.fixtures.objects import config_map, deployment, feature_flag, flag, level, scaled, turned, written
from e2e.fixtures.polling import until
from e2e.fixtures.stage import Name, Stage

WEBS = ("by-scale", "by-patch", "to-zero", "left")
TRIMMED = level("trimmed", 1, *(scaled(name, atMost=1) for name in WEBS), written("lite", "flags", "mode", "lite"))


def released(stage: Stage) -> dict[str, tuple[str, str]]:
    """From a target's name to the value it was left at and who set it."""
    found: list[dict[str, Any]] = stage.status().get("released", [])
    return {each["target"]["name"]: (each["found"], each.get("manager", "")) for each in found}


def test_a_held_workload_that_a_person_scales_is_left_alone_and_the_others_are_given_back(stage: Stage) -> None:
    stage.opens(*(deployment(name, 3) for name in WEBS), config_map("flags", mode="full"), stage.policy(TRIMMED))
    stage.degrades()
    stage.kubectl.run("scale", "deployment/by-scale", "--replicas=2")
    stage.kubectl.patch("deployment", "by-patch", {"spec": {"replicas": 4}})
    stage.kubectl.run("scale", "deployment/to-zero", "--replicas=0")
    until(lambda: len(released(stage)) == 3, "three fields are let go", 30)
    assert released(stage) == {
        "by-scale": ("2", "kubectl"),
        "by-patch": ("4", "kubectl-patch"),
        "to-zero": ("0", ""),
    }
    assert stage.replicas(*WEBS) == {"by-scale": 2, "by-patch": 4, "to-zero": 0, "left": 1}
    assert stage.status()["held"] == 2
    touched: tuple[Name, ...] = tuple(("Deployment", name) for name in WEBS[:3])
    stage.nothing_of_ours_is_left(*touched)
    until(lambda: len(stage.events("Released")) == 6, "each is said on the target and on the policy")

    stage.recovers()
    assert stage.replicas(*WEBS) == {"by-scale": 2, "by-patch": 4, "to-zero": 0, "left": 3}
    stage.everything_is_as_it_was(*touched)
    stage.nothing_of_ours_is_left(*touched)

    assert stage.degrades().get("released", []) == [], "another episode: they are ours to take again"
    assert stage.replicas(*WEBS) == {"by-scale": 1, "by-patch": 1, "to-zero": 0, "left": 1}
    stage.recovers()
    assert stage.replicas(*WEBS) == {"by-scale": 2, "by-patch": 4, "to-zero": 0, "left": 3}


def test_a_flag_that_a_person_turns_is_left_alone(stage: Stage) -> None:
    targeting = {"if": [{"var": "vip"}, "on", None]}
    stage.opens(
        config_map("flags", mode="full", other="full"),
        feature_flag("shop", reviews=flag("on", targeting), search=flag("on", targeting)),
        stage.policy(
            level(
                "trimmed",
                1,
                written("mode", "flags", "mode", "lite"),
                written("other", "flags", "other", "lite"),
                turned("reviews", "shop", "reviews", "off"),
                turned("search", "shop", "search", "off"),
            )
        ),
    )
    stage.degrades()
    stage.kubectl.patch("configmap", "flags", {"data": {"mode": "by hand"}})
    variant = {"spec": {"flagSpec": {"flags": {"reviews": {"defaultVariant": "lite"}}}}}
    stage.kubectl.patch("featureflag", "shop", variant)
    until(lambda: len(stage.status().get("released", [])) == 2, "two fields are let go", 30)
    assert {each["manager"] for each in stage.status()["released"]} == {"kubectl-patch"}
    stage.recovers()
    assert stage.get("ConfigMap", "flags")["data"] == {"mode": "by hand", "other": "full"}
    flags = stage.get("FeatureFlag", "shop")["spec"]["flagSpec"]["flags"]
    assert flags["search"] == flag("on", targeting)
    assert flags["reviews"] == flag("lite", targeting), "the variant is theirs, the targeting comes back"
    stage.nothing_of_ours_is_left(("ConfigMap", "flags"), ("FeatureFlag", "shop"))


def test_a_target_deleted_and_made_anew_owes_nothing_and_is_taken_as_itself(stage: Stage) -> None:
    stage.opens(deployment("left", 3), config_map("flags", mode="full"), stage.policy(TRIMMED))
    stage.degrades()
    stage.kubectl.run("delete", "deployment", "left")
    until(lambda: stage.status()["held"] == 1, "what is gone is not held", 30)
    stage.kubectl.apply(deployment("left", 2))
    until(lambda: stage.replicas("left") == {"left": 1}, "the new one is taken", 30)
    stage.recovers()
    assert stage.replicas("left") == {"left": 2}
    stage.nothing_of_ours_is_left(("Deployment", "left"))
    stage.everything_is_as_it_was(("Deployment", "left"))
