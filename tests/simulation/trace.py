"""What happened, one line each, and a digest of all of it: two runs of a seed must have the same."""

import hashlib
from dataclasses import dataclass, field

from tests.simulation.scheduler import SECOND


@dataclass
class Trace:
    """`keeps`: whether the lines are kept for people; the digest is made of them either way."""

    keeps: bool = False
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=16)

    def note(self, at_us: int, who: str, what: str) -> None:
        line = f"{at_us / SECOND:12.6f}  {who:<14} {what}"
        self._digest.update(f"{line}\n".encode())
        if self.keeps:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()
