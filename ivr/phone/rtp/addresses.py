"""Socket addresses as the kernel writes them (struct sockaddr) and as numbers that whole arrays can compare; no sockets."""

import ipaddress
import secrets
import socket
import struct
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ivr.phone.rtp.packets import NAME_BYTES, Bytes

Address: TypeAlias = tuple[str, int]
Words: TypeAlias = npt.NDArray[np.uint64]

# Odd and random for each process: nobody can choose addresses or SSRCs that collide.
FIRST, SECOND, THIRD, FOURTH = (np.uint64(secrets.randbits(64) | 1) for _ in range(4))
SHIFT: Final = np.uint64(29)


def socket_name(address: Address, family: int) -> bytes:
    """A sockaddr of NAME_BYTES for an IP literal; an IPv4 address on an IPv6 socket is written as a mapped one."""
    host, port = ipaddress.ip_address(address[0]), address[1]
    if family == socket.AF_INET:
        name = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s", port, host.packed)
    else:
        mapped = host.packed if host.version == 6 else b"\0" * 10 + b"\xff\xff" + host.packed
        name = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16sI", port, 0, mapped, 0)
    return name.ljust(NAME_BYTES, b"\0")


def readable(name: bytes) -> Address:
    family, port = struct.unpack("=H", name[:2])[0], struct.unpack("!H", name[2:4])[0]
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(name[4:8])), port
    host = ipaddress.IPv6Address(name[8:24])
    return str(host.ipv4_mapped or host), port


def fits(host: str, family: int) -> bool:
    """Whether a socket of this family can reach an address written like this."""
    try:
        return family == socket.AF_INET6 or ipaddress.ip_address(host).version == 4
    except ValueError:
        return False


def hosts_and_ports(names: Bytes, family: int) -> tuple[Words, Words]:
    """[n, 28] sockaddrs to n hosts and n ports; an IPv6 host is a keyed 64-bit hash, an IPv4 one is itself."""
    names = np.ascontiguousarray(names)
    ports = names[:, 2:4].view(">u2")[:, 0].astype(np.uint64)
    if family == socket.AF_INET:
        return names[:, 4:8].view("u4")[:, 0].astype(np.uint64), ports
    halves = names[:, 8:24].copy().view(np.uint64)
    return mixed(halves[:, 0], halves[:, 1]), ports


def mixed(one: Words, other: Words) -> Words:
    """Two words to one: equal in, equal out; different in, different out but for 1 chance in 2^64."""
    found = one * FIRST ^ other * SECOND
    found ^= found >> SHIFT
    return np.asarray(found * THIRD, np.uint64)


def source_keys(hosts: Words, ports: Words, sockets: npt.NDArray[np.integer], ssrcs: npt.NDArray[np.integer]) -> Words:
    where = ports << np.uint64(16) | sockets.astype(np.uint64) | ssrcs.astype(np.uint64) << np.uint64(32)
    return mixed(hosts, where)
