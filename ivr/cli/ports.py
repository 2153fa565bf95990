"""Every port that `up` will need, tried before anything is started."""

import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ivr.errors import ConfigError
from ivr.settings import Settings

RUNS_ALREADY = "perhaps the line runs already: then this one is not needed, or stop that one first (Ctrl-C)"
Transport = Literal["tcp", "udp"]


@dataclass(frozen=True)
class Port:
    """`setting`: what the operator changes where the port is taken."""

    host: str
    number: int
    transport: Transport
    setting: str


def require_free_ports(ports: Collection[Port]) -> None:
    """ConfigError names every port that is taken or cannot be bound, each with the setting that moves it."""
    taken = {port: problem for port in ports if port.number and (problem := problem_of(port))}
    if taken:
        is_probably_ours = {"PORT", "CONSOLE_PORT"} <= {port.setting for port in taken}
        raise ConfigError("\n".join([*in_lines(taken), *([RUNS_ALREADY] if is_probably_ours else [])]))


def in_lines(taken: Mapping[Port, str]) -> Iterator[str]:
    """One line for ports that follow one another and fail alike: a range is hundreds of them."""
    runs: list[list[Port]] = []
    for port, problem in taken.items():
        last = runs[-1][-1] if runs else None
        goes_on = last is not None and replace(last, number=port.number) == port and taken[last] == problem
        if last is not None and goes_on and port.number == last.number + 1:
            runs[-1].append(port)
        else:
            runs.append([port])
    for first, *rest in runs:
        numbers = f"{first.number}-{rest[-1].number}" if rest else first.number
        where = f"{first.host}:{numbers} ({first.transport})"
        yield f"{where} cannot be used ({taken[first]}): choose another with {first.setting}"


def ports_of(settings: Settings, running: Collection[str], bank_port: int | None) -> Iterator[Port]:
    if "web" in running:
        yield Port(settings.host, settings.port, "tcp", "PORT")
    if "console" in running:
        yield Port(settings.console_host, settings.console_port, "tcp", "CONSOLE_PORT")
    if "portal" in running:
        yield Port(settings.portal_host, settings.portal_port, "tcp", "PORTAL_PORT")
    if "bank" in running and bank_port is not None:
        yield Port("127.0.0.1", bank_port, "tcp", "BANK_PORT and url in banks.yaml")
    if "trunk" in running:
        bind = settings.trunk_bind
        yield Port(bind, settings.trunk_port, "udp", "TRUNK_PORT")
        yield Port(bind, settings.trunk_port, "tcp", "TRUNK_PORT")
        yield Port(bind, settings.trunk_tls_port, "tcp", "TRUNK_TLS_PORT")
        yield Port(bind, settings.audiosocket_port, "tcp", "AUDIOSOCKET_PORT")
        first, _, last = settings.trunk_rtp_ports.partition("-")
        for number in range(int(first), int(last) + 1):
            yield Port(bind, number, "udp", "TRUNK_RTP_PORTS")


def problem_of(port: Port) -> str | None:
    kind = socket.SOCK_STREAM if port.transport == "tcp" else socket.SOCK_DGRAM
    family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if port.transport == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host, port.number))
        except OSError as error:
            return error.strerror or type(error).__name__
    return None
