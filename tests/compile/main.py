"""tests/compile/run."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from checks import Check, kernels, mpis, transports
from fetched import NotFetched


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="tests/compile/run",
        description="Compiles the source against other versions of NCCL, CUDA and MPI.",
    )
    parser.add_argument("cache", type=Path, help="a folder for what is fetched; it is kept")
    parser.add_argument(
        "--nvcc",
        type=Path,
        action="append",
        default=[],
        help="another nvcc to try, such as CUDA 12's",
    )
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    cxx = os.environ.get("CXX", "g++")
    said: list[str] = []
    try:
        for check in _checks(arguments.cache.resolve(), cxx, arguments.nvcc):
            failures = check.failures()
            verdict = "FAIL" if failures else "PASS"
            files = f"{len(check.files)} files" if len(check.files) > 1 else check.files[0].name
            compiler = Path(check.compiler).name
            print(
                f"{verdict}  {check.what:15} {check.against:25} {compiler:12} {files}", flush=True
            )
            said += [f"== {check.against}, {file}\n{words}" for file, words in failures.items()]
    except NotFetched as problem:
        print(f"tests/compile/run: cannot fetch {problem}", file=sys.stderr)
        return 3
    print("\n".join(said), end="")
    return 1 if said else 0


def _checks(cache: Path, cxx: str, nvccs: list[Path]) -> Iterator[Check]:
    yield from mpis(cache, cxx)
    yield from transports(cache, cxx)
    yield from kernels(cache, nvccs)


if __name__ == "__main__":
    sys.exit(main())
