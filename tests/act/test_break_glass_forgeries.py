"""Whatever anybody writes into the annotation and the label: an admin who breaks the glass is not steered by it.

The oracle is written anew, from the rules alone: it shares no code with what it judges.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from brownout.cluster.kinds import TARGETS
from brownout.ledger.entries import HELD_LABEL, LEDGER_ANNOTATION, WHY_ANNOTATION
from tests.act.glass_stage import SHOP, GlassStage

LEVERS = {
    "Deployment": r"/spec/replicas",
    "StatefulSet": r"/spec/replicas",
    "CronJob": r"/spec/suspend",
    "Job": r"/spec/suspend",
    "ConfigMap": r"/data/[^/]*",
    "FeatureFlag": r"/spec/flagSpec/flags/[^/]*/(defaultVariant|targeting)",
}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "Deployment": {"spec": {"replicas": 1, "template": {"spec": {"serviceAccountName": "web"}}}},
    "StatefulSet": {"spec": {"replicas": 1}},
    "CronJob": {"spec": {"suspend": True, "schedule": "@daily"}},
    "Job": {"spec": {"suspend": True}},
    "ConfigMap": {"data": {"mode": "lite"}},
    "FeatureFlag": {"spec": {"flagSpec": {"flags": {"reviews": {"defaultVariant": "off", "state": "ENABLED"}}}}},
}
POINTERS = [
    "/spec/replicas",
    "/spec/suspend",
    "/data/mode",
    "/data/other",
    "/data/a~1b",
    "/data",
    "/spec",
    "/spec/flagSpec/flags/reviews/defaultVariant",
    "/spec/flagSpec/flags/reviews/targeting",
    "/spec/flagSpec/flags/reviews/state",
    "/spec/template/spec/serviceAccountName",
    "/spec/template/spec/containers/0/image",
    "/spec/replicas/",
    "/spec//replicas",
    "/spec/~replicas",
    "/metadata/ownerReferences",
    "/metadata/finalizers",
    "/metadata/labels/brownout.dev~1criticality",
    "/metadata/annotations",
    "/metadata/namespace",
    "/metadata/resourceVersion",
    "/status",
    "",
    "/",
]
words = st.text(max_size=6) | st.sampled_from(["lite", "off", "kubectl", "brownout", "\x1b[2J", "$(reboot)"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9) | st.floats() | words | st.just(10**400),
    lambda each: st.lists(each, max_size=2) | st.dictionaries(words, each, max_size=2),
    max_leaves=4,
)
pointers = st.sampled_from(POINTERS) | st.text("/~abspecdat", max_size=9)
claims = st.fixed_dictionaries(
    {
        "namespace": st.just(SHOP) | words,
        "name": words,
        "uid": words,
        "level": words,
        "action": words,
        "order": st.sampled_from(["none", "lowest", "highest", "suspended"]) | words,
        "at": st.floats(0, 2e9) | st.floats() | st.just("1") | st.just(10**400),
    },
    optional={"value": values},
)
owners = st.fixed_dictionaries(
    {"manager": words, "operation": st.sampled_from(["Apply", "Update"]) | words},
    optional={"subresource": words, "apiVersion": words, "time": words, "fields": st.dictionaries(words, values)},
)
live_values: st.SearchStrategy[Any] = st.sampled_from([1, True, "lite", "off"])
entries = st.fixed_dictionaries(
    {"claims": st.lists(claims, max_size=2)},
    optional={
        "original": values,
        "applied": live_values | values,
        "wanted": st.just({}) | values,
        "owners": st.lists(owners, max_size=2),
        "restored": st.booleans(),
        "parent": pointers,
    },
)
ledgers = st.fixed_dictionaries(
    {
        "v": st.just(1) | st.sampled_from([0, 2, True, "1", None]),
        "take": st.just("t1") | words,
        "uid": st.just("UID") | words,
        "fields": st.dictionaries(pointers, entries, max_size=3) | values,
    }
)
texts = ledgers | st.text(max_size=20) | values
labels = st.just("t1") | st.sampled_from([None, "t2", ""])


plain_claims = st.fixed_dictionaries(
    {
        **{key: st.text("abc", min_size=1, max_size=3) for key in ("namespace", "name", "uid", "level", "action")},
        "order": st.sampled_from(["none", "lowest"]),
        "at": st.integers(0, 2_000_000_000),
    },
    optional={"value": st.integers(0, 3)},
)
plain_values = st.integers(0, 9) | st.booleans() | st.text("ab", max_size=3) | st.just({"a": 1}) | st.just([1])


STRANGE = [
    *POINTERS,
    "/metadata/labels/theirs",
    "/metadata/annotations/theirs",
    "/metadata/annotations",
    "/metadata/name",
]
PARENTS = [
    "/metadata/annotations",
    "/metadata/labels",
    "/data",
    "/spec",
    "/spec/flagSpec",
    "/spec/flagSpec/flags/reviews",
]
flaws: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {}, {"label": None}, {"label": "t2"}, {"uid": "another"}, {"v": 2}]
)


@st.composite
def well_formed(draw: st.DrawFn) -> tuple[str, str | None, Any]:
    """A ledger that reads well, on fields that are there with the values it says we set, with one flaw at most."""
    kind = draw(st.sampled_from(sorted(TARGETS)))
    body = {**BODIES[kind], "metadata": {"labels": {"theirs": "2"}, "annotations": {"theirs": "1"}}}
    there = [where for where in everything(BODIES[kind]) if where]
    taken = [where for where in there if re.fullmatch(LEVERS[kind], where)]
    where = st.sampled_from(taken) | st.sampled_from(there) | st.sampled_from(STRANGE)
    fields: dict[str, dict[str, Any]] = {}
    for each in draw(st.lists(where, min_size=1, max_size=4, unique=True)):
        live = value_at(body, each)
        fields[each] = {"claims": draw(st.lists(plain_claims, max_size=2))}
        fields[each] |= {} if live is NOWHERE else {"applied": live}
        fields[each] |= draw(st.fixed_dictionaries({}, optional={"original": plain_values}))
        fields[each] |= draw(st.sampled_from([{}, {}, {"restored": True}, {"applied": "other"}]))
        fields[each] |= draw(st.sampled_from([{}, *({"parent": parent} for parent in PARENTS)]))
    flaw: dict[str, Any] = {"label": "t1", **draw(flaws)}
    label = flaw.pop("label")
    return kind, label, {"v": 1, "take": "t1", "uid": "UID", "fields": fields, **flaw}


def everything(value: Any, where: str = "") -> list[str]:
    """The pointer of each field and of each map around it."""
    inside = value.items() if isinstance(value, Mapping) else ()
    return [where, *(below for key, each in inside for below in everything(each, f"{where}/{key}"))]


NOWHERE = object()
cases = well_formed() | well_formed() | st.tuples(st.sampled_from(sorted(TARGETS)), labels, texts)


@given(cases, st.booleans())
def test_no_ledger_steers_it_beyond_the_levers_or_to_a_value_that_is_no_original(
    case: tuple[str, str | None, Any], deep: bool
) -> None:
    kind, label, told = case
    stage = GlassStage()
    uid = seeded(stage, kind)
    text = told if isinstance(told, str) else json.dumps(told).replace('"UID"', f'"{uid}"')
    body = stage.body(TARGETS[kind], "it")
    metadata = {**body["metadata"], "annotations": {"theirs": "1", LEDGER_ANNOTATION: text, WHY_ANNOTATION: "why"}}
    metadata["labels"] = {"theirs": "2", **({} if label is None else {HELD_LABEL: label})}
    before = stage.api._store(TARGETS[kind], body, {**body, "metadata": metadata})
    run = stage.restore(deep=deep)
    judge(kind, before, stage.body(TARGETS[kind], "it"), usable(text, label, uid))
    assert "\x1b" not in run.out + run.err
    if HELD_LABEL in stage.body(TARGETS[kind], "it")["metadata"].get("labels", {}):
        assert run.code == 1 or "owes nothing" in run.out, run.out
    assert stage.restore(deep=deep, as_json=True).document["version"] == 1


def seeded(stage: GlassStage, kind: str) -> str:
    made = stage.seed(TARGETS[kind], "it", **dict(BODIES[kind]))
    return str(made["metadata"]["uid"])


def usable(text: str, label: str | None, uid: str) -> Mapping[str, Any]:
    """The fields that the ledger gives an original for; none if the ledger must not be used at all."""
    try:
        ledger = json.loads(text)
    except ValueError:
        return {}
    right = isinstance(ledger, dict) and (ledger.get("v"), ledger.get("take"), ledger.get("uid")) == (1, label, uid)
    fields = ledger["fields"] if right and isinstance(ledger.get("fields"), dict) else {}
    return {where: entry for where, entry in fields.items() if isinstance(entry, dict)}


def judge(kind: str, before: Any, after: Any, fields: Mapping[str, Any]) -> None:
    ours = {"managedFields", "resourceVersion", "generation", "labels", "annotations"}
    assert _rest(before["metadata"], ours) == _rest(after["metadata"], ours)
    assert after["metadata"]["annotations"]["theirs"] == "1"
    assert after["metadata"]["labels"]["theirs"] == "2"
    then, now = leaves({**before, "metadata": {}}), leaves({**after, "metadata": {}})
    changed = {where for where in then.keys() | now.keys() if then.get(where, NOWHERE) != now.get(where, NOWHERE)}
    event(f"fields changed: {len(changed)}")
    for where in changed:
        allowed = [each for each in fields if re.fullmatch(LEVERS[kind], each) and is_at_or_below(where, each)]
        assert allowed, f"{where} is changed, and no lever changes it"
        original = fields[allowed[0]].get("original", NOWHERE)
        assert value_at(after, allowed[0]) == _stored(kind, original), "what is written is the ledger's original"


def leaves(value: Any, where: str = "") -> dict[str, Any]:
    """Each value by its pointer; empty maps count as nothing."""
    if isinstance(value, dict):
        inside = [leaves(each, f"{where}/{key.replace('~', '~0').replace('/', '~1')}") for key, each in value.items()]
        return {key: each for one in inside for key, each in one.items()}
    return {where: value}


def is_at_or_below(where: str, pointer: str) -> bool:
    return where == pointer or where.startswith(pointer + "/")


def value_at(body: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        body = body.get(part.replace("~1", "/").replace("~0", "~"), NOWHERE) if isinstance(body, dict) else NOWHERE
    return body


def _stored(kind: str, original: Any) -> Any:
    """As the API server stores it: replicas and suspend have defaults, lone surrogates are replaced."""
    if kind in ("Deployment", "StatefulSet") and original in (NOWHERE, None):
        return 1
    if kind in ("CronJob", "Job") and original in (NOWHERE, None):
        return False
    if original is NOWHERE:
        return NOWHERE
    return json.loads(json.dumps(original), parse_float=_number)


def _number(text: str) -> int | float:
    return int(float(text)) if float(text).is_integer() else float(text)


def _rest(metadata: Mapping[str, Any], but: set[str]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in but}
