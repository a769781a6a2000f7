"""JSON text as the API server writes it.

A JSON Patch `test` compares scalars as raw text there, so `a<b`, `é` or `18.0` written Python's way never match.
Go's encoding/json escapes < > & and the line separators U+2028 and U+2029, writes other text as UTF-8, replaces lone
surrogates, and formats floats with the shortest digits, in exponent form below 1e-6 and from 1e21 on.
"""

import json
import math
from decimal import Decimal

from brownout.ledger.pointer import Json

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_TEXT = str.maketrans(_ESCAPES | {chr(code): "\ufffd" for code in range(0xD800, 0xE000)})


def encode(value: Json) -> str:
    """Compact JSON; ValueError for a number that JSON cannot hold."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).translate(_TEXT)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode(str(key))}:{encode(each)}" for key, each in value.items()) + "}"
    return "[" + ",".join(encode(each) for each in value) + "]"


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON number")
    size = abs(value)
    if size != 0 and (size < 1e-6 or size >= 1e21):
        mantissa, exponent = f"{Decimal(repr(value)).normalize():e}".split("e")
        sign, digits = exponent[0], exponent[1:]
        return f"{mantissa}e{sign}{digits if sign == '-' else digits.zfill(2)}"
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
