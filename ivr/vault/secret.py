"""Keys that must not be shown, copied or kept: one buffer, wiped after use. What the keys mean is in `card`."""

from hmac import compare_digest
from types import TracebackType
from typing import NoReturn, Self


class Secret:
    """Adopts the buffer it is given, so that wiping the secret wipes what the giver holds. `with` wipes at its end."""

    __slots__ = ("buffer",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, keys: bytearray) -> None:
        self.buffer = keys

    def wipe(self) -> None:
        """Safe to call twice. The length stays: shrinking would move the buffer and could leave the old one behind."""
        self.buffer[:] = bytes(len(self.buffer))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wipe()

    def __len__(self) -> int:
        return len(self.buffer)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            raise TypeError("a secret is compared with nothing but a secret")
        return compare_digest(self.buffer, other.buffer)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> NoReturn:
        raise TypeError("a secret is not shown")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a secret is not shown")

    def __reduce_ex__(self, protocol: object) -> NoReturn:  # pickle, copy and deepcopy all come through here
        raise TypeError("a secret is not copied, stored or sent")
