"""JSON Patch and merge patch as the API server applies them (evanphx/json-patch v4, RFC 6902 and RFC 7386)."""

import json
from collections.abc import Mapping, Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class Malformed(Exception):
    """No JSON, or no patch: 400."""


class Unapplicable(Exception):
    """A test failed, or a path is not there: 422."""


class _Text(str):
    """A string of a patch that remembers how it was written: `test` compares the texts."""

    __slots__ = ("raw",)
    raw: str


class _Int(int):
    raw: str


class _Float(float):
    raw: str


def apply_json_patch(document: Any, text: str) -> Any:
    """The patched copy. Raises Malformed or Unapplicable."""
    operations = _decode(text)
    if not isinstance(operations, list) or not all(isinstance(step, dict) for step in operations):
        raise Malformed("a JSON patch is a list of operations")
    result = _plain(document)
    for step in operations:
        result = _apply(result, step)
    return result


def apply_merge_patch(document: Any, text: str) -> Any:
    """The merged copy. Raises Malformed."""
    try:
        patch = json.loads(text)
    except ValueError as error:
        raise Malformed(str(error)) from error
    if not isinstance(patch, dict):
        raise Malformed("a merge patch is an object")
    return _merge(document, patch)


def go_json(value: Any) -> str:
    """A scalar as Go's encoding/json writes it: < > & and the line separators escaped, all else as UTF-8."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    text = json.dumps(value, ensure_ascii=False)
    return "".join(_ESCAPED.get(letter, letter) for letter in text) if isinstance(value, str) else text


def _apply(document: Any, step: Mapping[str, Any]) -> Any:
    operation, path = str(step.get("op")), step.get("path")
    if operation not in ("add", "remove", "replace", "test") or not isinstance(path, str):
        raise Unapplicable(f"unexpected operation {operation} {path}")
    parent, key = _find(document, path)
    if operation == "test":
        _test(_get(parent, key), step.get("value"), path)
    elif operation == "remove":
        _remove(parent, key, path)
    elif isinstance(parent, list):
        _set_item(parent, key, operation, _plain(step.get("value")))
    else:
        parent[key] = _plain(step.get("value"))
    return document


def _find(document: Any, path: str) -> tuple[Any, str]:
    """The container that holds a path's last part, and that part."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    if not parts:
        raise Unapplicable("the whole document cannot be patched")
    here = document
    for part in parts[:-1]:
        here = _get(here, part)
    if not isinstance(here, dict | list):
        raise Unapplicable(f"the parent of {path} is missing")
    return here, parts[-1]


def _get(container: Any, key: str) -> Any:
    if isinstance(container, dict):
        return container.get(key)
    if isinstance(container, list):
        return container[_index(container, key)]
    raise Unapplicable(f"nothing holds {key}")


def _index(items: Sequence[Any], key: str) -> int:
    if not key.isdigit() or int(key) >= len(items):
        raise Unapplicable(f"no item {key}")
    return int(key)


def _set_item(items: list[Any], key: str, operation: str, value: Any) -> None:
    if operation == "replace":
        items[_index(items, key)] = value
    elif key == "-" or key == str(len(items)):
        items.append(value)
    else:
        items.insert(_index(items, key), value)


def _remove(parent: Any, key: str, path: str) -> None:
    if isinstance(parent, list):
        del parent[_index(parent, key)]
    elif key in parent:
        del parent[key]
    else:
        raise Unapplicable(f"{path} is missing")


def _test(found: Any, wanted: Any, path: str) -> None:
    if not _equal(found, wanted):
        raise Unapplicable(f"testing value {path} failed")


def _equal(found: Any, wanted: Any) -> bool:
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_equal(found[key], wanted[key]) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_equal, found, wanted))
    if isinstance(found, dict | list) or isinstance(wanted, dict | list):
        return False
    return go_json(found) == getattr(wanted, "raw", None) or (not hasattr(wanted, "raw") and found is wanted)


def _merge(document: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merge(result.get(key), value)
    return result


def _plain(value: Any) -> Any:
    """A deep copy without the memory of how it was written."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, _Text | _Int | _Float):
        return json.loads(value.raw)
    return value


class _Remembering(json.JSONDecoder):
    def __init__(self) -> None:
        super().__init__(parse_int=_number(_Int), parse_float=_number(_Float))
        self.parse_string = _string
        self.scan_once = py_make_scanner(self)


def _number(kind: type[_Int] | type[_Float]) -> Any:
    def read(raw: str) -> _Int | _Float:
        number = kind(raw)
        number.raw = raw
        return number

    return read


def _string(text: str, start: int, strict: bool) -> tuple[str, int]:
    value, end = scanstring(text, start, strict)
    remembered = _Text(value)
    remembered.raw = text[start - 1 : end]
    return remembered, end


def _decode(text: str) -> Any:
    try:
        return _Remembering().decode(text)
    except ValueError as error:
        raise Malformed(str(error)) from error
