"""Keys and certificates change under a web process, a trunk, a forwarder and a bank that go on: every charge goes through, once."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.bank.certificates import Issuer, issue
from ivr.bank.dev_keys import load_pem_private_key, new_tls_key, pem, private_pem
from ivr.bank.simulator import BY_NAME
from ivr.testing.twilio import TwilioCall
from tests.bank_process import BankKeys, bank_keys
from tests.faults import RECEIPT
from tests.outages.running import Running, hear_out, press, ringing, running
from tests.outages.test_certificates import certify, wait_until
from tests.web.servers import until

__all__ = ["bank_keys"]
pytestmark = (
    pytest.mark.long
)  # a quarter of a minute: four processes, and calls of real time; bounded: tests/calls/test_one_sealing_key.py
ON_THE_TRUNK = "+15551239901"
SLOW = BY_NAME["slow"].pan
LIFE_S = 25.0
EVERY = "every account says what its charges say"


@pytest.fixture
def site(tmp_path: Path, bank_keys: BankKeys) -> Iterator[Running]:
    with running(tmp_path, bank_keys) as made:
        yield made


def ani(number: int) -> str:
    return f"+1555{number:07d}"


def paid(site: Running, *anis: str) -> bool:
    """Each charged once, by the bank's books and by ours, and nothing else was."""
    calls = [site.call_from(one) for one in anis]
    assert all(calls)
    return site.taken() == sorted(one.intent for one in calls if one) and EVERY in site.command("books", "check")


def test_a_new_sealing_key_is_taken_up_in_the_middle_of_cards_and_charges(site: Running):
    asyncio.run(in_the_middle_of_a_card(site))
    while_a_charge_is_under_way(site)
    while_a_charge_waits_for_a_forwarder(site)
    assert paid(site, ON_THE_TRUNK, *map(ani, (1, 3, 4, 5)))


async def in_the_middle_of_a_card(site: Running) -> None:
    """One caller by webhooks and one on the trunk, each between card number and security code."""
    line = site.caller(1)
    await asyncio.to_thread(line.begin)
    await asyncio.to_thread(press, line, "1", "20000001#", "1", "4111111111111111#", "1230")
    async with ringing(site, ON_THE_TRUNK) as caller:
        for place, keys in (
            ("language", "1"),
            ("account", "20000002#"),
            ("amount", "1"),
            ("card 0", "5555555555554444#"),
        ):
            await caller.at(place, keys)
        await caller.at("card 1")
        old = site.kids(ON_THE_TRUNK)
        assert old == site.kids(ani(1))
        assert len(old) == 1
        new = await asyncio.to_thread(site.rotate, 3)
        assert {new} != old
        await asyncio.to_thread(site.read_keys_again)
        await caller.at("card 1", "1230")
        for place, keys in (("card 2", "123"), ("card 3", "94105"), ("confirm", "")):
            await caller.at(place, keys)
        await asyncio.to_thread(press, line, "123", "94105")
        assert site.kids(ON_THE_TRUNK) == site.kids(ani(1)) == old
        await caller.at("confirm", "1")
        assert RECEIPT in await asyncio.to_thread(lambda: hear_out(line, press(line, "1")))
        await caller.at("repeat", "#")
        await caller.at("over")
    line = await asyncio.to_thread(at_consent, site, 3, "4242424242424242#")
    assert site.kids(ani(3)) == {new}
    assert RECEIPT in await asyncio.to_thread(consent, line)


def at_consent(site: Running, number: int, pan: str) -> TwilioCall:
    line = site.caller(number)
    line.begin()
    press(line, "1", f"{20_000_000 + number}#", "1", pan, "1230", "123", "94105")
    return line


def consent(line: TwilioCall) -> str:
    return hear_out(line, press(line, "1"))


def while_a_charge_is_under_way(site: Running) -> None:
    line, new = at_consent(site, 4, f"{SLOW}#"), site.rotate(2)
    said = press(line, "1")
    until(lambda: site.status(ani(4)) == "sent")
    assert new not in site.kids(ani(4))
    site.read_keys_again()
    assert RECEIPT in hear_out(line, said)


def while_a_charge_waits_for_a_forwarder(site: Running) -> None:
    """What was sealed to the old key goes to the bank after the switch."""
    line, new = at_consent(site, 5, "4012888888881881#"), site.rotate(1)
    site.processes["forwarder"].send_signal(signal.SIGSTOP)
    said = press(line, "1")
    site.read_keys_again("bank", "web", "trunk")
    assert site.status(ani(5)) == "accepted"
    assert new not in site.kids(ani(5))
    site.processes["forwarder"].send_signal(signal.SIGCONT)
    site.read_keys_again("forwarder")
    assert RECEIPT in hear_out(line, said)


def test_a_new_client_certificate_is_shown_once_it_is_taken_up_and_the_old_one_has_ended(site: Running):
    folder, lines = site.keys.keys, [at_consent(site, 1, f"{SLOW}#"), at_consent(site, 2, "4012888888881881#")]
    ends = certify(site.keys, folder / "client.crt", "client", timedelta(seconds=LIFE_S))
    site.read_keys_again("forwarder")
    issue_client(site, "client-2")
    said = press(lines[0], "1")
    until(lambda: site.status(ani(1)) == "sent")
    list_both(site.banks, folder)
    site.read_keys_again("forwarder")
    assert RECEIPT in hear_out(lines[0], said)
    wait_until(ends)
    assert RECEIPT in consent(lines[1])
    assert paid(site, ani(1), ani(2))


def issue_client(site: Running, name: str) -> None:
    """By the bank's own authority."""
    authority, key = load_pem_private_key((site.keys.bank / "ca.key").read_bytes(), None), new_tls_key()
    by = Issuer("Tonetill development authority", authority)  # type: ignore[arg-type]
    made = issue("demo-merchant", "client", key, by, datetime.now(UTC))
    (site.keys.keys / f"{name}.crt").write_bytes(pem(made))
    (site.keys.keys / f"{name}.key").write_bytes(private_pem(key))


def list_both(banks: Path, folder: Path) -> None:
    """As docs/bank.md has it: the new one from today on."""
    lines = [line for line in banks.read_text().splitlines() if not line.lstrip().startswith("client_")]
    today = datetime.now(UTC).date()
    listed = [f"    client_certificates:\n      - {{file: {folder}/client.crt, key: {folder}/client.key}}"]
    listed += [f"      - {{file: {folder}/client-2.crt, key: {folder}/client-2.key, not_before: {today}}}"]
    banks.write_text("\n".join([*lines, *listed, ""]))
