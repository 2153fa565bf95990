"""What a bank tells by itself, asked of the ledger: what it moves, what is written down of it, and what is known or waits."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.core.money import Money
from ivr.store import (
    UNDO_ASKED,
    AttemptLimits,
    BankWord,
    Bill,
    DueNow,
    FollowUp,
    Job,
    Modification,
    ModificationWord,
    News,
    NoCard,
    Payment,
    Status,
    Store,
    TooEarly,
    WantedModification,
    Which,
    open_store,
)
from tests.store.parts import DUE, begin_part, end_call, pay_part
from tests.store.parts import found as found_part
from tests.store.payments import ACCOUNT, NOW, a_call, begin, intent, jwe_of, stage

CHARGED = Money(4250)
BANK = Which("bank:acme_bank")
LATER = NOW + timedelta(minutes=1)
FINAL: tuple[Status, ...] = ("approved", "declined", "reversed", "not_sent")


def leased(store: Store, kind: str = "authorize") -> Job:
    (job,) = store.claim_jobs(NOW, 60, 1, BANK)
    assert job.kind == kind
    return job


def charge(store: Store, status: Status = "approved", word: BankWord | None = None, **how: object) -> Payment:
    begin(store, **how)  # type: ignore[arg-type]
    job = leased(store)
    assert store.mark_sent(job)
    if status == "reversed":
        assert store.record(job, "unknown", NOW)
        assert store.record(leased(store, "resolve"), "reversed", NOW)
    else:
        assert store.record(job, status, NOW, word or BankWord())
    return found(store)


def found(store: Store, reference: str = "CA1-1") -> Payment:
    payment = store.payment(reference)
    assert payment is not None
    return payment


def tell(
    store: Store,
    told: str,
    minor: int = 4250,
    event: str = "",
    about: str = "CA1-1",
    follow_up: FollowUp | None = None,
    word: BankWord | None = None,
    **more: object,
) -> str:
    """`event`: one of its own for each kind and amount, where none is given."""
    news = News("acme_bank", event or f"{told} {minor}", about, told, word or BankWord(), Money(minor), **more)  # type: ignore[arg-type]
    return store.hear(news, LATER, follow_up or FollowUp())


def story(store: Store) -> list[str]:
    return store.entries("CA1-1")


def written(store: Store, *kinds: str) -> list[tuple[str, int, int, str]]:
    """Kind, minor units, number and time of the entries of these kinds; all are in the charge's currency."""
    entries = [one for one in store.ledger_of("CA1") if one.kind in kinds]
    assert {one.amount.currency for one in entries} <= {found(store).intent.amount.currency}
    return [(one.kind, one.amount.minor, one.modification, one.at.strftime("%M:%S")) for one in entries]


def jobs(store: Store) -> dict[str, int]:
    return {kind: count for kind, count in store.outbox_depth().items() if count}


def ask(store: Store, kind: str, minor: int = 4250, left: int = 4250) -> Modification:
    wanted = WantedModification("CA1-1", kind, Money(minor), Money(left), "ada")  # type: ignore[arg-type]
    asked = store.ask_modification(wanted, NOW)
    assert isinstance(asked, Modification)
    return asked


def end(store: Store, status: str, word: ModificationWord | None = None) -> None:
    job = leased(store, "modification")
    assert store.mark_modification_sent(job)
    if status == "unknown":
        assert store.doubt_modification(job, 300, NOW, None)
    elif status != "sent":
        assert store.end_modification(job, status, word or ModificationWord(), NOW)  # type: ignore[arg-type]


def stands(store: Store, key: str = "CA1-1-m1") -> str:
    one = store.modification(key)
    assert one is not None
    return one.status


# ---- of which charge


def test_news_of_a_charge_of_another_bank_or_of_none_are_not_ours(store: Store):
    charge(store, "unknown")
    assert tell(store, "approved", about="CA2-1") == "not_ours"
    other = News("other_bank", "e1", "CA1-1", "approved", BankWord(), CHARGED)
    assert store.hear(other, NOW, FollowUp()) == "not_ours"
    assert found(store).status == "unknown"
    assert store.hear(replace(other, bank="acme_bank"), NOW, FollowUp()) == "moved"


def test_a_charge_is_found_by_the_banks_own_name_of_it_where_one_alone_has_that(store: Store):
    charge(store, word=BankWord(bank_reference="psp-1"))
    named = {"about": "", "word": BankWord(bank_reference="psp-1")}
    assert tell(store, "reversed", **named) == "lost"  # type: ignore[arg-type]
    begin(store, "CA2-1", card="another", caller="another")
    job = leased(store)
    assert store.mark_sent(job)
    assert store.record(job, "approved", NOW, BankWord(bank_reference="psp-1"))
    assert tell(store, "refunded", **named) == "not_ours"  # type: ignore[arg-type]


