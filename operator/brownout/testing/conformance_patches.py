"""What is read, and how a patch is applied, by the sentence that each case proves."""

import json
from collections.abc import Mapping

from brownout.cluster.kinds import CONFIG_MAP, FEATURE_FLAG, POLICY
from brownout.cluster.port import Content
from brownout.testing.conformance import ABSENT, Case, Create, Expected, Get, Listed, Patched
from brownout.testing.conformance_words import (
    MADE,
    MALFORMED,
    NO_KIND,
    NO_OBJECT,
    NO_PAGE,
    REFUSED,
    STRANGE,
    config,
    flag,
    json_patch,
    merge,
    ok,
    raw,
)

READING: Mapping[str, Case] = {
    "an object that is not there is missing": [(Get(kind=CONFIG_MAP), NO_OBJECT)],
    "a patch of an object that is not there finds it missing": [
        (json_patch(CONFIG_MAP, ("add", "/data", {})), NO_OBJECT),
        (merge(POLICY, {"status": {}}, "status"), NO_OBJECT),
    ],
    "a kind that nobody serves is a 404 that speaks of no object": [
        (Get(kind=NO_KIND), NO_PAGE),
        (Listed(kind=NO_KIND), NO_PAGE),
        (json_patch(NO_KIND, ("add", "/spec", {})), NO_PAGE),
        (Create(kind=NO_KIND, body={"metadata": {"name": "it"}}), NO_PAGE),
    ],
    "a second object of the same name already exists": [
        (config({"a": "1"}), MADE),
        (config({"a": "2"}), Expected(status=409, reason="AlreadyExists")),
        (Get(kind=CONFIG_MAP), ok(fields={"/data/a": "1"})),
    ],
    "a list follows equality, sets and existence": [
        (config(name="a", labels={"tier": "front", "held": "x"}), MADE),
        (config(name="b", labels={"tier": "back"}), MADE),
        (config(name="c"), MADE),
        *(
            (Listed(kind=CONFIG_MAP, selector=selector), ok(names=names))
            for selector, names in {
                "tier=front": ["a"],
                "tier==back": ["b"],
                "tier!=front,tier": ["b"],
                "tier in (front, back)": ["a", "b"],
                "tier notin (front),tier": ["b"],
                "held": ["a"],
                "!held,tier": ["b"],
                "tier=,held": [],
            }.items()
        ),
        (Listed(kind=CONFIG_MAP, selector="tier in front"), MALFORMED),
    ],
    "a list of metadata only holds nothing else, under the kind's own name": [
        (config({"a": "1"}, labels={"only": "this"}), MADE),
        (
            Listed(kind=CONFIG_MAP, selector="only=this", metadata_only=True),
            ok(names=["it"]),
        ),
    ],
}

JSON_PATCHES: Mapping[str, Case] = {
    "a test compares text as Go writes it": [
        (config({"a": STRANGE}), MADE),
        (json_patch(CONFIG_MAP, ("test", "/data/a", STRANGE), ("add", "/data/b", "1")), ok(fields={"/data/b": "1"})),
        (raw(f'[{{"op":"test","path":"/data/a","value":{json.dumps(STRANGE)}}}]'), REFUSED),
        (raw(f'[{{"op":"test","path":"/data/a","value":{json.dumps(STRANGE, ensure_ascii=False)}}}]'), REFUSED),
    ],
    "a number is stored in its shortest form and tested as text": [
        (flag(), MADE),
        (json_patch(FEATURE_FLAG, ("test", "/spec/flagSpec/flags/one/variants/many", 18)), ok(moved=False)),
        (
            Patched(
                kind=FEATURE_FLAG,
                patch='[{"op":"test","path":"/spec/flagSpec/flags/one/variants/many","value":18.0}]',
            ),
            REFUSED,
        ),
    ],
    "a test for null passes for what is not there, and fails below what is not there": [
        (config({"a": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("test", "/data/b", None)), ok(moved=False)),
        (json_patch(CONFIG_MAP, ("test", "/metadata/annotations", None)), ok(moved=False)),
        (json_patch(CONFIG_MAP, ("test", "/metadata/annotations/b", None)), REFUSED),
        (json_patch(CONFIG_MAP, ("test", "/data/a", None)), REFUSED),
    ],
    "a test of maps and lists ignores the order of keys only": [
        (flag(), MADE),
        (
            json_patch(
                FEATURE_FLAG,
                ("test", "/spec/flagSpec/flags/one/targeting", {"if": [True, "on", "off"]}),
                ("test", "/spec/flagSpec/flags/one/variants", {"many": 18, "off": False, "on": True}),
            ),
            ok(moved=False),
        ),
        (json_patch(FEATURE_FLAG, ("test", "/spec/flagSpec/flags/one/targeting/if", [True, "off", "on"])), REFUSED),
    ],
    "a failed test changes nothing": [
        (config({"a": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("replace", "/data/a", "2"), ("test", "/data/a", "1")), REFUSED),
        (Get(kind=CONFIG_MAP), ok(fields={"/data/a": "1"})),
    ],
    "a replace of an absent key adds it; a remove of one is refused": [
        (config({"a": "1"}), MADE),
        (json_patch(CONFIG_MAP, ("replace", "/data/b", "2")), ok(fields={"/data": {"a": "1", "b": "2"}}, moved=True)),
        (json_patch(CONFIG_MAP, ("remove", "/data/c")), REFUSED),
        (json_patch(CONFIG_MAP, ("add", "/metadata/annotations/b", "1")), REFUSED),
        (json_patch(CONFIG_MAP, ("add", "/data", {"c": "3"})), ok(fields={"/data": {"c": "3"}})),
        (json_patch(CONFIG_MAP, ("remove", "/data/c")), ok(fields={"/data": ABSENT})),
    ],
    "items of a list are added, put in between and removed": [
        (config(finalizers=["brownout.dev/a"]), MADE),
        (
            json_patch(
                CONFIG_MAP,
                ("test", "/metadata/finalizers/0", "brownout.dev/a"),
                ("add", "/metadata/finalizers/-", "brownout.dev/c"),
                ("add", "/metadata/finalizers/1", "brownout.dev/b"),
            ),
            ok(fields={"/metadata/finalizers": ["brownout.dev/a", "brownout.dev/b", "brownout.dev/c"]}),
        ),
        (json_patch(CONFIG_MAP, ("remove", "/metadata/finalizers/7")), REFUSED),
        (json_patch(CONFIG_MAP, ("remove", "/metadata/finalizers/0")), ok()),
        (json_patch(CONFIG_MAP, ("remove", "/metadata/finalizers")), ok(fields={"/metadata/finalizers": ABSENT})),
    ],
    "what is no patch is a bad request": [
        (config({"a": "1"}), MADE),
        (raw("[{"), MALFORMED),
        (raw('{"op": "add"}'), MALFORMED),
        (Patched(kind=CONFIG_MAP, patch="{", content=Content.MERGE_PATCH), MALFORMED),
    ],
}
