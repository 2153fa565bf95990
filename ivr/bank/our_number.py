"""The number by which an approved payment is found where the bank gave none."""

import hashlib

OUR_NUMBER_DIGITS = 8  # longer than field 38, so that nobody takes it for the bank's


def our_number(reference: str) -> str:
    """Made from the reference, so that it is the same however often it is asked for."""
    digest = int.from_bytes(hashlib.sha256(reference.encode()).digest()[:8], "big")
    return f"{digest % 10**OUR_NUMBER_DIGITS:0{OUR_NUMBER_DIGITS}d}"
