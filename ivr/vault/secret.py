"""Keys in a buffer that hides itself and can be wiped."""

from types import TracebackType
from typing import NoReturn, Self


class Secret:
    """Takes over the bytearray it is given: wiping one wipes the other. It has no text, no copy and no pickle."""

    __slots__ = ("_buffer",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, buffer: bytearray) -> None:
        self._buffer = buffer

    def view(self) -> bytearray:
        """The digits themselves, for the vault."""
        return self._buffer

    def wipe(self) -> None:
        self._buffer[:] = bytes(len(self._buffer))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()

    def __len__(self) -> int:
        return len(self._buffer)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        raise TypeError("a secret is not compared")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not stored or copied")
