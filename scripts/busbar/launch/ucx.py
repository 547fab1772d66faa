"""What launches of the transport ucx are given."""

from __future__ import annotations

from collections.abc import Mapping

from busbar.launch.target import Emulated, Target

TRANSPORT = "ucx"


def common_environment(target: Target, user: Mapping[str, str]) -> dict[str, str]:
    """For every launch; what the user set stays, and a variant's own variables replace it.

    On emulated hosts UCX takes the link and nothing else: the loopback of a host goes nowhere,
    though it looks like a network like any other. Where ranks share a host, they may share memory.
    """
    if not isinstance(target, Emulated):
        return {}
    settings = {"UCX_NET_DEVICES": target.device}
    if target.ranks_per_host == 1:
        settings["UCX_TLS"] = "tcp,self"
    return settings | {key: user[key] for key in settings if key in user}
