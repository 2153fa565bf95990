"""Of several keys the newest that is good now seals; each moment on its own, without a restart."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ivr.bank.certificates import VALID, Issuer, issue
from ivr.bank.dev_keys import new_sealing_key, new_tls_key, pem
from ivr.errors import ConfigError
from ivr.testing.bench import throw_away_key
from ivr.vault import KeyFile, KeyRing, SealContext
from ivr.vault.seal import kid_of_seal

OLD, NEW = "old", "new"
DAY = timedelta(days=1)
CHANGE = date(2027, 3, 1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)  # of that day
MIDNIGHT = datetime(2027, 3, 1, tzinfo=UTC)  # before it
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def file() -> Path:
    return throw_away_key()


def ring(*keys: KeyFile) -> KeyRing:
    return KeyRing(keys, "tonetill", NOON)


def certificate(folder: Path, name: str, last: datetime) -> Path:
    """Of a sealing key; good for a year, up to that second."""
    made = issue("bank", "sealing", new_sealing_key(), Issuer("ca", new_tls_key()), last - VALID["sealing"])
    file = folder / f"{name}.crt"
    file.write_bytes(pem(made))
    return file


def test_the_new_key_seals_from_its_first_day_on(file: Path):
    both = ring(KeyFile(file, OLD, not_after=CHANGE + 7 * DAY), KeyFile(file, NEW, not_before=CHANGE))
    assert [both.at(NOON - DAY).kid, both.at(MIDNIGHT).kid, both.at(NOON + 30 * DAY).kid] == [OLD, NEW, NEW]


def test_where_the_new_key_ends_first_the_old_one_seals_again(file: Path):
    both = ring(KeyFile(file, OLD), KeyFile(file, NEW, CHANGE, CHANGE + DAY))
    assert both.at(NOON + 2 * DAY).kid == OLD


def test_after_the_last_day_of_all_nothing_is_sealed(file: Path):
    one = ring(KeyFile(file, OLD, not_after=CHANGE))
    with pytest.raises(ConfigError, match=rf"{file}: .*expired on {CHANGE}; ask the bank"):
        one.at(MIDNIGHT + DAY)
    assert one.at(MIDNIGHT + DAY - datetime.resolution).kid == OLD


def test_a_certificate_seals_up_to_the_moment_at_which_it_ends(tmp_path: Path):
    one = ring(KeyFile(certificate(tmp_path, OLD, NOON), OLD))
    assert one.at(NOON).kid == OLD
    with pytest.raises(ConfigError, match=r"old.crt: .*expired on 2027-03-01 12:00 UTC; ask the bank"):
        one.at(NOON + SECOND)


def test_the_last_day_that_is_written_does_not_lengthen_a_certificate(tmp_path: Path):
    one = ring(KeyFile(certificate(tmp_path, OLD, NOON), OLD, not_after=CHANGE + DAY))
    with pytest.raises(ConfigError, match="expired on 2027-03-01 12:00 UTC"):
        one.at(NOON + SECOND)


def test_on_the_day_on_which_a_certificate_ends_the_other_key_seals_from_that_moment(tmp_path: Path, file: Path):
    both = ring(KeyFile(file, NEW), KeyFile(certificate(tmp_path, OLD, NOON), OLD))
    assert [both.at(NOON).kid, both.at(NOON + SECOND).kid] == [OLD, NEW]


def test_no_second_is_lost_between_a_certificate_that_ends_with_its_day_and_the_next_key(tmp_path: Path, file: Path):
    both = ring(KeyFile(certificate(tmp_path, OLD, MIDNIGHT + DAY - SECOND), OLD), KeyFile(file, NEW, CHANGE + DAY))
    moments = [MIDNIGHT + DAY + part * SECOND / 2 for part in (-2, -1, 0)]
    assert [both.at(moment).kid for moment in moments] == [OLD, OLD, NEW]


def test_a_ring_whose_keys_all_begin_later_is_refused(file: Path):
    with pytest.raises(ConfigError, match=f"not valid before {CHANGE + DAY}"):
        ring(KeyFile(file, NEW, CHANGE + DAY))


def test_a_certificate_is_never_used_before_its_first_day_or_after_its_end(tmp_path: Path, bank_keys):
    sealing = bank_keys.keys / "bank-sealing.crt"
    listed = KeyRing([KeyFile(sealing, not_before=date(2000, 1, 1))], "tonetill")
    with pytest.raises(ConfigError, match="expired"):
        listed.at(datetime.now(UTC) + 400 * DAY)
    with pytest.raises(ConfigError, match="not valid before"):
        listed.at(datetime(2000, 1, 2, tzinfo=UTC))


def test_one_broken_file_refuses_the_ring_by_its_name(file: Path, tmp_path: Path):
    key = new_tls_key()
    (tmp_path / "elliptic.crt").write_bytes(pem(issue("bank", "sealing", key, Issuer("ca", key), datetime.now(UTC))))
    with pytest.raises(ConfigError, match=r"elliptic.crt: not an RSA key"):
        ring(KeyFile(file), KeyFile(tmp_path / "elliptic.crt"))


def test_what_is_sealed_beside_an_earlier_field_goes_to_its_key(file: Path):
    context = SealContext("m", "c", "c-1")
    first = ring(KeyFile(file, OLD)).seal("card_number", bytearray(b"4111111111111111"), context, NOON)
    both = ring(KeyFile(file, OLD, not_after=CHANGE), KeyFile(file, NEW))
    second = both.seal("expiry", bytearray(b"1230"), replace(context, beside=first or ""), NOON + DAY)
    assert second is not None
    assert kid_of_seal(second) == OLD


def test_a_card_that_was_begun_before_a_certificates_end_is_sealed_to_it_afterwards(tmp_path: Path):
    context, one = SealContext("m", "c", "c-1"), ring(KeyFile(certificate(tmp_path, OLD, NOON), OLD))
    first = one.seal("card_number", bytearray(b"4111111111111111"), context, NOON)
    second = one.seal("expiry", bytearray(b"1230"), replace(context, beside=first or ""), NOON + 60 * SECOND)
    assert kid_of_seal(second or "") == OLD


@pytest.mark.parametrize("beside", ["", "tok_123", "e30.", "WzFd.a", "....", "4111111111111111"])
def test_what_names_no_key_asks_for_none(file: Path, beside: str):
    one = ring(KeyFile(file, NEW))
    assert one.can_go_on(beside)
    sealed = one.seal("expiry", bytearray(b"1230"), SealContext("m", "c", "c-1", beside), NOON)
    assert kid_of_seal(sealed or "") == NEW


def test_two_keys_under_one_name_are_refused(tmp_path: Path, file: Path):
    """The card number would go to one of them, and the security code to the other."""
    other = certificate(tmp_path, NEW, NOON + 30 * DAY)
    with pytest.raises(
        ConfigError, match=rf"new.crt: its kid is '{OLD}', as .*{file.name} has: give each key a kid of its own"
    ):
        ring(KeyFile(file, OLD), KeyFile(other, OLD, not_before=CHANGE + 9 * DAY))
    assert len(ring(KeyFile(file, OLD, not_after=CHANGE), KeyFile(file, OLD, not_before=CHANGE)).keys) == 2


def test_a_name_is_not_taken_over_by_another_key_while_calls_go_on(tmp_path: Path, file: Path):
    before, after = ring(KeyFile(file, OLD)), ring(KeyFile(certificate(tmp_path, NEW, NOON + 30 * DAY), OLD))
    with pytest.raises(ConfigError, match="give each key a kid of its own"):
        after.follow(before)
    ring(KeyFile(file, OLD), KeyFile(file, NEW)).follow(before)
