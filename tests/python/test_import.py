"""Other tools' output as run records: their figures survive, their gaps stay gaps."""

from __future__ import annotations

import json

import pytest

from busbar import fabrics
from busbar.check import Verdict
from busbar.check import check as judge
from busbar.errors import ExitCode, UsageError
from printouts import FOUR, PAIR, point, record_of, text_of


def test_nccl_tests_219() -> None:
    record = record_of(text_of("nccl-tests-2.19-all_reduce.txt"))
    (imported,) = record.run.imported or []
    assert (imported.tool, imported.version, imported.format) == ("nccl-tests", "2.19.6", "text")
    found = point(record, 16 << 20, in_place=True)
    key = found.key
    assert (key.transport, key.op, key.datatype, key.redop, key.root) == (
        "nccl", "all_reduce", "float", "sum", None,
    )  # fmt: skip
    assert (key.memory, key.registration, key.timing) == ("gpu", "unknown", "pipelined")
    assert (key.group.ranks, key.group.nodes) == ("0-7", 2)
    (block,) = found.blocks
    assert block.samples_us == [220.8]
    assert block.printed == {
        "time_us": 220.8, "algbw_gbs": 75.98, "busbw_gbs": 132.97, "wrong": 0.0,
    }  # fmt: skip
    assert block.executions == 20
    assert found.estimators.nccltests_pipelined == 220.8
    assert found.estimators.osu_mean is None
    assert found.busbw_gbs == pytest.approx(132.97, abs=0.01)
    assert (found.wrong_elements, found.verified) == (0, "every_block")
    (launch,) = record.launches
    assert launch.processes[5].model_dump(include={"host", "gpu", "pid"}) == {
        "host": "node2", "gpu": 1, "pid": 4005,
    }  # fmt: skip
    assert launch.system.gpus[5].name == "NVIDIA H100 80GB HBM3"
    assert launch.system.versions == {"nccl-tests": "2.19.6", "nccl": "2.28.9"}


def test_nccl_tests_that_names_no_operation() -> None:
    text = text_of("nccl-tests-2.13-broadcast.txt")
    record = record_of(text, op="broadcast")
    assert {p.key.root for p in record.points} == {0}
    assert {p.key.datatype for p in record.points} == {"int8"}
    with pytest.raises(UsageError, match="line 16: nothing says which operation"):
        record_of(text)
    with pytest.raises(UsageError, match=r"line 16: all_reduce reduces, and 'none' is no"):
        record_of(text, op="all_reduce")
    with pytest.raises(UsageError, match="is not the bus bandwidth of all_gather"):
        record_of(text, op="all_gather")


def test_version_1_prints_milliseconds() -> None:
    record = record_of(text_of("nccl-tests-1.0-reduce.txt"), op="reduce")
    found = point(record, 4 << 20)
    assert found.time_us is not None
    assert found.time_us.median == pytest.approx(412.0)
    assert found.blocks[0].printed == {
        "time_ms": 0.412, "algbw_gbs": 10.18, "busbw_gbs": 10.18, "deviation": 2e-07,
    }  # fmt: skip
    assert found.verified == "every_block"


def test_json() -> None:
    record = record_of(text_of("nccl-tests-3-reduce_scatter.json"))
    found = point(record, 1 << 20)
    assert found.key.registration == "local"
    (block,) = found.blocks
    assert block.samples_us == [92.251]
    assert block.printed is not None
    assert block.printed["i_p99_us"] == 101.251
    (launch,) = record.launches
    assert launch.settings == {"NCCL_ALGO": "Ring"}
    assert [p.gpu for p in launch.processes] == [0, 1, 2, 3, 0, 1, 2, 3]
    assert [p.host for p in launch.processes][3:5] == ["node1", "node2"]
    (imported,) = record.run.imported or []
    assert imported.started == "2026-01-02 03:04:05"
    assert (record.run.status, found.wrong_elements) == ("complete", 0)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_json_of_each_version(version: int) -> None:
    document = json.loads(text_of("nccl-tests-3-reduce_scatter.json"))
    document["version"] = version
    if version == 1:
        for result in document["results"]:
            del result["out_of_place_per_iter"]
        average = document.pop("average_bus_bandwidth")
        document["average_bus_bandwidith"] = {"bandwidith": average["bandwidth"], "okay": "true"}
    record = record_of(json.dumps(document))
    assert {p.status for p in record.points} == {"ok"}


