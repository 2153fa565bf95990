"""A caller's number is kept sealed: after whole calls, by webhook and in all outcomes, the database does not show it anywhere."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ivr.errors import ConfigError
from ivr.logs import set_up_logging
from ivr.store import NumberSeals, Store, TextMessage, hash_of_caller, open_store
from ivr.store.tables import metadata
from ivr.testing.twilio import TwilioCall
from tests.benches import ROOT, Bench, make_bench
from tests.store.databases import NUMBERS, postgresql, postgresql_url, sqlite_url, url
from tests.store.databases import empty_sqlite as empty_sqlite
from tests.store.payments import NOW, a_call, begin
from tests.webs import Web, make_web

__all__ = ["postgresql", "postgresql_url", "sqlite_url", "url"]
CALLER, DIGITS = "+15557013998", "15557013998"
OTHER_KEY = bytes(range(1, 33))


@dataclass
class Line:
    """A bench whose database seals, the web application over it, and the texts that went out."""

    bench: Bench
    web: Web
    url: str
    folder: Path
    sent: list[TextMessage] = field(default_factory=list)

    def call(self, *keys: str, hangs_up: bool = False) -> str:
        self.bench.workbench.store.seed_bills(ROOT / "config" / "accounts.csv", anew=True)
        line = TwilioCall(self.web.line().application, CALLER)
        line.begin()
        for one in keys:
            line.press(one)
        if not hangs_up:
            self.work()
            line.wait()
            line.press("2")  # a receipt by text
        line.hang_up()
        self.work()
        return line.call_id

    def work(self) -> None:
        forwarder = replace(self.bench.workbench.forwarder, send_text=self.sent.append)
        while forwarder.run_once():
            pass


@pytest.fixture
def line(sealing_key: Path, url: str, tmp_path: Path) -> Iterator[Line]:
    store = open_store(url, numbers=NUMBERS)
    bench = make_bench(sealing_key, store=store)
    set_up_logging("debug", "json")
    yield Line(bench, make_web(bench), url, tmp_path)
    store.close()


PAYS = ("1", "12345678#", "1", "4111111111111111#", "1230", "739", "94105", "1")


def shows(url: str, folder: Path) -> list[str]:
    """The tables whose rows show the number, and the files that have it, byte by byte."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = {table: connection.execute(text(f"SELECT * FROM {table}")).all() for table in metadata.tables}
    engine.dispose()
    found = [table for table, all_of_it in rows.items() if DIGITS in repr([*map(tuple, all_of_it)])]
    return found + [file.name for file in folder.iterdir() if file.is_file() and DIGITS.encode() in file.read_bytes()]


def test_after_whole_calls_no_row_and_no_file_shows_it_and_the_log_does_not(
    line: Line, capfd: pytest.CaptureFixture[str]
):
    line.bench.bank.behaviour = "approves"
    paid = line.call(*PAYS)
    line.bench.bank.behaviour = "declines 51"
    line.call(*PAYS)
    line.bench.bank.behaviour = "approves"
    line.call(*PAYS, hangs_up=True)
    line.call("1", "99999999#", hangs_up=True)
    store = line.bench.workbench.store
    assert store.texts_of(paid)[0].recipient == CALLER
    assert len(store.latest_calls(9)) == 4
    assert {one.call.ani for one in store.latest_calls(9)} == {CALLER}
    assert shows(line.url, line.folder) == []
    assert DIGITS not in "".join(capfd.readouterr())


def test_of_a_caller_who_rings_again_nothing_is_remembered_or_used(line: Line):
    """Neither the language nor the account: the second call of a number begins as its first."""
    line.bench.bank.behaviour = "approves"
    first = line.bench.dial("pay-a-bill", CALLER)
    begun = [heard.words for heard in first.begin().heard]
    for keys in ("2", "12345678#"):
        first.press(keys)
    first.hang_up()
    again = line.bench.dial("pay-a-bill", CALLER)
    assert [heard.words for heard in again.begin().heard] == begun
    stored = line.bench.workbench.store.load_call(again.call_id)
    assert stored is not None
    assert (stored.call.language, stored.call.values, stored.call.payable) == ("en-US", {}, None)


def test_texts_go_to_the_number_all_the_same(line: Line):
    line.bench.bank.behaviour = "approves"
    line.call(*PAYS)
    line.call(*PAYS, hangs_up=True)
    assert {one.recipient for one in line.sent} == {CALLER}


def test_the_search_finds_a_number_that_is_kept_in_clear(url: str, tmp_path: Path):
    store = open_store(url)
    store.save_call(a_call(ani=CALLER), 0, NOW)
    store.queue_sms("CA1-x", CALLER, "a receipt", NOW)
    assert {"call", "text_message"} <= set(shows(url, tmp_path))
    store.close()


def test_what_was_kept_in_clear_is_sealed_and_reads_as_before(url: str, tmp_path: Path):
    old = open_store(url)
    live, over = a_call("CA1", ani=CALLER, values={"callback": DIGITS}), a_call("CA2", ani=CALLER, phase="over")
    for one in (live, over):
        old.save_call(one, 0, NOW, answer=f"<Say>{CALLER}</Say>")
    old.queue_sms("CA2-x", CALLER, f"we ring {DIGITS}", NOW)
    old.close()
    store = open_store(url, numbers=NUMBERS)
    assert store.load_call("CA1").call == live  # type: ignore[union-attr]
    assert store.seal_numbers() == 3
    assert store.seal_numbers() == 0
    assert shows(url, tmp_path) == []
    for one in (live, over):
        stored = store.load_call(one.id)
        assert stored is not None
        assert (stored.call, stored.answer, stored.is_whole) == (one, f"<Say>{CALLER}</Say>", True)
    (message,) = store.texts_of("CA2")
    assert (message.recipient, message.body) == (CALLER, f"we ring {DIGITS}")
    store.close()


