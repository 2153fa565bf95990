"""What `protocol: iso8583` in `banks.yaml` stands for. Its codec is an extra, so the client is imported where it is used."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from ivr.bank.interface import Bank, Examined
from ivr.bank.iso8583.settings import PROMISES, Iso8583Settings
from ivr.bank.protocols import BankProtocol, Opening
from ivr.errors import ConfigError


def open_host(opening: Opening) -> Bank:
    bank: Bank = with_codec("client").Iso8583Bank(opening.settings, opening.opener)
    return bank


def examine(opening: Opening) -> Iterator[Examined]:
    yield from with_codec("examination").examine(opening)


def with_codec(module: str) -> Any:
    """ConfigError with the cure where pyiso8583 is not installed."""
    try:
        return import_module(f"ivr.bank.iso8583.{module}")
    except ModuleNotFoundError as error:
        if error.name != "iso8583":
            raise
        raise ConfigError("`protocol: iso8583` needs more than is installed: pip install 'tonetill[iso8583]'") from None


PROTOCOL = BankProtocol("iso8583", PROMISES, Iso8583Settings, open_host, examine)