def test_news_that_names_nothing_are_of_no_charge(store: Store):
    charge(store)
    assert tell(store, "reversed", about="") == "not_ours"
    assert tell(store, "reversed", event="e2", about="", word=BankWord(bank_reference="psp-2")) == "not_ours"


@pytest.mark.parametrize("is_sent", [False, True])
def test_news_that_come_before_the_answer_are_to_be_told_again(store: Store, is_sent: bool):
    begin(store)
    job = leased(store)
    if is_sent:
        assert store.mark_sent(job)
    with pytest.raises(TooEarly, match="CA1-1"):
        tell(store, "approved")
    if not is_sent:
        assert store.mark_sent(job)
    assert store.record(job, "unknown", NOW)
    assert tell(store, "approved") == "moved"


def test_the_same_news_are_heard_once_however_long_their_name_is(store: Store):
    charge(store)
    assert tell(store, "refunded", 100, event="e" * 121) == "noted"
    assert tell(store, "refunded", 100, event="e" * 130) == "known"
    assert tell(store, "refunded", 100, event="e" * 119) == "noted"
    other = News("other_bank", "e" * 119, "CA9-1", "refunded", BankWord(), CHARGED)
    assert store.hear(other, NOW, FollowUp()) == "not_ours", "the events of another bank are others"


# ---- of an answer


@pytest.mark.parametrize(
    ("stood", "told", "effect", "then"),
    [
        ("unknown", "approved", "moved", "approved"),
        ("unknown", "declined", "moved", "declined"),
        ("unknown", "reversed", "moved", "reversed"),
        ("unknown", "something else", "known", "unknown"),
        ("unknown", "undo_refused", "noted", "unknown"),
        ("approved", "approved", "known", "approved"),
        ("approved", "declined", "known", "approved"),
        ("approved", "reversed", "lost", "approved"),
        *((stood, "approved", "contradicts", stood) for stood in FINAL[1:]),
        *((stood, "declined", "known", stood) for stood in FINAL[1:]),
        *((stood, "reversed", "known", stood) for stood in FINAL[1:]),
    ],
)
def test_what_is_told_of_a_charge_moves_one_without_an_answer_alone(
    store: Store, stood: Status, told: str, effect: str, then: Status
):
    charge(store, stood)
    before = story(store)
    assert tell(store, told) == effect
    assert found(store).status == then
    noted = {"moved": [then], "noted": [told], "lost": ["capture_failed", "hold_lapsed"]}.get(effect, [])
    assert story(store) == before + noted


def test_an_answer_that_is_told_is_the_charges_answer_with_all_that_follows(store: Store):
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(1))])
    charge(store, "unknown", pays=ACCOUNT)
    assert jobs(store) == {"resolve": 1}
    word = BankWord("482913", "00", bank_reference="psp-1")
    assert tell(store, "approved", follow_up=FollowUp(capture=True), word=word) == "moved"
    payment, bill = found(store), store.find_bill(ACCOUNT)
    assert (payment.authorization_code, payment.response_code, payment.bank_reference) == ("482913", "00", "psp-1")
    assert jobs(store) == {"capture": 1}
    assert bill is not None
    assert bill.due.minor == 0
    assert written(store, "approved") == [("approved", 4250, 0, "01:00")]


@pytest.mark.parametrize("told", ["approved", "declined", "reversed"])
def test_an_answer_that_is_told_leaves_the_card_in_no_file(sqlite_url: str, told: str):
    """Not in the write-ahead log either."""
    store, file = open_store(sqlite_url), Path(sqlite_url.removeprefix("sqlite:///"))
    log = file.with_name(f"{file.name}-wal")
    charge(store, "unknown")
    card = jwe_of("CA1-1", "card_number").encode()
    assert card in file.read_bytes() + log.read_bytes()
    assert tell(store, told) == "moved"
    written = file.read_bytes() + log.read_bytes()
    store.close()
    assert card not in written


@pytest.mark.parametrize(
    ("why", "is_told"), [("of less", False), ("of more", False), ("while undone", False), ("as asked", True)]
)
def test_an_approval_is_believed_where_it_is_as_asked_for_and_nobody_undoes_it(store: Store, why: str, is_told: bool):
    charge(store, "unknown")
    if why == "while undone":
        assert store.note_unanswered(leased(store, "resolve"), UNDO_ASKED, NOW)
    minor = {"of less": 4249, "of more": 4251}.get(why, 4250)
    assert tell(store, "approved", minor) == ("moved" if is_told else "known")
    assert found(store).status == ("approved" if is_told else "unknown")


