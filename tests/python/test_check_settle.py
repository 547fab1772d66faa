"""The measurement that would settle what is open, as a command."""

from __future__ import annotations

import shlex
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from busbar.check import CheckResult
from busbar.check.table import print_result
from busbar.cli import parse_options
from busbar.record.fold import fold
from busbar.record.key import Group
from busbar.record.models import RunRecord, Variant
from factories import MIB, Row
from rated import Shares, check, limit, lines_of, rated, with_limits

FABRIC = with_limits(limit("send_recv", 0.8), limit("send_recv", 0.8, variant="ring"))
UNSURE = [0.78, 0.83, 0.79, 0.85, 0.84]
COMMAND = (
    "busbar run send_recv all_reduce --on emulated --hosts=4 --rate 400mbit --rate host2=200mbit "
    "-b 64K -e 8M -f 2 -n60 --max-seconds 0.7 --launches 5 --variant default: --output r.json"
)


def _made(
    rows: dict[Row, Shares], command: str = COMMAND, variants: list[Variant] | None = None
) -> RunRecord:
    return _commanded(rated(rows), command, variants)


def _commanded(record: RunRecord, command: str, variants: list[Variant] | None = None) -> RunRecord:
    plan = record.run.plan
    if variants is not None:
        plan = plan.model_copy(update={"variants": variants})
    update = {"command": shlex.split(command), "plan": plan}
    return record.model_copy(update={"run": record.run.model_copy(update=update)})


def _options(command: str) -> dict[str, Any]:
    """What `busbar run` makes of a command: it must be one."""
    return parse_options(shlex.split(command)[1:])


def _settle(result: CheckResult) -> dict[str, Any]:
    (command,) = result.settle
    return _options(command)


def test_a_settled_record_asks_for_nothing() -> None:
    result = check(_made({Row("send_recv", 4 * MIB): [0.9] * 5}), FABRIC)
    assert (result.settle, result.rows[0].settle) == ((), "")


def test_an_unsure_row_asks_for_itself_where_and_how_it_was_measured() -> None:
    result = check(_made({Row("send_recv", 4 * MIB): UNSURE}), FABRIC)
    (row,) = result.rows
    asked = _options(row.settle)
    assert asked["operations"] == ["send_recv"]
    assert (asked["min_bytes"], asked["max_bytes"]) == ("4M", "4M")
    assert (asked["on"], asked["hosts"], asked["rate"]) == (
        "emulated",
        4,
        ["400mbit", "host2=200mbit"],
    )
    assert (asked["max_samples"], asked["max_seconds"]) == (60, 0.7)
    assert asked["launches"] == row.launches_wanted
    assert asked["output"] is None
    assert result.settle == (row.settle,)


def test_a_simulation_is_asked_for_with_its_scenario() -> None:
    command = "busbar run send_recv --on simulated --fabric f --background 0.5 --link=a=0.5 "
    command += "--link b.tx=0:1ms/10ms"
    result = check(_made({Row("send_recv", 4 * MIB): UNSURE}, command), FABRIC)
    asked = _settle(result)
    assert (asked["on"], asked["background"]) == ("simulated", 0.5)
    assert asked["link"] == ["a=0.5", "b.tx=0:1ms/10ms"]


def test_all_rows_together_ask_for_one_sweep() -> None:
    ring = Variant(name="ring", settings={"coll_tuned_allreduce_algorithm": "4"}, environment={})
    plain = Variant(name="default", settings={}, environment={})
    rows = {
        Row("send_recv", 2 * MIB): UNSURE,
        Row("send_recv", 4 * MIB): [0.9] * 5,
        Row("send_recv", 8 * MIB, variant="ring"): UNSURE,
    }
    result = check(_made(rows, variants=[plain, ring]), FABRIC)
    asked = _settle(result)
    assert (asked["min_bytes"], asked["max_bytes"], asked["factor"]) == ("2M", "8M", 2)
    assert asked["variant"] == ["default:", "ring:coll_tuned_allreduce_algorithm=4"]
    assert [bool(row.settle) for row in result.rows] == [True, False, True]


def test_a_missing_row_is_measured_as_it_was_planned() -> None:
    record = _made({Row("send_recv", 4 * MIB): [0.9] * 5, Row("send_recv", 2 * MIB): [0.9] * 5})
    kept = [point for point in record.points if point.key.size_bytes == 4 * MIB]
    asked = _settle(check(record.model_copy(update={"points": kept}), FABRIC))
    assert (asked["min_bytes"], asked["max_bytes"], asked["launches"]) == ("2M", "2M", 5)


def _grouped(name: str, command: str = COMMAND) -> tuple[str, ...]:
    group = Group(name=name, ranks="0-1", nodes=2)
    lines = lines_of([(Row("send_recv", 4 * MIB), UNSURE, {}, group)], 5)
    return check(_commanded(fold(lines), command), FABRIC).settle


@pytest.mark.parametrize(
    ("group", "nodes", "split"),
    [
        ("first 2 hosts", "2", "none"),
        ("first host, split by node", "1", "node"),
        ("all, split by index", None, "index"),
    ],
)
def test_groups_of_hosts_are_asked_for(group: str, nodes: str | None, split: str) -> None:
    (command,) = _grouped(group)
    asked = _options(command)
    assert (asked["nodes"], asked["split"]) == (nodes, split)


def test_patterns_are_asked_for_as_patterns() -> None:
    command = "busbar run --pattern shifts --on local --ranks 4 -b 4M -e 4M"
    (settle,) = _grouped("shift by 2", command)
    asked = _options(settle)
    assert (asked["pattern"], asked["operations"]) == ("shifts", ["send_recv"])


def test_groups_that_no_option_names_repeat_the_run_with_more_launches() -> None:
    (command,) = _grouped("rack 7", COMMAND)
    asked = _options(command)
    assert asked["operations"] == ["send_recv", "all_reduce"]
    assert (asked["min_bytes"], asked["max_bytes"]) == ("64K", "8M")
    assert asked["launches"] > 5
    assert asked["output"] is None


def test_a_variant_that_no_option_can_say_repeats_the_run() -> None:
    odd = Variant(name="default", settings={}, environment={"UCX_TLS": "tcp,self"})
    result = check(_made({Row("send_recv", 4 * MIB): UNSURE}, variants=[odd]), FABRIC)
    assert _settle(result)["operations"] == ["send_recv", "all_reduce"]


def test_what_busbar_did_not_run_has_no_command() -> None:
    record = _made({Row("send_recv", 4 * MIB): UNSURE}, "busbar import old.txt")
    result = check(record, FABRIC)
    assert (result.settle, result.rows[0].settle) == ((), "")


def test_the_terminal_ends_with_one_command_that_can_be_copied() -> None:
    out = StringIO()
    rows = {Row("send_recv", size * MIB): UNSURE for size in (2, 4)}
    print_result(Console(file=out, width=60), check(_made(rows), FABRIC))
    lines = out.getvalue().splitlines()
    assert sum("busbar run" in line for line in lines) == 1
    (command,) = (line for line in lines if "busbar run" in line)
    assert _options(command.strip())["min_bytes"] == "2M"
