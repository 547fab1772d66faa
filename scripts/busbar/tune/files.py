"""The folder that a tuning leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from busbar.errors import UsageError
from busbar.tune.tuned import FILE_NAME


@dataclass(frozen=True)
class Folder:
    """Paths in it."""

    path: Path

    @property
    def search(self) -> Path:
        """The journal of the search."""
        return self.path / "search.jsonl"

    @property
    def proof(self) -> Path:
        """The run record of the proof."""
        return self.path / "proof.json"

    @property
    def tuned(self) -> Path:
        """What came of it."""
        return self.path / FILE_NAME

    def make(self) -> None:
        """Create it. Raises UsageError where there is a tuning in it already, or it cannot be."""
        if self.search.exists():
            raise UsageError(
                f"{self.path} holds a tuning already: go on with it by --resume {self.path}, or "
                "choose another --output."
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.path} cannot be made: {error.strerror}.") from None
