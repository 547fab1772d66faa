"""How a run ends that was gone on with: what went wrong before counts as much as what does now."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from busbar.errors import ExitCode
from busbar.launch.runner import Runner, RunSettings
from busbar.launch.slots import make_slots
from busbar.launch.target import Target
from busbar.record.journal import JournalWriter, read_journal
from factories import MIB, Example, Row, write_journal


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ({}, ExitCode.HOLDS),
        ({"wrong_elements": 7}, ExitCode.NEGATIVE),
        ({"hang": True}, ExitCode.HANG),
    ],
)
def test_a_run_that_has_nothing_left_to_do_ends_as_it_went(
    tmp_path: Path, trouble: dict[str, Any], code: ExitCode
) -> None:
    rows = [Row("send_recv", 4 * MIB, **trouble), Row("all_reduce", 4 * MIB)]
    journal = write_journal(tmp_path / "r.journal.jsonl", Example(rows=rows))
    before = read_journal(journal)
    settings = RunSettings(
        target=cast(Target, SimpleNamespace(side_by_side=lambda: None)),
        program=[],
        slots=make_slots(before.run.plan, 1, "none", {}),
        seed=1,
        init_deadline_seconds=1,
        common_environment={},
    )
    with JournalWriter.reopen(journal) as writer:
        runner = Runner(settings, before.run.plan, writer, cast(Any, None))
        assert runner.run(before).exit_code() is code
