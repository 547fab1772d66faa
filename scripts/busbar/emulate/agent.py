"""The remote-shell agent: what `ssh` is on a real cluster, `nsenter` is here.

mpirun calls it as `agent HOST COMMAND…`, once for each host, so it is a POSIX shell script: it
starts in a millisecond. Like ssh it gives the words of COMMAND, joined, to a shell.
"""

from busbar.emulate.world import AGENT_PATH, HOSTS_DIR

AGENT_SCRIPT = f"""#!/bin/sh
# {AGENT_PATH} HOST COMMAND...: run COMMAND on an emulated host.
host=$1
shift
if ! read -r pid 2>/dev/null <"{HOSTS_DIR}/$host"; then
    echo "busbar emulate: there is no host '$host' here" >&2
    exit 255
fi
exec nsenter --target "$pid" --net --uts --ipc --pid --mount --wd="$PWD" -- /bin/sh -c "$*"
"""
