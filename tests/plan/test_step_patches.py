"""The exact operations of each step."""

import json
from typing import Any

import pytest

from brownout.ledger import codec
from brownout.ledger.entries import (
    GIVING_MANAGER,
    HELD_LABEL,
    LEDGER_ANNOTATION,
    TAKING_MANAGER,
    WHY_ANNOTATION,
    Entry,
    Found,
    Order,
)
from brownout.ledger.patches import JsonPatch, encode, manager_of, patch_of
from brownout.ledger.pointer import Pointer, Value, pointer
from brownout.ledger.steps import Apply, HandBack, Release, Repair, Restore, Step, Strip
from brownout.ledger.why import why
from tests.plan.held_objects import (
    KUBECTL,
    NOT_SET,
    PAUSED,
    REPLICAS,
    SEARCH,
    TAKE,
    UID,
    VERSION,
    claim,
    entry,
    found,
    ledger,
    owned,
)

GUARDS: JsonPatch = [
    {"op": "replace", "path": "/metadata/resourceVersion", "value": VERSION},
    {"op": "test", "path": "/metadata/uid", "value": UID},
]
LABEL, LEDGER, WHY = (
    f"/metadata/{where}/{key.replace('/', '~1')}"
    for where, key in (("labels", HELD_LABEL), ("annotations", LEDGER_ANNOTATION), ("annotations", WHY_ANNOTATION))
)
HELD = ledger(entry())
TWO = ledger(entry(), entry(where=PAUSED, original=NOT_SET, applied=True, owners=()))


def expect(where: str, value: Any) -> dict[str, Any]:
    return {"op": "test", "path": where, "value": value}


