"""What a tuning leaves: files that make an unchanged program run as it was proven.

Each file is a pure function of what was proven. A format that cannot say a choice leaves that size
to the library, and `unsaid` names it.
"""

from __future__ import annotations

from pathlib import Path

from busbar.errors import UsageError
from busbar.tune.outputs import ompi_rules, smpi_words, tuner_table
from busbar.tune.outputs.atomic import write_atomically
from busbar.tune.outputs.environment import environment_of
from busbar.tune.outputs.exports import exports
from busbar.tune.outputs.mca_params import mca_params
from busbar.tune.outputs.names import (
    ALL,
    EXPORTS,
    MCA_PARAMS,
    NCCL_CONF,
    OMPI_RULES,
    SMPI_WORDS,
    TUNER_TABLE,
)
from busbar.tune.outputs.nccl_conf import nccl_conf
from busbar.tune.tuned import FILE_NAME, Choice, Tuned

__all__ = ["environment_of", "files_of", "unsaid", "write_outputs"]


def unsaid(tuned: Tuned) -> list[Choice]:
    """The kept choices that no file can make another program use."""
    by_transport = {"mpi": ompi_rules.says, "nccl": tuner_table.says}
    says = by_transport.get(tuned.made_for.transport)
    if tuned.made_for.simulated:
        says = smpi_words.says
    return [choice for choice in tuned.kept() if says is None or not says(choice)]


def files_of(tuned: Tuned, folder: Path, plugin: Path | None = None) -> dict[str, str]:
    """Text by name, of those files that have content, for a folder.

    What was simulated says nothing of real hosts: no library's file comes of it. `plugin`: the
    tuner plugin, if it was built. Raises UsageError for what a file cannot hold.
    """
    if tuned.made_for.simulated:
        words = smpi_words.smpi_words(tuned)
        return {} if words is None else {SMPI_WORDS: words}
    rules = ompi_rules.ompi_rules(tuned)
    texts = {
        TUNER_TABLE: tuner_table.tuner_table(tuned),
        NCCL_CONF: nccl_conf(tuned),
        OMPI_RULES: rules,
        MCA_PARAMS: mca_params(tuned, folder.resolve() / OMPI_RULES if rules else None),
    }
    found = {name: text for name, text in texts.items() if text is not None}
    if (text := exports(tuned, found, plugin)) is not None:
        found[EXPORTS] = text
    return found


def write_outputs(tuned: Tuned, folder: Path, plugin: Path | None = None) -> list[Path]:
    """Write `tuned.json` and the files that have content; what was written.

    Files of an earlier tuning that have none now are removed. Each is replaced as a whole, and
    `tuned.json` last: it never speaks of files that are not there. Raises UsageError where the
    folder holds files of these names that no tuning wrote, or cannot be written.
    """
    files = files_of(tuned, folder, plugin)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        foreign = [name for name in ALL if (folder / name).exists()]
        if foreign and not (folder / FILE_NAME).is_file():
            raise UsageError(
                f"{folder / foreign[0]} is there and no tuning wrote it; accepted is another folder"
            )
        for name in set(ALL) - set(files):
            (folder / name).unlink(missing_ok=True)
        files[FILE_NAME] = tuned.model_dump_json(indent=2) + "\n"
        for name, text in files.items():
            write_atomically(folder / name, text)
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}"
        ) from None
    return [folder / name for name in files]
