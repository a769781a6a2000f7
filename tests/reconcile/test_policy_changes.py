"""What happens when the policy itself changes while something is held."""

from typing import Any

from brownout.api.policy import NORMAL
from brownout.cluster.kinds import CONFIG_MAP, DEPLOYMENT, FEATURE_FLAG, POLICY
from tests.reconcile.stories import CALM, Story, action, flag, level, spec, tell, variant

THIN, STATIC = action("thin", "thumbnailer", 1), flag("static", "true")
BROKEN = {"spec": {"levels": [], "interval": "soon"}}


def sick_shop(policy_spec: dict[str, Any] | None = None) -> Story:
    shop = Story()
    shop.deployment("thumbnailer", 3)
    shop.config_map(key="false")
    shop.policy(policy_spec or spec(level("trimmed", THIN, STATIC)))
    shop.start()
    return shop


def flag_value(shop: Story) -> str:
    return str(shop.body(CONFIG_MAP, "flags")["data"]["key"])


def test_a_policy_deleted_while_degraded_goes_once_all_is_given_back() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        shop.delete()
        assert shop.exists(POLICY, "checkout")
        await shop.wait(5)
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (3, "false")
        assert shop.is_clean(DEPLOYMENT, "thumbnailer")
        assert not shop.exists(POLICY, "checkout")
        assert not shop.operator.engine.store.records
        assert shop.metric("brownout_held{") == ""
        await shop.wait(60)
        assert shop.replicas("thumbnailer") == 3

    tell(story)


def test_a_policy_deleted_while_normal_just_goes() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.wait(60)
        shop.delete()
        await shop.wait(1)
        assert not shop.exists(POLICY, "checkout")
        assert not shop.operator.engine.store.records
        assert shop.metric("brownout_policy_level{") == ""

    tell(story)


def test_deleting_gives_back_in_waves_too() -> None:
    async def story() -> None:
        shop = Story()
        for name in "abcd":
            shop.deployment(name, 3)
        shop.policy(spec(level("trimmed", *(action(name, name) for name in "abcd")), recovery={"waveSize": 2}))
        shop.start()
        await shop.sick()
        shop.delete()
        await shop.wait(60)
        assert [shop.replicas(name) for name in "abcd"] == [0, 0, 3, 3]
        await shop.wait(90)
        assert [shop.replicas(name) for name in "abcd"] == [3, 3, 3, 3]
        assert not shop.exists(POLICY, "checkout")

    tell(story)


def test_an_action_taken_out_of_the_spec_is_given_back_and_the_others_stay() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.edit(POLICY, "checkout", {"spec": {"levels": [level("trimmed", THIN)]}})
        await shop.wait(15)
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (1, "false")
        assert shop.status().level == "trimmed"
        assert shop.owes()
        await shop.well()
        assert shop.replicas("thumbnailer") == 3

    tell(story)


def test_an_action_put_into_the_spec_while_degraded_is_taken() -> None:
    async def story() -> None:
        shop = sick_shop(spec(level("trimmed", THIN)))
        await shop.sick()
        assert flag_value(shop) == "false"
        await shop.edit(POLICY, "checkout", {"spec": {"levels": [level("trimmed", THIN, STATIC)]}})
        await shop.wait(1)
        assert flag_value(shop) == "true"

    tell(story)


def test_a_level_taken_out_of_the_spec_goes_back_to_the_one_below() -> None:
    async def story() -> None:
        core = level("core", STATIC, enter=2)
        shop = sick_shop(spec(level("trimmed", THIN), core))
        shop.source.say({"p99": "3"})
        await shop.wait(30)
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (1, "true")
        await shop.edit(POLICY, "checkout", {"spec": {"levels": [level("trimmed", THIN)]}})
        await shop.wait(15)
        assert shop.status().level == "trimmed"
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (1, "false")

    tell(story)


def test_from_enforce_to_dry_run_gives_all_back_and_says_what_would_be() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.edit(POLICY, "checkout", {"spec": {"mode": "DryRun"}})
        await shop.wait(20)
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (3, "false")
        assert shop.is_clean(DEPLOYMENT, "thumbnailer")
        assert shop.status().level_shown == "(trimmed 1/1)"
        assert shop.condition("DegradationActive") == "False DryRun"
        assert not shop.owes()
        await shop.wait(120)
        assert shop.replicas("thumbnailer") == 3

    tell(story)


def test_from_dry_run_to_enforce_starts_at_normal_with_clocks_at_zero() -> None:
    async def story() -> None:
        shop = sick_shop(spec(level("trimmed", THIN), mode="DryRun"))
        await shop.sick()
        await shop.edit(POLICY, "checkout", {"spec": {"mode": "Enforce"}})
        await shop.wait(1)
        assert shop.status().level == NORMAL
        assert shop.replicas("thumbnailer") == 3
        await shop.wait(20)
        assert shop.status().level == "trimmed"
        assert shop.replicas("thumbnailer") == 1

    tell(story)


