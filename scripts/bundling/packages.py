"""The distribution's packages: which one a file is of, and what that asks of those who copy it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bundling.shell import printed_or_none


@dataclass(frozen=True)
class Package:
    """An installed package."""

    name: str
    version: str

    @property
    def notice(self) -> Path | None:
        """Its copyright and licence, which go where its files go."""
        path = Path("/usr/share/doc", self.name.split(":")[0], "copyright")
        return path if path.is_file() else None


def packages_of(files: list[Path]) -> dict[Path, Package]:
    """The package of each file that is of one; none where the distribution has no dpkg."""
    asked: dict[str, Path] = {}
    for file in files:
        real = file.resolve()
        asked[str(real)] = file
        if real.is_relative_to("/usr"):
            # Where /usr is merged, a package may know its file without it.
            asked[str(Path("/") / real.relative_to("/usr"))] = file
    # It exits 1 where one of many is of no package.
    owners = printed_or_none("dpkg-query", "-S", *asked, accepted=(0, 1)) or ""
    names = {
        asked[path]: owner.split(", ")[0]
        for owner, _, path in (line.partition(": ") for line in owners.splitlines())
        if path in asked
    }
    form = "${binary:Package} ${Version}\n"
    versions = printed_or_none("dpkg-query", "-W", "-f", form, *sorted(set(names.values()))) or ""
    version_of = dict(line.split(" ") for line in versions.splitlines()) if names else {}
    return {f: Package(n, version_of[n]) for f, n in names.items() if n in version_of}
