"""What every launch of a run is started with, whatever its variants."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from busbar.launch import nccl, nccl_conf, ucx
from busbar.launch.target import Simulated, Target
from busbar.record.models import Variant


def program(engine: Path, transport: str, threads: int) -> list[str]:
    """The engine's argv, but for what a launch adds."""
    words = [str(engine)]
    if transport != "mpi":
        words += ["--transport", transport]
    if threads > 1:
        words += ["--threads", str(threads)]
    return words


def common_environment(
    target: Target, transport: str, engine: Path, variants: Sequence[Variant]
) -> dict[str, str]:
    """Variables for every launch alike. Raises UsageError where this process's defeat a variant."""
    if transport == nccl.TRANSPORT:
        configured = nccl_conf.read_here()
        nccl_conf.refuse_decided(variants, configured)
        return nccl.common_environment(engine, variants, os.environ, set(configured))
    if transport == ucx.TRANSPORT:
        return ucx.common_environment(target, os.environ)
    if isinstance(target, Simulated):
        return {}
    tuned = any(key.startswith("coll_tuned_") for v in variants for key in v.settings)
    # Read once, at launch; without it Open MPI accepts and ignores what a variant sets. Every
    # launch gets it, so that default and tuned differ in nothing else.
    return {"OMPI_MCA_coll_tuned_use_dynamic_rules": "1"} if tuned else {}


def base_environment(variants: Sequence[Variant]) -> dict[str, str]:
    """This process's environment less what a variant decides: the variant alone decides those."""
    swept = nccl.decided_by_variants(variants)
    return {name: value for name, value in os.environ.items() if name not in swept}
