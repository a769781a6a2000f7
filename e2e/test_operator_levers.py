"""Each lever on each kind of target: what it takes, and that all of it comes back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openfeature import api as openfeature
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext

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

NASTY = "Grüße <a href='x'>&amp;</a> \"quoted\" \\ back\\slash \u2028\u2029 \x7f \t 日本 🕯 e\u0301\nsecond line: 18.0\n"
"""What Go's encoder escapes and Python's does not, and the other way round."""


def test_scale_comes_down_or_up_and_every_replica_count_comes_back(stage: Stage) -> None:
    stage.opens(
        deployment("thumbnailer", 3),
        stateful_set("index", 3),
        deployment("small", 1),
        deployment("checkout", 1),
        deployment("roomy", 2),
        stage.policy(
            level(
                "trimmed",
                1,
                scaled("thumbnailer", atMost=1),
                scaled("index", kind="StatefulSet", percent=50),
                scaled("small", atMost=2),
                scaled("checkout", atLeast=2),
                scaled("roomy", atLeast=1),
            ),
            protects={"kind": "Deployment", "name": "checkout"},
        ),
    )
    status = stage.degrades()
    degraded = stage.replicas("thumbnailer", "small", "checkout", "roomy") | stage.replicas("index", kind="StatefulSet")
    assert degraded == {"thumbnailer": 1, "small": 1, "checkout": 2, "roomy": 2, "index": 2}
    assert {each["target"]["name"] for each in status["applied"]} == {"thumbnailer", "index", "checkout"}
    assert (status["held"], status.get("blocked", [])) == (3, [])
    stage.everything_is_as_it_was(("Deployment", "thumbnailer"), ("StatefulSet", "index"), ("Deployment", "checkout"))
    stage.recovers()
    stage.everything_is_as_it_was()


def test_shed_takes_the_listed_kinds_the_most_dispensable_first(stage: Stage) -> None:
    stage.opens(
        deployment("reports", 1, "C4"),
        stateful_set("cache", 1, "C5"),
        cron_job("a-later", "C4"),
        cron_job("z-first", "C5"),
        job("export", "C5"),
        cron_job("bill", "C3"),
        deployment("web", 1),
        stage.policy(
            level("trimmed", 1, shed("batch", "C5", "C4", kinds=["Deployment", "StatefulSet", "CronJob", "Job"]))
        ),
    )
    status = stage.degrades()
    assert stage.replicas("reports", "web") == {"reports": 0, "web": 1}
    assert stage.replicas("cache", kind="StatefulSet") == {"cache": 0}
    suspended = {name: stage.get(kind, name)["spec"]["suspend"] for kind, name in JOBS}
    assert suspended == {"a-later": True, "z-first": True, "export": True, "bill": False}
    assert (status["held"], status.get("blocked", [])) == (5, [])
    first, later = (stage.get("CronJob", name)["metadata"]["resourceVersion"] for name in ("z-first", "a-later"))
    assert int(first) < int(later), "C5 is taken before C4"
    stage.recovers()
    stage.everything_is_as_it_was()


JOBS = (("CronJob", "a-later"), ("CronJob", "z-first"), ("Job", "export"), ("CronJob", "bill"))


def test_shed_by_a_selector_takes_deployments_and_cron_jobs_unless_kinds_are_listed(stage: Stage) -> None:
    labelled = [deployment("reports", 2), stateful_set("cache", 1), cron_job("export"), job("import")]
    for each in labelled:
        each["metadata"]["labels"] = {"tier": "batch"}
    stage.opens(
        *labelled,
        deployment("web", 1),
        stage.policy(
            level("trimmed", 1, shed("batch", selector={"matchExpressions": [TIER]})),
        ),
    )
    status = stage.degrades()
    assert {(each["target"]["kind"], each["target"]["name"]) for each in status["applied"]} == {
        ("Deployment", "reports"),
        ("CronJob", "export"),
    }
    stage.everything_is_as_it_was(("Deployment", "reports"), ("CronJob", "export"))
    stage.recovers()
    stage.everything_is_as_it_was()


TIER = {"key": "tier", "operator": "In", "values": ["batch", "reports"]}


def test_a_config_map_key_is_written_over_or_made_and_goes_back_to_what_it_was_or_was_not(stage: Stage) -> None:
    stage.opens(
        config_map("flags", **{"mode": "full", "page.html": NASTY, "number": "18.0", "empty": ""}),
        config_map("bare"),
        stage.policy(
            level(
                "trimmed",
                1,
                written("mode", "flags", "mode", "lite <&>\u2028 ü"),
                written("page", "flags", "page.html", ""),
                written("number", "flags", "number", "0"),
                written("empty", "flags", "empty", "18.0"),
                written("absent", "flags", "static", "true"),
                written("no-data-at-all", "bare", "static", "true"),
            )
        ),
    )
    assert "data" not in stage.get("ConfigMap", "bare")
    stage.degrades()
    assert stage.get("ConfigMap", "flags")["data"] == {
        "mode": "lite <&>\u2028 ü",
        "page.html": "",
        "number": "0",
        "empty": "18.0",
        "static": "true",
    }
    assert stage.get("ConfigMap", "bare")["data"] == {"static": "true"}
    stage.recovers()
    stage.everything_is_as_it_was()


def test_a_feature_flag_turns_for_everybody_and_its_targeting_comes_back(stage: Stage, tmp_path: Path) -> None:
    targeting = {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "lite", None]}
    stage.opens(
        feature_flag(
            "shop",
            targeted=flag("on", targeting),
            plain=flag("on"),
            other=flag("on", {"if": [True, "off"]}),
        ),
        stage.policy(
            level("trimmed", 1, *(turned(key, "shop", key, "lite") for key in ("targeted", "plain"))),
            level("core-only", 3, turned("off", "shop", "targeted", "off")),
        ),
    )
    file = tmp_path / "flags.json"
    with reading(file) as seen:

        def shows(ann: str, bob: str, plain: str, other: str) -> None:
            file.write_text(json.dumps(stage.get("FeatureFlag", "shop")["spec"]["flagSpec"]))
            want = {"ann": ann, "bob": bob, "plain": plain, "other": other}
            until(lambda: seen() == want, f"the application sees {want} and not {seen()}")

        shows(ann="lite", bob="full", plain="full", other="none")
        stage.degrades("trimmed", 2)
        shows(ann="lite", bob="lite", plain="lite", other="none")
        stage.degrades("core-only", 5)
        shows(ann="none", bob="none", plain="lite", other="none")
        stage.recovers()
        shows(ann="lite", bob="full", plain="full", other="none")
    stage.everything_is_as_it_was()


@contextmanager
def reading(file: Path) -> Iterator["Seen"]:
    """An application with the real OpenFeature SDK, on flagd's file."""
    file.write_text('{"flags": {}}')
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(file), retry_backoff_ms=100)
    openfeature.set_provider(provider)
    try:
        yield Seen()
    finally:
        openfeature.shutdown()


