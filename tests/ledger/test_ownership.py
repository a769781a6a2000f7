"""Ownership of single fields, as server-side apply records it."""

from typing import Any

from brownout.ledger.entries import GIVING_MANAGER, TAKING_MANAGER, Entry
from brownout.ledger.ownership import handed_back, manager_of, owners_of, owns
from brownout.ledger.pointer import pointer

REPLICAS = pointer("spec", "replicas")


def managed(manager: str, fields: dict[str, Any], operation: str = "Update", time: str = "t1") -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "apps/v1",
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }


def spec(**fields: Any) -> dict[str, Any]:
    return {"f:spec": {f"f:{name}": value for name, value in fields.items()}}


def entry_of(metadata: dict[str, Any]) -> Entry:
    return Entry(pointer=REPLICAS, original=3, applied=0, wanted=0, owners=owners_of(metadata, REPLICAS))


def test_the_owners_before_us_are_recorded_and_we_are_not_among_them() -> None:
    metadata = {
        "managedFields": [
            managed("kubectl", spec(replicas={}, template={}), "Apply"),
            managed(TAKING_MANAGER, spec(replicas={})),
            managed("other", spec(template={})),
        ]
    }
    assert [owner.manager for owner in owners_of(metadata, REPLICAS)] == ["kubectl"]
    assert owns(metadata, REPLICAS, TAKING_MANAGER)


def test_the_last_writer_is_named_when_somebody_took_over() -> None:
    metadata = {
        "managedFields": [
            managed("kubectl-edit", spec(replicas={}), time="2026-01-01T00:00:01Z"),
            managed("hpa", spec(replicas={}), time="2026-01-01T00:00:02Z"),
        ]
    }
    assert manager_of(metadata, REPLICAS) == "hpa"
    assert manager_of({}, REPLICAS) == ""


def test_a_field_goes_back_to_an_owner_that_still_has_other_fields() -> None:
    before = {"managedFields": [managed("kubectl", spec(replicas={}, paused={}), "Apply")]}
    after = {
        "managedFields": [
            managed("kubectl", spec(paused={}), "Apply"),
            managed(GIVING_MANAGER, spec(replicas={})),
        ]
    }
    assert handed_back(after, [entry_of(before)]) == [managed("kubectl", spec(paused={}, replicas={}), "Apply")]


def test_an_owner_that_lost_its_only_field_gets_its_entry_back_as_it_was() -> None:
    before = {"managedFields": [managed("kubectl", spec(replicas={}), "Apply")]}
    after = {"managedFields": [managed(GIVING_MANAGER, spec(replicas={}))]}
    assert handed_back(after, [entry_of(before)]) == before["managedFields"]


def test_a_field_that_somebody_took_over_meanwhile_stays_with_them() -> None:
    before = {"managedFields": [managed("kubectl", spec(replicas={}), "Apply")]}
    after = {"managedFields": [managed("someone", spec(replicas={}))]}
    assert handed_back(after, [entry_of(before)]) == after["managedFields"]


def test_our_other_fields_stay_ours() -> None:
    before = {"managedFields": [managed("kubectl", spec(replicas={}), "Apply")]}
    after = {"managedFields": [managed(TAKING_MANAGER, spec(replicas={}, suspend={}))]}
    assert handed_back(after, [entry_of(before)]) == [
        managed(TAKING_MANAGER, spec(suspend={})),
        managed("kubectl", spec(replicas={}), "Apply"),
    ]


def test_a_map_goes_back_with_the_fields_its_owner_had_below_it() -> None:
    where = pointer("spec", "targeting")
    before = {"managedFields": [managed("kubectl", spec(targeting={"f:if": {}}), "Apply")]}
    entry = Entry(pointer=where, original={"if": []}, applied=None, wanted=None, owners=owners_of(before, where))
    after = {"managedFields": [managed(GIVING_MANAGER, spec(targeting={"f:if": {}}))]}
    assert handed_back(after, [entry]) == before["managedFields"]
