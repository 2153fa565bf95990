"""A bank without a key or certificate that is good is closed before a caller keys in a card; keys are read again meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from ivr.bank import load_banks
from ivr.bank.certificates import VALID, Issuer, Use, issue
from ivr.bank.dev_keys import new_sealing_key, new_tls_key, pem, private_pem
from ivr.calls.bank_check import said_of_end
from ivr.calls.bank_keys import ALARM_BEFORE, CARD_TAKES, BankKeys, KeyEnd, form_of, key_files
from ivr.errors import ConfigError
from ivr.vault import HPKE, Vault
from tests.benches import Bench
from tests.test_one_bill import Person

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)
MINUTE = timedelta(minutes=1)
RSA, EC = new_sealing_key(), new_tls_key()
BANK = """
  {name}:
    url: https://127.0.0.1:9
    ca: ca.crt
"""
SINGLE = "    client_certificate: us.crt\n    client_key: us.key\n    sealing_key: old.crt\n"


class Site:
    """A folder of keys with a `banks.yaml`; `keys` is what a process of calls has of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate("old.crt", "sealing", RSA)
        self.certificate("ca.crt", "authority", EC)
        self.certificate("us.crt", "client", EC)
        (folder / "us.key").write_bytes(private_pem(EC))

    def certificate(self, name: str, use: Use, key=RSA, made: datetime = NOW) -> None:
        (self.folder / name).write_bytes(pem(issue("somebody", use, key, Issuer("somebody", EC), made)))

    def write(self, settings: str = SINGLE, others: str = "") -> Path:
        file = self.folder / "banks.yaml"
        file.write_text(f"banks:{BANK.format(name='acme_bank')}{settings}{others}", encoding="utf-8")
        return file

    def open(self, settings: str = SINGLE, others: str = "") -> BankKeys:
        file = self.write(settings, others)
        banks = load_banks(file, self.folder)
        vaults = {name: Vault(key_files(bank), bytes(32), form_of(bank)) for name, bank in banks.items()}
        return BankKeys(file, self.folder, banks, vaults)

    def kid(self, keys: BankKeys, at: datetime = NOW) -> str:
        ring = keys.vaults["acme_bank"].ring
        assert ring is not None
        return ring.at(at).kid


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def listed(*entries: str) -> str:
    lines = "".join(f"      - {{{entry}}}\n" for entry in entries)
    return f"    client_certificate: us.crt\n    client_key: us.key\n    sealing_keys:\n{lines}"


def end_of(keys: BankKeys, what: str) -> KeyEnd:
    return next(end for end in keys.ends(NOW) if end.what == what)


# ---- closed


def test_a_bank_is_closed_shortly_before_its_last_key_ends(site: Site):
    keys = site.open()
    ends = end_of(keys, "sealing key").ends
    assert ends is not None
    client = end_of(keys, "client certificate").ends
    assert client is not None
    last = min(ends, client)
    assert not keys.is_closed("acme_bank", last - CARD_TAKES - MINUTE)
    assert keys.is_closed("acme_bank", last - CARD_TAKES + MINUTE)
    assert not keys.is_closed("another", last + YEAR)


@pytest.mark.parametrize(
    ("name", "use", "what"),
    [
        ("old.crt", "sealing", "sealing key"),
        ("us.crt", "client", "client certificate"),
        ("ca.crt", "authority", "authority"),
    ],
)
def test_whatever_ends_first_closes_the_bank(site: Site, name: str, use: Use, what: str):
    """An authority is good for ten years, the others for one."""
    site.certificate(
        name, use, RSA if use == "sealing" else EC, NOW - (10 if use == "authority" else 1) * YEAR + timedelta(days=3)
    )
    keys = site.open()
    assert end_of(keys, what).is_alarming(NOW)
    assert not keys.is_closed("acme_bank", NOW)
    assert keys.is_closed("acme_bank", NOW + timedelta(days=5))


def test_a_second_certificate_of_an_authority_in_its_file_keeps_the_bank_open(site: Site):
    old = pem(issue("ca", "authority", EC, Issuer("ca", EC), NOW - 10 * YEAR + timedelta(days=3)))
    site.certificate("ca.crt", "authority", EC)
    (site.folder / "ca.crt").write_bytes(old + (site.folder / "ca.crt").read_bytes())
    assert not site.open().is_closed("acme_bank", NOW + timedelta(days=5))