def test_json_that_stopped_early_is_interrupted() -> None:
    document = json.loads(text_of("nccl-tests-3-reduce_scatter.json"))
    for name in ("out_of_bounds", "average_bus_bandwidth", "end_time"):
        del document[name]
    record = record_of(json.dumps(document))
    assert record.run.status == "interrupted"
    assert "before its summary" in record.problems[0].reason


def test_osu_collective_with_all_columns() -> None:
    record = record_of(text_of("osu-5.9-allreduce-full.txt"), given=FOUR)
    found = point(record, 1 << 20)
    assert (found.key.transport, found.key.datatype, found.key.redop) == ("mpi", "float", "sum")
    assert (found.key.timing, found.key.memory) == ("isolated", "host")
    (block,) = found.blocks
    assert block.printed == {
        "avg_us": 32190.44, "min_us": 32001.9, "max_us": 32370.15, "iterations": 100.0,
    }  # fmt: skip
    assert (block.executions, found.estimators.osu_mean) == (100, 32190.44)
    assert (found.verified, found.wrong_elements) == ("waived", None)


def test_osu_sizes_per_rank_become_totals() -> None:
    record = record_of(text_of("osu-7.4-allgather-validated.txt"), given=FOUR)
    assert [p.key.size_bytes for p in record.points] == [4096, 1 << 20]
    assert {(p.key.datatype, p.verified) for p in record.points} == {("float", "every_block")}
    found = record.points[1]
    assert found.busbw_gbs == pytest.approx(0.75 * (1 << 20) / 16205.81 / 1000)


def test_osu_validation_that_failed() -> None:
    before, _, after = text_of("osu-7.4-allgather-validated.txt").rpartition("Pass")
    found = record_of(f"{before}Fail{after}", given=FOUR).points[1]
    assert found.status == "wrong_data"
    assert found.reason == "OSU's validation failed: the data was wrong."


def test_osu_latency_has_size_zero() -> None:
    record = record_of(text_of("osu-5.9-latency.txt"), given=PAIR)
    assert [p.key.op for p in record.points] == ["ping_pong"] * 3
    assert point(record, 0).blocks[0].samples_us == [30.11]
    assert point(record, 0).algbw_gbs is None


def test_osu_bandwidths_are_times_of_messages() -> None:
    one_way = record_of(text_of("osu-7.4-bw.txt"), given=PAIR)
    found = point(one_way, 1 << 20)
    assert found.blocks[0].samples_us == [pytest.approx((1 << 20) / 12000)]
    assert found.algbw_gbs == pytest.approx(12.0)
    assert (found.key.op, found.key.memory, found.key.root) == ("one_way", "gpu", 0)
    both = point(record_of(text_of("osu-7.4-bibw.txt"), given=PAIR), 1 << 20)
    assert both.algbw_gbs == pytest.approx(10.0)  # one direction of 20 GB/s
    with pytest.raises(UsageError, match="takes 2 ranks, not the 4"):
        record_of(text_of("osu-7.4-bw.txt"), given=FOUR)


def test_uneven_chunks_are_waived() -> None:
    record = record_of(text_of("osu-7.4-reduce_scatter.txt"), given=FOUR)
    assert [p.key.size_bytes for p in record.points] == [1 << 20]
    (small,) = [row for row in record.run.plan.rows if row.key.size_bytes == 4]
    assert small.need == "waived"
    assert "do not divide among 4 ranks" in (small.evidence or "")


def test_osu_barrier() -> None:
    (found,) = record_of(text_of("osu-7.4-barrier.txt"), given=FOUR).points
    assert (found.key.op, found.key.size_bytes, found.key.datatype) == ("barrier", 0, "float")


def test_outputs_in_one_file_are_launches() -> None:
    text = text_of("nccl-tests-2.19-all_reduce.txt")
    record = record_of(text + "srun: bye\n" + text.replace("  61.37", "  61.38"))
    assert len(record.launches) == 2
    assert [b.samples_us for b in point(record, 1 << 20).blocks] == [[61.37], [61.38]]


def test_repeated_rows_are_rounds_of_one_launch() -> None:
    lines = text_of("nccl-tests-2.13-broadcast.txt").splitlines(keepends=True)
    rows = lines[15:17]
    record = record_of("".join([*lines[:17], *rows, *lines[17:]]), op="broadcast")
    assert len(record.launches) == 1
    assert [b.round for b in point(record, 1 << 20).blocks] == [0, 1]


