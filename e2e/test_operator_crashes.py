"""The operator is killed, stopped and started again: nothing moves meanwhile, and nothing is lost."""

from e2e.fixtures.kubectl import Object
from e2e.fixtures.objects import config_map, cron_job, deployment, feature_flag, flag, level, shed, turned
from e2e.fixtures.operator import Operator
from e2e.fixtures.polling import until
from e2e.fixtures.stage import Name, Stage

SHOP = (
    deployment("thumbnailer", 2),
    config_map("flags", mode="full"),
    cron_job("bill", "C5"),
    feature_flag("shop", reviews=flag("on", {"if": [{"var": "vip"}, "on", None]})),
)
BATCH = 12


def decided(running: Operator, stage: Stage, times: int = 3) -> None:
    """The operator has decided on a few ticks of the stage's policy since it started."""

    def ticks() -> float:
        return running.metric("brownout_decision_seconds_count")

    start = ticks()
    until(lambda: ticks() >= start + times, f"{times} ticks in {stage.namespace}", 40)


def test_killed_while_degraded_nothing_moves_and_the_next_operator_gives_back(stage: Stage) -> None:
    first = stage.opens(
        *SHOP,
        stage.policy(
            level("trimmed", 1, turned("reviews", "shop", "reviews", "off"), shed("batch", "C5")),
            level("core-only", 3, shed("web", selector={"matchLabels": {"app": "nothing"}})),
        ),
    )
    before = stage.degrades("core-only")
    held = stage.pictures()
    first.kill()
    stage.everything_is_as(held)
    second = stage.start()
    decided(second, stage)
    stage.everything_is_as(held)
    after = stage.status()
    assert {key: after[key] for key in ("level", "since", "applied", "history")} == {
        key: before[key] for key in ("level", "since", "applied", "history")
    }
    stage.recovers()
    stage.everything_is_as_it_was()


def test_sigterm_while_degraded_ends_within_ten_seconds_and_changes_nothing(stage: Stage) -> None:
    first = stage.opens(*SHOP, stage.policy())
    stage.degrades("core-only")
    held, status = stage.pictures(), stage.status()
    assert first.terminate(seconds=10) == 0
    stage.everything_is_as(held)
    assert stage.status() == status
    stage.press(0)
    stage.start()
    stage.recovers()
    stage.everything_is_as_it_was()


def test_killed_amid_taking_and_amid_giving_back_many_targets(stage: Stage) -> None:
    batch = [cron_job(f"batch-{number:02d}", "C5") for number in range(BATCH)]
    first = stage.opens(
        *batch,
        stage.policy(level("trimmed", 1, shed("batch", "C5", kinds=["CronJob"])), recovery={"waveSize": 2}),
    )
    stage.press(5)
    until(lambda: suspended(stage), "the first target is taken", every=0.01)
    first.kill()
    taken = suspended(stage)
    second = stage.start()
    until(lambda: len(suspended(stage)) == BATCH, "all targets are taken", 40)
    until(lambda: stage.status().get("held") == BATCH, "the status says all of them", 40)
    stage.press(0)
    until(lambda: len(suspended(stage)) < BATCH, "the first target is given back", 40, every=0.01)
    second.kill()
    left = suspended(stage)
    stage.start()
    stage.recovers()
    stage.everything_is_as_it_was()
    print(f"killed with {len(taken)} of {BATCH} taken, and with {len(left)} still held")
    assert left, "giving back in waves of two is slow enough to be killed amid"


def suspended(stage: Stage) -> list[Name]:
    def is_suspended(body: Object) -> bool:
        return bool(body["spec"].get("suspend"))

    return [("CronJob", each["metadata"]["name"]) for each in stage.listed("CronJob") if is_suspended(each)]
