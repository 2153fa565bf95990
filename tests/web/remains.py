"""What is left of card numbers in memory, in whatever form a number can take there, and in files.

Every number of these tests has the same eight digits in its middle (`card_number`), so all of them are searched for at once; a piece
that has the middle alone counts too. Not searched for: digits that lie apart, such as one key to a list's entry or to an RTP packet.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.web.process_memory import CODE_FORM, writable

BODY, BEFORE = "19283746", len("4000000")  # the digits of `card_number` between the counter and the check digit
LENGTH = 16
# Characters or values, in one to eight bytes: text as Python, ICU and C have it, and arrays of keys.
WIDTHS: Mapping[str, int] = {"": 1, " in 2 bytes each": 2, " in 4 bytes each": 4, " in 8 bytes each": 8}


def encoded(digits: str, first: int, width: int) -> bytes:
    return b"".join((first + int(digit)).to_bytes(width, "little") for digit in digits)


@dataclass(frozen=True)
class Form:
    """How digits lie there. `first`: what stands for nought. A `packed` one has two digits in a byte (ISO 8583)."""

    name: str
    first: int = 0
    width: int = 1
    packed: bool = False

    def of(self, pan: str) -> bytes:
        return bytes.fromhex(pan) if self.packed else encoded(pan, self.first, self.width)

    @property
    def middle(self) -> tuple[bytes, int]:
        """What is searched for, and how many bytes before it a number begins."""
        if self.packed:
            return bytes.fromhex(BODY[1:7]), (BEFORE + 1) // 2
        # Without the last noughts: empty memory would look like the end of it at every byte.
        return encoded(BODY, self.first, self.width).rstrip(b"\0"), BEFORE * self.width

    @property
    def bytes_of_number(self) -> int:
        return LENGTH // 2 if self.packed else LENGTH * self.width


FORMS = (
    *(Form(f"ASCII{name}", ord("0"), width) for name, width in WIDTHS.items()),
    *(Form(f"values{name}", 0, width) for name, width in WIDTHS.items()),
    Form("two digits a byte", packed=True),
)
SPREAD = re.compile(rb"4(?:[ ,.\-]{0,3}[0-9]){15}")


@dataclass
class Remains:
    """By form: `numbers` that lie there whole, and `pieces` that have the middle of one alone. `codes`: forms of a webhook that carry
    a security code."""

    numbers: dict[str, set[str]] = field(default_factory=dict)
    pieces: Counter[str] = field(default_factory=Counter)
    codes: int = 0

    @property
    def is_none(self) -> bool:
        return not (self.whole or self.pieces or self.codes)

    @property
    def whole(self) -> int:
        return len(set().union(*self.numbers.values())) if self.numbers else 0


class Search:
    def __init__(self, pans: Collection[str]) -> None:
        self._wanted = {form.name: {form.of(pan): pan for pan in pans} for form in FORMS}

    def in_process(self, process: psutil.Process) -> Remains:
        return self.in_blocks(writable(process.pid))

    def in_files(self, folder: Path) -> Remains:
        return self.in_blocks(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())

    def in_blocks(self, blocks: Iterable[bytes]) -> Remains:
        found = Remains()
        for block in blocks:
            for form in FORMS:
                self._look(form, block, found)
            self._look_spread(block, found)
            found.codes += sum(1 for _ in CODE_FORM.finditer(block))
        return found

    def _look(self, form: Form, block: bytes, found: Remains) -> None:
        middle, before = form.middle
        for at in places(block, middle):
            start = at - before
            number = block[start : start + form.bytes_of_number] if start >= 0 else b""
            if (pan := self._wanted[form.name].get(number)) is not None:
                found.numbers.setdefault(form.name, set()).add(pan)
            elif not form.packed:  # three bytes alone are found by chance
                found.pieces[form.name] += 1

    def _look_spread(self, block: bytes, found: Remains) -> None:
        """With blanks, dots, dashes or commas between, as people and lists are written."""
        for match in SPREAD.finditer(block):
            digits = re.sub(rb"[^0-9]", b"", match[0])
            if digits != match[0] and (pan := self._wanted["ASCII"].get(digits)) is not None:
                found.numbers.setdefault("spread", set()).add(pan)


def places(block: bytes, wanted: bytes) -> Iterator[int]:
    at = block.find(wanted)
    while at >= 0:
        yield at
        at = block.find(wanted, at + 1)


# ---- the processes of a product


def kinds(root: psutil.Process, marks: Mapping[str, str]) -> dict[str, list[psutil.Process]]:
    """The processes below `root` by kind. `marks`: of a command line, by kind; what has none of its own is its parent's."""
    found: dict[str, list[psutil.Process]] = {}

    def go(process: psutil.Process, kind: str) -> None:
        line = " ".join(process.cmdline())
        kind = next((name for name, mark in marks.items() if mark in line), kind)
        found.setdefault(kind, []).append(process)
        for child in process.children():
            go(child, kind)

    go(root, "supervisor")
    return found