class Seen:
    """What two users get of each flag."""

    def __call__(self) -> dict[str, str]:
        client = openfeature.get_client()
        ann = EvaluationContext(attributes={"email": "ann@example.com"})
        bob = EvaluationContext(attributes={"email": "bob@example.org"})
        return {
            "ann": client.get_string_value("targeted", "code default", ann),
            "bob": client.get_string_value("targeted", "code default", bob),
            "plain": client.get_string_value("plain", "code default", ann),
            "other": client.get_string_value("other", "code default", bob),
        }


def test_any_text_and_number_in_a_flag_comes_back_as_it_was(stage: Stage) -> None:
    names = {"var": NASTY}
    targeting = {
        "if": [
            {"in": [names, [18.0, 1e21, 0.1, 1.5e-7, -0.0, 123456789, True, None, NASTY, {"<&>": "ü\u2028"}]]},
            "größe <&>",
            None,
        ]
    }
    variants = {"größe <&>": {"text": NASTY, "n": 18.0, "deep": [[1.0, 2.50], {"\u2029": 1e-9}]}, "off": False}
    stage.opens(
        feature_flag("shop", **{"strange/key~1": flag("größe <&>", targeting, **variants)}),
        stage.policy(level("trimmed", 1, turned("off", "shop", "strange/key~1", "off"))),
    )
    stage.degrades()
    turned_off = stage.get("FeatureFlag", "shop")["spec"]["flagSpec"]["flags"]["strange/key~1"]
    assert turned_off["defaultVariant"] == "off"
    assert "targeting" not in turned_off
    stage.recovers()
    stage.everything_is_as_it_was()