def test_a_decline_is_believed_whatever_amount_it_names(store: Store):
    charge(store, "unknown")
    assert tell(store, "declined", 0) == "moved"
    assert found(store).intent.amount == CHARGED


@pytest.mark.parametrize(
    ("minor", "currency", "is_part"),
    [(1999, "USD", True), (1, "USD", True), (0, "USD", False), (1999, "EUR", False), (2001, "USD", False)],
)
def test_a_part_is_approved_by_its_news_where_the_bank_was_told_that_it_may(
    store: Store, minor: int, currency: str, is_part: bool
):
    store.renew_bills([Bill(ACCOUNT, Money(DUE), Money(1000))])
    begin_part(store, 1, 2000)
    job = leased(store)
    assert store.mark_sent(job)
    assert store.record(job, "unknown", NOW)
    news = News("acme_bank", "e1", "CA1-1", "approved", BankWord(), Money(minor, currency))
    assert store.hear(news, LATER, FollowUp()) == ("moved" if is_part else "known")
    part = found_part(store, 1)
    assert (part.status, part.intent.amount.minor) == (("approved", minor) if is_part else ("unknown", 2000))


def test_less_than_a_whole_charge_is_no_part_of_it(store: Store):
    charge(store, "unknown")
    assert tell(store, "approved", 2000) == "known"


# ---- the bank lets go


def test_a_charge_that_the_bank_lets_go_of_is_captured_no_more(store: Store):
    begin(store)
    job = leased(store)
    store.mark_sent(job)
    assert store.record(job, "approved", NOW, BankWord(), FollowUp(capture=True))
    assert jobs(store) == {"capture": 1}
    assert tell(store, "reversed") == "lost"
    assert jobs(store) == {}
    assert written(store, "capture_failed", "hold_lapsed") == [
        ("capture_failed", 4250, 0, "01:00"),
        ("hold_lapsed", 4250, 0, "01:00"),
    ]


def test_a_part_that_the_bank_lets_go_of_is_undone(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(DUE), Money(1000))])
    pay_part(store, 1, 2000)
    assert tell(store, "reversed", 2000) == "lost"
    assert found_part(store, 1).part == "undone"


def test_a_part_whose_void_the_bank_refuses_later_counts(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(DUE), Money(1000))])
    store.save_call(a_call("CA1"), 0, NOW)
    pay_part(store, 1, 2000)
    end_call(store, 1)
    end(store, "taken")
    assert tell(store, "undo_refused", 2000, about="CA1-1-m1") == "moved"
    assert found_part(store, 1).part == ""
    assert [one.kind for one in store.modifications_of("CA1-1")] == ["void"]


def test_what_was_captured_before_is_not_let_go_of(store: Store):
    charge(store)
    assert tell(store, "captured") == "noted"
    assert tell(store, "reversed") == "known"
    assert tell(store, "capture_failed") == "noted"
    assert tell(store, "reversed", event="again") == "lost"


@pytest.mark.parametrize(
    ("void", "effect", "then"),
    [("sent", "early", "sent"), ("unknown", "moved", "done"), ("taken", "moved", "done"), ("failed", "lost", "failed")],
)
def test_a_void_that_the_bank_had_is_done_by_its_letting_go(store: Store, void: str, effect: str, then: str):
    charge(store)
    ask(store, "void")
    end(store, void)
    if effect == "early":
        with pytest.raises(TooEarly):
            tell(store, "reversed")
    else:
        assert tell(store, "reversed") == effect
    assert stands(store) == then


def test_a_charge_that_was_voided_is_not_let_go_of_again(store: Store):
    charge(store)
    ask(store, "void")
    end(store, "done")
    assert tell(store, "reversed") == "known"
    assert story(store) == ["requested", "approved", "void_asked", "voided"]


@pytest.mark.parametrize(("tells", "owes"), [(False, 4250), (True, 0)])
def test_a_reserved_amount_that_lapses_is_owed_again_where_we_hold_the_bills(store: Store, tells: bool, owes: int):
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(1))])
    charge(store, pays=ACCOUNT, captures_later=True)
    assert tell(store, "reversed", follow_up=FollowUp(tell_billing=tells)) == "lapsed"
    bill = store.find_bill(ACCOUNT)
    assert bill is not None
    assert bill.due.minor == owes
    assert written(store, "hold_lapsed", "capture_failed") == [("hold_lapsed", 4250, 0, "01:00")]


