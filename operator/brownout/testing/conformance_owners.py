"""Who owns a field, by the sentence that each case proves."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, FEATURE_FLAG
from brownout.testing.conformance import Case, Expected
from brownout.testing.conformance_words import MADE, config, cron_job, flag, json_patch, ok


def handed(field: tuple[str, ...], to: str) -> Callable[[Mapping[str, Any]], Any]:
    """managedFields with one field moved from whoever has it to a manager that has an entry already."""

    def make(body: Mapping[str, Any]) -> Any:
        entries = json.loads(json.dumps(body["metadata"]["managedFields"]))
        for entry in entries:
            here = entry["fieldsV1"]
            for key in field[:-1]:
                here = here.setdefault(key, {}) if entry["manager"] == to else here.get(key, {})
            if entry["manager"] == to:
                here[field[-1]] = {}
            else:
                here.pop(field[-1], None)
        return [entry for entry in entries if any(entry["fieldsV1"].values())]

    return make


OWNERS: Mapping[str, Case] = {
    "whoever changes a field owns it; an equal value changes no owner": [
        (cron_job(), Expected(status=201, owners={"/spec/suspend": ["owner"], "/spec/schedule": ["owner"]})),
        (
            json_patch(CRON_JOB, ("replace", "/spec/suspend", True)),
            ok(owners={"/spec/suspend": ["owner"]}, moved=False),
        ),
        (
            json_patch(CRON_JOB, ("replace", "/spec/schedule", "0 0 2 1 *")),
            ok(owners={"/spec/suspend": ["owner"], "/spec/schedule": ["other"]}),
        ),
    ],
    "a field that goes is owned by nobody": [
        (flag(), Expected(status=201, owners={"/spec/flagSpec/flags/one/targeting/if": ["owner"]})),
        (
            json_patch(FEATURE_FLAG, ("remove", "/spec/flagSpec/flags/one/targeting")),
            ok(owners={"/spec/flagSpec/flags/one/targeting/if": [], "/spec/flagSpec/flags/one/state": ["owner"]}),
        ),
        (
            json_patch(FEATURE_FLAG, ("replace", "/spec/flagSpec/flags/one/defaultVariant", "off")),
            ok(owners={"/spec/flagSpec/flags/one/defaultVariant": ["other"]}),
        ),
    ],
    "a map with free keys can be owned itself, a struct cannot": [
        (
            config({"a": "1"}, labels={"l": "1"}),
            Expected(status=201, owners={"/data": ["owner"], "/data/a": ["owner"], "/metadata/labels": ["owner"]}),
        ),
        (json_patch(CONFIG_MAP, ("add", "/data/b", "1")), ok(owners={"/data": ["owner"], "/data/b": ["other"]})),
        (
            json_patch(CONFIG_MAP, ("add", "/metadata/annotations", {"a": "1"})),
            ok(owners={"/metadata/annotations": ["other"], "/metadata/annotations/a": ["other"]}),
        ),
        (
            json_patch(CONFIG_MAP, ("remove", "/metadata/annotations")),
            ok(owners={"/metadata/annotations": [], "/metadata/annotations/a": []}),
        ),
    ],
    "an edit of managedFields hands a field back": [
        (config({"a": "1", "b": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("replace", "/data/a", "2")), ok(owners={"/data/a": ["other"]})),
        (
            json_patch(CONFIG_MAP, ("replace", "/metadata/managedFields", handed(("f:data", "f:a"), "owner"))),
            ok(owners={"/data/a": ["owner"], "/data/b": ["owner"]}, fields={"/data/a": "2"}, moved=True),
        ),
    ],
    "an edit of managedFields does nothing for a field that changes in the same patch": [
        (config({"a": "1", "b": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("replace", "/data/a", "2")), ok(owners={"/data/a": ["other"]})),
        (
            json_patch(
                CONFIG_MAP,
                ("replace", "/data/a", "1"),
                ("replace", "/metadata/managedFields", handed(("f:data", "f:a"), "owner")),
            ),
            ok(owners={"/data/a": ["other"]}),
        ),
    ],
    "a finalizer and a label are owned one by one": [
        (config({"a": "1"}, labels={"l": "1"}), MADE),
        (
            json_patch(
                CONFIG_MAP, ("add", "/metadata/labels/m", "1"), ("add", "/metadata/finalizers", ["brownout.dev/x"])
            ),
            ok(
                owners={
                    "/metadata/labels/l": ["owner"],
                    "/metadata/labels/m": ["other"],
                    "/metadata/finalizers": ["other"],
                }
            ),
        ),
        (json_patch(CONFIG_MAP, ("remove", "/metadata/finalizers")), ok(owners={"/metadata/finalizers": []})),
    ],
    "managedFields that are removed or cannot be read leave the owners as they are; an empty list resets them": [
        (config({"a": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("remove", "/metadata/managedFields")), ok(owners={"/data/a": ["owner"]}, moved=False)),
        (
            json_patch(CONFIG_MAP, ("replace", "/metadata/managedFields", None)),
            ok(owners={"/data/a": ["owner"]}, moved=False),
        ),
        (
            json_patch(CONFIG_MAP, ("replace", "/metadata/managedFields/0/fieldsV1", {"no": 1})),
            ok(owners={"/data/a": ["owner"]}),
        ),
        (json_patch(CONFIG_MAP, ("replace", "/metadata/managedFields", [])), ok(owners={"/data/a": []}, moved=True)),
    ],
    "a list of one empty entry resets the owners": [
        (config({"a": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("replace", "/metadata/managedFields", [{}])), ok(owners={"/data/a": []}, moved=True)),
    ],
}