def test_a_key_that_follows_takes_the_place_of_one_that_ends(site: Site):
    site.certificate("new.crt", "sealing", RSA, NOW + timedelta(days=10))
    tenth, eleventh = ((NOW + timedelta(days=days)).date() for days in (10, 11))
    keys = site.open(
        listed(f"file: old.crt, kid: old, not_after: {eleventh}", f"file: new.crt, kid: new, not_before: {tenth}")
    )
    assert [site.kid(keys), site.kid(keys, NOW + timedelta(days=10))] == ["old", "new"]
    assert not end_of(keys, "sealing key").is_alarming(NOW)
    alone = site.open(listed(f"file: old.crt, kid: old, not_after: {eleventh}"))
    assert end_of(alone, "sealing key").is_alarming(NOW)


def test_a_gap_between_two_keys_is_an_end(site: Site):
    ninth, eleventh = ((NOW + timedelta(days=days)).date() for days in (9, 11))
    keys = site.open(listed(f"file: old.crt, not_after: {ninth}", f"file: old.crt, not_before: {eleventh}"))
    assert keys.is_closed("acme_bank", NOW + timedelta(days=10))
    assert end_of(keys, "sealing key").is_alarming(NOW)


def ending_at(site: Site, name: str, last: datetime) -> None:
    site.certificate(name, "sealing", RSA, last - VALID["sealing"])


def test_a_bank_is_closed_a_quarter_of_an_hour_before_the_moment_at_which_its_certificate_ends(site: Site):
    """Not before the midnight that follows: a caller would be asked for a card that cannot be sealed any more."""
    last = datetime.combine((NOW + timedelta(days=3)).date(), time(10, 30), UTC)
    ending_at(site, "old.crt", last)
    keys = site.open()
    assert not keys.is_closed("acme_bank", last - CARD_TAKES)
    assert keys.is_closed("acme_bank", last - CARD_TAKES + MINUTE)
    assert site.kid(keys, last)
    with pytest.raises(ConfigError, match="expired on"):
        site.kid(keys, last + MINUTE)


def test_a_certificate_that_ends_with_its_day_leaves_no_gap_to_the_key_of_the_next_day(site: Site):
    tenth = (NOW + timedelta(days=10)).date()
    ending_at(site, "old.crt", datetime.combine(tenth, time(23, 59, 59), UTC))
    site.certificate("new.crt", "sealing", new_sealing_key())
    keys = site.open(listed("file: old.crt", f"file: new.crt, not_before: {tenth + timedelta(days=1)}"))
    midnight = datetime.combine(tenth + timedelta(days=1), time(), UTC)
    assert not any(keys.is_closed("acme_bank", midnight + minutes * MINUTE) for minutes in (-16, -10, -1, 0, 1))
    assert not end_of(keys, "sealing key").is_alarming(NOW)


@pytest.mark.parametrize(
    ("last", "told"), [(time(10, 30), "{day} 10:30 UTC, in 9 days"), (time(23, 59, 59), "{day}, in 10 days")]
)
def test_what_ends_is_told_with_the_minute_where_it_does_not_end_with_a_day(site: Site, last: time, told: str):
    midnight = datetime.combine(NOW.date(), time(), UTC)
    day = (midnight + timedelta(days=10)).date()
    ending_at(site, "old.crt", datetime.combine(day, last, UTC))
    end = end_of(site.open(), "sealing key")
    assert f"the sealing key ends on {told.format(day=day)}" in end.told(midnight + timedelta(hours=20))
    assert said_of_end(end, midnight).words == end.told(midnight)
    early = said_of_end(end, midnight - timedelta(days=40)).words
    assert early == f"the sealing key is good until {told.format(day=day).partition(',')[0]}"


def test_the_alarm_begins_thirty_days_before_the_end(site: Site):
    end = end_of(site.open(), "client certificate")
    assert end.ends is not None
    assert [end.is_alarming(end.ends - ALARM_BEFORE + sign * MINUTE) for sign in (-1, 1)] == [False, True]
    assert "us.crt" in end.told(NOW)
    assert "in 29 days, and none follows" in end.told(end.ends - ALARM_BEFORE + MINUTE)
    assert f"at {end.ends:%Y-%m-%d %H:%M} UTC, in 10 minutes, and none" in end.told(end.ends - 10 * MINUTE)


