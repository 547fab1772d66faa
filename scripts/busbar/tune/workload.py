"""What tuning is for: a mix of operations and sizes, with how often each is executed.

A workload comes from a preset in `workloads/`, from a TOML file with the same fields, or from what
an application was seen to call (`capture/`). It is of one communicator: settings that are right for
sixteen ranks of two nodes say nothing of eight ranks of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from busbar.datatypes import ELEMENT_BYTES, REDOPS
from busbar.documents import parse, read_text
from busbar.errors import UsageError
from busbar.fields import size_text
from busbar.record.base import Count, Model, Name
from busbar.theory.operations import OPERATIONS
from busbar.units import parse_size
from busbar.validation import describe

REDUCING = frozenset({"all_reduce", "reduce", "reduce_scatter"})
"""Operations that have a reduction operator."""
OPS = tuple(sorted(OPERATIONS.keys() - {"null", "memory_copy"}))
"""Operations that a workload may have: those that communicate."""

PRESETS = Path(__file__).parent / "workloads"


def _in_bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return parse_size(size_text(value))


class Operation(Model):
    """One operation at one size."""

    op: Name
    """As `busbar-bench --describe` names it."""
    size_bytes: Annotated[Count, BeforeValidator(_in_bytes)]
    """As nccl-tests counts it; a text such as `25M` is taken too."""
    count: float = Field(gt=0)
    """Its weight: executions that each rank takes part in. Only ratios matter. Not always whole,
    since captured ones are means over ranks."""
    datatype: Name = "float"
    redop: Name | None = None
    """`sum` where an operation that reduces says nothing; null for the others."""
    source: str = ""
    """Where size and count are from, as far as the workload's own `source` does not say it."""

    @model_validator(mode="before")
    @classmethod
    def _sums(cls, fields: Any) -> Any:
        reduces = isinstance(fields, Mapping) and fields.get("op") in REDUCING
        return {"redop": "sum", **fields} if reduces else fields

    @model_validator(mode="after")
    def _check(self) -> Operation:
        if self.op not in OPS:
            raise ValueError(f"op '{self.op}' is unknown, accepted: {', '.join(OPS)}")
        if self.datatype not in ELEMENT_BYTES:
            accepted = ", ".join(ELEMENT_BYTES)
            raise ValueError(f"datatype '{self.datatype}' is unknown, accepted: {accepted}")
        if self.op in REDUCING and self.redop not in REDOPS:
            raise ValueError(f"redop '{self.redop}' is unknown, accepted: {', '.join(REDOPS)}")
        if self.op not in REDUCING and self.redop is not None:
            raise ValueError(f"{self.op} reduces nothing, so it has no redop")
        if (self.size_bytes == 0) != (self.op == "barrier"):
            raise ValueError(f"size_bytes of {self.op} is {self.size_bytes}; 0 is for barrier only")
        if self.size_bytes % ELEMENT_BYTES[self.datatype]:
            raise ValueError(f"size_bytes {self.size_bytes} is no whole number of {self.datatype}")
        return self


class Workload(Model):
    """The fields of a workload file."""

    name: Name
    source: Name
    """Whose figures these are."""
    operation: list[Operation] = Field(min_length=1)
    max_ctas: int | None = Field(default=None, ge=1, le=64)
    """The most CTAs, and so SMs, that a setting may occupy, because kernels that compute run at the
    same time; null: no limit. NCCL has 64 channels of one CTA each at most."""
    ranks: int | None = Field(default=None, ge=2)
    """The number of ranks that it was seen on; null: it is for any number."""
    nodes: int | None = Field(default=None, ge=1)
    """The nodes that these were on; null: any, or not known."""
    notes: list[str] = Field(default_factory=list)
    """What it leaves out, one sentence each: whoever shows a result shows these beside it."""

    def total_bytes(self) -> float:
        """Over all executions of a rank, by size as nccl-tests counts it."""
        return sum(operation.size_bytes * operation.count for operation in self.operation)


def presets() -> list[str]:
    """The names of the workloads that come with Busbar."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def parse_workload(text: str, origin: str) -> Workload:
    """The workload that a TOML document describes.

    Raises UsageError naming the origin and the key.
    """
    return parse(Workload, text, origin)


def read_workload(path: Path) -> Workload:
    """From a `.toml` file, or a `.json` file with the same fields.

    Raises UsageError, one sentence that names the file and the key, where it cannot be used.
    """
    text = read_text(path)
    if path.suffix == ".toml":
        return parse_workload(text, str(path))
    try:
        return Workload.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(f"{path}: {describe(error, Workload)}.") from None


def save_workload(workload: Workload, path: Path) -> None:
    """As JSON, which `read_workload` reads back: so a capture is kept, looked at and edited."""
    path.write_text(workload.model_dump_json(indent=1, exclude_defaults=True) + "\n", "utf-8")
