"""Jobs are leased to one holder at a time, oldest first, and every lease has its own fence."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from ivr.store import Store, open_store
from tests.store.payments import NOW, begin

MINUTE = timedelta(minutes=1)


def test_the_first_queued_comes_first_whatever_its_nodes_clock_said(store: Store):
    begin(store, "CA2-1", now=NOW + MINUTE)
    begin(store, "CA1-1", now=NOW)
    jobs = [store.claim(NOW + MINUTE, 60) for _ in range(3)]
    assert [job.reference if job else None for job in jobs] == ["CA2-1", "CA1-1", None]


def test_many_jobs_are_leased_at_once_but_no_more_than_asked_for(store: Store):
    for number in range(5):
        begin(store, f"CA{number}-1", caller=str(number))
    assert len(store.claim_jobs(NOW, 60, 3)) == 3
    assert len(store.claim_jobs(NOW, 60, 3)) == 2
    assert store.claim_jobs(NOW, 60, 3) == []


def test_a_lease_that_ran_out_is_given_to_the_next_with_a_higher_fence(store: Store):
    begin(store)
    first = store.claim(NOW, 60)
    assert store.claim(NOW + timedelta(seconds=59), 60) is None
    second = store.claim(NOW + timedelta(seconds=60), 60)
    assert first is not None
    assert second is not None
    assert (second.id, second.fence, second.attempts) == (first.id, first.fence + 1, 2)


def test_a_postponed_job_is_due_again_at_its_time(store: Store):
    begin(store)
    job = store.claim(NOW, 60)
    assert job is not None
    assert store.postpone(job, 60, NOW)
    assert store.claim(NOW + timedelta(seconds=59), 60) is None
    assert store.claim(NOW + MINUTE, 60) is not None


def test_many_forwarders_share_the_jobs_and_no_job_is_leased_twice(url: str, store: Store):
    for number in range(40):
        begin(store, f"CA{number}-1", caller=str(number), card=str(number))
    stores = [open_store(url) for _ in range(4)]

    def drain(own: Store) -> list[int]:
        leased: list[int] = []
        while jobs := own.claim_jobs(NOW, 60, 3):
            leased += [job.id for job in jobs]
        return leased

    with ThreadPoolExecutor(4) as pool:
        leased = Counter(number for numbers in pool.map(drain, stores) for number in numbers)
    for own in stores:
        own.close()
    assert len(leased) == 40
    assert set(leased.values()) == {1}


def test_a_text_that_cannot_be_kept_is_not_taken_for_one_that_was(store: Store):
    with pytest.raises(IntegrityError):
        store.queue_sms("CA1-receipt", None, "Paid.", NOW)  # type: ignore[arg-type]
    assert store.texts_of("CA1") == []


def test_a_text_is_queued_once_and_sent_once(store: Store):
    assert store.queue_sms("CA1-receipt", "+15550100", "Paid.", NOW)
    assert not store.queue_sms("CA1-receipt", "+15550100", "Paid again.", NOW)
    job = store.claim(NOW, 60)
    assert job is not None
    assert (job.kind, job.reference) == ("sms", "CA1-receipt")
    assert store.text_sent(job, NOW)
    assert not store.text_sent(job, NOW)
    message = store.text_message("CA1-receipt")
    assert message is not None
    assert (message.body, message.is_sent) == ("Paid.", True)
    assert store.texts_of("CA1") == [message]
    assert store.texts_of("CA") == []
