"""Finds a card number wherever it may have got to: as digits, spaced, reversed, encoded, or a telling part of it."""

import base64
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path


def disguises(pan: str) -> dict[str, bytes]:
    """What a PAN looks like in places that nobody meant it for. The middle six are what last4 and BIN do not tell."""
    spaced = " ".join(pan[start : start + 4] for start in range(0, len(pan), 4))
    return {
        "plain": pan.encode(),
        "spaced": spaced.encode(),
        "with dashes": spaced.replace(" ", "-").encode(),
        "reversed": pan[::-1].encode(),
        # At least six digits: five are found by chance in a clock's microseconds.
        "its middle": pan[min(6, len(pan) - 10) : -4].encode(),
        "UTF-16": pan.encode("utf-16-le"),
        "hexadecimal": pan.encode().hex().encode(),
        "packed": bytes.fromhex(pan if len(pan) % 2 == 0 else pan + "f"),  # as ISO 8583 packs it
        "base64": base64.b64encode(pan.encode())[:20],
        "a list of digits": ", ".join(pan).encode(),
    }


def leaks_in(haystack: bytes, pans: Iterable[str]) -> list[str]:
    return [f"{how} ...{pan[-4:]}" for pan in pans for how, needle in disguises(pan).items() if needle in haystack]


def leaks_in_files(folder: Path, pans: Iterable[str]) -> list[str]:
    """Byte by byte: databases, their write-ahead logs, whatever else was written."""
    pans = list(pans)
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [f"{file.name}: {leak}" for file in files for leak in leaks_in(file.read_bytes(), pans)]


def leaks_in_object(thing: object, pans: Iterable[str]) -> list[str]:
    return [f"{type(thing).__name__}: {leak}" for text in faces(thing) for leak in leaks_in(text, pans)]


def faces(thing: object) -> Iterator[bytes]:
    """How an object may show itself; one that refuses to be pickled shows nothing."""
    yield repr(thing).encode()
    yield str(thing).encode()
    try:
        yield pickle.dumps(thing)
    except Exception:
        return
