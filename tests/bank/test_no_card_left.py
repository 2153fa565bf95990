"""A canary card goes through vault, client and bank; afterwards it is in no file, log line, answer, error or repr."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.bank import AuthorizationRequest
from ivr.bank.simulator import BY_NAME, BankSimulator, read_books
from ivr.bank.tonetill import TonetillBank
from tests.bank.requests import new_request
from tests.bank_process import BankKeys

CANARY = "4539148803436467"


def traces_in(content: bytes) -> list[str]:
    """However it might be written: in clear, spaced, as UTF-16, all but the last four."""
    digits = CANARY.encode()
    spaced = b" ".join(digits[i : i + 4] for i in range(0, 16, 4))
    looks = {
        "clear": digits,
        "spaced": spaced,
        "wide": CANARY.encode("utf-16-le"),
        "cut": digits[:12],
        "tail": digits[6:],
    }
    return [name for name, look in looks.items() if look in content]


@contextmanager
def simulator(folder: Path) -> Iterator[BankSimulator]:
    with BankSimulator(folder, slow_s=0.01) as running:
        yield running


def every_way(keys: BankKeys, url: str) -> list[object]:
    """The canary charged, repeated, refused, tampered with, and met with every fault that an amount can ask for."""
    with TonetillBank(keys.settings(url)) as bank:
        request = new_request(keys.vault(), CANARY)
        seen: list[object] = [
            request,
            bank.authorize(request),
            bank.authorize(request),
            bank.inquire(request.reference),
        ]
        seen += [bank.authorize(replace(request, merchant="other")), bank.reverse(request.reference)]
        seen += [bank.authorize(replace(request, sealed={**request.sealed, "expiry": request.sealed["card_number"]}))]
        for name in ("insufficient_funds", "error_after", "closed_before", "garbled_after", "duplicate"):
            seen.append(bank.authorize(new_request(keys.vault(), CANARY, BY_NAME[name].amount_minor)))
    return seen


def test_the_canary_leaves_no_trace(own_keys: BankKeys, capfd: pytest.CaptureFixture[str]) -> None:
    with simulator(own_keys.bank) as running:
        seen = every_way(own_keys, running.url)
        files = {file: file.read_bytes() for file in own_keys.var.rglob("*") if file.is_file()}  # with the WAL
    files |= {file: file.read_bytes() for file in own_keys.var.rglob("*") if file.is_file()}
    assert own_keys.bank / "books.db-wal" in files
    assert any(entry.last4 == CANARY[-4:] for entry in read_books(own_keys.bank))
    assert {str(file): traces_in(content) for file, content in files.items() if traces_in(content)} == {}
    shown = "".join(f"{thing!r} {thing}" for thing in [*seen, *read_books(own_keys.bank)])
    assert traces_in(shown.encode()) == []
    assert traces_in(pickle.dumps([thing for thing in seen if not isinstance(thing, AuthorizationRequest)])) == []
    logged = capfd.readouterr()
    assert "request" in logged.out + logged.err
    assert traces_in((logged.out + logged.err).encode()) == []


def test_what_leaves_us_holds_no_card(bank_keys: BankKeys) -> None:
    request = new_request(bank_keys.vault(), CANARY)
    assert traces_in(pickle.dumps(dict(request.sealed))) == []
    assert not any(sealed in repr(request) for sealed in request.sealed.values())


@pytest.mark.parametrize("leak", ["4539148803436467", "4539 1488 0343 6467", "453914880343xxxx", "48803436467"])
def test_a_planted_leak_is_found(tmp_path: Path, leak: str) -> None:
    planted = tmp_path / "planted"
    planted.write_text(f"card {leak} approved")
    assert traces_in(planted.read_bytes()) != []
