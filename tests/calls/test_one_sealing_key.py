"""Keys change while a caller keys in a card: all fields of the payment are sealed to the key of the first."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs

from ivr.bank.dev_keys import new_sealing_key
from ivr.store.sealed import read_sealed
from ivr.vault import KeyFile, KeyRing
from tests.benches import Bench
from tests.test_one_bill import Person

LONG_AGO = date(2025, 12, 31)  # by the bench's clock too
NOT_HERE = "a card is sealed to two keys, and the bank may refuse it: this process lacks one"
KEYED = ("1", "12345678#", "1", "4111111111111111#")
THE_REST = ("1230", "123", "94105")
CARD = (KEYED[-1], *THE_REST)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {name: tmp_path / f"{name}.pem" for name in ("old", "new")}
    for file in made.values():
        public = new_sealing_key().public_key()
        file.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return made


def listed(files: dict[str, Path], *names: str, until: date = date.max) -> KeyRing:
    return KeyRing([KeyFile(files[name], name, not_after=until) for name in names], "tonetill")


def take_up(bench: Bench, ring: KeyRing) -> None:
    """What SIGHUP does to a process of calls."""
    bench.workbench.runner.payments.vaults["acme_bank"].renew(ring)


def kids(bench: Bench, caller: Person) -> set[str]:
    """Of what lies sealed for the caller's charge, which is then taken to the bank."""
    with bench.workbench.store._database.calls() as connection:
        staged = read_sealed(connection, caller.call.intent).fields
    assert len(staged) == len(CARD)
    bench.workbench.work()
    return set(map(kid, staged.values()))


def kid(jwe: str) -> str:
    header = jwe.partition(".")[0]
    return str(json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def pays(bench: Bench, caller: Person) -> set[str]:
    caller.keys(*THE_REST, "1")
    found = kids(bench, caller)
    assert caller.wait().heard[0] == "confirmation_number"
    return found


def test_a_key_that_is_added_between_card_number_and_security_code_seals_the_next_card(bench: Bench, files):
    take_up(bench, listed(files, "old"))
    caller = Person(bench).keys(*KEYED, "1230")
    take_up(bench, listed(files, "old", "new"))
    caller.keys("123", "94105", "1")
    assert kids(bench, caller) == {"old"}
    assert caller.wait().heard[0] == "confirmation_number"
    other = Person(bench).keys("1", "23456789#", "1", "5555555555554444")
    assert pays(bench, other) == {"new"}


def test_a_key_that_is_replaced_seals_the_rest_of_a_card_that_was_begun_with_it(bench: Bench, files):
    take_up(bench, listed(files, "old"))
    caller = Person(bench).keys(*KEYED)
    for _ in range(2):
        take_up(bench, listed(files, "new"))
    assert pays(bench, caller) == {"old"}


def test_a_card_that_was_begun_on_the_last_day_of_a_key_is_sealed_to_it_after_midnight(bench: Bench, files):
    take_up(bench, listed(files, "old"))
    caller = Person(bench).keys(*KEYED)
    both = KeyRing([KeyFile(files["new"], "new"), KeyFile(files["old"], "old", not_after=LONG_AGO)], "tonetill")
    take_up(bench, both)
    assert pays(bench, caller) == {"old"}


def test_a_card_that_is_keyed_in_again_from_its_number_is_sealed_to_the_new_key(bench: Bench, files):
    take_up(bench, listed(files, "old"))
    caller = Person(bench).keys(*KEYED, "1230")
    take_up(bench, listed(files, "old", "new"))
    caller.keys("123", "94105", "2", "5555555555554444", *THE_REST, "1")
    assert kids(bench, caller) == {"new"}


def lacking(bench: Bench, files, after: list[KeyRing]) -> Person:
    """The card number was taken by a process that has the new key; this one has not, and finds `after` when it reads again."""
    take_up(bench, listed(files, "new"))
    caller = Person(bench).keys(*KEYED)
    vaults = bench.workbench.runner.payments.vaults
    vaults["acme_bank"]._ring = listed(files, "old")
    runner = bench.workbench.runner
    runner.payments = replace(runner.payments, reread_keys=lambda: [take_up(bench, ring) for ring in after])
    return caller


def test_a_process_that_lacks_the_key_of_the_first_field_reads_its_keys_again(bench: Bench, files):
    with capture_logs() as logs:
        caller = lacking(bench, files, [listed(files, "old", "new")])
        assert pays(bench, caller) == {"new"}
    assert NOT_HERE not in [line["event"] for line in logs]


def test_a_key_that_is_not_to_be_had_is_an_error_in_the_log(bench: Bench, files):
    with capture_logs() as logs:
        caller = lacking(bench, files, [])
        assert pays(bench, caller) == {"new", "old"}
    assert NOT_HERE in [line["event"] for line in logs]