def test_back_and_forth_between_the_modes_loses_nothing() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        for mode in ("DryRun", "Enforce", "DryRun", "Enforce"):
            await shop.edit(POLICY, "checkout", {"spec": {"mode": mode}})
            await shop.wait(3)
        await shop.wait(60)
        assert shop.replicas("thumbnailer") == 1
        await shop.well()
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (3, "false")
        assert shop.is_clean(DEPLOYMENT, "thumbnailer")

    tell(story)


def test_a_refused_spec_keeps_the_last_good_one_and_is_stalled() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.edit(POLICY, "checkout", BROKEN)
        await shop.well()
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (1, "true")
        assert shop.condition("Stalled") == "True Invalid"
        assert shop.condition("Ready") == "False Invalid"
        assert shop.status().level == "trimmed"
        assert shop.owes()
        await shop.edit(POLICY, "checkout", {"spec": spec(level("trimmed", THIN, STATIC))})
        await shop.wait(15)
        assert shop.condition("Stalled") == "False Working"
        await shop.well()
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (3, "false")

    tell(story)


def test_a_refused_policy_that_is_deleted_gives_all_back() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.edit(POLICY, "checkout", BROKEN)
        await shop.wait(5)
        shop.delete()
        await shop.wait(15)
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (3, "false")
        assert not shop.exists(POLICY, "checkout")

    tell(story)


def test_a_policy_that_is_refused_at_the_start_holds_what_it_holds() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.operator.crash()
        await shop.edit(POLICY, "checkout", BROKEN)
        await shop.restart()
        shop.source.say(CALM)
        await shop.wait(120)
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (1, "true")
        assert shop.condition("Stalled") == "True Invalid"
        assert shop.status().level == "trimmed"
        assert shop.owes()

    tell(story)


def test_a_policy_that_was_refused_at_the_start_goes_on_from_its_level_once_it_is_mended() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        take = shop.take_id("thumbnailer")
        await shop.operator.crash()
        await shop.edit(POLICY, "checkout", BROKEN)
        await shop.restart()
        await shop.wait(30)
        await shop.edit(POLICY, "checkout", {"spec": spec(level("trimmed", THIN, STATIC))})
        await shop.wait(5)
        assert shop.status().level == "trimmed"
        assert (shop.replicas("thumbnailer"), shop.take_id("thumbnailer")) == (1, take)
        await shop.wait(60)
        assert (shop.replicas("thumbnailer"), shop.take_id("thumbnailer")) == (1, take)
        await shop.well()
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (3, "false")

    tell(story)


def test_a_policy_refused_at_the_start_and_then_deleted_gives_all_back() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.operator.crash()
        await shop.edit(POLICY, "checkout", BROKEN)
        await shop.restart()
        await shop.wait(30)
        shop.delete()
        await shop.wait(15)
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (3, "false")
        assert not shop.exists(POLICY, "checkout")

    tell(story)


def test_a_policy_made_anew_under_its_name_takes_over_without_losing_the_original() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.edit(POLICY, "checkout", {"metadata": {"finalizers": None}})
        shop.delete()
        shop.policy(spec(level("trimmed", THIN)))
        await shop.wait(60)
        assert (shop.replicas("thumbnailer"), flag_value(shop)) == (1, "false")
        await shop.well()
        assert shop.replicas("thumbnailer") == 3
        assert shop.is_clean(DEPLOYMENT, "thumbnailer")

    tell(story)


def test_two_policies_on_one_field_hold_the_lower_and_the_last_gives_back() -> None:
    async def story() -> None:
        shop = sick_shop(spec(level("trimmed", THIN)))
        other = spec(level("trimmed", action("thinner", "thumbnailer", 0)))
        shop.policy({**other, "signals": [{"name": "p99", "query": "other"}]}, "other")
        shop.source.say({"other": "1.0"})
        await shop.sick()
        assert shop.replicas("thumbnailer") == 0
        take = shop.take_id("thumbnailer")
        shop.source.say({"other": "0.2"})
        await shop.wait(60)
        assert (shop.replicas("thumbnailer"), shop.take_id("thumbnailer")) == (1, take)
        assert not shop.owes("other")
        await shop.well()
        assert shop.replicas("thumbnailer") == 3

    tell(story)


def test_a_flag_held_by_another_policy_is_blocked_until_that_gives_it_back() -> None:
    async def story() -> None:
        shop = Story()
        shop.feature_flag()
        for name, value in (("first", "lite"), ("second", "off")):
            signals = [{"name": "p99", "query": name}]
            shop.policy(spec(level("trimmed", variant("recommendations", value)), signals=signals), name)
        shop.start()
        shop.source.say({"first": "1.0", "second": "0.2"})
        await shop.wait(30)
        shop.source.say({"second": "1.0"})
        await shop.wait(30)
        assert [each.reason for each in shop.status("second").blocked] == ["HeldByOther"]
        assert _variant(shop) == "lite"
        shop.source.say({"first": "0.2"})
        await shop.wait(90)
        assert _variant(shop) == "off"
        assert shop.status("second").blocked == ()
        shop.source.say({"second": "0.2"})
        await shop.wait(90)
        assert _variant(shop) == "full"

    tell(story)


def _variant(shop: Story) -> str:
    return str(shop.body(FEATURE_FLAG, "flags")["spec"]["flagSpec"]["flags"]["recommendations"]["defaultVariant"])
