"""What the watch did not tell, claims of policies that are gone, metadata that nobody knows: the sweep sees to it."""

import json
import logging
from typing import Any

import pytest

from brownout.api.policy import NORMAL
from brownout.cluster.kinds import DEPLOYMENT, EVENT, POLICY, Kind
from brownout.cluster.port import Answer, Content
from brownout.ledger.entries import HELD_LABEL, LEDGER_ANNOTATION, WHY_ANNOTATION
from brownout.reconcile.sweep import EVERY
from brownout.testing.faults import Write
from tests.reconcile.stories import NAMESPACE, Story, action, level, spec, tell

THIN = spec(level("trimmed", action("thin", "thumbnailer", 1)))
BARE = {"metadata": {"labels": {HELD_LABEL: None}, "annotations": {LEDGER_ANNOTATION: None, WHY_ANNOTATION: None}}}


def sick_shop(**operator: Any) -> Story:
    shop = Story(**operator)
    shop.deployment("thumbnailer", 3)
    shop.policy(THIN)
    shop.start()
    return shop


async def torn_away(shop: Story) -> None:
    """The policy goes although it owes something: its finalizer is removed by hand."""
    await shop.edit(POLICY, "checkout", {"metadata": {"finalizers": None}})
    shop.delete()


def test_a_policy_that_appeared_unseen_is_found_by_the_sweep() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("thumbnailer", 3)
        shop.start()
        shop.operator.deaf = True
        shop.policy(THIN)
        await shop.sick(60)
        assert shop.replicas("thumbnailer") == 3
        await shop.wait(EVERY)
        assert shop.replicas("thumbnailer") == 1

    tell(story)


def test_a_policy_that_went_unseen_is_found_by_the_sweep_and_given_back_for() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        shop.operator.deaf = True
        await torn_away(shop)
        await shop.wait(EVERY + 20)
        assert not shop.operator.engine.store.records
        assert shop.replicas("thumbnailer") == 3
        assert shop.is_clean(DEPLOYMENT, "thumbnailer")

    tell(story)


@pytest.mark.parametrize(
    ("spec_change", "deleted"),
    [
        pytest.param({"spec": {"levels": [level("trimmed")]}}, False, id="its action was taken out"),
        pytest.param({}, True, id="it is being deleted"),
    ],
)
def test_a_change_of_a_policy_that_was_missed_is_found_by_the_sweep(spec_change: dict[str, Any], deleted: bool) -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        shop.operator.deaf = True
        await shop.edit(POLICY, "checkout", spec_change)
        if deleted:
            shop.delete()
        await shop.wait(EVERY + 20)
        assert shop.replicas("thumbnailer") == 3
        await shop.wait(EVERY)
        assert shop.exists(POLICY, "checkout") is not deleted

    tell(story)


def test_held_objects_that_lost_our_metadata_unseen_are_found_by_the_sweep() -> None:
    async def story() -> None:
        shop = sick_shop()
        shop.policy({**THIN, "interval": "1h"}, "slow")
        await shop.sick()
        shop.operator.deaf = True
        key = ("Deployment", NAMESPACE, "thumbnailer")
        await shop.edit(DEPLOYMENT, "thumbnailer", {**BARE, "spec": {"replicas": 7}})
        shop.delete("thumbnailer", DEPLOYMENT)
        assert key in shop.operator.engine.store.index
        await shop.wait(EVERY + 5)
        assert key not in shop.operator.engine.store.index

    tell(story)


def test_a_policy_torn_away_is_given_back_for_soon() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await torn_away(shop)
        await shop.wait(5)
        assert shop.replicas("thumbnailer") == 3
        assert shop.is_clean(DEPLOYMENT, "thumbnailer")

    tell(story)


