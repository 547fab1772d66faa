"""What a full packet carries on the networks of GPU clusters, from its MTU and headers.

InfiniBand, reliable connection (InfiniBand Architecture Specification 1.6, volume 1, chapter 5):
local route header 8, base transport header 12, invariant CRC 4, variant CRC 2. The first packet of
a write has a further 16 (RETH), which a large message spreads over many.

RoCE v2 over IPv4 (annex A17 there): preamble and gap 20, Ethernet header 14 and checksum 4
(IEEE 802.3), IPv4 header 20 (RFC 791), UDP header 8 (RFC 768), base transport header 12, invariant
CRC 4. EFA's packets (SRD) have no published layout; RoCE v2's headers stand for them.

TCP over Ethernet: 38 of preamble, gap, header and checksum, and of the MTU an IPv4 header 20, a TCP
header 20 (RFC 9293) and its timestamps 12 (RFC 7323).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NetworkProtocol = Literal["infiniband", "roce_v2", "srd", "tcp"]


@dataclass(frozen=True)
class Packet:
    """Bytes of a full packet."""

    payload: int
    wire: int

    def efficiency(self) -> float:
        """Payload over wire bytes."""
        return self.payload / self.wire


_RDMA_HEADERS = {"infiniband": 26, "roce_v2": 82, "srd": 82}
_ETHERNET = 38
_TCP_IP = 52


def full_packet(protocol: NetworkProtocol, mtu: int) -> Packet:
    """A full packet. The MTU is the path MTU of RDMA (payload only), or that of IP under TCP."""
    if protocol == "tcp":
        return Packet(mtu - _TCP_IP, mtu + _ETHERNET)
    return Packet(mtu, mtu + _RDMA_HEADERS[protocol])
