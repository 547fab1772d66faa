"""What a check leaves beside its exit code: the certificate and the verdicts as JSON."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from busbar.check.result import CheckResult
from busbar.check.verdict_json import verdicts_of, write_verdicts
from busbar.fabrics.model import Fabric
from busbar.record.models import RunRecord


def write_documents(
    result: CheckResult,
    record: RunRecord,
    fabric: Fabric,
    path: Path,
    certificate: Path | None,
    as_json: Path | None,
) -> None:
    """Write those that are asked for; `path` is the record's file.

    Raises UsageError if a file cannot be written.
    """
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if as_json is not None:
        write_verdicts(verdicts_of(result, record, fabric, path.name, sha256), as_json)
    if certificate is not None:
        # Templates take a while to load: only for those who ask for a page.
        from busbar.report.certificate import write_certificate
        from busbar.report.certificate_facts import Source

        source = Source(path.name, sha256, ["busbar", *sys.argv[1:]])
        write_certificate(result, record, fabric, source, certificate)
