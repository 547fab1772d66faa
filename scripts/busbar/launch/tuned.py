"""`--tuned FOLDER`: what a tuning wrote, as a variant beside the default, where it was made.

The variant gets what the written files give any program: Open MPI its rules file, NCCL the tuner's
table, both the variables. Nothing is taken from `tuned.json` past the files, so what is measured is
what another program will have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from busbar.errors import UsageError
from busbar.launch import nccl
from busbar.launch.binary import find_engine
from busbar.launch.target import Target
from busbar.record.launch import LaunchBody
from busbar.record.models import Variant
from busbar.tune.outputs import environment_of, files_of
from busbar.tune.outputs.mca_params import PREFIX, rules_parameters
from busbar.tune.outputs.names import OMPI_RULES, TUNER_TABLE
from busbar.tune.tuned import MadeFor, Tuned, load_tuned

NAME = "tuned"
_TUNER = "NCCL_TUNER_PLUGIN"
_BUSBARS_OWN = ("busbar", "compiler")
"""Versions that a record has of the engine itself; what is tuned is the library."""


@dataclass(frozen=True)
class TunedFolder:
    """A folder that a tuning wrote, as it lies there."""

    path: Path
    tuned: Tuned

    @classmethod
    def open(cls, path: Path) -> Self:
        """Raises UsageError where it cannot be read, or its files are not those of its tuning."""
        folder = cls(path.resolve(), load_tuned(path))
        if folder.tuned.made_for.simulated:
            raise UsageError(
                f"{folder.path} was tuned on simulated hosts, which says nothing of others, and "
                "SimGrid takes no algorithms by size; accepted is a folder from real or emulated "
                "hosts, or --variant x:smpi/allreduce=lr and its like on simulated ones."
            )
        written = files_of(folder.tuned, folder.path)
        for name in (OMPI_RULES, TUNER_TABLE):
            if name not in written:
                continue
            file = folder.path / name
            try:
                same = file.read_text(encoding="utf-8") == written[name]
            except (OSError, UnicodeDecodeError):
                same = False
            if not same:
                raise UsageError(
                    f"{file} is missing or not what {folder.path} was tuned to; accepted is a "
                    "folder as `busbar tune` wrote it"
                )
        return folder

    def variant(self) -> Variant:
        """What the files give a program. Raises UsageError where they give it nothing."""
        environment = environment_of(self.tuned)
        written = files_of(self.tuned, self.path)
        if OMPI_RULES in written:
            rules = rules_parameters(self.path / OMPI_RULES)
            environment |= {PREFIX + name: value for name, value in rules.items()}
        if TUNER_TABLE in written:
            environment["BUSBAR_TUNER_TABLE"] = str(self.path / TUNER_TABLE)
            environment[_TUNER] = str(_tuner_plugin())
        if not environment:
            raise UsageError(
                f"{self.path} holds nothing that a program can be given: the default stays"
            )
        return Variant(name=NAME, settings={}, environment=environment)

    def beside(self, variants: Sequence[Variant]) -> list[Variant]:
        """The run's variants with this one, and the default to hold it against.

        Raises UsageError where the name is taken.
        """
        names = {variant.name for variant in variants}
        if NAME in names:
            raise UsageError(f"--tuned is called '{NAME}'; the variant needs a name of its own")
        plain = any(not v.settings and not v.environment for v in variants)
        default = [] if plain else [Variant(name="default", settings={}, environment={})]
        if default and "default" in names:
            raise UsageError(
                "--tuned is held against 'default', which has settings here; it needs another name"
            )
        return [*default, *variants, self.variant()]

    def refuse_elsewhere(self, transport: str, target: Target) -> None:
        """Raises UsageError where what is known before a launch is not what it was made for."""
        made = self.tuned.made_for
        _same("transport", made.transport, transport)
        _same("ranks", made.ranks, target.ranks)
        placement = target.placement()
        if placement is not None:
            _same("nodes", made.nodes, len(set(placement)))


def _tuner_plugin() -> Path:
    plugin = nccl.plugins_beside(find_engine()).get(_TUNER)
    if plugin is None:
        raise UsageError(
            "--tuned with a table needs libnccl-tuner-busbar.so, and it is not beside the engine"
        )
    return plugin


def refuse_launch_elsewhere(made: MadeFor, launch: LaunchBody) -> None:
    """Raises UsageError where a launch has other versions, ranks or nodes than it was made for."""
    workers = [process for process in launch.processes if process.role == "worker"]
    _same("ranks", made.ranks, len(workers))
    _same("nodes", made.nodes, len({process.host for process in workers}))
    _same("fake", made.fake, launch.fake)
    found = launch.system.versions
    for library, version in _libraries(made.versions).items():
        _same(library, version, found.get(library))


def _libraries(versions: Mapping[str, str]) -> dict[str, str]:
    return {name: v for name, v in versions.items() if name not in _BUSBARS_OWN}


def _same(what: str, made: object, here: object) -> None:
    if made != here:
        raise UsageError(f"--tuned was made for {what} {made}, and here it is {here}")