# ---- captures


def test_a_capture_is_written_down_once_and_what_failed_has_its_number(store: Store):
    charge(store)
    told = [
        ("captured", 4250, "first"),
        ("captured", 4250, "again"),
        ("capture_failed", 4250, "failed"),
        ("capture_failed", 4250, "failed again"),
        ("captured", 4000, "after all"),
        ("capture_failed", 4000, "no"),
    ]
    assert {tell(store, kind, minor, event) for kind, minor, event in told} == {"noted"}
    assert written(store, "captured", "capture_failed") == [
        ("captured", 4250, 0, "01:00"),
        ("capture_failed", 4250, 0, "01:00"),
        ("captured", 4000, -1, "01:00"),
        ("capture_failed", 4000, -1, "01:00"),
    ]


def test_a_capture_that_failed_before_any_is_written_down(store: Store):
    charge(store)
    assert tell(store, "capture_failed") == "noted"
    assert tell(store, "captured") == "noted"
    assert written(store, "captured", "capture_failed") == [
        ("capture_failed", 4250, 0, "01:00"),
        ("captured", 4250, -1, "01:00"),
    ]


@pytest.mark.parametrize("named", [True, False])
def test_a_capture_that_the_bank_names_ends_with_its_failure_in_whatever_order_that_is_told(store: Store, named: bool):
    charge(store)
    name = {"modification": "cap-1"} if named else {}
    told = [tell(store, kind, **name) for kind in ("capture_failed", "captured")]  # type: ignore[arg-type]
    assert told == ["noted", "known" if named else "noted"]
    again = tell(store, "capture_failed", event="again", **name)  # type: ignore[arg-type]
    assert again == ("known" if named else "noted")
    assert tell(store, "captured", event="another", modification="cap-2") == "noted"


def test_a_capture_that_the_bank_names_is_told_before_its_failure_too(store: Store):
    charge(store)
    told = [tell(store, kind, modification="cap-1") for kind in ("captured", "capture_failed")]
    assert told == ["noted", "noted"]
    assert [kind for kind, *_ in written(store, "captured", "capture_failed")] == ["captured", "capture_failed"]


def test_a_refund_with_the_name_of_a_capture_is_none(store: Store):
    charge(store)
    tell(store, "capture_failed", modification="one")
    assert tell(store, "refunded", 100, modification="one") == "noted"


@pytest.mark.parametrize(("tells", "notices"), [(False, 0), (True, 1)])
def test_billing_is_told_once_a_reserved_amount_is_captured_at_the_bank(store: Store, tells: bool, notices: int):
    charge(store, pays=ACCOUNT, captures_later=True, due=DueNow(CHARGED, NOW))
    assert tell(store, "capture_failed", follow_up=FollowUp(tell_billing=tells)) == "noted"
    assert jobs(store) == {}
    assert tell(store, "captured", follow_up=FollowUp(tell_billing=tells)) == "noted"
    assert jobs(store).get("notice", 0) == notices


@pytest.mark.parametrize(("minor", "tells", "owes"), [(4250, False, 0), (4000, False, 250), (4000, True, 0)])
def test_a_capture_of_less_than_was_reserved_leaves_the_rest_owed(store: Store, minor: int, tells: bool, owes: int):
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(1))])
    charge(store, pays=ACCOUNT, captures_later=True)
    assert tell(store, "captured", minor, follow_up=FollowUp(tell_billing=tells)) == "noted"
    bill = store.find_bill(ACCOUNT)
    assert bill is not None
    assert bill.due.minor == owes


def test_a_capture_that_is_told_before_the_approval_leaves_the_bill_as_it_is(store: Store):
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(1))])
    charge(store, "unknown", pays=ACCOUNT, captures_later=True)
    assert tell(store, "captured", 4000) == "noted"
    bill = store.find_bill(ACCOUNT)
    assert bill is not None
    assert bill.due.minor == 4250


# ---- refunds at the bank


def at_bank(store: Store) -> list[tuple[str, int, int, str]]:
    return written(store, "refunded_at_bank", "bank_refund_failed")


def test_each_refund_at_the_bank_is_written_down_by_its_name_once(store: Store):
    charge(store)
    told = [
        tell(store, "refunded", minor, event, modification=name)
        for minor, event, name in (
            (1000, "a", "r1"),
            (1000, "b", "r1"),
            (1000, "c", "r2"),
            (0, "d", "r3"),
            (1, "e", "r4"),
        )
    ]
    assert told == ["noted", "known", "noted", "known", "noted"]
    assert at_bank(store) == [
        ("refunded_at_bank", 1000, 0, "01:00"),
        ("refunded_at_bank", 1000, -1, "01:00"),
        ("refunded_at_bank", 1, -2, "01:00"),
    ]


