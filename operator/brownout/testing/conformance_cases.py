"""All cases of conformance."""

from collections.abc import Mapping

from brownout.testing.conformance import Case
from brownout.testing.conformance_objects import METADATA, STATUS, VERSIONS
from brownout.testing.conformance_owners import OWNERS
from brownout.testing.conformance_patches import JSON_PATCHES, READING

CASES: Mapping[str, Case] = {**READING, **JSON_PATCHES, **VERSIONS, **STATUS, **METADATA, **OWNERS}
