"""Element types and reduction operators by the names that users type."""

from __future__ import annotations

ELEMENT_BYTES = {
    "int8": 1, "uint8": 1, "float8_e4m3": 1, "float8_e5m2": 1, "half": 2, "bfloat16": 2,
    "int32": 4, "uint32": 4, "float": 4, "int64": 8, "uint64": 8, "double": 8,
}  # fmt: skip
"""Bytes of one element, as in src/core/datatype.cpp."""
REDOPS = ("sum", "prod", "min", "max", "avg", "premulsum")
