"""scripts/bundle."""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bundling.archive import FILES, write_archive, write_folder
from bundling.build import read_build
from bundling.contents import contents_of
from bundling.errors import Incomplete, UsageError
from bundling.manifest import manifest, needs_of
from bundling.open_mpi import find_open_mpi
from bundling.packages import packages_of
from bundling.shell import printed

RELEASE = Path(__file__).resolve().parents[2] / "build" / "release"
NCCL = {
    True: "lib/libnccl.so.2 is used, unless BUSBAR_NCCL_LIBRARY names another.",
    False: "libnccl.so.2 as the loader finds it, or as BUSBAR_NCCL_LIBRARY names it, such as that "
    "of the Python package\n"
    "nvidia-nccl-cu13 or nvidia-nccl-cu12 (site-packages/nvidia/nccl/lib/libnccl.so.2). "
    "2.18 or newer.",
}


def main() -> int:
    """The exit code."""
    try:
        pack(_arguments())
    except (UsageError, Incomplete) as problem:
        print(f"busbar bundle: {problem}", file=sys.stderr)
        return 2 if isinstance(problem, UsageError) else 3
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bundle",
        description="Packs the release build, Open MPI and what both need into one archive for "
        "nodes that have nothing but a driver.",
    )
    parser.add_argument("--build", type=Path, default=RELEASE, help="folder of the release build")
    parser.add_argument("--output", type=Path, help="the archive's name, ending in .tar.gz")
    parser.add_argument("--with-nccl", action="store_true", help="take NCCL along as well")
    return parser.parse_args()


def pack(arguments: argparse.Namespace) -> None:
    """Writes the archive and says what it is."""
    printed("patchelf", "--version")
    build = read_build(arguments.build.resolve())
    name = f"busbar-{build.version}-linux-{platform.machine()}"
    output: Path = arguments.output or Path(f"{name}.tar.gz")
    if not output.name.endswith(".tar.gz"):
        raise UsageError(f"--output {output}: accepted is a name that ends in .tar.gz")
    if not output.parent.is_dir():
        raise UsageError(f"--output {output}: accepted is a name in a folder that exists")
    mpi = find_open_mpi(build.mpirun)
    contents = contents_of(build, mpi, arguments.with_nccl)
    needs = needs_of(build, contents)
    packages = packages_of(list(contents.files.values()))
    own = {
        Path("README"): _readme(build.version, needs.machine, arguments.with_nccl),
        Path("MANIFEST"): manifest(build, mpi, contents, needs, packages),
        Path("libexec", "requirements"): needs.for_shell(),
    }
    notices = {package.notice for package in packages.values() if package.notice}
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / name
        write_folder(folder, contents, own, sorted(notices))
        write_archive(folder, output)
    size = output.stat().st_size / 2**20
    driver = f", driver {needs.driver}" if needs.driver else ""
    print(f"{output}: {size:.1f} MiB; needs glibc {needs.glibc}{driver} or newer")


def _readme(version: str, machine: str, with_nccl: bool) -> str:
    text = (FILES / "README").read_text()
    for name, value in {"VERSION": version, "MACHINE": machine, "NCCL": NCCL[with_nccl]}.items():
        text = text.replace(f"@{name}@", value)
    return text


if __name__ == "__main__":
    sys.exit(main())