def test_refunds_of_a_charge_that_the_bank_names_by_its_own_name_are_each_written_down(store: Store):
    charge(store, word=BankWord(bank_reference="psp-1"))
    for event in ("a", "b"):
        assert tell(store, "refunded", 1000, event, about="", word=BankWord(bank_reference="psp-1")) == "noted"
    assert [number for _, _, number, _ in at_bank(store)] == [0, -1]


def test_a_refund_is_written_down_and_taken_back_in_the_charges_own_currency(store: Store):
    stage(store, "CA1-1")
    store.begin_payment(replace(intent(), amount=Money(4250, "EUR")), AttemptLimits(), NOW)
    job = leased(store)
    store.mark_sent(job)
    assert store.record(job, "approved", NOW)
    for told in ("refunded", "refund_failed"):
        news = News("acme_bank", told, "CA1-1", told, BankWord(), Money(100, "EUR"), modification="r1")
        assert store.hear(news, LATER, FollowUp()) == "noted"
    assert at_bank(store) == [("refunded_at_bank", 100, 0, "01:00"), ("bank_refund_failed", 100, 0, "01:00")]


def test_all_that_was_charged_may_be_given_back_and_no_more(store: Store):
    charge(store)
    assert [tell(store, "refunded", minor) for minor in (4249, 1, 2)] == ["noted", "noted", "contradicts"]


def test_a_refund_in_another_currency_is_written_nowhere(store: Store):
    charge(store)
    for told in ("refunded", "refund_failed"):
        news = News("acme_bank", told, "CA1-1", told, BankWord(), Money(100, "EUR"), modification="r1")
        assert store.hear(news, NOW, FollowUp()) == ("contradicts" if told == "refunded" else "known")
    assert at_bank(store) == []


def test_a_refund_that_failed_in_another_currency_takes_nothing_back(store: Store):
    charge(store)
    tell(store, "refunded", 1000, modification="r1")
    news = News("acme_bank", "failed", "CA1-1", "refund_failed", BankWord(), Money(1000, "EUR"), modification="r1")
    assert store.hear(news, NOW, FollowUp()) == "known"
    assert store.balance_of(found(store)).returned == Money(1000)


def test_a_refund_at_the_bank_that_failed_is_taken_back_once(store: Store):
    charge(store)
    tell(store, "refunded", 1000, modification="r1")
    tell(store, "refunded", 500, modification="r2")
    assert tell(store, "refund_failed", 1000, modification="r1") == "noted"
    assert tell(store, "refund_failed", 1000, "again", modification="r1") == "known"
    assert tell(store, "refund_failed", 500, modification="r2") == "noted"
    assert at_bank(store)[2:] == [("bank_refund_failed", 1000, 0, "01:00"), ("bank_refund_failed", 500, -1, "01:00")]
    assert store.balance_of(found(store)).returned == Money(0)


def test_a_refund_that_failed_before_it_was_told_gives_and_takes_nothing(store: Store):
    charge(store)
    tell(store, "refunded", 1000, modification="other")
    assert tell(store, "refund_failed", 1000, modification="r1") == "known"
    assert tell(store, "refunded", 1000, "late", modification="r1") == "known"
    assert store.balance_of(found(store)).returned == Money(1000)


def test_a_refund_that_failed_without_a_name_is_none_that_we_know(store: Store):
    charge(store)
    tell(store, "refunded", 1000)
    assert tell(store, "refund_failed", 1000) == "known"
    assert tell(store, "refund_failed", 1, "cent", modification="r9") == "known"


def test_no_more_is_taken_back_than_was_given_back_at_the_bank(store: Store):
    charge(store)
    tell(store, "refunded", 1000, modification="r1")
    assert tell(store, "refund_failed", 2000, modification="r1") == "noted"
    assert at_bank(store)[1:] == [("bank_refund_failed", 1000, 0, "01:00")]
    assert tell(store, "refund_failed", 1000, "more", modification="r2") == "known"


