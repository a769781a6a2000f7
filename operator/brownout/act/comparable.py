"""What a JSON Patch may ask an API server to compare. Pure."""

from collections.abc import Mapping, Sequence

from brownout.ledger.patches import JsonPatch
from brownout.ledger.pointer import Json


def comparable(patch: JsonPatch) -> JsonPatch:
    """The patch without the tests that the API server cannot carry out.

    A null inside a list, as in flagd's `{"if": [condition, "lite", null]}`, makes its JSON Patch library panic (evanphx
    v4.13), and the connection closes without an answer. The resourceVersion in the same patch guards the value as well.
    """
    return [each for each in patch if each["op"] != "test" or not _holds_null(each["value"])]


def _holds_null(value: Json) -> bool:
    """Whether there is a null inside a list, at any depth."""
    if isinstance(value, Mapping):
        return any(_holds_null(each) for each in value.values())
    if isinstance(value, str) or not isinstance(value, Sequence):
        return False
    return any(each is None or _holds_null(each) for each in value)
