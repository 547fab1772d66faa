"""NCCL on a GPU: everything that the fakes stand in for elsewhere. Skipped where there is none."""

from __future__ import annotations

import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest

from conftest import BIN, Launch, visit
from nccl_fakes import DATATYPES, FAKES, NCCL_OPERATIONS, needs_nccl

PLUGINS = {name: path for name, path in FAKES.items() if name.endswith("_PLUGIN")}

pytestmark = [
    needs_nccl,
    pytest.mark.skipif(not Path("/dev/nvidiactl").exists(), reason="this machine has no GPU"),
]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_every_operation_and_datatype_is_right(launch: Launch, ranks: int) -> None:
    operations = [op for op in NCCL_OPERATIONS if ranks > 1 or op in ("all_reduce", "memory_copy")]
    requests = [
        visit(op, 8 * 105 * ranks, datatype=datatype, request=n)
        for n, (op, datatype) in enumerate(product(operations, DATATYPES))
    ]
    ended = launch(
        ranks, "--transport", "nccl", "--serve", requests=requests, environment=PLUGINS, timeout=600
    )
    assert ended.code == 0, ended.err
    blocks = ended.answers("block")
    assert len(blocks) == len(requests)
    assert [b["key"] for b in blocks if b["block"]["wrong_elements"]] == []
    (line,) = ended.answers("launch")
    assert line["fake"] is False


def test_a_graph_and_registered_buffers(launch: Launch) -> None:
    ways = [{"graph": True}, {"registration": "local"}, {"registration": "symmetric"}]
    requests = [visit("all_reduce", 1 << 20, request=n, **way) for n, way in enumerate(ways)]
    ended = launch(1, "--transport", "nccl", "--serve", requests=requests, timeout=300)
    blocks = ended.answers("block")
    assert len(blocks) == len(requests), ended.err
    assert not any(b["block"]["wrong_elements"] for b in blocks)


def test_the_profiler_plugin_tells_what_ran(launch: Launch) -> None:
    ended = launch(
        2, "--transport", "nccl", "--serve", requests=[visit("all_reduce", 1 << 20)],
        environment=PLUGINS, timeout=300,
    )  # fmt: skip
    (block,) = ended.answers("block")
    assert block["block"]["observed"]["algorithm"], block["block"]["observed"]["how"]
    assert block["block"]["observed"]["channels"] > 0


def test_kernels_are_clean_under_compute_sanitizer() -> None:
    sanitizer = shutil.which("compute-sanitizer")
    if sanitizer is None:
        pytest.skip("compute-sanitizer is not installed")
    done = subprocess.run(
        [sanitizer, "--error-exitcode", "9", str(BIN / "busbar-gpu-tests")],
        capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