def add(where: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": where, "value": value}


def replaced(where: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": where, "value": value}


def remove(where: str) -> dict[str, Any]:
    return {"op": "remove", "path": where}


def take(object_: Found, *entries: Entry) -> Apply:
    return Apply(found=object_, entries={each.pointer: each for each in entries})


def free(where: Pointer = REPLICAS, original: Value = 3, wanted: Value = 0) -> Entry:
    """A field that is about to be taken."""
    each = claim(wanted, order=Order.NONE)
    return entry(each, where=where, original=original, applied=original, wanted=wanted)


def written(*entries: Entry) -> list[dict[str, Any]]:
    """The ledger and the why of these entries, put on an object that has annotations."""
    whole = ledger(*entries)
    return [add(LEDGER, codec.encode(whole)), add(WHY, why(whole))]


def test_the_first_take_makes_label_and_annotations() -> None:
    taken = entry(claim(0, order=Order.NONE))
    assert patch_of(take(found(), free()), TAKE) == [
        *GUARDS,
        expect("/spec/replicas", 3),
        replaced("/spec/replicas", 0),
        expect("/metadata/annotations", None),
        add("/metadata/annotations", {}),
        *written(taken),
        expect("/metadata/labels", None),
        add("/metadata/labels", {}),
        add(LABEL, TAKE),
    ]


def test_on_an_object_with_labels_and_annotations_ours_are_added_to_them() -> None:
    patch = patch_of(take(found(labels={"app": "x"}, annotations={"note": "y"}), free()), TAKE)
    assert [each["path"] for each in patch] == [
        "/metadata/resourceVersion",
        "/metadata/uid",
        "/spec/replicas",
        "/spec/replicas",
        LEDGER,
        WHY,
        LABEL,
    ]


def test_a_second_field_is_taken_under_the_same_take_and_the_label_is_not_written_again() -> None:
    object_ = found(HELD, replicas=0)
    patch = patch_of(take(object_, free(PAUSED, NOT_SET, True)), "another")
    assert patch[2:4] == [expect("/spec/paused", None), add("/spec/paused", True)]
    assert [each["path"] for each in patch[4:]] == [LEDGER, WHY]
    kept = json.loads(patch[4]["value"])
    assert (kept["take"], sorted(kept["fields"])) == (TAKE, ["/spec/paused", "/spec/replicas"])


def test_a_field_found_as_wanted_is_not_written_and_only_claimed() -> None:
    patch = patch_of(take(found(replicas=0), free(original=0)), TAKE)
    assert not [each for each in patch if each["path"].startswith("/spec")]
    assert json.loads(next(each["value"] for each in patch if each["path"] == LEDGER))["fields"]["/spec/replicas"] == {
        "original": 0,
        "applied": 0,
        "owners": [{"manager": "kubectl", "operation": "Apply", "apiVersion": "apps/v1", "time": KUBECTL.time}],
        "claims": [
            {
                "namespace": "shop",
                "name": "checkout",
                "uid": "policy-checkout",
                "level": "trimmed",
                "action": "thin",
                "order": "none",
                "at": 1.0,
                "value": 0,
            }
        ],
    }


def test_missing_parents_are_made_only_where_nobody_made_them_meanwhile() -> None:
    key = pointer("data", "a")
    patch = patch_of(take(found(kind="ConfigMap"), free(key, NOT_SET, "true")), TAKE)
    assert patch[2:6] == [expect("/data", None), add("/data", {}), expect("/data/a", None), add("/data/a", "true")]
    assert json.loads(patch[8]["value"])["fields"]["/data/a"]["parent"] == "/data"


def test_two_fields_under_one_missing_parent_make_it_once() -> None:
    keys = [free(pointer("data", key), NOT_SET, "true") for key in "ab"]
    patch = patch_of(take(found(kind="ConfigMap"), *keys), TAKE)
    assert [each for each in patch if each["path"] == "/data"] == [expect("/data", None), add("/data", {})]


def test_deeper_missing_parents_are_made_from_the_top() -> None:
    where = pointer("spec", "flagSpec", "flags", "new", "defaultVariant")
    patch = patch_of(take(found(kind="FeatureFlag", spec={"flagSpec": {}}), free(where, NOT_SET, "lite")), TAKE)
    assert patch[2:8] == [
        expect("/spec/flagSpec/flags", None),
        add("/spec/flagSpec/flags", {}),
        expect("/spec/flagSpec/flags/new", None),
        add("/spec/flagSpec/flags/new", {}),
        expect(where, None),
        add(where, "lite"),
    ]


def test_a_field_that_is_to_be_absent_is_removed() -> None:
    patch = patch_of(take(found(paused=True), free(PAUSED, True, NOT_SET)), TAKE)
    assert patch[2:4] == [expect("/spec/paused", True), remove("/spec/paused")]
    fields = json.loads(next(each["value"] for each in patch if each["path"] == LEDGER))["fields"]
    assert "applied" not in fields["/spec/paused"]
    assert fields["/spec/paused"]["original"] is True


def test_keys_with_slashes_and_tildes_are_escaped_in_paths_and_ledger() -> None:
    where = pointer("data", "a/b~c")
    assert where == "/data/a~1b~0c"
    patch = patch_of(take(found(kind="ConfigMap", data={"a/b~c": "x"}), free(where, "x", "y")), TAKE)
    assert patch[2:4] == [expect("/data/a~1b~0c", "x"), replaced("/data/a~1b~0c", "y")]


def test_the_request_is_spelled_as_the_api_server_spells_it() -> None:
    where = pointer("data", "a")
    text = encode(patch_of(take(found(kind="ConfigMap", data={"a": "a<b é"}), free(where, "a<b é", "x&y")), TAKE))
    assert '"value":"a\\u003cb é"' in text
    assert '"value":"x\\u0026y"' in text


def test_giving_back_restores_and_marks_the_entry() -> None:
    object_ = found(HELD, replicas=0)
    restored = entry(restored=True)
    assert patch_of(Restore(found=object_, pointers=(REPLICAS,)), "unused") == [
        *GUARDS,
        expect("/spec/replicas", 0),
        replaced("/spec/replicas", 3),
        *written(restored),
    ]


def test_giving_back_what_was_absent_removes_it() -> None:
    held = ledger(entry(where=PAUSED, original=NOT_SET, applied=True))
    patch = patch_of(Restore(found=found(held, paused=True), pointers=(PAUSED,)), "unused")
    assert patch[2:4] == [expect("/spec/paused", True), remove("/spec/paused")]


def test_giving_back_what_we_removed_adds_it() -> None:
    held = ledger(entry(claim(NOT_SET), where=PAUSED, original=True, applied=NOT_SET, wanted=NOT_SET))
    patch = patch_of(Restore(found=found(held), pointers=(PAUSED,)), "unused")
    assert patch[2:4] == [expect("/spec/paused", None), add("/spec/paused", True)]


@pytest.mark.parametrize(
    ("data", "removed"),
    [
        pytest.param({"a": "true"}, "/data", id="the parent we made goes when nothing else is in it"),
        pytest.param({"a": "true", "b": "x"}, "/data/a", id="the parent we made stays when somebody put a key in it"),
    ],
)
def test_a_parent_that_we_made(data: dict[str, str], removed: str) -> None:
    key = pointer("data", "a")
    held = ledger(entry(where=key, original=NOT_SET, applied="true", parent=Pointer("/data")))
    patch = patch_of(Restore(found=found(held, kind="ConfigMap", data=data), pointers=(key,)), "unused")
    assert patch[2:4] == [expect("/data/a", "true"), remove(removed)]


def test_a_parent_that_was_there_before_stays_though_it_is_left_empty() -> None:
    key = pointer("data", "a")
    held = ledger(entry(where=key, original=NOT_SET, applied="true"))
    patch = patch_of(Restore(found=found(held, kind="ConfigMap", data={"a": "true"}), pointers=(key,)), "unused")
    assert patch[3] == remove("/data/a")


def test_two_fields_under_a_parent_that_we_made_leave_nothing_behind_and_remove_nothing_twice() -> None:
    keys = [pointer("data", key) for key in "ab"]
    held = ledger(*(entry(where=key, original=NOT_SET, applied="true", parent=Pointer("/data")) for key in keys))
    object_ = found(held, kind="ConfigMap", data={"a": "true", "b": "true"})
    patch = patch_of(Restore(found=object_, pointers=tuple(keys)), "unused")
    assert [each["path"] for each in patch if each["op"] == "remove"] == ["/data/a", "/data/b"]


def test_handing_back_gives_the_field_to_its_owner_and_drops_the_last_entry_with_all_of_ours() -> None:
    held = ledger(entry(restored=True))
    managed = [owned("brownout-restore", REPLICAS), owned("kubectl", PAUSED, operation="Apply")]
    patch = patch_of(HandBack(found=found(held, managed=managed), pointers=(REPLICAS,)), "unused")
    expected = [owned("kubectl", REPLICAS, PAUSED, operation="Apply")]
    assert patch == [
        *GUARDS,
        replaced("/metadata/managedFields", expected),
        remove(LEDGER),
        remove(WHY),
        remove(LABEL),
    ]


def test_handing_back_one_of_two_fields_keeps_the_other_and_the_take() -> None:
    held = ledger(
        entry(restored=True, owners=(KUBECTL,)), entry(where=PAUSED, original=NOT_SET, applied=True, owners=())
    )
    object_ = found(held, paused=True, managed=[owned("brownout-restore", REPLICAS), owned("brownout", PAUSED)])
    patch = patch_of(HandBack(found=object_, pointers=(REPLICAS,)), "unused")
    assert [each["path"] for each in patch] == [
        "/metadata/resourceVersion",
        "/metadata/uid",
        "/metadata/managedFields",
        LEDGER,
        WHY,
    ]
    assert sorted(json.loads(patch[3]["value"])["fields"]) == ["/spec/paused"]
    assert [each["manager"] for each in patch[2]["value"]] == ["brownout", "kubectl"]


def test_letting_go_touches_no_field() -> None:
    object_ = found(TWO, replicas=7, paused=True)
    patch = patch_of(Release(found=object_, pointers=(REPLICAS,)), "unused")
    assert [each["path"] for each in patch] == ["/metadata/resourceVersion", "/metadata/uid", LEDGER, WHY]
    last = patch_of(Release(found=found(HELD, replicas=7), pointers=(REPLICAS,)), "unused")
    assert last == [*GUARDS, remove(LEDGER), remove(WHY), remove(LABEL)]


def test_writing_a_ledger_again_tests_the_values_it_speaks_of_and_sets_none() -> None:
    bare = found(label=TAKE, replicas=0)
    patch = patch_of(Repair(found=bare, ledger=HELD), "unused")
    assert patch == [
        *GUARDS,
        expect("/spec/replicas", 0),
        expect("/metadata/annotations", None),
        add("/metadata/annotations", {}),
        *written(entry()),
    ]


def test_writing_a_ledger_again_puts_a_label_of_another_take_right() -> None:
    patch = patch_of(Repair(found=found(HELD, label="old", replicas=0), ledger=HELD), "unused")
    assert patch[-1] == add(LABEL, TAKE)


@pytest.mark.parametrize(
    ("object_", "removed"),
    [
        pytest.param(found(HELD, label=None), [LEDGER, WHY], id="ledger and why without a label"),
        pytest.param(found(label=TAKE), [LABEL], id="a label alone"),
        pytest.param(found("{", label=TAKE), [LEDGER, LABEL], id="a broken ledger with its label"),
    ],
)
def test_stripping_removes_what_is_there_of_ours(object_: Found, removed: list[str]) -> None:
    assert patch_of(Strip(found=object_), "unused") == [*GUARDS, *(remove(each) for each in removed)]


STEPS: list[Step] = [
    take(found(), free()),
    take(found(replicas=0), free(original=0)),
    take(found(kind="ConfigMap"), free(pointer("data", "a"), NOT_SET, "true")),
    take(found(paused=True), free(PAUSED, True, NOT_SET)),
    take(found(ledger(entry(claim(1), applied=1)), replicas=1), entry(claim(1), claim(0, SEARCH), applied=1, wanted=0)),
    Restore(found=found(HELD, replicas=0), pointers=(REPLICAS,)),
    Restore(found=found(ledger(entry(where=PAUSED, original=NOT_SET, applied=True)), paused=True), pointers=(PAUSED,)),
    HandBack(found=found(ledger(entry(restored=True))), pointers=(REPLICAS,)),
    HandBack(found=found(ledger(entry(restored=True)), managed=[]), pointers=(REPLICAS,)),
    Release(found=found(HELD, replicas=7), pointers=(REPLICAS,)),
    Repair(found=found(label=TAKE, replicas=0), ledger=HELD),
    Strip(found=found(HELD, label=None)),
]


@pytest.mark.parametrize("step", [pytest.param(each, id=f"{n} {type(each).__name__}") for n, each in enumerate(STEPS)])
def test_every_patch_is_guarded(step: Step) -> None:
    """By resourceVersion and uid first; and no field is changed that was not tested in the same request."""
    patch = patch_of(step, TAKE)
    assert patch[:2] == GUARDS
    tested: set[str] = set()
    for each in patch[2:]:
        if each["op"] == "test":
            tested.add(each["path"])
        elif not each["path"].startswith("/metadata/"):
            assert any(each["path"] == where or where.startswith(f"{each['path']}/") for where in tested), each
    assert not [each for each in patch if each["op"] not in ("test", "add", "replace", "remove")]


@pytest.mark.parametrize("step", [pytest.param(each, id=f"{n} {type(each).__name__}") for n, each in enumerate(STEPS)])
def test_taking_and_giving_back_have_a_manager_each(step: Step) -> None:
    expected = TAKING_MANAGER if isinstance(step, Apply | Repair) else GIVING_MANAGER
    assert manager_of(step) == expected
