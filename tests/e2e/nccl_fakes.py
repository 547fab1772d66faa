"""A fake GPU platform and a fake NCCL, for the end-to-end tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from commands import command, environment
from conftest import BIN

LIB = BIN.parent / "lib"
FAKES = {
    "BUSBAR_GPU_PLATFORM": str(BIN / "libbusbar-gpu-fake.so"),
    "BUSBAR_NCCL_LIBRARY": str(LIB / "libnccl-fake.so"),
    "NCCL_PROFILER_PLUGIN": str(LIB / "libnccl-profiler-busbar.so"),
    "NCCL_TUNER_PLUGIN": str(LIB / "libnccl-tuner-busbar.so"),
}
NCCL_OPERATIONS = [
    "all_reduce", "reduce", "broadcast", "all_gather", "reduce_scatter", "all_to_all",
    "all_to_allv", "gather", "scatter", "send_recv", "one_way", "ping_pong",
    "bidirectional", "memory_copy",
]  # fmt: skip
DATATYPES = [
    "int8", "uint8", "int32", "uint32", "int64", "uint64", "float8_e4m3",
    "float8_e5m2", "half", "bfloat16", "float", "double",
]  # fmt: skip

needs_nccl = pytest.mark.skipif(
    not Path(FAKES["BUSBAR_NCCL_LIBRARY"]).exists(),
    reason="this build has no transport nccl: nccl.h or CUDA's headers were not found",
)


def busbar_on_fakes(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command on the fakes to its end."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env={**os.environ, **environment(), **FAKES},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
