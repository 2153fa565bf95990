"""Calls and texts from before numbers were sealed: what the database had in clear is sealed by the first set-up, and reads as before."""

from sqlalchemy import Engine, text

from ivr.store import open_store
from tests.store.databases import NUMBERS
from tests.store.payments import NOW, a_call
from tests.store.test_migration_0014 import bring
from tests.store.test_migration_0022 import engine, url_of

__all__ = ["engine"]
BEFORE = "0034"
CALLER, DIGITS = "+15557013998", "15557013998"


def rows(engine: Engine) -> str:
    with engine.connect() as connection:
        return repr(
            [
                tuple(row)
                for table in ("call", "text_message")
                for row in connection.execute(text(f"SELECT * FROM {table}"))
            ]
        )


def test_old_rows_are_sealed_and_found_by_their_number(engine: Engine):
    old = open_store(url_of(engine))
    old.save_call(a_call("CA1", ani=CALLER, phase="over", outcome="unpaid"), 0, NOW)
    old.save_call(a_call("CA2", ani="anonymous"), 0, NOW)
    old.queue_sms("CA1-x", CALLER, "a receipt", NOW)
    old.close()
    bring(engine, BEFORE, down=True)
    assert DIGITS in rows(engine)
    bring(engine, "head")
    store = open_store(url_of(engine), numbers=NUMBERS)
    assert [one.call.ani for one in store.latest_calls(9)].count(CALLER) == 1
    assert store.seal_numbers() == 3
    assert DIGITS not in rows(engine)
    found = store.person(NUMBERS.hash(CALLER))
    assert (found.calls, found.texts) == (["CA1"], ["CA1-x"])
    assert {one.id: one.call.ani for one in store.latest_calls(9)} == {"CA1": CALLER, "CA2": "anonymous"}
    store.close()
