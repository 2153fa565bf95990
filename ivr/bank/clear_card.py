"""A card in clear on its way to a bank whose protocol wants it so: only in the forwarder, and only while `with` lasts."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import NoReturn, Self

from ivr.bank.interface import AuthorizationRequest
from ivr.errors import IvrError


class ClearCard:
    """`card[field]` is the field's buffer: digits in ASCII, by the names of core's `CARD_FIELDS`; KeyError for one that
    was not keyed in. It adopts the buffers, wipes them at the end of `with`, and shows nothing of them."""

    __slots__ = ("_buffers",)

    def __init__(self, buffers: Mapping[str, bytearray]) -> None:
        self._buffers = dict(buffers)

    def __getitem__(self, field: str) -> bytearray:
        return self._buffers[field]

    def __contains__(self, field: str) -> bool:
        return field in self._buffers

    def wipe(self) -> None:
        """Safe to call twice."""
        for buffer in self._buffers.values():
            buffer[:] = bytes(len(buffer))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return "ClearCard(***)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:  # pickle, copy and deepcopy all come through here
        raise TypeError("a card in clear is not copied, stored or sent")


class CardNotOpened(IvrError):
    """The fields of a request cannot be opened: sealed to another key, or for another payment. Nothing has left."""


OpenCard = Callable[[AuthorizationRequest], ClearCard]