def test_a_policy_torn_away_while_nobody_watched_is_given_back_for_at_the_start() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.operator.crash()
        await torn_away(shop)
        await shop.restart()
        await shop.wait(5)
        assert shop.replicas("thumbnailer") == 3
        assert shop.is_clean(DEPLOYMENT, "thumbnailer")

    tell(story)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(status=403, reason="Forbidden"), id="it may not be read"),
        pytest.param(Answer(status=404, message="404 page not found"), id="its kind is not served"),
        pytest.param(Answer(status=0), id="no answer comes"),
    ],
)
def test_a_policy_is_not_gone_because(answer: Answer) -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.operator.crash()
        await torn_away(shop)
        lists = 0

        def not_told(verb: str, kind: Kind, _: str) -> Answer | None:
            nonlocal lists
            lists += (verb, kind) == ("list", POLICY)
            return answer if (verb, kind) == ("get", POLICY) else None

        shop.cluster.on_read = not_told
        await shop.restart()
        await shop.wait(60)
        assert shop.replicas("thumbnailer") == 1
        assert lists == 1
        shop.cluster.on_read = lambda *_: None
        await shop.wait(EVERY)
        assert shop.replicas("thumbnailer") == 3

    tell(story)


def test_claims_of_policies_in_namespaces_that_are_not_ours_are_left_alone() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.operator.crash()
        await torn_away(shop)
        shop.settings = {"namespaces": ("elsewhere",)}
        await shop.restart()
        await shop.wait(EVERY + 10)
        assert shop.replicas("thumbnailer") == 1

    tell(story)


def clone_of(shop: Story, name: str, **metadata: Any) -> None:
    body = shop.body(DEPLOYMENT, "thumbnailer")
    kept = {key: body["metadata"][key] for key in ("labels", "annotations")}
    clone = {"metadata": {"name": name, "namespace": NAMESPACE, **kept, **metadata}, "spec": body["spec"]}
    assert shop.api.seed(DEPLOYMENT, clone, manager="kubectl").ok


def test_a_clone_of_a_held_object_loses_our_metadata_and_nothing_else() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        clone_of(shop, "copy", labels={"app": "x", **shop.body(DEPLOYMENT, "thumbnailer")["metadata"]["labels"]})
        await shop.wait(5)
        assert shop.is_clean(DEPLOYMENT, "copy")
        assert shop.body(DEPLOYMENT, "copy")["metadata"]["labels"] == {"app": "x"}
        assert (shop.replicas("copy"), shop.replicas("thumbnailer")) == (1, 1)
        assert not shop.is_clean(DEPLOYMENT, "thumbnailer")
        events = await shop.api.list(EVENT, NAMESPACE)
        assert any("copy" in each["regarding"]["name"] for each in events.items)

    tell(story)


def test_a_broken_ledger_that_nobody_knows_is_left_for_a_person(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        shop = sick_shop()
        clone_of_nothing = {
            "name": "odd",
            "namespace": NAMESPACE,
            "labels": {HELD_LABEL: "t"},
            "annotations": {LEDGER_ANNOTATION: "{"},
        }
        shop.api.seed(DEPLOYMENT, {"metadata": clone_of_nothing, "spec": {"replicas": 1}}, manager="kubectl")
        await shop.wait(10)
        assert not shop.is_clean(DEPLOYMENT, "odd")
        assert not [each for each in shop.writes() if each.name == "odd"]
        assert "Deployment shop/odd: the ledger cannot be read" in caplog.text

    with caplog.at_level(logging.ERROR):
        tell(story)


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({"annotations": {LEDGER_ANNOTATION: None}}, id="the ledger"),
        pytest.param({"annotations": {LEDGER_ANNOTATION: "{"}}, id="the ledger, broken"),
        pytest.param({"annotations": {LEDGER_ANNOTATION: None, WHY_ANNOTATION: None}}, id="all annotations"),
        pytest.param({"labels": {HELD_LABEL: None}}, id="the label"),
        pytest.param({"labels": {HELD_LABEL: "other"}}, id="the label, changed"),
    ],
)
def test_metadata_torn_off_is_written_again_from_the_status(metadata: dict[str, Any]) -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        take = shop.take_id("thumbnailer")
        await shop.edit(DEPLOYMENT, "thumbnailer", {"metadata": metadata})
        await shop.wait(1)
        assert shop.take_id("thumbnailer") == take
        assert LEDGER_ANNOTATION in shop.body(DEPLOYMENT, "thumbnailer")["metadata"]["annotations"]
        await shop.well()
        assert (shop.replicas("thumbnailer"), shop.is_clean(DEPLOYMENT, "thumbnailer")) == (3, True)

    tell(story)


