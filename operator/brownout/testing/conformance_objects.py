"""Versions, status and the rules of metadata, by the sentence that each case proves."""

from collections.abc import Mapping

from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, DEPLOYMENT, POLICY
from brownout.testing.conformance import ABSENT, Case, Deleted, Expected, Get
from brownout.testing.conformance_words import (
    MADE,
    MALFORMED,
    NO_OBJECT,
    REFUSED,
    STALE,
    config,
    cron_job,
    deployment,
    json_patch,
    merge,
    named,
    ok,
    policy,
    uid,
    version,
)

VERSIONS: Mapping[str, Case] = {
    "a patch with the version as read passes, with an older one it is a conflict": [
        (config({"a": "1"}), MADE),
        (
            json_patch(CONFIG_MAP, ("replace", "/metadata/resourceVersion", version), ("add", "/data/b", "1")),
            ok(moved=True),
        ),
        (json_patch(CONFIG_MAP, ("replace", "/metadata/resourceVersion", "1"), ("add", "/data/c", "1")), STALE),
        (json_patch(CONFIG_MAP, ("replace", "/metadata/resourceVersion", "1"), ("test", "/data/a", "9")), REFUSED),
        (json_patch(CONFIG_MAP, ("replace", "/metadata/resourceVersion", "1")), STALE),
    ],
    "the uid is tested like any field": [
        (config({"a": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("test", "/metadata/uid", uid)), ok(moved=False)),
        (json_patch(CONFIG_MAP, ("test", "/metadata/uid", "another")), REFUSED),
    ],
    "the name cannot be changed": [
        (config({"a": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("replace", "/metadata/name", "other")), MALFORMED),
    ],
    "a patch that changes nothing moves no version": [
        (policy(labels={"a": "1"}), MADE),
        (json_patch(POLICY, ("replace", "/spec/mode", "DryRun")), ok(moved=False, fields={"/metadata/generation": 1})),
        (merge(POLICY, {"metadata": {"labels": {"a": "1"}}}), ok(moved=False)),
    ],
    "the generation follows the spec of a custom resource": [
        (policy({"level": "Normal"}), Expected(status=201, fields={"/metadata/generation": 1, "/status": ABSENT})),
        (merge(POLICY, {"spec": {"interval": "20s"}}), ok(fields={"/metadata/generation": 2})),
        (merge(POLICY, {"metadata": {"labels": {"a": "b"}}}), ok(fields={"/metadata/generation": 2}, moved=True)),
        (merge(POLICY, {"status": {"level": "x"}}, "status"), ok(fields={"/metadata/generation": 2}, moved=True)),
    ],
    "the generation follows the spec of a CronJob; a ConfigMap has none": [
        (cron_job(), Expected(status=201, fields={"/metadata/generation": 1})),
        (merge(CRON_JOB, {"metadata": {"annotations": {"a": "b"}}}), ok(fields={"/metadata/generation": 1})),
        (merge(CRON_JOB, {"spec": {"schedule": "0 0 2 1 *"}}), ok(fields={"/metadata/generation": 2})),
        (config({"a": "1"}), Expected(status=201, fields={"/metadata/generation": ABSENT})),
    ],
    "a Deployment has a replica unless told otherwise, and its generation follows its annotations too": [
        (deployment(), Expected(status=201, fields={"/spec/replicas": 1, "/metadata/generation": 1})),
        (merge(DEPLOYMENT, {"metadata": {"annotations": {"a": "b"}}}), ok(fields={"/metadata/generation": 2})),
        (merge(DEPLOYMENT, {"spec": {"replicas": None}}), ok(fields={"/spec/replicas": 1})),
    ],
}

STATUS: Mapping[str, Case] = {
    "a patch of the status leaves all else alone": [
        (policy(labels={"a": "1"}), MADE),
        (
            merge(
                POLICY,
                {
                    "status": {"level": "x"},
                    "spec": {"mode": "Enforce"},
                    "metadata": {"labels": {"a": "2"}, "uid": "no"},
                },
                "status",
            ),
            ok(
                fields={"/status/level": "x", "/spec/mode": "DryRun", "/metadata/labels/a": "1"},
                owners={"/status/level": ["other"]},
            ),
        ),
        (merge(POLICY, {"status": {"level": None, "why": "y"}}, "status"), ok(fields={"/status": {"why": "y"}})),
        (merge(POLICY, {"status": {"why": "y"}}, "status"), ok(moved=False)),
    ],
    "a patch of the object leaves the status alone": [
        (policy(), MADE),
        (merge(POLICY, {"status": {"level": "x"}}, "status"), ok()),
        (merge(POLICY, {"status": {"level": "y"}}), ok(fields={"/status/level": "x"}, moved=False)),
    ],
    "an older version in a patch of the status is a conflict": [
        (policy(), MADE),
        (merge(POLICY, {"metadata": {"resourceVersion": "1"}, "status": {"level": "x"}}, "status"), STALE),
    ],
}

METADATA: Mapping[str, Case] = {
    "an object with a finalizer goes when the last finalizer goes": [
        (policy(), MADE),
        (
            json_patch(POLICY, ("add", "/metadata/finalizers", ["brownout.dev/owes"])),
            ok(fields={"/metadata/generation": 1}),
        ),
        (Deleted(kind=POLICY), ok(fields={"/metadata/generation": 2, "/metadata/deletionGracePeriodSeconds": 0})),
        (json_patch(POLICY, ("add", "/metadata/finalizers/-", "brownout.dev/more")), REFUSED),
        (merge(POLICY, {"status": {"level": "x"}}, "status"), ok()),
        (json_patch(POLICY, ("remove", "/metadata/finalizers")), ok(fields={"/metadata/finalizers": ABSENT})),
        (Get(kind=POLICY), NO_OBJECT),
    ],
    "an object without a finalizer goes at once": [(config({"a": "1"}), MADE), (Deleted(kind=CONFIG_MAP), NO_OBJECT)],
    "empty maps of metadata are dropped": [
        (config({"a": "1"}, labels={"l": "1"}, annotations={"a": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("remove", "/metadata/annotations/a")), ok(fields={"/metadata/annotations": ABSENT})),
        (json_patch(CONFIG_MAP, ("remove", "/metadata/labels/l")), ok(fields={"/metadata/labels": ABSENT})),
    ],
    "all annotations together have 256 KiB": [
        (config(annotations={"a": "x" * 200_000}), MADE),
        (json_patch(CONFIG_MAP, ("add", "/metadata/annotations/b", "x" * 70_000)), REFUSED),
        (json_patch(CONFIG_MAP, ("add", "/metadata/annotations/b", "x" * 60_000)), ok()),
    ],
    "a label's value is short and plain": [
        (config(labels={"a": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("replace", "/metadata/labels/a", "two words")), REFUSED),
        (json_patch(CONFIG_MAP, ("replace", "/metadata/labels/a", "x" * 64)), REFUSED),
        (json_patch(CONFIG_MAP, ("replace", "/metadata/labels/a", "x" * 63)), ok()),
    ],
    "an immutable ConfigMap accepts annotations only": [
        (named(CONFIG_MAP, {"data": {"a": "1"}, "immutable": True}), MADE),
        (json_patch(CONFIG_MAP, ("replace", "/data/a", "2")), REFUSED),
        (json_patch(CONFIG_MAP, ("add", "/metadata/annotations", {"a": "1"})), ok(moved=True)),
    ],
}
