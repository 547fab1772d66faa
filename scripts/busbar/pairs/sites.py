"""The site map: on which leaf each host, or each of its NICs, hangs, and on which rail it is.

From a file of our own (below), from what a site has already (`site_formats`), or from a fabric:

    [[leaf]]
    name = "leaf1"
    hosts = ["host[1-4]", "host7"]
    nics = [0]                      # only these of a host's NICs, by index; default: all

    [[rail]]
    name = "rail1"
    nics = [0]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from busbar.documents import parse
from busbar.fabrics.model import Fabric
from busbar.leaves import spread
from busbar.pairs.hostlist import expand

Name = Annotated[str, Field(min_length=1)]
Index = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Attachment:
    """A host, or one of its NICs, below a leaf."""

    host: str
    leaf: str
    nic: str | None = None
    """Name of the NIC, such as `mlx5_0`; None where only its index, or the host, is known."""
    index: int | None = None


@dataclass(frozen=True)
class Sites:
    """Where everything hangs. What is not known is None; nothing is guessed."""

    attachments: tuple[Attachment, ...] = ()
    rails: Mapping[int, str] = field(default_factory=dict)
    """Name of the rail of each NIC index."""

    def leaf_of(self, host: str, index: int | None = None, nics: Iterable[str] = ()) -> str | None:
        """The leaf of a host's NIC: by the names it uses, by its index, or the host's only one."""
        here = self._of(host)
        used = set(nics)
        for chosen in (
            [a for a in here if a.nic in used],
            [a for a in here if a.index is not None and a.index == index],
            here,
        ):
            leaves = {a.leaf for a in chosen}
            if len(leaves) == 1:
                return leaves.pop()
        return None

    def rail_of(self, index: int) -> str | None:
        """The rail of a NIC index."""
        return self.rails.get(index)

    def _of(self, host: str) -> list[Attachment]:
        """A full name also finds a short one."""
        here = [a for a in self.attachments if a.host == host]
        return here or [a for a in self.attachments if a.host == host.partition(".")[0]]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Leaf(_Part):
    name: Name
    hosts: list[Name] = Field(min_length=1)
    nics: list[Index] | None = Field(default=None, min_length=1)

    def attachments(self) -> list[Attachment]:
        hosts = [host for text in self.hosts for host in expand(text)]
        indices: list[int | None] = [None] if self.nics is None else [*self.nics]
        return [Attachment(host, self.name, index=index) for host in hosts for index in indices]


class _Rail(_Part):
    name: Name
    nics: list[Index] = Field(min_length=1)


class _Document(_Part):
    leaf: list[_Leaf] = Field(min_length=1)
    rail: list[_Rail] = []

    @model_validator(mode="after")
    def _once(self) -> Self:
        seen: dict[tuple[str, int | None], str] = {}
        for leaf in self.leaf:
            for a in leaf.attachments():
                if (a.host, a.index) in seen:
                    raise ValueError(f"host '{a.host}' hangs on two leaves, accepted is one")
                seen[a.host, a.index] = a.leaf
        indices = [index for rail in self.rail for index in rail.nics]
        if len(set(indices)) < len(indices):
            raise ValueError("a NIC is on two rails, accepted is one")
        return self


def of_toml(text: str, origin: str) -> Sites:
    """Our own file. Raises UsageError, one sentence that names the origin and the culprit."""
    document = parse(_Document, text, origin)
    attachments = tuple(a for leaf in document.leaf for a in leaf.attachments())
    rails = {index: rail.name for rail in document.rail for index in rail.nics}
    return Sites(attachments, rails)


def of_fabric(fabric: Fabric) -> Sites:
    """The leaves of a fabric; none where all hosts hang on one switch."""
    if fabric.leaves is None:
        return Sites()
    below = spread(fabric.host_names(), fabric.leaves.count)
    return Sites(
        tuple(
            Attachment(host, leaf)
            for leaf, hosts in zip(fabric.leaf_names(), below, strict=True)
            for host in hosts
        )
    )
