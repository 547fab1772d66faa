"""Where facts come from: the files, commands and system calls of one host.

Nothing is changed. What cannot be read is null, and `unread` says why, by path or command.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

NOT_INSTALLED = "it is not installed"

_COMMAND_SECONDS = 30
_CONNECT_SECONDS = 3


class Machine:
    """Where facts come from. Tests put another root and other answers in its place."""

    def __init__(self, root: str = "/", environment: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.environment = dict(os.environ if environment is None else environment)
        self.unread: dict[str, str] = {}

    def at(self, path: str) -> Path:
        """The path below the root."""
        return Path(self.root) / path.lstrip("/")

    def _try(self, path: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (OSError, ValueError) as error:
            self.unread[path] = getattr(error, "strerror", None) or str(error)
            return None

    def data(self, path: str) -> bytes | None:
        """A file's content."""
        found: bytes | None = self._try(path, lambda: self.at(path).read_bytes())
        return found

    def text(self, path: str) -> str | None:
        """A file's text without the blanks around it; a file that is empty says nothing."""
        found = self.data(path)
        if found is not None and not found.strip():
            self.unread[path] = "it is empty"
        return (found.decode(errors="replace").strip() or None) if found else None

    def names(self, path: str) -> list[str] | None:
        """A folder's entries; none where it is not there, null where it cannot be read."""
        try:
            return sorted(os.listdir(self.at(path)))  # noqa: PTH208
        except FileNotFoundError:
            return []
        except OSError as error:
            self.unread[path] = error.strerror or str(error)
            return None

    def there(self, path: str) -> bool:
        """Whether there is such a file or folder; one that is hidden from us counts as there."""
        try:
            self.at(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # so that reading it says why it cannot be read
        return True

    def target(self, path: str) -> str | None:
        """Where a link leads, below the root; null where it is none."""
        return os.path.realpath(self.at(path)) if self.there(path) else None

    def run(self, *command: str) -> str | None:
        """What a command prints; null where it is not there or fails."""
        path = self.environment.get("PATH", "") + ":/usr/sbin:/sbin"
        program, name = shutil.which(command[0], path=path), " ".join(command)
        if program is None:
            self.unread[name] = NOT_INSTALLED
            return None
        try:
            done = subprocess.run([program, *command[1:]], stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
                                  errors="replace", timeout=_COMMAND_SECONDS)  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            self.unread[name] = str(error)
            return None
        if done.returncode != 0:
            last = done.stdout.strip().splitlines()[-1:] or ["it said nothing"]
            self.unread[name] = f"exit code {done.returncode}: {last[0]}"
            return None
        return done.stdout

    def memlock(self) -> int | None:
        """Bytes this process may lock; -1: any number."""
        soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        return -1 if soft == resource.RLIM_INFINITY else soft

    def folder_bytes(self, path: str) -> int | None:
        """The size of the file system that a folder is on."""
        found = self._try(path, lambda: os.statvfs(self.at(path)))
        return None if found is None else int(found.f_blocks * found.f_frsize)

    def clock_status(self) -> int | None:
        """The kernel's status bits of the clock (adjtimex(2), which with modes 0 only reads)."""
        buffer = (ctypes.c_long * 64)()  # struct timex: modes, offset, freq, 2 errors, status, …

        def ask() -> int:
            if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            return ctypes.c_int(buffer[5]).value

        try:
            status: int | None = self._try("adjtimex", ask)
        except AttributeError:  # a C library without it
            self.unread["adjtimex"], status = "the C library lacks it", None
        return status

    def connect(self, host: str, port: int) -> str | None:
        """Why a TCP connection fails; null where it is made."""
        try:
            socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
        except OSError as error:
            return error.strerror or str(error)
        return None

    def allowed_cpus(self) -> int | None:
        """Processors that this process may run on."""
        return len(os.sched_getaffinity(0))

    def home(self) -> str | None:
        """The user's folder, from the user database, as NCCL has it; null for a user it lacks."""
        try:
            return pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None

    def host_name(self) -> str:
        """The host's name."""
        return socket.gethostname()
