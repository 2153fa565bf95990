"""A certificate ends in mid-service, the bank's or ours: nothing is sent that could be charged unseen, and the log says why."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.bank.certificates import VALID, Issuer, Use, issue
from ivr.bank.dev_keys import load_pem_private_key, pem
from ivr.calls.bank_check import check_bank
from tests.bank_process import BankKeys, bank_keys
from tests.faults import NOT_CHARGED
from tests.outages.sites import OURS, Site, site
from tests.outages.trouble import is_paid, new_case, ring
from tests.store.databases import empty_sqlite, sqlite_url

__all__ = ["bank_keys", "empty_sqlite", "sqlite_url"]
LIFE_S = 2.0  # of our certificate; X.509 counts whole seconds


@pytest.fixture
def ours(sqlite_url: str, bank_keys: BankKeys, tmp_path: Path) -> Iterator[Site]:
    with site(sqlite_url, *OURS, bank_keys, tmp_path) as made:
        yield made


def certify(keys: BankKeys, file: Path, use: Use, lives: timedelta) -> datetime:
    """Puts another certificate of the same key in place; when it ends."""
    ca = load_pem_private_key((keys.bank / "ca.key").read_bytes(), None)
    own = load_pem_private_key(file.with_suffix(".key").read_bytes(), None)
    name = "localhost" if use == "server" else "demo-merchant"
    by = Issuer("Tonetill development authority", ca)  # type: ignore[arg-type]
    begun = datetime.now(UTC) + lives - VALID[use]
    made = issue(name, use, own, by, begun)  # type: ignore[arg-type]
    file.write_bytes(pem(made))
    return made.not_valid_after_utc


def wait_until(at: datetime) -> None:
    while (left := (at - datetime.now(UTC)).total_seconds()) >= 0:
        threading.Event().wait(left + 0.01)


def the_banks_ends(ours: Site) -> None:
    """As it is after a while without a new one: connections that stood before have ended too."""
    certify(ours.keys, ours.keys.bank / "server.crt", "server", timedelta(seconds=-1))
    ours.bank.renew()
    ours.line.cut()


def checked(ours: Site) -> list[str]:
    settings = ours.keys.settings(f"https://127.0.0.1:{ours.line.port}")
    return [found.words for found in check_bank("acme_bank", settings, os.environ) if found.is_good is False]


def test_while_the_banks_certificate_has_expired_nothing_is_sent_and_the_log_says_why(
    ours: Site, capfd: pytest.CaptureFixture[str]
):
    assert checked(ours) == []
    paid, refused, healed = new_case(1), new_case(2), new_case(3)
    assert ring(ours.world, paid, lambda _turn: None).is_clean
    the_banks_ends(ours)
    assert ring(ours.world, refused, lambda _turn: None).is_clean
    assert ours.world.store.entries(f"{refused.call}-1") == ["requested", "not_sent"]
    assert NOT_CHARGED in refused.heard
    assert '"reason": "ConnectError certificate has expired"' in capfd.readouterr().err
    assert ["certificate has expired" in words and "the bank must renew it" in words for words in checked(ours)] == [
        True
    ]

    def renewed(turn: int) -> None:
        if turn == 3:
            certify(ours.keys, ours.keys.bank / "server.crt", "server", timedelta(days=1))
            ours.bank.renew()

    assert ring(ours.world, healed, renewed).is_clean
    assert is_paid(ours.world, paid)
    assert is_paid(ours.world, healed)
    assert checked(ours) == []


def test_a_certificate_of_ours_that_has_expired_is_not_shown_and_the_caller_hears_that_nothing_was_charged(
    ours: Site, capfd: pytest.CaptureFixture[str]
):
    client, file = ours.world.place.client, ours.keys.keys / "client.crt"
    ends = certify(ours.keys, file, "client", timedelta(seconds=LIFE_S))
    settings = ours.keys.settings(f"https://127.0.0.1:{ours.line.port}")
    client.renew(settings)
    ours.warm()
    wait_until(ends)
    ours.line.cut()
    refused, healed = new_case(1), new_case(2)
    assert ring(ours.world, refused, lambda _turn: None).is_clean
    assert ours.world.store.entries(f"{refused.call}-1") == ["requested", "not_sent"]
    assert NOT_CHARGED in refused.heard
    logged = capfd.readouterr().err
    assert f"our certificate expired on {ends.date()} ({file})" in logged
    assert "send SIGHUP" in logged
    assert [f"{file}: our certificate expired on {ends.date()}" in words for words in checked(ours)][-1:] == [True]

    def renewed(turn: int) -> None:
        if turn == 3:
            certify(ours.keys, file, "client", timedelta(days=1))
            client.renew(settings)

    assert ring(ours.world, healed, renewed).is_clean
    assert is_paid(ours.world, healed)


def test_a_charge_that_was_sent_before_our_certificate_expired_is_found_by_the_next_one(ours: Site):
    """Its answer was lost; until there is a certificate again nobody can say what became of it, and nobody is told anything."""
    client, file = ours.world.place.client, ours.keys.keys / "client.crt"
    ends = certify(ours.keys, file, "client", timedelta(seconds=LIFE_S))
    settings = ours.keys.settings(f"https://127.0.0.1:{ours.line.port}")
    client.renew(settings)
    ours.warm()
    case = new_case(1, "hangs up")

    def turn(number: int) -> None:
        if number == 1:
            ours.line.line = "answer lost"
        elif number == 0:
            wait_until(ends)
            ours.line.line = "open"
            ours.line.cut()
            ours.world.clock.advance(3600)
            ours.world.bench.work()
            assert [one.status for one in ours.world.store.payments_of(case.call)] == ["unknown"]
            certify(ours.keys, file, "client", timedelta(days=1))
            client.renew(settings)

    assert ring(ours.world, case, turn).is_clean
    assert ours.world.store.entries(f"{case.call}-1") == ["requested", "unknown", "approved"]