def test_a_call_of_the_version_before_is_sealed_when_it_goes_on(url: str, tmp_path: Path):
    old = open_store(url)
    old.save_call(a_call(ani=CALLER), 0, NOW)
    old.close()
    store = open_store(url, numbers=NUMBERS)
    store.save_call(a_call(ani=CALLER, step="amount"), 1, NOW)
    store.wipe_log()
    assert shows(url, tmp_path) == []
    assert store.load_call("CA1").call.ani == CALLER  # type: ignore[union-attr]
    assert store.seal_numbers() == 1  # it can be found by its number from now on
    store.close()


@pytest.mark.parametrize(
    "ani", ["anonymous", "", "204", "sip:+15557013998@gateway.example", 'a"b\\c+15557013998', "+７7"]
)
def test_however_a_network_writes_it_the_call_comes_back_as_it_was(store: Store, ani: str):
    call = a_call(ani=ani, values={"number": ani, "digits": DIGITS, "short": "204"}, history=(f"asked {ani}",))
    store.save_call(call, 0, NOW, answer=ani)
    stored = store.load_call("CA1")
    assert stored is not None
    assert (stored.call, stored.answer, stored.is_whole) == (call, ani, True)


def test_an_address_that_begins_like_a_withheld_number_is_mailed_to(store: Store):
    store.queue_email("CA1-mail", "unknown@example.com", "Receipt", "paid", NOW)
    (message,) = store.emails_of("CA1")
    assert message.recipient == "unknown@example.com"


# ---- keys


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url, numbers=NUMBERS)
    yield store
    store.close()


def test_a_sealed_number_that_is_copied_to_another_row_opens_for_nobody():
    sealed = NUMBERS.seal(CALLER, "call CA1")
    assert NUMBERS.open(sealed, "call CA1") == CALLER
    assert NUMBERS.open(sealed, "call CA2") == ""
    assert CALLER not in f"{NUMBERS!r}{vars(NUMBERS)}"


def test_a_node_with_a_key_file_of_its_own_does_not_start(store: Store, url: str):
    with pytest.raises(ConfigError, match=r"numbers.key lacks the key .*another node"):
        open_store(url, numbers=NumberSeals([OTHER_KEY], bytes(32)))


def test_after_a_change_of_keys_all_is_sealed_with_the_new_one(store: Store, url: str):
    store.save_call(a_call("CA1", ani=CALLER), 0, NOW)
    store.queue_sms("CA1-x", CALLER, "a receipt", NOW)
    both = NumberSeals([OTHER_KEY, bytes(range(32))], bytes(32))
    new = open_store(url, numbers=both)
    assert new.seal_numbers() == 0
    assert new.seal_numbers(renew=True) == 2
    assert {one.id: one.rows for one in new.number_keys()} == {NUMBERS.sealing: 0, both.sealing: 2}
    assert new.drop_number_key(NUMBERS.sealing)
    new.close()
    last = open_store(url, numbers=NumberSeals([OTHER_KEY], bytes(32)))
    assert last.load_call("CA1").call.ani == last.texts_of("CA1")[0].recipient == CALLER  # type: ignore[union-attr]
    last.close()


def test_another_fingerprint_key_forgets_callers_until_their_numbers_are_sealed_by_another_key(store: Store, url: str):
    """What docs/card-data.md says of it. A charge is found by its call alone then."""
    store.save_call(a_call("CA1", ani=CALLER), 0, NOW)
    begin(store, "CA1-1", caller=hash_of_caller(bytes(32), CALLER))
    store.queue_sms("CA1-x", CALLER, "a receipt", NOW)
    assert not store.person(hash_of_caller(bytes(32), CALLER)).is_nobody
    other = bytes(range(2, 34))
    changed = open_store(url, numbers=NumberSeals([bytes(range(32))], other))
    assert changed.person(hash_of_caller(other, CALLER)).is_nobody
    assert changed.seal_numbers(renew=True) == 0, "they are sealed with the first key"
    changed.close()
    renewed = open_store(url, numbers=NumberSeals([OTHER_KEY, bytes(range(32))], other))
    assert renewed.seal_numbers(renew=True) == 2
    who = renewed.person(hash_of_caller(other, CALLER))
    assert ([*who.calls], [*who.charges], [*who.texts]) == (["CA1"], ["CA1-1"], ["CA1-x"])
    renewed.close()


def test_without_its_key_a_call_can_still_end(store: Store, url: str):
    store.save_call(a_call("CA1", ani=CALLER), 0, NOW)
    store.drop_number_key(NUMBERS.sealing)
    lost = open_store(url, numbers=NumberSeals([OTHER_KEY], bytes(32)))
    stored = lost.load_call("CA1")
    assert stored is not None
    assert (stored.call.ani, stored.is_whole) == ("", True)
    lost.close()


def test_a_deleted_number_leaves_no_byte_in_a_file_of_sqlite(sqlite_url: str, tmp_path: Path):
    """What sealing takes out of rows is not left on free pages or in the log either."""
    old = open_store(sqlite_url)
    for number in range(50):
        old.save_call(a_call(f"CA{number}", ani=CALLER), 0, NOW)
    old.close()
    store = open_store(sqlite_url, numbers=NUMBERS)
    store.seal_numbers()
    assert shows(sqlite_url, tmp_path) == []
    store.close()
    with closing(sqlite3.connect(tmp_path / "store.db")) as file:
        assert file.execute("SELECT count(*) FROM call WHERE caller LIKE 'sealed:%'").fetchone() == (50,)