def test_of_a_bank_that_tells_totals_a_failed_refund_takes_back_what_was_told(store: Store):
    charge(store)
    assert tell(store, "refunded", 1500, is_total=True, told_at_s=10) == "noted"
    assert tell(store, "refund_failed", 1000, modification="r1", is_total=True, told_at_s=20) == "noted"
    assert store.balance_of(found(store)).returned == Money(500)
    assert tell(store, "refund_failed", 1, "cent", modification="r2", is_total=True, told_at_s=20) == "noted"
    assert store.balance_of(found(store)).returned == Money(499)


@pytest.mark.parametrize(("told_at_s", "returned"), [(19, 500), (20, 500), (21, 1500)])
def test_a_total_from_before_a_refund_failed_is_less_that_refund(store: Store, told_at_s: int, returned: int):
    """Seconds by the bank's clock; the refund of 1000 failed at 20."""
    charge(store)
    assert tell(store, "refund_failed", 1000, modification="r1", told_at_s=20) == "known"
    assert tell(store, "refund_failed", 1000, "again", modification="r1", told_at_s=30) == "known", (
        "told twice, counted once"
    )
    assert tell(store, "refunded", 1500, is_total=True, told_at_s=told_at_s) == "noted"
    assert store.balance_of(found(store)).returned == Money(returned)


def test_a_total_that_a_failed_refund_makes_nothing_is_known(store: Store):
    charge(store)
    tell(store, "refund_failed", 1000, modification="r1", told_at_s=20)
    assert tell(store, "refunded", 1, is_total=True, told_at_s=10) == "known"
    assert tell(store, "refunded", 1000, is_total=True, told_at_s=10) == "known"
    assert tell(store, "refunded", 1001, is_total=True, told_at_s=10) == "noted"
    assert store.balance_of(found(store)).returned == Money(1)


def test_a_refund_by_its_name_is_less_no_other_that_failed(store: Store):
    charge(store)
    tell(store, "refund_failed", 1000, modification="r1", told_at_s=20)
    assert tell(store, "refunded", 1500, modification="r2", told_at_s=10) == "noted"
    assert store.balance_of(found(store)).returned == Money(1500)


def test_the_failures_of_one_charge_are_not_anothers(store: Store):
    charge(store)
    begin(store, "CA1-10", card="another", caller="another")
    job = leased(store)
    store.mark_sent(job)
    store.record(job, "approved", NOW)
    tell(store, "refund_failed", 1000, about="CA1-10", modification="r1", told_at_s=20)
    assert tell(store, "refunded", 1000, is_total=True, told_at_s=10) == "noted"
    assert store.balance_of(found(store)).returned == Money(1000)


def test_a_refund_of_ours_that_failed_is_not_in_a_total_of_before(store: Store):
    charge(store)
    ask(store, "refund", 1000)
    end(store, "done", ModificationWord(bank_reference="re-1"))
    assert tell(store, "refund_failed", 1000, about="CA1-1-m1", modification="re-1", told_at_s=20) == "moved"
    assert tell(store, "refunded", 1000, is_total=True, told_at_s=10) == "known"
    assert tell(store, "refunded", 1000, "after", is_total=True, told_at_s=21) == "noted"


def test_a_failure_without_a_time_lowers_no_total(store: Store):
    charge(store)
    tell(store, "refund_failed", 1000, modification="r1")
    assert tell(store, "refunded", 1000, is_total=True, told_at_s=0) == "noted"


# ---- refunds, voids and captures that were asked for here


@pytest.mark.parametrize(
    ("kind", "told", "then"),
    [
        ("refund", "refunded", "done"),
        ("refund", "refund_failed", "failed"),
        ("void", "reversed", "done"),
        ("void", "undo_refused", "failed"),
        ("capture", "captured", "done"),
        ("capture", "capture_failed", "failed"),
        ("refund", "captured", ""),
        ("void", "refunded", ""),
        ("capture", "reversed", ""),
    ],
)
@pytest.mark.parametrize("stood", ["unknown", "taken"])
def test_what_was_asked_for_ends_by_the_banks_news_of_it(store: Store, kind: str, told: str, then: str, stood: str):
    charge(store)
    asked = ask(store, kind)
    end(store, stood)
    word = BankWord(response_code="05")
    effect = tell(store, told, about=asked.id, word=word, modification="mod-1", reason="account closed")
    assert (effect, stands(store)) == (("moved", then) if then else ("known", stood))
    one = store.modification(asked.id)
    assert one is not None
    if then:
        assert (one.bank_reference, one.response_code) == ("mod-1", "05")
        assert one.reason == ("account closed" if then == "failed" else None)
        assert jobs(store) == {}, "nobody asks for it any more"
        assert story(store)[-1] == f"{kind}_failed" if then == "failed" else story(store)[-1] in told + "voided"


