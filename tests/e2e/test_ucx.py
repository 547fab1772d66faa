"""The transport ucx: every operation and method over shared memory, and over emulated links."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from busbar.launch.binary import describe
from commands import busbar, needs_emulation, valid
from conftest import BIN, Launch, keeps_all_cores_busy, visit

DESCRIBED = describe(BIN / "busbar-bench", 4)
pytestmark = pytest.mark.skipif(
    "ucx" not in DESCRIBED.transports, reason="this build was made without UCX"
)
METHODS = ("tag", "put", "get", "am")
VARIANTS = [{"name": method, "settings": {"method": method}} for method in METHODS]
OPERATIONS = [info.name for info in DESCRIBED.operations]
IN_PLACE = [info.name for info in DESCRIBED.operations if info.in_place]
REDUCING = [info.name for info in DESCRIBED.operations if info.reduces]


def assert_all_right(ended: Any, blocks: int) -> None:
    assert ended.code == 0, ended.err
    assert ended.answers("error") == []
    answered = ended.answers("block")
    assert len(answered) == blocks
    assert [b["key"] for b in answered if b["block"]["wrong_elements"]] == []


def sized(op: str, size: int, **more: Any) -> dict[str, Any]:
    info = DESCRIBED.operation(op)
    return visit(op, size if info.has_data else 0, variants=VARIANTS, **more)


@keeps_all_cores_busy
@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_every_operation_is_right_by_every_method(launch: Launch, ranks: int) -> None:
    # Eager, several fragments, rendezvous; a multiple of 8 bytes for 2, 3 and 4 ranks.
    requests = [
        sized(op, size, timing=timing)
        for op, size, timing in product(
            OPERATIONS, [96, 48_000, 960_000], ["isolated", "pipelined"]
        )
    ]
    requests += [
        sized(op, 48_000, timing=timing, in_place=True)
        for op, timing in product(IN_PLACE, ["isolated", "pipelined"])
    ]
    ended = launch(ranks, "--transport", "ucx", "--serve", requests=requests)
    assert_all_right(ended, len(requests) * len(METHODS))
    assert {b["key"]["transport"] for b in ended.answers("block")} == {"ucx"}


def test_datatypes_roots_and_operators_are_right(launch: Launch) -> None:
    requests = [
        sized(op, 24 * 41, datatype=datatype, redop=redop)
        for op, datatype, redop in product(REDUCING, ["half", "int8", "double"], ["max", "avg"])
    ]
    requests += [
        sized(op, 24 * 41, root=2, timing="pipelined")
        for op in ("broadcast", "reduce", "gather", "scatter", "one_way")
    ]
    ended = launch(3, "--transport", "ucx", "--serve", requests=requests)
    assert_all_right(ended, len(requests) * len(METHODS))


@keeps_all_cores_busy
def test_messages_of_every_protocol_keep_their_order_in_a_full_window(launch: Launch) -> None:
    windows = [
        {"name": f"{method}{window}", "settings": {"method": method, "window": str(window)}}
        for method, window in product(METHODS, [1, 64])
    ]
    requests = [
        visit(op, size, timing="pipelined", variants=windows)
        for op, size in product(
            ["one_way", "send_recv", "bidirectional"], [8, 8 << 10, 64 << 10, 4 << 20]
        )
    ]
    ended = launch(2, "--transport", "ucx", "--serve", requests=requests)
    assert_all_right(ended, len(requests) * len(windows))


@keeps_all_cores_busy
def test_groups_work_side_by_side(launch: Launch) -> None:
    parts = {"name": "pairs", "ranks": "0-3", "parts": ["0,2", "1,3"]}
    requests = [
        sized(op, 48_000, timing=timing, group=parts)
        for op, timing in product(["all_reduce", "one_way", "broadcast"], ["isolated", "pipelined"])
    ]
    ended = launch(4, "--transport", "ucx", "--serve", requests=requests)
    assert_all_right(ended, len(requests) * len(METHODS))


def test_the_record_says_what_carried_the_messages(launch: Launch) -> None:
    ended = launch(2, "--transport", "ucx", "--serve", requests=[sized("ping_pong", 8)])
    assert_all_right(ended, len(METHODS))
    (answer,) = ended.answers("launch")
    assert answer["system"]["versions"]["ucx"][0].isdigit()
    for block in ended.answers("block"):
        method, way = block["block"]["observed"]["how"]
        assert method.endswith(f"method={block['key']['variant']}")
        assert way.startswith("endpoint: ")
    tcp = launch(
        2, "--transport", "ucx", "--serve", requests=[visit("ping_pong", 8)],
        environment={"UCX_TLS": "tcp,self"},
    )  # fmt: skip
    (block,) = tcp.answers("block")
    assert "tcp/" in block["block"]["observed"]["how"][1]
    assert tcp.answers("launch")[0]["settings"]["UCX_TLS"] == "tcp,self"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"method": "send"}, "method='send' is unknown; accepted: tag, put, get, am"),
        ({"window": "0"}, "window='0' is no number of messages in flight; accepted: 1 to 4096"),
        ({"schedule": "native"}, "unknown variant key 'schedule'; accepted: method, window"),
        ({"in_network": "tree"}, "which reduces nothing in the network; accepted: off"),
    ],
)
def test_unknown_settings_are_named(
    launch: Launch, settings: dict[str, str], sentence: str
) -> None:
    wanted = visit("ping_pong", 8, variants=[{"name": "x", "settings": settings}])
    ended = launch(2, "--transport", "ucx", "--serve", requests=[wanted, visit("ping_pong", 8)])
    (error,) = ended.answers("error")
    assert sentence in error["message"]
    assert len(ended.answers("block")) == 1  # the others go on


def test_reduction_in_the_network_is_refused_before_anything_starts(tmp_path: Path) -> None:
    done = busbar("run", "all_reduce", "--transport", "ucx", "--in-network", "off,on", cwd=tmp_path)
    assert done.returncode == 2
    assert "transport ucx reduces nothing in the network" in " ".join(done.stderr.split())


@needs_emulation
def test_emulated_links_carry_every_byte(tmp_path: Path) -> None:
    size = 1 << 20
    done = busbar(
        "run", "send_recv", "one_way", "--transport", "ucx", "--on", "emulated",
        "--hosts", "2", "--rate", "400mbit", "-b", str(size), "-e", str(size), "--launches", "1",
        "-n", "3", "--max-seconds", "1", "--output", "r.json",
        *(word for m in METHODS for word in ("--variant", f"{m}:method={m}")), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = valid(tmp_path / "r.json")
    assert {launch.purpose for launch in record.launches} == {"measure"}
    assert record.launches[0].settings["UCX_NET_DEVICES"] == "eth0"
    for point in record.points:
        assert point.status == "ok", point.key
        assert point.wire is not None
        sent = point.wire.tx_bytes_per_node[0]
        assert sent is not None
        assert size <= sent < 1.05 * size, (point.key, json.dumps(point.wire.tx_bytes_per_node))
        assert any("tcp/eth0" in how for how in point.observed.how), point.observed.how
