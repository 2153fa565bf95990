"""Look-ups under way hold up nobody: begun once, waited for a moment, answered when they are asked for again."""

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from ivr.calls.billing import BillingDown, Told
from ivr.calls.look_ups import MOST_UNDER_WAY
from ivr.core.events import LookedUp, LookUpFailed
from ivr.core.money import Money
from tests.billing_endpoints import BillingServer, Request, hang, write
from tests.calls.billings import ACCOUNT, LONG, SOURCE, billing_at, due_now, look_up
from tests.store.payments import NOW


def test_a_look_up_that_takes_its_time_is_begun_once_and_answered_when_it_is_asked_for_again(server: BillingServer):
    may_answer = threading.Event()

    async def answer_later(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(may_answer.wait, LONG)
        write(writer, 200, b'{"due": "42.50 USD"}')

    server.handle = answer_later
    billing = billing_at(server.url, moment_s=0.0)
    assert [look_up(billing) for _ in range(5)] == [None] * 5
    (begun,) = billing._look_ups._begun.values()
    may_answer.set()
    begun.result(LONG)
    assert look_up(billing) == LookedUp(NOW, True, {"bill.due": Money(4250), "bill.min": Money(1)})
    assert len(server.requests) == 1
    may_answer.clear()
    assert look_up(billing) is None, "an answer is given once: the same question is then a new one"
    may_answer.set()


async def never() -> Told:
    """No endpoint: hundreds of requests that fail when its test is over would be heard of in the next one."""
    await asyncio.Event().wait()
    raise AssertionError


def test_what_is_due_is_asked_for_once_and_nobody_waits_for_a_slow_answer(server: BillingServer):
    may_answer = threading.Event()

    async def answer_later(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(may_answer.wait, LONG)
        write(writer, 200, b'{"due": "42.50 USD"}')

    server.handle = answer_later
    billing = billing_at(server.url, waiters=0)
    assert [billing.due_now(SOURCE, ACCOUNT, "CA1-1") for _ in range(5)] == [None] * 5
    assert billing.due_now(SOURCE, ACCOUNT, "CA1-2") is None, "another attempt is another question"
    may_answer.set()
    assert due_now(billing).amount == Money(4250)
    server.until(lambda: len(server.requests) == 2)
    assert [due_now(billing, asker="CA1-2").amount, len(server.requests)] == [Money(4250), 2]


def test_no_more_threads_wait_for_look_ups_than_may(server: BillingServer):
    """24 callers whose look-ups hang, and one thread that may wait: 23 are told to come again without waiting."""
    server.handle = hang
    billing = billing_at(server.url, waiters=1)
    done, left = threading.Semaphore(0), []

    def call(number: int) -> None:
        left.append(look_up(billing, asker=str(number)))
        done.release()

    for number in range(24):
        threading.Thread(target=call, args=(number,), daemon=True).start()
    for _ in range(23):
        assert done.acquire(timeout=LONG / 2), "a thread waits that should not"
    assert left == [None] * 23
    server.until(lambda: len(server.requests) == 24)


def test_after_a_look_up_that_took_longer_nobody_waits_until_one_is_quick_again(server: BillingServer):
    server.handle = hang
    billing = billing_at(server.url, moment_s=0.0)
    assert look_up(billing, asker="1") is None
    billing._look_ups._moment_s = LONG
    answered = threading.Event()

    def call() -> None:
        if look_up(billing, asker="2") is None:
            answered.set()

    threading.Thread(target=call, daemon=True).start()
    assert answered.wait(LONG / 2), "it waits, though the one before was slow"
    server.handle, server.bills[ACCOUNT] = None, {"due": "42.50 USD"}
    assert due_now(billing) is not None
    while look_up(billing, asker="3") is None:
        pass  # answered in its time: the next may be waited for
    assert isinstance(look_up(billing, asker="4"), LookedUp)


def test_more_look_ups_than_can_be_kept_are_refused_at_once(server: BillingServer):
    billing = billing_at(server.url, moment_s=0.0, waiters=0)
    for number in range(MOST_UNDER_WAY):
        assert billing._look_ups.ask(number, never) is None
    with capture_logs() as logs:
        assert look_up(billing, asker="one more") == LookUpFailed(NOW, "not_reached")
    assert "too many" in logs[0]["reason"]
    with pytest.raises(BillingDown, match="too many"):
        billing.due_now(SOURCE, ACCOUNT, "CA1-1")
    for begun in list(billing._look_ups._begun.values()):
        begun.cancel()
