"""Dry run, deletion and edits of a policy, while it degrades: all that is not wanted any more goes back."""

from e2e.fixtures.objects import TURN_LITE, config_map, cron_job, deployment, level, policy, scaled, shed
from e2e.fixtures.polling import until
from e2e.fixtures.stage import Stage

SHOP = (deployment("thumbnailer", 2), config_map("flags", mode="full"), cron_job("bill", "C5"))
THIN = scaled("thumbnailer", atMost=1)


def test_dry_run_says_what_it_would_do_and_a_change_of_mode_gives_back_or_starts_anew(stage: Stage) -> None:
    slowly = level("trimmed", 1, THIN, TURN_LITE, **{"for": "2s"})
    running = stage.opens(*SHOP, stage.policy(slowly, mode="DryRun"))
    status = stage.degrades()
    assert status["levelShown"] == "(trimmed 1/1)"
    assert status["why"].startswith("would: pressure 5 > 1 for ")
    assert stage.condition("DegradationActive")["status"] == "False"
    assert stage.condition("DegradationActive")["reason"] == "DryRun"
    assert (status["held"], status.get("applied", [])) == (0, [])
    until(lambda: running.metric('brownout_steps_total{lever="scale",result="Planned"}'), "the step is planned")
    assert running.metric(f'brownout_policy_level{{mode="DryRun",namespace="{stage.namespace}",policy="shop"}}') == 1
    until(lambda: stage.events("WouldEscalate"), "an event says what would be")
    assert not stage.owes()
    stage.everything_is_as_it_was()

    stage.merge("DegradationPolicy", "shop", {"spec": {"mode": "Enforce"}})
    until(lambda: stage.status().get("mode") == "Enforce", "the policy enforces")
    assert stage.level() == "Normal", "what would have been was never taken: it starts at Normal"
    stage.everything_is_as_it_was()
    status = stage.comes_to("trimmed")
    assert (status["held"], stage.replicas("thumbnailer")) == (2, {"thumbnailer": 1})

    stage.merge("DegradationPolicy", "shop", {"spec": {"mode": "DryRun"}})
    stage.owes_nothing()
    stage.everything_is_as_it_was()
    until(lambda: stage.status()["held"] == 0, "nothing is held any more")
    assert stage.status()["levelShown"] == "(trimmed 1/1)", "it goes on from the level at hand"


def test_a_policy_deleted_while_degraded_gives_everything_back_and_then_goes(stage: Stage) -> None:
    stage.opens(*SHOP, stage.policy())
    stage.degrades("core-only")
    assert stage.owes()
    stage.kubectl.run("delete", "dgp", "shop", "--timeout=40s")
    stage.everything_is_as_it_was()
    assert stage.listed("DegradationPolicy") == []
    until(lambda: len(stage.events("GivenBack")) == len(SHOP), "each target says that it was given back")


def test_an_action_or_level_that_leaves_the_spec_while_applied_is_given_back_and_the_rest_holds(stage: Stage) -> None:
    trimmed, core_only = level("trimmed", 1, TURN_LITE, THIN), level("core-only", 3, shed("batch", "C5"))
    stage.opens(*SHOP, stage.policy(trimmed, core_only))
    assert stage.degrades("core-only")["held"] == 3

    stage.kubectl.apply(stage.policy(level("trimmed", 1, TURN_LITE), core_only))
    until(lambda: stage.status()["held"] == 2, "the action that is gone gives its target back")
    stage.everything_is_as_it_was(("ConfigMap", "flags"), ("CronJob", "bill"))
    assert stage.level() == "core-only"

    stage.kubectl.apply(stage.policy(level("trimmed", 1, TURN_LITE)))
    status = stage.comes_to("trimmed")
    until(lambda: stage.status()["held"] == 1, "the level that is gone gives its targets back")
    stage.everything_is_as_it_was(("ConfigMap", "flags"))
    assert stage.get("ConfigMap", "flags")["data"] == {"mode": "lite"}
    assert "core-only is not in the spec any more" in str(status["history"][-1])
    stage.recovers()
    stage.everything_is_as_it_was()


def test_a_spec_that_cannot_be_used_changes_nothing_and_says_so(stage: Stage) -> None:
    """CEL cannot compare durations inside levels: what it lets pass is refused at load, with the same sentence."""
    stage.opens(*SHOP, stage.policy(level("trimmed", 1, THIN)))
    stage.degrades()
    held = stage.pictures()
    longer = level("trimmed", 1, THIN, recoverAfter="367d")
    stage.kubectl.apply(policy(stage.namespace, stage.source, longer))
    until(lambda: stage.condition("Stalled").get("status") == "True", "the policy is stalled")
    assert stage.condition("Stalled")["reason"] == "Invalid"
    assert "'367d' is too long: write at most 366d" in stage.condition("Stalled")["message"]
    stage.press(0)
    until(lambda: stage.condition("Ready").get("status") == "False", "it is not ready")
    stage.everything_is_as(held)
    assert stage.level() == "trimmed"
    stage.kubectl.apply(policy(stage.namespace, stage.source, level("trimmed", 1, THIN)))
    stage.recovers()
    stage.everything_is_as_it_was()