@pytest.mark.parametrize("stood", ["asked", "sent"])
def test_news_of_what_is_on_its_way_are_to_be_told_again(store: Store, stood: str):
    charge(store)
    asked = ask(store, "refund", 1000)
    if stood == "sent":
        end(store, "sent")
    with pytest.raises(TooEarly, match=asked.id):
        tell(store, "refunded", 1000, about=asked.id)
    assert stands(store) == stood


def test_what_was_asked_for_is_found_by_the_banks_name_of_it(store: Store):
    charge(store)
    ask(store, "refund", 1000)
    end(store, "taken", ModificationWord(bank_reference="re-1"))
    other = News("other_bank", "e1", "CA1-1", "refunded", BankWord(), Money(1000), modification="re-1")
    assert store.hear(other, NOW, FollowUp()) == "not_ours"
    assert tell(store, "refunded", 1000, about="", modification="re-1") == "moved"
    one = store.modification("CA1-1-m1")
    assert one is not None
    assert (one.status, one.bank_reference) == ("done", "re-1")


def test_news_without_a_name_leave_the_name_that_it_has(store: Store):
    charge(store)
    ask(store, "refund", 1000)
    end(store, "taken", ModificationWord(bank_reference="re-1"))
    assert tell(store, "refunded", 1000, about="CA1-1-m1") == "moved"
    one = store.modification("CA1-1-m1")
    assert one is not None
    assert one.bank_reference == "re-1"


def test_another_amount_ends_nothing_that_was_asked_for(store: Store):
    charge(store)
    ask(store, "refund", 1000)
    end(store, "taken")
    assert tell(store, "refunded", 999, about="CA1-1-m1") == "contradicts"
    news = News("acme_bank", "other money", "CA1-1-m1", "refunded", BankWord(), Money(1000, "EUR"))
    assert store.hear(news, NOW, FollowUp()) == "contradicts"
    assert stands(store) == "taken"


@pytest.mark.parametrize(
    ("kind", "stood", "told", "effect"),
    [
        ("refund", "done", "refunded", "known"),
        ("refund", "done", "refund_failed", "moved"),
        ("refund", "failed", "refunded", "contradicts"),
        ("refund", "failed", "refund_failed", "known"),
        ("void", "done", "undo_refused", "known"),
        ("void", "done", "reversed", "known"),
        ("void", "failed", "reversed", "contradicts"),
        ("capture", "done", "capture_failed", "moved"),
        ("capture", "failed", "captured", "contradicts"),
    ],
)
def test_what_has_ended_moves_by_what_came_back_alone(store: Store, kind: str, stood: str, told: str, effect: str):
    charge(store)
    asked = ask(store, kind)
    end(store, stood)
    assert tell(store, told, about=asked.id) == effect
    assert stands(store) == ("failed" if effect == "moved" else stood)


@pytest.mark.parametrize(
    ("told", "stood", "then"),
    [
        ("captured", "unknown", "done"),
        ("captured", "taken", "taken"),
        ("capture_failed", "done", "failed"),
        ("capture_failed", "taken", "taken"),
    ],
)
def test_a_capture_that_was_asked_for_is_found_by_its_charge(store: Store, told: str, stood: str, then: str):
    charge(store, captures_later=True)
    ask(store, "refund", 0 + 1)
    end(store, "failed")
    ask(store, "capture")
    job = leased(store, "modification")
    assert store.mark_modification_sent(job)
    if stood == "unknown":
        assert store.doubt_modification(job, 300, NOW, None)
    else:
        assert store.end_modification(job, stood, ModificationWord(), NOW)  # type: ignore[arg-type]
    assert tell(store, told) == ("moved" if then != stood else "noted")
    assert (stands(store), stands(store, "CA1-1-m2")) == ("failed", then)


def test_billing_is_told_of_a_capture_that_is_found_by_its_charge(store: Store):
    charge(store, pays=ACCOUNT, captures_later=True, due=DueNow(CHARGED, NOW))
    ask(store, "capture")
    end(store, "unknown")
    assert tell(store, "captured", follow_up=FollowUp(tell_billing=True)) == "moved"
    assert jobs(store) == {"notice": 1}


def test_a_captured_reservation_has_billing_told_by_the_news_of_it(store: Store):
    charge(store, pays=ACCOUNT, captures_later=True, due=DueNow(CHARGED, NOW))
    asked = ask(store, "capture")
    end(store, "taken")
    assert tell(store, "captured", about=asked.id, follow_up=FollowUp(tell_billing=True)) == "moved"
    assert jobs(store) == {"notice": 1}
    assert written(store, "captured") == [("captured", 4250, 1, "01:00")]


