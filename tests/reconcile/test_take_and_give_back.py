"""The story it is all about: a service gets sick, something is taken; it is well, everything is given back."""

import pytest

from brownout.api.policy import NORMAL
from brownout.cluster.kinds import CONFIG_MAP, DEPLOYMENT, EVENT, FEATURE_FLAG, POLICY
from brownout.cluster.port import Answer
from brownout.ledger.entries import FINALIZER, GIVING_MANAGER, TAKING_MANAGER
from brownout.testing.faults import Fault, Write
from brownout.testing.managed_fields import owners_of
from tests.reconcile.stories import VERY_SICK, Story, action, flag, level, spec, tell, variant

TRIMMED = level("trimmed", action("thin", "thumbnailer", 1), flag("static", "true"))
CORE = level("core", action("thinner", "thumbnailer", 0), enter=2, leave=0.6)


def small_shop() -> Story:
    shop = Story()
    shop.deployment("thumbnailer", 3)
    shop.config_map()
    shop.policy(spec(TRIMMED, CORE))
    shop.start()
    return shop


def is_finalizer(write: Write) -> bool:
    return write.kind == POLICY.kind and not write.subresource


def test_taken_while_sick_and_given_back_when_well() -> None:
    async def story() -> None:
        shop = small_shop()
        before = {kind: shop.body(kind, name) for kind, name in ((DEPLOYMENT, "thumbnailer"), (CONFIG_MAP, "flags"))}
        await shop.wait(60)
        assert shop.status().level == NORMAL
        assert shop.condition("Ready") == "True Accepted"
        assert not shop.owes()

        await shop.sick()
        assert shop.status().level == "trimmed"
        assert shop.condition("DegradationActive") == "True trimmed"
        assert (shop.replicas("thumbnailer"), shop.body(CONFIG_MAP, "flags")["data"]) == (1, {"key": "true"})
        assert shop.owes()
        assert shop.status().held == 2

        await shop.well()
        assert shop.status().level == NORMAL
        assert shop.condition("DegradationActive") == "False Normal"
        assert not shop.owes()
        assert (shop.status().held, shop.status().applied, shop.status().released) == (0, (), ())
        assert owners_of(shop.body(DEPLOYMENT, "thumbnailer"), "spec", "replicas") == [("kubectl", "Apply", "")]
        for kind, body in before.items():
            after = shop.body(kind, body["metadata"]["name"])
            assert {**after, "metadata": 0} == {**body, "metadata": 0}
            assert shop.is_clean(kind, body["metadata"]["name"])

    tell(story)


def test_a_higher_level_takes_more_under_the_same_take_id_and_goes_back_a_level_at_a_time() -> None:
    async def story() -> None:
        shop = small_shop()
        await shop.sick()
        take = shop.take_id("thumbnailer")
        shop.source.say(VERY_SICK)
        await shop.wait(40)
        assert (shop.status().level, shop.replicas("thumbnailer")) == ("core", 0)
        assert shop.take_id("thumbnailer") == take

        await shop.well(60)
        assert (shop.status().level, shop.replicas("thumbnailer")) == ("trimmed", 1)
        assert shop.take_id("thumbnailer") == take
        await shop.well(60)
        assert (shop.status().level, shop.replicas("thumbnailer")) == (NORMAL, 3)
        assert shop.is_clean(DEPLOYMENT, "thumbnailer")

    tell(story)


def test_a_flag_gets_its_variant_and_its_targeting_back() -> None:
    async def story() -> None:
        shop = Story()
        before = shop.feature_flag(targeting={"if": [True, "full", "lite"]})["spec"]
        shop.policy(spec(level("trimmed", variant("lite", "lite"))))
        shop.start()
        await shop.sick()
        turned = shop.body(FEATURE_FLAG, "flags")["spec"]["flagSpec"]["flags"]["recommendations"]
        assert (turned["defaultVariant"], "targeting" in turned) == ("lite", False)
        await shop.well()
        assert shop.body(FEATURE_FLAG, "flags")["spec"] == before
        assert shop.is_clean(FEATURE_FLAG, "flags")

    tell(story)


def test_the_finalizer_stands_before_the_first_take_and_goes_after_the_last_give_back() -> None:
    async def story() -> None:
        shop = small_shop()
        await shop.sick()
        await shop.well()
        writes = [each for each in shop.writes() if is_finalizer(each) or each.kind != POLICY.kind]
        assert is_finalizer(writes[0])
        assert writes[0].body[-1]["value"] == [FINALIZER]
        assert is_finalizer(writes[-1])
        assert writes[-1].body[-1]["value"] == []
        assert {each.manager for each in writes[1:-1]} == {TAKING_MANAGER, GIVING_MANAGER}

    tell(story)


