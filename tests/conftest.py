"""What every Python test in this folder is told apart by."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "alone: measures, keeps all cores busy, or looks at all of the machine, as what builds "
        "emulated hosts does: shares the machine with no other test",
    )
