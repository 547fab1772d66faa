"""A candidate: values for some settings. What it does not name stays as the library has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, order=True)
class Candidate:
    """Equal whatever the order in which it was put together."""

    values: tuple[tuple[str, str], ...] = ()
    """Setting and value, sorted."""

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Self:
        """The candidate with these settings."""
        return cls(tuple(sorted(settings.items())))

    @property
    def settings(self) -> dict[str, str]:
        """By name."""
        return dict(self.values)

    @property
    def name(self) -> str:
        """What records call it: unique, and readable back."""
        return " ".join(f"{name}={value}" for name, value in self.values) or DEFAULT_NAME

    @classmethod
    def named(cls, name: str) -> Self:
        """The candidate that records call so. Raises ValueError for what no candidate is called."""
        if name == DEFAULT_NAME:
            return cls()
        pairs = [word.partition("=") for word in name.split(" ")]
        if not all(setting and equals for setting, equals, _ in pairs):
            raise ValueError(f"'{name}' is no candidate; accepted is {DEFAULT_NAME}, or a=1 b=2")
        return cls.of({setting: value for setting, _, value in pairs})

    def with_value(self, name: str, value: str | None) -> Self:
        """The same but for one setting; None leaves that to the library."""
        settings = self.settings
        settings.pop(name, None)
        return self.of(settings if value is None else settings | {name: value})


DEFAULT_NAME = "default"
DEFAULT = Candidate()
"""Nothing set: what the library does when nobody tunes it."""
