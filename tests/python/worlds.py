"""What tests that build emulated worlds share."""

from __future__ import annotations

import os
import subprocess

import pytest

from busbar.emulate import EmulationSpec, preflight, wrap

DEADLINE_S = 20

# Sends some bytes from one emulated host to another, five times, and prints the least time.
TRANSFER = """
import shlex, subprocess, sys
source, target, size = sys.argv[1:]
receive = '''
import socket
with socket.create_server(("", 5000)) as server:
    print("ready", flush=True)
    while True:
        with server.accept()[0] as connection:
            while connection.recv(65536):
                pass
            connection.sendall(b"x")
'''
send = '''
import socket, sys, time
def transfer_s():
    with socket.create_connection((sys.argv[1], 5000)) as connection:
        start = time.monotonic()
        connection.sendall(bytes(int(sys.argv[2])))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
        return time.monotonic() - start
print(min(transfer_s() for _ in range(5)))
'''
def on(host, *words):
    return ["/run/busbar/agent", host, shlex.join([sys.executable, "-I", "-S", "-c", *words])]
receiver = subprocess.Popen(on(target, receive), stdout=subprocess.PIPE)
receiver.stdout.readline()
subprocess.run(on(source, send, target, size), check=True)
receiver.kill()
"""
TRANSFERS = 5


def need_worlds() -> None:
    """Skip where worlds cannot be built; as root that is a failure if the kernel allows them."""
    if (missing := preflight()) is None:
        return
    if os.geteuid() == 0:
        bare = ["unshare", "--user", "--map-root-user", "--net", "true"]
        if subprocess.run(bare, check=False).returncode == 0:
            pytest.fail(f"user namespaces work, yet: {missing}")
    pytest.skip(missing)


def inside(spec: EmulationSpec, *argv: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command on the login host of a fresh world."""
    return subprocess.run(
        wrap(spec, argv),
        input=given,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def mca_in(args: list[str]) -> dict[str, str]:
    """The MCA parameters on an mpirun command line."""
    return {args[i + 1]: args[i + 2] for i, word in enumerate(args) if word == "--mca"}