# ---- told to a caller


def test_a_caller_hears_it_before_keying_in_a_card_and_is_not_charged(bench: Bench):
    runner = bench.workbench.runner
    runner.payments = replace(runner.payments, is_closed=lambda bank, at: True)
    caller = Person(bench).keys("1", "12345678#", "1")
    assert caller.heard == ["cards_not_taken_now", "you_were_not_charged", "goodbye"]
    assert caller.call.outcome == "unpaid"
    assert not bench.workbench.store.is_staged(f"{caller.line.call_id}-1")
    assert bench.bank.requests == {}


def test_a_caller_who_has_begun_a_card_when_the_bank_closes_pays_with_it(bench: Bench):
    caller = Person(bench).at_consent()
    runner = bench.workbench.runner
    runner.payments = replace(runner.payments, is_closed=lambda bank, at: True)
    caller.keys("1")
    bench.workbench.work()
    assert caller.wait().heard[0] == "confirmation_number"


# ---- read again


def test_a_key_that_was_added_is_taken_up(site: Site):
    keys = site.open(listed("file: old.crt, kid: old"))
    site.certificate("new.crt", "sealing", new_sealing_key())
    site.write(listed("file: old.crt, kid: old", f"file: new.crt, kid: new, not_before: {NOW.date()}"))
    keys.reload()
    assert site.kid(keys) == "new"


def test_another_form_is_taken_up_with_its_key(site: Site, bank_keys):
    keys = site.open()
    (site.folder / "bank.jwk").write_bytes((bank_keys.keys / "bank-sealing-hpke.jwk").read_bytes())
    site.write(SINGLE.replace("old.crt", "bank.jwk") + f"    seal: {HPKE}\n")
    keys.reload()
    assert (form_of(load_banks(keys.file, keys.var)["acme_bank"]), len(site.kid(keys))) == (HPKE, 43)


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (lambda site: (site.folder / "new.crt").write_text("no key"), r"banks.yaml:9:\d+: acme_bank: .*/new.crt: not a certificate, public key \(PEM\) or JWK; ask the bank"),
        (lambda site: None, r"banks.yaml:9:\d+: acme_bank: .*/new.crt: No such file or directory; ask the bank"),
        (lambda site: site.write(listed("file: old.crt", "fiel: new.crt")), r"banks.yaml:9:\d+: acme_bank: unknown key 'sealing_keys.1.fiel'"),
        (lambda site: site.certificate("new.crt", "sealing", new_sealing_key()) or site.write(listed("file: new.crt, kid: old")), r"banks.yaml:8:\d+: acme_bank: .*/new.crt: its kid is 'old', as .*/old.crt has: give each key a kid of its own"),
        (lambda site: site.write(listed("file: old.crt, not_before: soon")), r"banks.yaml:8:\d+: acme_bank: sealing_keys.0.not_before: "),
        (lambda site: site.write(listed("file: old.crt, not_before: 2030-01-02, not_after: 2030-01-01")), r"not_after is before not_before"),
        (lambda site: site.write("    sealing_key: old.crt\n" + listed("file: old.crt")), "'sealing_key' and 'sealing_keys': write one or the other"),
        (lambda site: site.folder.joinpath("banks.yaml").write_text("banks: ["), "banks.yaml"),
        (lambda site: site.folder.joinpath("banks.yaml").unlink(), "banks.yaml: No such file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_what_was_in_force_stays(
    site: Site, breaks: Callable[[Site], object], told: str
):
    keys = site.open(listed("file: old.crt, kid: old"))
    site.write(listed("file: old.crt, kid: old", "file: new.crt, kid: new"))
    breaks(site)
    with pytest.raises(ConfigError, match=told):
        keys.reload()
    assert site.kid(keys) == "old"


def test_a_broken_key_of_one_bank_keeps_no_other_from_its_new_one(site: Site):
    other = BANK.format(name="other_bank") + listed("file: old.crt, kid: first")
    keys = site.open(SINGLE, other)
    site.write(SINGLE.replace("old.crt", "gone.crt"), other.replace("first", "second"))
    with pytest.raises(ConfigError, match=r"banks.yaml:\d+:\d+: acme_bank: .*gone.crt"):
        keys.reload()
    ring = keys.vaults["other_bank"].ring
    assert ring is not None
    assert ring.at(NOW).kid == "second"
