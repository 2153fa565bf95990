"""Finds a bank's protocol by its name: a folder beside this file with a module `protocol`. No name of one stands here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ivr.bank.clear_card import OpenCard
from ivr.bank.interface import Bank, BankNews, Examined
from ivr.bank.promises import Operation, Promises
from ivr.bank.settings import BankSettings
from ivr.core.events import CardField
from ivr.errors import ConfigError

DEFAULT = "tonetill"


@dataclass(frozen=True)
class Opening:
    """What a client is made from: the bank's name in `banks.yaml`, its settings, the environment with its secrets, and
    in the forwarder, where fields are sealed to the forwarder's key, what opens them (`opener`)."""

    name: str
    settings: Any
    environ: Mapping[str, str]
    open_card: OpenCard | None = None

    @property
    def opener(self) -> OpenCard:
        """ConfigError in a process that may not open cards."""
        if self.open_card is None:
            raise ConfigError(f"bank '{self.name}': only the forwarder opens cards that are sealed to its key")
        return self.open_card


def live_by_address(opening: Opening) -> bool | None:
    """For a bank whose test system has an address of its own."""
    settings: BankSettings = opening.settings
    return settings.is_live


@dataclass(frozen=True)
class BankProtocol:
    """One folder's whole offer. `open` raises ConfigError, with the cure, for a file or a secret that cannot be used.
    `examine`: asks the bank what can be asked without a charge. `read_news`: what the bank tells by itself, where it does, from content and headers; PeerError for what is not the bank's.
    `is_live`: whether real cards are charged; None where neither the address nor a secret of this process says."""

    name: str
    promises: Promises
    settings: type[BankSettings]
    open: Callable[[Opening], Bank]
    examine: Callable[[Opening], Iterator[Examined]]
    read_news: Callable[[Opening, bytes, Mapping[str, str]], Sequence[BankNews]] | None = None
    is_live: Callable[[Opening], bool | None] = live_by_address


def protocol_names() -> list[str]:
    """The default first."""
    found = sorted(file.parent.name for file in Path(__file__).parent.glob("*/protocol.py"))
    return sorted(found, key=lambda name: name != DEFAULT)


@cache
def protocol_called(name: str) -> BankProtocol:
    """KeyError where there is none."""
    if name not in protocol_names():
        raise KeyError(name)
    found = import_module(f"ivr.bank.{name}.protocol").PROTOCOL
    assert isinstance(found, BankProtocol)
    return found


def open_bank(name: str, settings: BankSettings, environ: Mapping[str, str], open_card: OpenCard | None = None) -> Bank:
    return protocol_called(settings.protocol).open(Opening(name, settings, environ, open_card))


def fields_carried(banks: Mapping[str, BankSettings]) -> dict[str, frozenset[CardField]]:
    """By bank the card fields that its protocol has room for."""
    return {name: protocol_called(bank.protocol).promises.fields for name, bank in banks.items()}


def partly_approving(banks: Mapping[str, BankSettings]) -> frozenset[str]:
    """The banks that may approve a part of what is asked for, where they are told that they may."""
    return frozenset(
        name
        for name, bank in banks.items()
        if bank.promises_of(protocol_called(bank.protocol).promises).partial_approval
    )


def operations_promised(banks: Mapping[str, BankSettings]) -> dict[str, frozenset[Operation]]:
    """By bank what its protocol can be asked for."""
    return {name: protocol_called(bank.protocol).promises.operations for name, bank in banks.items()}


def all_promises() -> list[tuple[str, Promises]]:
    return [(name, protocol_called(name).promises) for name in protocol_names()]
