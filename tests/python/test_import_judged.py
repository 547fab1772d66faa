"""What judges make of imported records, and what launches they take for launches."""

from __future__ import annotations

from pathlib import Path

import pytest

from busbar import cli, fabrics
from busbar.check import Verdict
from busbar.check import check as judge
from busbar.errors import ExitCode, UsageError
from busbar.fabrics import Limit
from busbar.importers.placing import GivenPlaces, parse_given
from busbar.record.load import load
from printouts import DATA, FOUR, point, record_of, text_of


def test_what_a_mean_hides_is_null() -> None:
    record = record_of(text_of("nccl-tests-2.19-all_reduce.txt"))
    found = point(record, 1 << 20)
    assert found.time_us is not None
    time = found.time_us
    assert (time.median, time.ci95) == (61.37, None)
    assert {time.min, time.p90, time.p99, time.p99_9, time.max} == {None}
    assert found.spoiled_share is None
    assert found.blocks[0].throttled is None
    (launch,) = record.launches
    assert (launch.started, launch.clock, launch.protocol) == (None, None, None)
    plan = record.run.plan
    assert {record.run.seed, plan.stopping, plan.warmup, plan.rest_us} == {None}


def test_deviations_are_verified_by_the_footer() -> None:
    text = text_of("nccl-tests-2.0-all_gather.txt")
    good = record_of(text, op="all_gather")
    assert {(p.wrong_elements, p.verified) for p in good.points} == {(0, "every_block")}
    assert good.points[0].key.size_bytes == 1 << 20
    bad = record_of(text.replace("values : 0 OK", "values : 3 FAILED"), op="all_gather")
    assert {(p.wrong_elements, p.verified) for p in bad.points} == {(None, "waived")}
    result = judge(bad, fabrics.load("local"))
    assert [row.verdict for row in result.rows if row.key is None] == [Verdict.WRONG_DATA]
    assert result.exit_code is ExitCode.NEGATIVE


def test_several_launches_give_an_interval() -> None:
    text = text_of("osu-5.9-allreduce-full.txt")
    texts = [text.replace("32190.44", f"3219{n}.44") for n in range(5)]
    record = record_of(*texts, given=FOUR)
    found = point(record, 1 << 20)
    assert found.time_us is not None
    assert found.time_us.median == 32192.44
    low, high = found.time_us.ci95 or (0.0, 0.0)
    assert 32190 < low < 32192.44 < high < 32195
    assert [one.launches for one in record.run.imported or []] == [[0], [1], [2], [3], [4]]


def test_the_same_file_twice_is_no_second_launch() -> None:
    text = text_of("osu-5.9-allreduce-full.txt")
    with pytest.raises(UsageError, match=r"file1\.txt is the same as file0\.txt"):
        record_of(text, text, given=FOUR)


def test_the_same_output_twice_in_one_file_is_no_second_launch() -> None:
    text = text_of("nccl-tests-2.19-all_reduce.txt")
    with pytest.raises(UsageError, match=r"line 30: every time is that of file0\.txt line 2;"):
        record_of(text + text)


def test_places_are_asked_for() -> None:
    osu = text_of("osu-5.9-allreduce-full.txt")
    with pytest.raises(UsageError, match="does not say where its ranks ran"):
        record_of(osu)
    with pytest.raises(UsageError, match="say so themselves"):
        record_of(text_of("nccl-tests-2.19-all_reduce.txt"), given=FOUR)
    with pytest.raises(UsageError, match="one rank communicates with nobody"):
        record_of(osu, given=GivenPlaces(["host1"], 1))
    given = parse_given("a,b", 2)
    assert given is not None
    assert [place.host for place in given.places()] == ["a", "a", "b", "b"]
    for hosts, each in (("a,b", None), (None, 2), ("a,a", 1), ("a,,b", 1), ("a", 0)):
        with pytest.raises(UsageError):
            parse_given(hosts, each)


FABRIC = fabrics.load("emulated-4x400m").model_copy(
    update={
        "limits": [
            Limit.model_validate(
                {"op": "all_gather", "from": "1M", "at_least": 0.8, "reason": "of these tests"}
            )
        ]
    }
)


def _verdict(*texts: str) -> tuple[Verdict, str]:
    rows = judge(record_of(*texts, given=FOUR), FABRIC).rows
    (row,) = [row for row in rows if row.key is not None and row.key.size_bytes == 1 << 20]
    return row.verdict, row.reason


def test_one_output_never_passes_and_five_may() -> None:
    text = text_of("osu-7.4-allgather-validated.txt")
    five = [text.replace("16205.81", f"1620{n}.81") for n in range(5)]
    verdict, reason = _verdict(text)
    assert (verdict, reason[:28]) == (Verdict.UNSURE, "One launch gives no interval")
    assert _verdict(*five)[0] is Verdict.PASS
    unverified = [one.replace("Validation", "").replace("Pass", "") for one in five]
    verdict, reason = _verdict(*unverified)
    assert (verdict, reason[:29]) == (Verdict.UNSURE, "Its results were not verified")


def test_the_command_writes_what_check_and_report_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "old.json"
    files = []
    for n in range(3):
        file = tmp_path / f"run{n}.txt"
        text = text_of("osu-5.9-allreduce-full.txt").replace("32190.44", f"3219{n}.44")
        file.write_text(text, encoding="utf-8")
        files.append(str(file))
    where = ["--hosts", "host1,host2,host3,host4", "--ranks-per-node", "1"]
    command = ["import", *files, *where, "--fabric", "emulated-4x400m", "--output", str(record)]
    assert cli.run_command_line(command) == 0
    assert "3 launches, 3 points" in capsys.readouterr().out
    assert cli.run_command_line(command) == 2  # it is there already
    assert load(record).run.on == "imported"
    junit = tmp_path / "check.xml"
    assert cli.run_command_line(["check", str(record), "--junit", str(junit)]) == 3
    told = " ".join(capsys.readouterr().out.split())
    assert "imported from OSU micro-benchmarks 5.9" in told
    assert "not measured by Busbar" in told
    assert "imported from OSU micro-benchmarks 5.9" in junit.read_text(encoding="utf-8")
    page = tmp_path / "report.html"
    assert cli.run_command_line(["report", str(record), "--output", str(page)]) == 0
    html = page.read_text(encoding="utf-8")
    assert "IMPORTED" in html
    assert "not measured by Busbar" in html


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--output", "old.txt"], "accepted is NAME.json"),
        (["--op", "scan", "--output", "old.json"], "--op 'scan' is not known"),
        (["--hosts", "a,b", "--output", "old.json"], "belong together"),
        (["--fabric", "no-such-fabric", "--output", "old.json"], "no-such-fabric"),
    ],
)
def test_wrong_options(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    file = str(DATA / "nccl-tests-2.19-all_reduce.txt")
    assert cli.run_command_line(["import", file, *arguments]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