def test_going_down_is_in_the_status_before_the_first_give_back() -> None:
    async def story() -> None:
        shop = small_shop()
        await shop.sick()
        await shop.well()
        first = next(each.number for each in shop.writes() if each.manager == GIVING_MANAGER)
        said = [each.number for each in shop.writes(POLICY) if each.subresource and _says_giving_back(each)]
        assert said
        assert said[0] < first

    tell(story)


def _says_giving_back(write: Write) -> bool:
    status = write.body["status"]
    return status.get("level") == NORMAL and (status.get("recovery") or {}).get("givingBack") is True


def test_nothing_is_given_back_while_the_step_down_cannot_be_written() -> None:
    async def story() -> None:
        shop = small_shop()
        await shop.sick()
        shop.cluster.on_write = lambda write: Answer(status=503) if write.subresource else None
        await shop.well()
        assert shop.replicas("thumbnailer") == 1
        shop.cluster.on_write = lambda _: None
        await shop.wait(10)
        assert shop.replicas("thumbnailer") == 3

    tell(story)


def test_the_second_step_down_is_in_the_status_too_although_the_end_of_the_first_could_not_be_written() -> None:
    async def story() -> None:
        shop = small_shop()
        shop.source.say(VERY_SICK)
        await shop.wait(40)
        said: list[Write] = []

        def refused_after_the_first_step_down(write: Write) -> Answer | None:
            if not write.subresource:
                return None
            said.append(write)
            going_down = [each for each in said if (each.body["status"].get("recovery") or {}).get("givingBack")]
            return Answer(status=503) if going_down and write is not going_down[0] else None

        shop.cluster.on_write = refused_after_the_first_step_down
        await shop.well(120)
        assert shop.record().state.level == NORMAL
        assert shop.replicas("thumbnailer") == 1

    tell(story)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(status=403, reason="Forbidden", message="no"), id="it may not patch policies"),
        pytest.param(Fault.NEVER_SENT, id="no answer comes"),
    ],
)
def test_without_its_finalizer_nothing_is_taken(answer: Answer | Fault) -> None:
    async def story() -> None:
        shop = small_shop()
        shop.cluster.on_write = lambda write: answer if is_finalizer(write) else None
        await shop.sick(60)
        assert (shop.replicas("thumbnailer"), shop.body(CONFIG_MAP, "flags").get("data")) == (3, None)
        assert "finalizer" in shop.status().blocked[0].message
        shop.cluster.on_write = lambda _: None
        await shop.wait(10)
        assert shop.replicas("thumbnailer") == 1
        assert shop.status().blocked == ()

    tell(story)


def test_a_finalizer_removed_by_hand_is_put_back_while_something_is_owed() -> None:
    async def story() -> None:
        shop = small_shop()
        await shop.sick()
        await shop.edit(POLICY, "checkout", {"metadata": {"finalizers": None}})
        assert not shop.owes()
        await shop.wait(10.5)
        assert shop.owes()

    tell(story)


def test_a_policy_that_is_deleted_just_before_its_first_take_takes_nothing() -> None:
    async def story() -> None:
        shop = small_shop()

        def deleted_meanwhile(write: Write) -> None:
            if is_finalizer(write) and shop.exists(POLICY, "checkout"):
                shop.delete()

        shop.cluster.on_write = deleted_meanwhile
        await shop.sick()
        assert not shop.exists(POLICY, "checkout")
        assert not [each for each in shop.writes() if each.kind != POLICY.kind]

    tell(story)


def test_in_dry_run_all_is_said_and_nothing_is_taken() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("thumbnailer", 3)
        shop.policy(spec(level("trimmed", action("thin", "thumbnailer")), mode="DryRun"))
        shop.start()
        await shop.sick()
        assert (shop.status().level, shop.status().level_shown) == ("trimmed", "(trimmed 1/1)")
        assert shop.condition("DegradationActive") == "False DryRun"
        assert not shop.owes()
        assert {each.kind for each in shop.writes()} == {POLICY.kind}

    tell(story)


def test_dry_run_names_each_field_it_would_take_and_names_it_once() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("thumbnailer", 3)
        shop.policy(spec(level("trimmed", action("thin", "thumbnailer", 1)), mode="DryRun"))
        shop.start()
        await shop.sick()
        await shop.wait(120)
        told = [each["note"] for each in (await shop.cluster.list(EVENT)).items if each["reason"] == "WouldTake"]
        assert told == ["Deployment thumbnailer: spec.replicas 3 -> 1, level trimmed, action thin"]

    tell(story)


def test_the_same_story_twice_is_the_same_to_the_last_byte() -> None:
    logs: list[list[Write]] = []

    async def story() -> None:
        shop = small_shop()
        await shop.sick()
        await shop.restart()
        await shop.well()
        logs.append(shop.cluster.writes)

    tell(story)
    tell(story)
    assert logs[0] == logs[1]
