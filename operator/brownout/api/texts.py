"""The kinds of text in the API: what each may hold, and what to write where one does not fit."""

from typing import Annotated, Final

from pydantic import Field, Strict

NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
OBJECT_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
LEVEL_NAME = r"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$"
DATA_KEY = r"^[-._a-zA-Z0-9]+$"
LABEL_KEY = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
LABEL_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"
LABEL_OPERATOR = "^(In|NotIn|Exists|DoesNotExist)$"
HEADER = r"^[A-Za-z0-9-]+$"
PRINTABLE = r"^[!-~]([ -~]*[!-~])?$"
FILE = r"^/[!-~]+$"
HOST = r"^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$"

WRITE_INSTEAD: Final = {
    NAME: "write lower-case letters, digits and dashes, such as p99 or thin-thumbnailer",
    OBJECT_NAME: "write the object's name: lower-case letters, digits, dashes and dots",
    LEVEL_NAME: "write letters, digits and dashes, such as core-only",
    DATA_KEY: "write a key of its data: letters, digits, dashes, dots and underscores",
    LABEL_KEY: "write a label's key, such as app or example.com/team",
    LABEL_VALUE: "write a label's value: letters, digits, dashes, dots and underscores",
    LABEL_OPERATOR: "write In, NotIn, Exists or DoesNotExist",
    HEADER: "write a header's name: letters, digits and dashes",
    PRINTABLE: "write printable ASCII characters, with no space at either end",
    FILE: "write an absolute path, such as /var/run/secrets/prometheus/token",
    HOST: "write a host name, such as prometheus.example.com",
}
"""By pattern: what the schema can only answer with the pattern itself."""

Name = Annotated[str, Field(min_length=1, max_length=63, pattern=NAME)]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=OBJECT_NAME)]
LevelName = Annotated[str, Field(min_length=1, max_length=63, pattern=LEVEL_NAME)]
DataKey = Annotated[str, Field(min_length=1, max_length=253, pattern=DATA_KEY)]
LabelKey = Annotated[str, Field(min_length=1, max_length=317, pattern=LABEL_KEY)]
LabelValue = Annotated[str, Field(max_length=63, pattern=LABEL_VALUE)]

Whole = Annotated[int, Strict()]
"""A whole number that is not written as text."""
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
"""A finite number that is not written as text."""
YesNo = Annotated[bool, Strict()]
