"""The CustomResourceDefinitions: complete, bounded, structural, and the committed ones are up to date."""

import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import Field

from brownout.api.base import Duration, model
from brownout.api.crd import CRDS, definition, text
from brownout.api.rules import Rule
from brownout.api.structural import structural
from brownout.cli.main import main

COMMITTED = Path(__file__).parents[2] / "crds"
WHOLE = [pytest.param(definition(crd), id=crd.kind) for crd in CRDS]


def schema_of(crd: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: dict[str, Any], path: str, in_list: bool = False) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Every schema in a schema, with its path and whether it is inside a list."""
    yield path, schema, in_list
    for name, each in schema.get("properties", {}).items():
        yield from nodes(each, f"{path}.{name}", in_list)
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]", True)
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}{{}}", in_list)


@pytest.mark.parametrize("crd", WHOLE)
def test_every_field_is_described(crd: dict[str, Any]) -> None:
    bare = [path for path, each, _ in nodes(schema_of(crd), "") if not each.get("description")]
    plain = (".metadata", "[]", "{}")
    assert [path for path in bare if not path.endswith(plain)] == []


@pytest.mark.parametrize("crd", WHOLE)
def test_every_list_map_and_text_is_bounded(crd: dict[str, Any]) -> None:
    bound = {"array": "maxItems", "string": "maxLength"}
    unbounded = [
        path
        for path, each, _ in nodes(schema_of(crd), "")
        if (each["type"] in bound and bound[each["type"]] not in each and "enum" not in each)
        or ("additionalProperties" in each and "maxProperties" not in each)
    ]
    assert unbounded == [".apiVersion", ".kind"]


@pytest.mark.parametrize("crd", WHOLE)
def test_no_default_stands_inside_a_list_or_the_status(crd: dict[str, Any]) -> None:
    found = [(path, in_list) for path, each, in_list in nodes(schema_of(crd), "") if "default" in each]
    assert found
    assert [path for path, in_list in found if in_list or path.startswith(".status")] == []


@pytest.mark.parametrize("crd", WHOLE)
def test_a_keyed_list_requires_its_key(crd: dict[str, Any]) -> None:
    for path, each, _ in nodes(schema_of(crd), ""):
        for key in each.get("x-kubernetes-list-map-keys", []):
            assert key in each["items"]["required"], path


@pytest.mark.parametrize("crd", WHOLE)
def test_the_message_of_a_rule_is_one_line_of_text(crd: dict[str, Any]) -> None:
    rules = [rule for _, each, _ in nodes(schema_of(crd), "") for rule in each.get("x-kubernetes-validations", [])]
    assert rules
    assert all(rule["message"] and "\n" not in rule["message"] for rule in rules)


def test_the_committed_files_are_what_the_models_say() -> None:
    assert {path.name: path.read_text() for path in COMMITTED.iterdir()} == {crd.file: text(crd) for crd in CRDS}


def test_the_same_models_always_give_the_same_text() -> None:
    assert [text(crd) for crd in CRDS] == [text(crd) for crd in CRDS]


def test_levels_are_ordered_and_signals_keyed() -> None:
    spec = schema_of(definition(CRDS[0]))["properties"]["spec"]["properties"]
    assert spec["levels"]["x-kubernetes-list-type"] == "atomic"
    assert spec["signals"]["x-kubernetes-list-map-keys"] == ["name"]


class Colour(StrEnum):
    RED = "Red"


@model()
class Inner:
    """An inner object."""

    size: Annotated[int, Field(ge=1)] = 3
    """How large."""


@model(
    rules=[
        Rule(says="write yes", cel="self.yes", holds=lambda it: True, at="one"),
        Rule(says="at load only", cel=None, holds=lambda it: True),
    ]
)
class Outer:
    """An outer object,
    on two lines.

    And a paragraph.
    """

    one: Literal["only"] = "only"
    above: Annotated[float, Field(gt=1, lt=2)] | None = None
    colour: Colour | None = None
    lasts: Duration = 90.0
    inner: Inner = Field(default_factory=Inner)
    maybe: Inner | None = None
    list_of: Annotated[tuple[Inner, ...], Field(max_length=2)] = ()
    map_of: dict[str, str] = Field(default_factory=dict)


@model()
class Either:
    """A union."""

    it: int | str


PROPERTIES = structural(Outer, defaults=True)["properties"]
SIZE = {"type": "integer", "minimum": 1, "description": "How large."}


@pytest.mark.parametrize(
    ("field", "schema"),
    [
        pytest.param("one", {"type": "string", "enum": ["only"], "default": "only"}, id="a constant is an enum of one"),
        pytest.param(
            "above",
            {"type": "number", "minimum": 1, "exclusiveMinimum": True, "maximum": 2, "exclusiveMaximum": True},
            id="an exclusive bound is a bound and a flag; null is unwrapped",
        ),
        pytest.param("colour", {"type": "string", "enum": ["Red"]}, id="an enum is put in place of its reference"),
        pytest.param(
            "inner",
            {
                "type": "object",
                "description": "An inner object.",
                "default": {},
                "properties": {"size": SIZE | {"default": 3}},
            },
            id="an object with defaults of its own is filled in where it is left out",
        ),
        pytest.param(
            "maybe",
            {"type": "object", "description": "An inner object.", "properties": {"size": SIZE | {"default": 3}}},
            id="an object that may be null is not filled in, but its members are where it is there",
        ),
        pytest.param(
            "listOf",
            {
                "type": "array",
                "maxItems": 2,
                "items": {"type": "object", "description": "An inner object.", "properties": {"size": SIZE}},
            },
            id="a list has no default, and none of its items has",
        ),
        pytest.param(
            "mapOf", {"type": "object", "additionalProperties": {"type": "string"}}, id="a map keeps its values"
        ),
    ],
)
def test_a_schema_is_translated(field: str, schema: dict[str, Any]) -> None:
    assert PROPERTIES[field] == schema


def test_a_duration_has_its_default_as_text() -> None:
    assert PROPERTIES["lasts"]["default"] == "1m30s"
    assert PROPERTIES["lasts"]["type"] == "string"


def test_a_rule_goes_along_unless_cel_cannot_say_it() -> None:
    assert structural(Outer, defaults=True)["x-kubernetes-validations"] == [
        {"rule": "self.yes", "message": "write yes", "fieldPath": ".one"}
    ]


def test_a_description_flows_in_paragraphs() -> None:
    assert structural(Outer, defaults=True)["description"] == "An outer object, on two lines.\n\nAnd a paragraph."


def test_a_union_is_refused_rather_than_lost() -> None:
    with pytest.raises(ValueError, match="a union has no structural schema"):
        structural(Either, defaults=True)


def test_crds_prints_all_of_them_for_kubectl(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crds"]) == 0
    assert list(yaml.safe_load_all(capsys.readouterr().out)) == [definition(crd) for crd in CRDS]


def test_check_is_silent_about_what_out_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crds", "--out", str(tmp_path / "new")]) == 0
    assert main(["crds", "--check", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        pytest.param("degradationpolicies.yaml", "kind: Old\n", "-kind: Old", id="a stale file is shown as a diff"),
        pytest.param("gone.yaml", "kind: Gone\n", "-kind: Gone", id="a file of a kind that is gone is stale"),
    ],
)
def test_check_finds_what_is_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, line: str
) -> None:
    main(["crds", "--out", str(tmp_path)])
    (tmp_path / name).write_text(content)
    assert main(["crds", "--check", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert line in told.out.splitlines()
    assert "is stale: run `brownout crds --out" in told.err


def test_a_folder_that_cannot_be_written_is_a_sentence_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["crds", "--out", str(tmp_path / "file")]) == 2
    assert "cannot write to" in capsys.readouterr().err


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("brownout 0.")


def test_a_verb_that_does_not_exist_is_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["crd"])
    assert left.value.code == 2
    assert "invalid choice: 'crd'" in capsys.readouterr().err


def test_a_verb_imports_nothing_of_the_others() -> None:
    code = "import sys; from brownout.cli.main import main; main(['crds']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {"kubernetes", "kopf", "aiohttp", "requests", "brownout.app"} & set(done.stderr.split()) == set()
