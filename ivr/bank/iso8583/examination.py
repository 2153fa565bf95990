"""What `bank check` does at a host: resolves, connects, signs on, asks for an echo, signs off. Nothing is charged."""

import socket
from collections.abc import Iterator

from ivr.bank.interface import Examined
from ivr.bank.iso8583.client import Iso8583Bank
from ivr.bank.iso8583.connection import NothingLeft
from ivr.bank.iso8583.link import NoAnswer
from ivr.bank.protocols import Opening

CERTIFICATE = ("certificate", "hostname", "ip address")


def examine(opening: Opening) -> Iterator[Examined]:
    settings = opening.settings
    with Iso8583Bank(settings, opening.opener) as bank:
        yield Examined(True, f"{settings.spec}: says how the host writes its messages")
        yield from resolved(*settings.address)
        try:
            code = bank.link.echo()
        except (NothingLeft, NoAnswer) as error:
            yield Examined(False, f"{settings.url} {problem(str(error))}")
            return
    yield Examined(True, f"{settings.url} is connected, under a certificate that is trusted, and has taken our sign-on")
    if code == "00":
        yield Examined(True, "the host answers an echo")
    else:
        yield Examined(False, f"the host answers an echo by {code} in field 39: ask the acquirer what it means")
    yield waits(opening)


def resolved(host: str, port: int) -> Iterator[Examined]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        yield Examined(False, f"{host} has no address: check url and the network")
    else:
        yield Examined(True, f"{host} is {found[0][4][0]}")


def problem(words: str) -> str:
    """With the cure."""
    if "0800" in words:
        return (
            f"is connected, and cannot be used: {words}; check terminal, merchant, acquirer and `network` in the spec"
        )
    if any(sign in words.lower() for sign in CERTIFICATE):
        return f"cannot be reached: {words}; check ca, and that url has the name that is in the host's certificate"
    return f"cannot be reached: {words}; check url, ca, client_certificate and the network"


def waits(opening: Opening) -> Examined:
    if opening.settings.reversals_block:
        return Examined(
            None, "reversals_block is set: a reversal is believed at once. Have it in writing from the acquirer"
        )
    within = f"{opening.settings.arrives_within:g} s"
    return Examined(
        None, f"reversals_block is not set: a charge without an answer is reversed {within} after it was sent"
    )
