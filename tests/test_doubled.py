"""Every webhook of a paid call doubled: both copies at once, copies that come late, all of them once more in any order.

The answers are the same, and the effect is that of one.
"""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ivr.store import Store
from tests.benches import make_bench
from tests.faults import RECEIPT, Caller
from tests.patience import PATIENCE_S
from tests.store.databases import empty_sqlite, postgresql, postgresql_url, sqlite_url, store, url
from tests.webs import CALL_ID, Web, make_web

__all__ = ["empty_sqlite", "postgresql", "postgresql_url", "sqlite_url", "store", "url"]
Sent = tuple[str, dict[str, str]]


class Doubling:
    """In place of the web application: sends each webhook twice at once, and keeps what was sent and answered."""

    def __init__(self, web: Web, pool: ThreadPoolExecutor) -> None:
        self.web, self.bench, self._pool = web, web.bench, pool
        self.sent: list[Sent] = []

    def post(self, url: str, fields: dict[str, str]) -> httpx.Response:
        self.sent.append((url, fields))
        both = threading.Barrier(2)

        def one() -> httpx.Response:
            both.wait(PATIENCE_S)
            return self.web.post(url, fields)

        first, second = (asked.result() for asked in [self._pool.submit(one) for _ in range(2)])
        assert (first.status_code, first.text) == (second.status_code, second.text), url
        return first


class Late(Doubling):
    """Sends each webhook once, and then a copy of every one before it: each is answered as the call stands, and changes nothing."""

    def post(self, url: str, fields: dict[str, str]) -> httpx.Response:
        answer = self.web.post(url, fields)
        before, stored = effects(self.web), self.bench.workbench.store.load_call(CALL_ID)
        for late in self.sent:
            assert stored is not None
            assert self.web.post(*late).text == stored.answer, late
        assert effects(self.web) == before
        self.sent.append((url, fields))
        return answer


def effects(web: Web) -> list[object]:
    """All that a call leaves behind: its row, its charges and their entries, texts, bills, and the bank's books."""
    store, bank = web.bench.workbench.store, web.bench.bank
    payments = store.payments_of(CALL_ID)
    entries = [store.entries(payment.intent.reference) for payment in payments]
    texts = [(text.id, text.body) for text in store.texts_of(CALL_ID)]
    return [web.rows(), payments, entries, texts, store.find_bill("12345678"), dict(bank.charged), dict(bank.requests)]


def is_one_payment(web: Web) -> bool:
    """Charged once, sent once, one charge on record, and the bill paid."""
    store, bank = web.bench.workbench.store, web.bench.bank
    due = store.find_bill("12345678")
    assert [payment.status for payment in store.payments_of(CALL_ID)] == ["approved"]
    assert [money.minor for money in bank.charged.values()] == [4250]
    assert list(bank.requests.values()) == [1]
    return due is not None and due.due.minor == 0


@pytest.fixture
def web(sealing_key: Path, store: Store) -> Web:
    return make_web(make_bench(sealing_key, store=store))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as two:
        yield two


def test_every_webhook_twice_at_once_is_answered_alike_and_pays_once(web: Web, pool: ThreadPoolExecutor):
    doubling = Doubling(web, pool)
    line = Caller(doubling, web.bench.workbench.work)  # type: ignore[arg-type]
    assert line.to_the_end() == "Goodbye."
    assert RECEIPT in line.ever_said
    assert is_one_payment(web)
    assert set(line.statuses) == {200}


def test_a_hang_up_told_twice_at_once_promises_one_text(web: Web, pool: ThreadPoolExecutor):
    doubling = Doubling(web, pool)
    Caller(doubling, lambda: None).until("Thank you, one moment.")  # type: ignore[arg-type]
    doubling.post("/twilio/status", {"CallStatus": "completed"})
    for _ in range(3):
        web.bench.workbench.work()
        web.bench.workbench.clock.advance(600)
    assert len(web.bench.workbench.store.texts_of(CALL_ID)) == 1
    assert is_one_payment(web)


def test_copies_that_come_late_are_answered_as_the_call_stands_and_change_nothing(web: Web, pool: ThreadPoolExecutor):
    late = Late(web, pool)
    line = Caller(late, web.bench.workbench.work)  # type: ignore[arg-type]
    assert line.to_the_end() == "Goodbye."
    assert RECEIPT in line.ever_said
    assert is_one_payment(web)


@pytest.mark.parametrize("seed", range(3))
def test_all_of_them_once_more_in_any_order_after_the_end_change_nothing(web: Web, pool: ThreadPoolExecutor, seed: int):
    doubling = Doubling(web, pool)
    Caller(doubling, web.bench.workbench.work).to_the_end()  # type: ignore[arg-type]
    doubling.post("/twilio/status", {"CallStatus": "completed"})
    before, again = effects(web), [*doubling.sent]
    random.Random(seed).shuffle(again)
    answers = {web.post(*one).text for one in again if one[0] != "/twilio/status"}
    assert len(answers) == 1
    web.bench.workbench.work()
    assert effects(web) == before
    assert is_one_payment(web)
