"""Reads another process's writable memory, byte by byte, for card numbers and for forms that carry a security code."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from ivr.vault import passes_luhn

CARD_LIKE = re.compile(rb"(?=(4[0-9]{15}))")
CODE_FORM = re.compile(rb"Digits=[0-9]{3}(?![0-9])")
BLOCK = 1 << 24
OVERLAP = 128  # the longest form of a number (`remains.py`)


@dataclass(frozen=True)
class Found:
    """How many of the numbers that were keyed in lie there whole, and how many forms with three digits keyed."""

    pans: int
    code_forms: int


def left_in(processes: Iterable[psutil.Process], pans: Iterable[str]) -> Found:
    wanted = {pan.encode() for pan in pans}
    seen: set[bytes] = set()
    forms = 0
    for process in processes:
        for block in writable(process.pid):
            seen |= wanted.intersection(match[1] for match in CARD_LIKE.finditer(block))
            forms += sum(1 for _ in CODE_FORM.finditer(block))
    return Found(len(seen), forms)


def writable(pid: int) -> Iterable[bytes]:
    """Heap, stacks and anonymous maps; blocks overlap so that nothing falls between two."""
    with Path(f"/proc/{pid}/maps").open() as maps:
        spans = [line.split() for line in maps]
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        for span in spans:
            if span[1].startswith("rw") and "[v" not in span[-1]:
                start, end = (int(address, 16) for address in span[0].split("-"))
                yield from blocks(memory, start, end)
    finally:
        os.close(memory)


def blocks(memory: int, start: int, end: int) -> Iterable[bytes]:
    for at in range(start, end, BLOCK):
        try:
            yield os.pread(memory, min(BLOCK + OVERLAP, end - at), at)
        except OSError:
            return  # a guard page, or unmapped since


def card_number(number: int) -> str:
    """A Visa number of its own for each call, with its check digit."""
    body = f"4{number:06d}19283746"
    return next(f"{body}{check}" for check in range(10) if passes_luhn(f"{body}{check}".encode()))
