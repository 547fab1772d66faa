"""The judge: says of each row of a record whether it holds against theory, and fails closed."""

from busbar.check.check import check
from busbar.check.result import CheckResult, RowResult, Verdict

__all__ = ["CheckResult", "RowResult", "Verdict", "check"]
