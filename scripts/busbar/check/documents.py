"""What a check leaves beside its exit code: verdicts as JUnit and as JSON, and the certificate."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from busbar.check.junit import junit_text
from busbar.check.result import CheckResult
from busbar.check.verdict_json import verdicts_of, verdicts_text
from busbar.errors import UsageError
from busbar.fabrics.model import Fabric
from busbar.record.models import RunRecord


@dataclass(frozen=True)
class Documents:
    """Where each goes; None for those that nobody asks for."""

    junit: Path | None
    certificate: Path | None
    as_json: Path | None

    def clear(self) -> None:
        """Remove those of an earlier check: where this one fails, none of them must look like its.

        Devices and links, such as /dev/stdout, stay.
        """
        for path in (self.junit, self.certificate, self.as_json):
            if path is not None and path.is_file() and not path.is_symlink():
                path.unlink()

    def refuse(self, inputs: Iterator[Path]) -> None:
        """Raises UsageError where one would replace what is to be read."""
        read = {path.resolve() for path in inputs}
        for path in (self.junit, self.certificate, self.as_json):
            if path is not None and path.resolve() in read:
                raise UsageError(f"{path} is to be read, so it cannot be written; name another.")

    def write(self, result: CheckResult, record: RunRecord, fabric: Fabric, source: Path,
              sha256: str) -> None:  # fmt: skip
        """Write them, all or none; `source` is the record's file, and its hash as it was read.

        Raises UsageError if a file cannot be written.
        """
        texts = dict(self._texts(result, record, fabric, source, sha256))
        for path, text in texts.items():
            try:
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                self.clear()
                raise UsageError(f"{path} cannot be written: {error.strerror}.") from None

    def _texts(
        self, result: CheckResult, record: RunRecord, fabric: Fabric, source: Path, sha256: str
    ) -> Iterator[tuple[Path, str]]:
        if self.junit is not None:
            yield self.junit, junit_text(result)
        if self.as_json is not None:
            verdicts = verdicts_of(result, record, fabric, source.name, sha256)
            yield self.as_json, verdicts_text(verdicts)
        if self.certificate is not None:
            # Templates take a while to load: only for those who ask for a page.
            from busbar.report.certificate import render
            from busbar.report.certificate_facts import Source

            told = Source(source.name, sha256, ["busbar", *sys.argv[1:]])
            yield self.certificate, render(result, record, fabric, told)
