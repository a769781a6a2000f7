"""Label selectors as the API server reads them: equality, sets, existence."""

import re
from collections.abc import Mapping

_SPLIT = re.compile(r",(?![^()]*\))")
_REQUIREMENT = re.compile(
    r"""^\s*(?:
      (?P<absent>!)\s*(?P<no>[\w./-]+)
    | (?P<key>[\w./-]+)\s*(?:
        (?P<equal>==|=|!=)\s*(?P<value>[\w.-]*)
      | \s(?P<set>in|notin)\s*\((?P<values>[^()]*)\)
      )?
    )\s*$""",
    re.VERBOSE,
)


class BadSelector(Exception):
    """A selector that cannot be parsed: 400."""


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy every requirement; an empty selector selects everything. Raises BadSelector."""
    held = [_holds(text, labels) for text in _SPLIT.split(selector)] if selector.strip() else []
    return all(held)


def _holds(text: str, labels: Mapping[str, str]) -> bool:
    found = _REQUIREMENT.match(text)
    if found is None:
        raise BadSelector(f"unable to parse requirement: {text}")
    if found["absent"]:
        return found["no"] not in labels
    mine = labels.get(found["key"])
    if found["equal"]:
        return (mine == found["value"]) is (found["equal"] != "!=")
    if found["set"]:
        values = {value.strip() for value in found["values"].split(",")}
        return (mine in values) is (found["set"] == "in")
    return mine is not None