def _cut(text: str, at: str) -> str:
    return text[: text.index(at)]


def test_output_without_its_footer_is_interrupted() -> None:
    text = text_of("nccl-tests-2.19-all_reduce.txt")
    record = record_of(_cut(text, "# Out of bounds"))
    assert record.run.status == "interrupted"
    result = judge(record, fabrics.load("local"))
    row, run = [row for row in result.rows if row.key is None]
    assert (row.verdict, run.verdict) == (Verdict.MISSING, Verdict.MISSING)
    assert "before its footer" in row.reason
    assert result.exit_code is ExitCode.INCOMPLETE


def test_a_torn_row_is_left_out() -> None:
    text = text_of("nccl-tests-2.19-all_reduce.txt")
    torn = record_of(_cut(text, "   67108864") + "   67108864      16777216     float     sum")
    assert (torn.run.status, len(torn.points)) == ("interrupted", 6)
    osu = text_of("osu-5.9-allreduce-full.txt")
    torn = record_of(osu.rstrip("\n")[:-1], given=FOUR)  # 10 iterations instead of 100
    assert (torn.run.status, len(torn.points)) == ("interrupted", 2)


def test_a_row_that_was_taken_out_is_missed() -> None:
    lines = text_of("nccl-tests-2.19-all_reduce.txt").splitlines(keepends=True)
    record = record_of("".join(line for line in lines if not line.startswith("    16777216")))
    assert record.run.status == "interrupted"
    assert "is not that of its rows" in record.problems[0].reason


def test_log_lines_of_nccl_are_no_rows() -> None:
    text = text_of("nccl-tests-2.19-all_reduce.txt")
    log = "node1:4000:4100 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P\n"
    log += "8 more processes have sent help message help-mtl-ofi.txt / OFI call fail\n"
    noisy = text.replace("\n    16777216", f"\n{log}    16777216")
    assert len(record_of(noisy).points) == 8


def test_tags_of_mpirun_are_taken_off() -> None:
    text = text_of("nccl-tests-2.19-all_reduce.txt")
    lines = [f"[1,0]<stdout>:{line}" for line in text.splitlines()]
    lines.insert(20, "[1,3]<stderr>:a warning")
    record = record_of("\n".join([*lines, ""]))
    assert record.run.status == "complete"
    assert record.points == record_of(text).points


def test_what_follows_a_blank_line_is_no_table_of_osu() -> None:
    text = text_of("osu-5.9-allreduce-full.txt")
    assert len(record_of(text + "\nreal 0m9.5s\n", given=FOUR).points) == 3
    with pytest.raises(UsageError, match="line 8: a row of results outside a table"):
        record_of(text + "\n2097152 64000.10 63000.10 65000.10 100\n", given=FOUR)
    with pytest.raises(UsageError, match="line 7: 2 columns where the head has 5"):
        record_of(text + "real 0m9.5s\n", given=FOUR)