def test_a_ledger_torn_off_while_nobody_watched_is_written_again_from_the_status() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.operator.crash()
        await shop.edit(DEPLOYMENT, "thumbnailer", {"metadata": {"annotations": {LEDGER_ANNOTATION: None}}})
        await shop.restart()
        await shop.well()
        assert (shop.replicas("thumbnailer"), shop.is_clean(DEPLOYMENT, "thumbnailer")) == (3, True)

    tell(story)


def test_without_label_and_ledger_the_original_is_named_and_nothing_is_guessed() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        await shop.edit(DEPLOYMENT, "thumbnailer", BARE)
        await shop.well()
        assert shop.replicas("thumbnailer") == 1
        assert shop.condition("Stalled") == "True LedgerLost"
        assert "/spec/replicas was 3" in shop.status().blocked[0].message
        assert shop.owes()
        await shop.scale("thumbnailer", 4)
        await shop.wait(150)
        assert shop.replicas("thumbnailer") == 4
        assert shop.condition("Stalled") == "False Working"
        assert not shop.owes()

    tell(story)


def test_a_rollback_that_brings_an_old_ledger_back_changes_nothing() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        old = shop.body(DEPLOYMENT, "thumbnailer")["metadata"]["annotations"]
        await shop.well()
        await shop.scale("thumbnailer", 6)
        await shop.edit(DEPLOYMENT, "thumbnailer", {"metadata": {"annotations": old}})
        await shop.sick(40)
        assert shop.replicas("thumbnailer") == 1
        held = shop.body(DEPLOYMENT, "thumbnailer")["metadata"]["annotations"]
        await shop.edit(DEPLOYMENT, "thumbnailer", {"metadata": {"annotations": old}})
        await shop.wait(15)
        now = json.loads(shop.body(DEPLOYMENT, "thumbnailer")["metadata"]["annotations"][LEDGER_ANNOTATION])
        assert now["take"] == json.loads(held[LEDGER_ANNOTATION])["take"]
        assert now["fields"]["/spec/replicas"]["original"] == 6
        await shop.well(200)
        assert (shop.replicas("thumbnailer"), shop.is_clean(DEPLOYMENT, "thumbnailer")) == (6, True)

    tell(story)


def test_a_list_that_was_read_before_an_object_was_let_go_brings_nothing_old_back() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        old = await shop.api.list(DEPLOYMENT, NAMESPACE, selector=HELD_LABEL)
        shop.operator.deaf = True
        await shop.well()
        assert shop.operator.engine.store.index

        def late(verb: str, kind: Kind, selector: str) -> Answer | None:
            if (verb, kind, selector) != ("list", DEPLOYMENT, HELD_LABEL):
                return None
            shop.operator.engine.intake.target(("Deployment", NAMESPACE, "thumbnailer"), None)
            return old

        shop.cluster.on_read = late
        await shop.wait(EVERY)
        assert shop.operator.engine.store.index == {}
        assert not shop.owes()

    tell(story)


def test_a_list_that_was_read_before_the_watch_told_more_brings_nothing_old_back() -> None:
    async def story() -> None:
        shop = sick_shop()
        old = shop.deployment("other", 3)
        await shop.sick()
        held = shop.body(DEPLOYMENT, "thumbnailer")
        shop.operator.engine.intake.target(
            ("Deployment", NAMESPACE, "thumbnailer"), {**held, "metadata": {**held["metadata"]}}
        )
        before = dict(shop.operator.engine.store.index)
        stale = {**held, "metadata": {**held["metadata"], "resourceVersion": old["metadata"]["resourceVersion"]}}
        shop.operator.engine.intake.target(("Deployment", NAMESPACE, "thumbnailer"), stale)
        assert {key: found.version for key, found in shop.operator.engine.store.index.items()} == {
            key: found.version for key, found in before.items()
        }

    tell(story)


def test_an_old_body_of_a_policy_brings_nothing_old_back() -> None:
    async def story() -> None:
        shop = sick_shop()
        old = shop.body(POLICY, "checkout")
        await shop.sick()
        shop.operator.engine.intake.policy(NAMESPACE, "checkout", old)
        await shop.wait(30)
        assert (shop.status().level, shop.replicas("thumbnailer"), shop.owes()) == ("trimmed", 1, True)

    tell(story)


