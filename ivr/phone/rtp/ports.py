"""Opens a worker's sockets: pairs of an even port for RTP and the odd one after it for RTCP (RFC 3550 11)."""

import ipaddress
import socket
import sys
from dataclasses import dataclass
from typing import Final

from ivr.errors import ConfigError
from ivr.phone.rtp.settings import MediaSettings

# 20 ms of all calls of a socket wait in the kernel, and a worker that was held up finds several ticks' worth.
BUFFER_BYTES: Final = 2 * 1024 * 1024
TRIES: Final = 50  # a pair; free ports are found by asking for one and its neighbour
SO_RCVBUFFORCE: Final = 33  # <asm/socket.h>
# <linux/sock_diag.h>: nine 32-bit fields, the last one counts drops.
SO_MEMINFO, MEMINFO_BYTES, DROPS_AT = 55, 36, 32
EXPEDITED_FORWARDING: Final = 46 << 2  # RFC 4594: telephony


@dataclass(frozen=True)
class Ports:
    family: int
    rtp: list[socket.socket]
    rtcp: list[socket.socket]

    def drops(self) -> int:
        """Datagrams the kernel threw away because a socket's buffer was full."""
        found = [one.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO_BYTES) for one in self.rtp]
        return sum(int.from_bytes(fields[DROPS_AT : DROPS_AT + 4], sys.byteorder) for fields in found)

    @property
    def numbers(self) -> list[int]:
        return [one.getsockname()[1] for one in self.rtp]

    def close(self) -> None:
        for one in [*self.rtp, *self.rtcp]:
            one.close()


def open_ports(settings: MediaSettings) -> Ports:
    try:
        version = ipaddress.ip_address(settings.host).version
    except ValueError:
        raise ConfigError(
            f"media worker: host {settings.host!r} is no IP address; name one of this machine's"
        ) from None
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    ports = Ports(family, [], [])
    try:
        for place in range(settings.ports):
            wanted = settings.first_port + 2 * place if settings.first_port else 0
            rtp, rtcp = open_pair(family, settings.host, wanted)
            ports.rtp.append(rtp)
            ports.rtcp.append(rtcp)
    except OSError as error:
        ports.close()
        raise ConfigError(
            f"media worker: RTP port {settings.host}:{wanted or 'any'}: {error.strerror}; choose others with TRUNK_RTP_PORTS "
            "(another line may be running), or see what holds them with `ss -ulpn`"
        ) from None
    return ports


def open_pair(family: int, host: str, wanted: int) -> tuple[socket.socket, socket.socket]:
    if wanted:
        return bound_pair(family, host, wanted)
    for _ in range(TRIES):
        found = bound(family, host, 0)
        port = found.getsockname()[1]
        found.close()
        try:
            return bound_pair(family, host, port - port % 2)
        except OSError:
            continue
    raise OSError(0, "no two neighbouring ports are free")


def bound_pair(family: int, host: str, port: int) -> tuple[socket.socket, socket.socket]:
    rtp = bound(family, host, port)
    try:
        return rtp, bound(family, host, port + 1)
    except OSError:
        rtp.close()
        raise


def make_room(opened: socket.socket) -> None:
    """Beyond net.core.rmem_max where we may (CAP_NET_ADMIN): Debian's 208 KiB are some 300 ms of 30 calls."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)


def bound(family: int, host: str, port: int) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, EXPEDITED_FORWARDING)
        else:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED_FORWARDING)
        make_room(opened)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        opened.bind((host, port))
    except OSError:
        opened.close()
        raise
    return opened
