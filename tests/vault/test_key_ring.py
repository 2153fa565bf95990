"""Of several keys the newest that is good today seals; each day on its own, without a restart."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ivr.bank.certificates import Issuer, issue
from ivr.bank.dev_keys import new_tls_key, pem
from ivr.errors import ConfigError
from ivr.testing.bench import throw_away_key
from ivr.vault import KeyFile, KeyRing, SealContext
from ivr.vault.seal import kid_of_seal

OLD, NEW = "old", "new"
DAY = timedelta(days=1)
CHANGE = date(2027, 3, 1)


@pytest.fixture(scope="module")
def file() -> Path:
    return throw_away_key()


def ring(*keys: KeyFile, today: date = CHANGE) -> KeyRing:
    return KeyRing(keys, "tonetill", today)


def test_the_new_key_seals_from_its_first_day_on(file: Path):
    both = ring(KeyFile(file, OLD, not_after=CHANGE + 7 * DAY), KeyFile(file, NEW, not_before=CHANGE))
    assert [both.at(CHANGE - DAY).kid, both.at(CHANGE).kid, both.at(CHANGE + 30 * DAY).kid] == [OLD, NEW, NEW]


def test_where_the_new_key_ends_first_the_old_one_seals_again(file: Path):
    both = ring(KeyFile(file, OLD), KeyFile(file, NEW, CHANGE, CHANGE + DAY))
    assert both.at(CHANGE + 2 * DAY).kid == OLD


def test_after_the_last_day_of_all_nothing_is_sealed(file: Path):
    one = ring(KeyFile(file, OLD, not_after=CHANGE))
    with pytest.raises(ConfigError, match=rf"{file}: .*expired on {CHANGE}; ask the bank"):
        one.at(CHANGE + DAY)


def test_a_ring_whose_keys_all_begin_later_is_refused(file: Path):
    with pytest.raises(ConfigError, match=f"not valid before {CHANGE + DAY}"):
        ring(KeyFile(file, NEW, CHANGE + DAY))


def test_a_certificate_is_never_used_outside_its_own_days(tmp_path: Path, bank_keys):
    sealing = bank_keys.keys / "bank-sealing.crt"
    listed = KeyRing([KeyFile(sealing, not_before=date(2000, 1, 1))], "tonetill")
    with pytest.raises(ConfigError, match="expired"):
        listed.at(date.today() + 400 * DAY)
    with pytest.raises(ConfigError, match="not valid before"):
        listed.at(date(2000, 1, 2))


def test_one_broken_file_refuses_the_ring_by_its_name(file: Path, tmp_path: Path):
    key = new_tls_key()
    (tmp_path / "elliptic.crt").write_bytes(pem(issue("bank", "sealing", key, Issuer("ca", key), datetime.now(UTC))))
    with pytest.raises(ConfigError, match=r"elliptic.crt: not an RSA key"):
        ring(KeyFile(file), KeyFile(tmp_path / "elliptic.crt"))


def test_what_is_sealed_beside_an_earlier_field_goes_to_its_key(file: Path):
    context = SealContext("m", "c", "c-1")
    first = ring(KeyFile(file, OLD)).seal("card_number", bytearray(b"4111111111111111"), context, CHANGE)
    both = ring(KeyFile(file, OLD, not_after=CHANGE), KeyFile(file, NEW))
    second = both.seal("expiry", bytearray(b"1230"), replace(context, beside=first or ""), CHANGE + DAY)
    assert second is not None
    assert kid_of_seal(second) == OLD


@pytest.mark.parametrize("beside", ["", "tok_123", "e30.", "WzFd.a", "....", "4111111111111111"])
def test_what_names_no_key_asks_for_none(file: Path, beside: str):
    one = ring(KeyFile(file, NEW))
    assert one.can_go_on(beside)
    sealed = one.seal("expiry", bytearray(b"1230"), SealContext("m", "c", "c-1", beside), CHANGE)
    assert kid_of_seal(sealed or "") == NEW