def test_the_sweep_goes_on_although_nothing_can_be_listed() -> None:
    async def story() -> None:
        shop = sick_shop()
        shop.cluster.on_read = lambda verb, *_: Answer(status=503) if verb == "list" else None
        await shop.wait(EVERY * 2)
        shop.cluster.on_read = lambda *_: None
        shop.operator.deaf = True
        shop.policy(THIN, "late")
        await shop.wait(EVERY + 10)
        assert (NAMESPACE, "late") in shop.operator.engine.store.records

    tell(story)


def test_an_orphan_that_cannot_be_given_back_is_tried_again_at_the_next_sweep() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()

        def refused(write: Write) -> Answer | None:
            return Answer(status=500) if write.kind == DEPLOYMENT.kind else None

        shop.cluster.on_write = refused
        await torn_away(shop)
        await shop.wait(60)
        assert shop.replicas("thumbnailer") == 1
        shop.cluster.on_write = lambda _: None
        await shop.wait(EVERY)
        assert shop.replicas("thumbnailer") == 3

    tell(story)


def test_a_strip_meets_nothing_but_our_metadata() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        clone_of(shop, "copy", annotations={LEDGER_ANNOTATION: "x", "note": "mine"}, labels={HELD_LABEL: "other"})
        text = json.dumps({"metadata": {"annotations": {LEDGER_ANNOTATION: None}}})
        await shop.api.patch(DEPLOYMENT, NAMESPACE, "copy", text, Content.MERGE_PATCH, manager="kubectl")
        await shop.wait(5)
        assert shop.is_clean(DEPLOYMENT, "copy")
        assert shop.body(DEPLOYMENT, "copy")["metadata"]["annotations"] == {"note": "mine"}

    tell(story)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(status=403, reason="Forbidden"), id="refused"),
        pytest.param(Answer(status=0), id="unanswered"),
        pytest.param(Answer(status=409, reason="Conflict"), id="always in conflict"),
    ],
)
def test_the_original_is_remembered_while_writing_the_ledger_again_is(answer: Answer) -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        shop.cluster.on_write = lambda write: answer if write.kind == DEPLOYMENT.kind else None
        await shop.edit(DEPLOYMENT, "thumbnailer", {"metadata": {"annotations": {LEDGER_ANNOTATION: None}}})
        await shop.wait(30)
        assert (shop.status().held, shop.status().released) == (1, ())
        await shop.restart()
        await shop.wait(30)
        shop.cluster.on_write = lambda _: None
        await shop.well(150)
        assert (shop.replicas("thumbnailer"), shop.is_clean(DEPLOYMENT, "thumbnailer")) == (3, True)

    tell(story)


def test_a_status_that_was_wiped_is_rebuilt_from_the_ledgers() -> None:
    async def story() -> None:
        shop = sick_shop()
        await shop.sick()
        take = shop.take_id("thumbnailer")
        await shop.operator.crash()
        wiped = json.dumps({"status": None})
        answer = await shop.api.patch(
            POLICY, NAMESPACE, "checkout", wiped, Content.MERGE_PATCH, manager="kubectl", subresource="status"
        )
        assert answer.ok
        assert shop.status().level == NORMAL
        await shop.restart()
        await shop.wait(15)
        assert (shop.status().level, shop.status().held) == ("trimmed", 1)
        assert (shop.replicas("thumbnailer"), shop.take_id("thumbnailer")) == (1, take)
        await shop.well()
        assert (shop.replicas("thumbnailer"), shop.is_clean(DEPLOYMENT, "thumbnailer")) == (3, True)

    tell(story)


def test_a_pass_that_is_under_way_while_its_policy_is_torn_away_takes_nothing_more() -> None:
    async def story() -> None:
        shop = Story()
        for name in ("a", "b"):
            shop.deployment(name, 3)
        shop.policy(spec(level("trimmed", action("a", "a"), action("b", "b"))))
        shop.start()
        shop.cluster.on_write = lambda write: 3.0 if write.name == "a" else None
        shop.source.say({"p99": "1.0"})
        await shop.until(lambda: bool(shop.writes(DEPLOYMENT)), step=0.5)
        await torn_away(shop)
        await shop.wait(30)
        assert {each.name for each in shop.writes(DEPLOYMENT)} == {"a"}
        assert (shop.replicas("a"), shop.replicas("b")) == (3, 3)
        assert shop.is_clean(DEPLOYMENT, "a")
        assert shop.metric("brownout_policy_level{") == ""

    tell(story)