def test_rccl_tests_measure_another_library() -> None:
    text = text_of("nccl-tests-2.19-all_reduce.txt")
    version = "# rccl-tests version 2.17.9-develop:0123 rccl-headers=22803 rccl-library=22707"
    lines = text.splitlines()
    record = record_of("\n".join([version, *lines[2:], ""]))
    assert {p.key.transport for p in record.points} == {"rccl"}
    (launch,) = record.launches
    assert launch.system.versions == {"rccl-tests": "2.17.9-develop:0123", "rccl": "2.27.7"}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("   221.6   75.71", "   221.6   ", "line 21: 12 columns where the head in line 17 has 13"),
        ("   221.6  ", "   321.6  ", "line 21: 132.49 GB/s is not the bus bandwidth of all_reduce"),
        ("16777216       4194304", "16777x16       4194304", "line 21: size or count is no whole"),
        ("   221.6  ", "     nan  ", "line 21: time is 'nan', which is no figure"),
        ("float     sum      -1    221.6", "quad  sum  -1    221.6", "line 21: the datatype"),
        ("Rank  3 Group  0", "Rank  4 Group  0", "line 10: rank 4 where rank 3 is expected"),
        ("Rank  3 Group  0", "Rank  3 Group  1", "line 10: ranks of several groups"),
        ("on      node1 device  3", "on node1 gpu 3", "line 10: a rank's line that cannot be read"),
        ("all_reduce_perf", "alltoallv_perf", "line 3: 'alltoallv_perf' has no counterpart here"),
        ("#\n# Using", "# Blocking Enabled: wait\n# Using", "line 5: blocking mode"),
        ("    time   algbw", " cputime   algbw", "line 17: -C prints the time to enqueue"),
        ("#wrong ", "#strange ", "line 17: the column '#strange' is not known"),
        ("out-of-place  ", "              ", "line 17: the line above the columns"),
        ("#       size", "#       Size", "line 19: a row of results before the head"),
        ("  132.49       0", "  132.49     0.5", "line 21: '0.5' is no number of wrong elements"),
        ("bandwidth    : 114", "bandwidth    : nan114", "is no average bus bandwidth"),
    ],
)  # fmt: skip
def test_damage_is_refused_with_its_line(before: str, after: str, says: str) -> None:
    text = text_of("nccl-tests-2.19-all_reduce.txt")
    assert before in text
    with pytest.raises(UsageError) as refused:
        record_of(text.replace(before, after))
    assert says in refused.value.message
    assert refused.value.message.startswith("file0.txt")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("Allreduce", "Non-blocking Allreduce", "line 2: 'Non-blocking Allreduce Latency' has no"),
        ("Iterations", "Overlap(%)", "line 3: the column 'Overlap(%)' is not known"),
        ("  4021.18  ", "  ", "line 5: 4 columns where the head has 5"),
        ("4021.18", "inf", "line 5: avg_us is 'inf', which is no figure"),
        ("# Size  ", "#       ", "line 3: only a barrier has no column"),
        ("Avg Latency(us)", "Bandwidth (MB/s)", "line 3: the columns do not fit"),
        ("# Size", "# Datatype: MPI_QUAD.\n# Size", "line 3: the datatype 'MPI_QUAD' is not known"),
    ],
)  # fmt: skip
def test_damaged_osu_output_is_refused(before: str, after: str, says: str) -> None:
    text = text_of("osu-5.9-allreduce-full.txt")
    assert before in text
    with pytest.raises(UsageError) as refused:
        record_of(text.replace(before, after), given=FOUR)
    assert says in refused.value.message


def _table(above: str, head: str, row: str) -> str:
    start = text_of("nccl-tests-2.19-all_reduce.txt").splitlines()[:15]
    footer = ["# Out of bounds values : 0 OK", "# Avg bus bandwidth : 20 "]
    return "\n".join([*start, f"#  {above}", f"# {head}", row, *footer, ""])


def test_per_iteration_figures_and_timestamps() -> None:
    own = "time algbw busbw #wrong i_min i_max i_p99 i_cv%"
    text = _table(
        "out-of-place (+ per-iteration)     in-place (+ per-iteration)",
        f"size count type redop root {own} {own} timestamp",
        "1750000 437500 float sum -1 153.1 11.43 20.00 0 150.0 160.0 159.0 2.1 "
        "153.1 11.43 20.00 0 151.0 161.0 159.5 2.2 2026-01-01 00:00:00",
    )
    record = record_of(text)
    assert record.run.status == "complete"
    printed = point(record, 1750000, in_place=True).blocks[0].printed or {}
    assert (printed["i_min_us"], printed["i_cv_pct"]) == (151.0, 2.2)


def test_a_table_of_one_placement() -> None:
    head = "size count type redop root time algbw busbw #wrong"
    row = "1750000 437500 float sum -1 153.1 11.43 20.00 N/A"
    (found,) = record_of(_table("in-place", head, row)).points
    assert found.key.in_place
    assert (found.wrong_elements, found.verified) == (None, "waived")


def test_wrong_elements_are_the_worst_verdict() -> None:
    head = "size count type redop root time algbw busbw #wrong"
    row = "1750000 437500 float sum -1 153.1 11.43 20.00 12"
    (found,) = record_of(_table("out-of-place", head, row)).points
    assert (found.status, found.wrong_elements) == ("wrong_data", 12)


def test_a_size_rounded_down_to_nothing_is_waived() -> None:
    head = "size count type redop root time algbw busbw #wrong"
    text = _table("out-of-place", head, "0 0 float sum -1 9.1 0.00 0.00 0")
    record = record_of(text.replace("bandwidth : 20", "bandwidth : 0"))
    assert record.points == []
    assert [row.need for row in record.run.plan.rows] == ["waived"]