# ---- cards that the bank keeps

TOKEN = BankWord(bank_reference="psp-1", kept_token="tok-0123456789", kept_until="2030-12")


def keeping(store: Store, status: Status, bank_reference: str | None = "psp-1", reference: str = "CA1-1") -> Job | None:
    """A charge that is to keep its card, and the job to find out what became of it."""
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(1))])
    stage(store, reference, card=reference)
    wanted = replace(intent(reference, pays=ACCOUNT), keeps_card=True)
    store.begin_payment(wanted, AttemptLimits(), NOW)
    job = leased(store)
    if status == "accepted":
        return job
    assert store.mark_sent(job)
    if status == "sent":
        return job
    assert store.record(job, status, NOW, BankWord(bank_reference=bank_reference))
    return leased(store, "resolve") if status == "unknown" else None


def tell_token(store: Store, event: str = "token", word: BankWord = TOKEN) -> str:
    return tell(store, "kept", 0, event, about="", word=word)


def tokens(store: Store) -> list[str]:
    return [one.token for one in store.kept_cards(9)]


def test_a_token_is_kept_with_the_charge_that_the_bank_names(store: Store):
    keeping(store, "approved")
    assert tell_token(store) == "noted"
    assert tell_token(store, "again") == "known"
    (kept,) = store.kept_cards(9)
    assert (kept.token, kept.expires, kept.kept_at) == ("tok-0123456789", "2030-12", LATER)


def test_a_token_of_a_charge_of_nobody_is_not_ours(store: Store):
    keeping(store, "approved")
    assert tell_token(store, word=replace(TOKEN, bank_reference="psp-2")) == "not_ours"
    other = News("other_bank", "e1", "", "kept", TOKEN, Money(0))
    assert store.hear(other, NOW, FollowUp()) == "not_ours"
    assert tokens(store) == []


@pytest.mark.parametrize("status", ["accepted", "sent", "unknown"])
def test_a_token_that_may_be_of_a_charge_without_an_answer_is_to_be_told_again(store: Store, status: Status):
    job = keeping(store, status, None)
    with pytest.raises(TooEarly, match="token"):
        tell_token(store)
    other = News("other_bank", "e1", "", "kept", TOKEN, Money(0))
    assert store.hear(other, NOW, FollowUp()) == "not_ours", "no charge of that bank waits"
    assert job is not None
    if status == "accepted":
        assert store.mark_sent(job)
    assert store.record(job, "approved", NOW, BankWord(bank_reference="psp-1"))
    assert tell_token(store) == "noted"
    assert tokens(store) == ["tok-0123456789"]


def test_a_token_of_a_charge_in_doubt_is_to_be_told_again(store: Store):
    job = keeping(store, "unknown", "psp-1")
    with pytest.raises(TooEarly):
        tell_token(store)
    assert job is not None
    assert store.record(job, "declined", NOW)
    assert tell_token(store) == "known"
    assert tokens(store) == []


def test_a_charge_that_keeps_no_card_holds_no_token_up(store: Store):
    begin(store)
    assert tell_token(store) == "not_ours"
    with pytest.raises(NoCard):
        store.begin_payment(intent("CA2-1"), AttemptLimits(), NOW)


@pytest.mark.parametrize("told", ["approved", "kept"])
def test_a_token_with_the_name_of_its_charge_is_kept_once(store: Store, told: str):
    keeping(store, "approved")
    assert tell(store, told, word=TOKEN) == "noted"
    assert tell(store, told, event="again", word=TOKEN) == "known"
    assert tokens(store) == ["tok-0123456789"]


def test_no_card_is_kept_by_news_of_anything_but_an_approval_or_a_token(store: Store):
    keeping(store, "approved")
    assert tell(store, "captured", word=TOKEN) == "noted"
    assert tokens(store) == []


def test_a_token_of_a_charge_in_doubt_waits_with_it(store: Store):
    job = keeping(store, "unknown")
    assert tell(store, "kept", word=TOKEN) == "known"
    assert tokens(store) == []
    assert job is not None
    assert store.record(job, "approved", NOW)
    assert tokens(store) == ["tok-0123456789"]


def test_a_token_that_came_with_an_approval_that_is_not_believed_waits_for_the_answer(store: Store):
    job = keeping(store, "unknown")
    assert tell(store, "approved", 4251, word=TOKEN) == "known"
    assert job is not None
    assert store.record(job, "approved", NOW)
    assert tokens(store) == ["tok-0123456789"]
