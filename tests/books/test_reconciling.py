"""Every way in which a bank's file can differ from our ledger is named once, and what agrees is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ivr.books import CAUSES, BankRow, Difference, reconcile
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.store import BankWord, FollowUp, Job, ModificationWord, News, Store, WantedModification
from tests.store.payments import NOW, begin

DAY = NOW.date()
A_DAY = timedelta(days=1)


def due(store: Store) -> Job:
    job = store.claim(NOW + timedelta(days=300), 60)
    assert job is not None
    return job


def charge(store: Store, reference: str, status: str = "approved", at: datetime = NOW) -> None:
    begin(store, reference, caller=reference, card=reference, now=at)
    job = due(store)
    store.mark_sent(job)
    if status != "sent":
        word = BankWord("482913", "00", f"bank-{reference}")
        store.record(job, status, at, word, FollowUp())  # type: ignore[arg-type]


def give_back(store: Store, reference: str, minor: int, kind: str = "refund", at: datetime = NOW) -> None:
    payment = store.payment(reference)
    assert payment is not None
    left = store.balance_of(payment).refundable
    store.ask_modification(WantedModification(reference, kind, Money(minor), left, "operator"), at)  # type: ignore[arg-type]
    job = due(store)
    assert store.mark_modification_sent(job)
    assert store.end_modification(job, "done", ModificationWord(None, "00", None), at)


def row(
    line: int, reference: str, minor: int = 4250, kind: str = "charge", currency: str = "USD", **by: str
) -> BankRow:
    return BankRow(line, kind, reference, by.get("bank_reference", ""), minor, currency, DAY, kind)


def on(days: int, given: BankRow) -> BankRow:
    """That many days later."""
    return replace(given, day=DAY + timedelta(days=days))


def found(store: Store, folder: Path, *rows: BankRow, **how: object) -> list[Difference]:
    with reconcile(rows or [row(2, "none", kind="fee")], store, folder, **how) as made:  # type: ignore[arg-type]
        return list(made.differences)


def kinds(store: Store, folder: Path, *rows: BankRow, **how: object) -> list[str]:
    return [one.kind for one in found(store, folder, *rows, **how)]


def test_books_that_agree_have_no_difference_and_the_same_totals(store: Store, tmp_path: Path):
    charge(store, "CA1-1")
    charge(store, "CA2-1")
    give_back(store, "CA2-1", 1000)
    rows = [row(2, "CA1-1"), row(3, "", bank_reference="bank-CA2-1"), row(4, "CA2-1", 1000, "refund")]
    with reconcile(rows, store, tmp_path) as made:
        assert list(made.differences) == []
        assert (made.rows, made.agreeing) == (3, 2)
        assert made.here == made.there == {"USD": 7500}
    assert list(tmp_path.glob("reconcile-*")) == []


def unanswered(store: Store) -> list[BankRow]:
    charge(store, "CA1-1", "unknown")
    return [row(2, "CA1-1")]


def declined(store: Store) -> list[BankRow]:
    charge(store, "CA1-1", "declined")
    return [row(2, "CA1-1")]


def voided_there(store: Store) -> list[BankRow]:
    charge(store, "CA1-1")
    return [row(2, "CA1-1"), row(3, "CA1-1", kind="void")]


def reserved(store: Store) -> list[BankRow]:
    begin(store, "CA1-1", captures_later=True)
    job = due(store)
    store.mark_sent(job)
    store.record(job, "approved", NOW, BankWord("482913", "00", "bank-CA1-1"), FollowUp())
    return [row(2, "CA1-1")]


def voided(store: Store) -> list[BankRow]:
    charge(store, "CA1-1")
    give_back(store, "CA1-1", 4250, "void")
    return [row(2, "CA1-1")]


def refunded_here(store: Store) -> list[BankRow]:
    charge(store, "CA1-1")
    give_back(store, "CA1-1", 4250)
    return [row(2, "CA1-1"), on(1, row(3, "none", kind="fee"))]


def charged(*rows: BankRow) -> Callable[[Store], list[BankRow]]:
    def build(store: Store) -> list[BankRow]:
        charge(store, "CA1-1")
        return list(rows)

    return build


def nothing_charged(store: Store) -> list[BankRow]:
    return [row(2, "CA9-1")]


WAYS = {
    "not_on_record": nothing_charged,
    "unknown_here": unanswered,
    "not_charged_here": declined,
    "charged_although_voided": voided,
    "voided_at_the_bank": voided_there,
    "only_reserved_here": reserved,
    "refund_missing": refunded_here,
    "charged_twice": charged(row(2, "CA1-1"), row(3, "CA1-1")),
    "amount_differs": charged(row(2, "CA1-1", 4200)),
    "currency_differs": charged(row(2, "CA1-1", currency="EUR")),
    "refund_not_ours": charged(row(2, "CA1-1"), row(3, "CA1-1", 100, "refund")),
    "charged_back": charged(row(2, "CA1-1"), row(3, "CA1-1", 4250, "chargeback")),
    "kind_not_known": charged(row(2, "CA1-1"), row(3, "CA1-1", 0, "")),
}


LINES = {
    "charged_twice": (2, 3),
    "voided_at_the_bank": (2, 3),
    "refund_not_ours": (3,),
    "charged_back": (3,),
    "kind_not_known": (3,),
}


@pytest.mark.parametrize("kind", WAYS)
def test_a_difference_is_named_once_with_its_line_its_cause_and_what_to_do(kind: str, store: Store, tmp_path: Path):
    rows = WAYS[kind](store)
    (one,) = found(store, tmp_path, *rows)
    assert one.kind == kind
    assert one.lines == LINES.get(kind, (2,))
    assert one.cause.likely
    assert one.cause.cure
    assert one.cause.is_open


VOIDED_AT_THE_BANK = row(4, "CA1-1", kind="void")
STANDS_TWICE = [row(2, "CA1-1"), row(3, "CA1-1")]
STANDS_TWICE_OF_THREE = [*STANDS_TWICE, VOIDED_AT_THE_BANK, row(5, "CA1-1")]


@pytest.mark.parametrize("rows", [STANDS_TWICE, STANDS_TWICE_OF_THREE], ids=["two", "two of three"])
@pytest.mark.parametrize(
    ("prepare", "then"),
    [
        (voided, ["charged_although_voided"]),
        (declined, ["not_charged_here"]),
        (unanswered, ["unknown_here"]),
        (charged(), []),
    ],
    ids=["voided", "declined", "unanswered", "charged"],
)
def test_what_stands_twice_at_the_bank_is_told_first_whatever_became_of_it_here(
    rows: list[BankRow], prepare: Callable[[Store], list[BankRow]], then: list[str], store: Store, tmp_path: Path
):
    prepare(store)
    differences = found(store, tmp_path, *rows)
    assert [one.kind for one in differences] == ["charged_twice", *then]
    assert {one.lines for one in differences} == {tuple(one.line for one in rows)}
    assert {one.there for one in differences} == {Money(8500)}


def test_of_two_charges_there_one_that_the_bank_has_voided_is_no_double(store: Store, tmp_path: Path):
    voided(store)
    assert kinds(store, tmp_path, *STANDS_TWICE, VOIDED_AT_THE_BANK) == ["charged_although_voided"]


def test_a_charge_from_long_before_that_stands_twice_is_told(store: Store, tmp_path: Path):
    charge(store, "CA1-1", at=NOW - timedelta(days=200))
    assert kinds(store, tmp_path, *STANDS_TWICE) == ["charged_twice"]


def test_each_difference_names_the_lines_that_it_is_about(store: Store, tmp_path: Path):
    charge(store, "CA1-1")
    rows = [
        row(2, "CA1-1", 4000),
        row(3, "CA1-1", 100, "refund"),
        row(4, "CA9-1", 1),
        row(5, "CA1-1", 100),
        row(6, "CA9-1", 2),
    ]
    told = [(one.kind, one.lines) for one in found(store, tmp_path, *rows)]
    assert told == [("amount_differs", (2, 5)), ("refund_not_ours", (3,)), ("not_on_record", (4, 6))]


def test_what_the_bank_does_not_have_is_told_and_on_the_last_day_as_what_may_come(store: Store, tmp_path: Path):
    charge(store, "CA1-1", at=NOW - timedelta(days=1))
    charge(store, "CA2-1")
    charge(store, "CA3-1", at=NOW + timedelta(days=1))
    charge(store, "CA4-1")
    rows = [row(2, "CA4-1"), row(3, "CA4-1", 0, "refund")]
    since = DAY - timedelta(days=1)
    assert kinds(store, tmp_path, *rows, since=since) == ["not_at_the_bank", "not_at_the_bank_yet"]
    assert kinds(store, tmp_path, *rows) == ["not_at_the_bank_yet"]
    assert not CAUSES["not_at_the_bank_yet"].is_open


def test_days_are_those_of_the_bank_s_time_zone(store: Store, tmp_path: Path):
    """Half past nine in New York is half past two of the next day in UTC, and in the bank's file of the day before."""
    charge(store, "CA1-1", at=datetime(2026, 1, 15, 2, 30, tzinfo=UTC))
    charge(store, "CA2-1")
    rows = [row(2, "CA2-1"), on(1, row(3, "none", kind="fee"))]
    assert kinds(store, tmp_path, *rows) == ["not_at_the_bank"]
    assert kinds(store, tmp_path, *rows, zone="America/New_York") == []
    assert kinds(store, tmp_path, on(-1, row(4, "none", kind="fee")), until=DAY - A_DAY, zone="America/New_York") == [
        "not_at_the_bank"
    ]


def test_rows_without_any_reference_are_told_one_by_one(store: Store, tmp_path: Path):
    differences = found(store, tmp_path, row(2, "", 700), row(3, "", 800), row(4, "", 800, "void"))
    told = [(one.kind, one.reference, one.there) for one in differences]
    assert told == [
        ("not_on_record", f"without a reference, line {line}", Money(minor))
        for line, minor in ((2, 700), (3, 800), (4, -800))
    ]


def test_a_charge_from_long_before_agrees_and_is_told_as_such(store: Store, tmp_path: Path):
    charge(store, "CA1-1", at=NOW - timedelta(days=200))
    assert kinds(store, tmp_path, row(2, "CA1-1")) == ["long_before"]
    assert kinds(store, tmp_path, row(2, "CA1-1", 4000)) == ["amount_differs"]


def test_a_refund_in_the_file_does_not_stand_for_its_charge(store: Store, tmp_path: Path):
    """A charge from before the file's days was in an earlier file; one of these days is missing from this one."""
    charge(store, "CA1-1")
    give_back(store, "CA1-1", 4250)
    charge(store, "CA2-1", at=NOW - timedelta(days=40))
    give_back(store, "CA2-1", 4250)
    rows = [row(2, "CA1-1", 4250, "refund"), row(3, "CA2-1", 4250, "refund")]
    ends = DAY + timedelta(days=2)
    (missing,) = found(store, tmp_path, *rows, since=DAY - timedelta(days=2), until=ends)
    assert (missing.kind, missing.reference, missing.line, missing.here) == ("not_at_the_bank", "CA1-1", 2, Money(4250))
    assert kinds(store, tmp_path, *rows) == ["not_at_the_bank_yet"]
    assert kinds(store, tmp_path, *rows, since=DAY, until=DAY) == ["not_at_the_bank"]


def test_a_refund_that_is_missing_is_told_whatever_file_its_charge_was_in(store: Store, tmp_path: Path):
    charge(store, "CA1-1", at=NOW - 3 * A_DAY)
    give_back(store, "CA1-1", 1000)
    charge(store, "CA2-1", at=NOW + A_DAY)
    rows = [row(2, "none", kind="fee"), on(1, row(3, "CA2-1"))]
    (missing,) = found(store, tmp_path, *rows)
    assert (missing.kind, missing.reference, missing.here, missing.lines) == (
        "refund_missing",
        "CA1-1",
        Money(1000),
        (),
    )
    assert kinds(store, tmp_path) == ["refund_not_at_the_bank_yet"]
    assert kinds(store, tmp_path, until=DAY) == ["refund_missing"]


def test_a_refund_of_another_day_is_not_missing_in_this_file(store: Store, tmp_path: Path):
    charge(store, "CA1-1", at=NOW - 3 * A_DAY)
    give_back(store, "CA1-1", 1000, at=NOW - A_DAY)
    give_back(store, "CA1-1", 500)
    with reconcile([row(2, "CA1-1", 500, "refund")], store, tmp_path) as made:
        assert list(made.differences) == []
        assert made.here == made.there == {"USD": -500}
    assert kinds(store, tmp_path, on(-3, row(2, "CA1-1"))) == []
    assert kinds(store, tmp_path, row(2, "CA1-1", 1501, "refund")) == ["refund_not_ours"]
    rows = [row(2, "CA1-1", 499, "refund"), on(1, row(3, "none", kind="fee"))]
    assert kinds(store, tmp_path, *rows) == ["refund_missing"]


def refunded_in_the_portal(store: Store, reference: str, told: str = "refunded", at: datetime = NOW) -> None:
    news = News("acme_bank", f"{told} {at}", reference, told, BankWord(None, None, None), Money(1000), "re_1")
    assert store.hear(news, at, FollowUp()) == "noted"


def test_a_refund_that_came_back_is_laid_beside_the_one_that_came_back_there(store: Store, tmp_path: Path):
    charge(store, "CA1-1", at=NOW - 5 * A_DAY)
    refunded_in_the_portal(store, "CA1-1", at=NOW - 3 * A_DAY)
    gone = on(-3, row(2, "CA1-1", 1000, "refund"))
    back, quiet = on(-1, row(3, "CA1-1", -1000, "refund")), row(4, "none", kind="fee")
    assert kinds(store, tmp_path, gone) == []
    assert kinds(store, tmp_path, gone, back, quiet) == ["refund_came_back_there"]
    refunded_in_the_portal(store, "CA1-1", "refund_failed", NOW - A_DAY)
    assert kinds(store, tmp_path, gone, back, quiet) == []
    assert kinds(store, tmp_path, gone) == []
    assert kinds(store, tmp_path, back, quiet) == []
    assert kinds(store, tmp_path, gone, quiet) == ["refund_came_back_here"]
    assert kinds(store, tmp_path, quiet, since=DAY - A_DAY) == ["refund_came_back_here"]
    assert kinds(store, tmp_path, quiet, since=DAY - 4 * A_DAY) == []  # a bank that lists neither


def test_a_void_at_the_bank_alone_is_told_although_its_charge_was_in_an_earlier_file(store: Store, tmp_path: Path):
    charge(store, "CA1-1", at=NOW - 3 * A_DAY)
    (told,) = found(store, tmp_path, row(2, "CA1-1", kind="void"))
    assert (told.kind, told.here, told.there) == ("voided_at_the_bank", Money(4250), Money(0))
    give_back(store, "CA1-1", 4250, "void", NOW - A_DAY)
    assert kinds(store, tmp_path, row(2, "CA1-1", kind="void")) == []
    assert kinds(store, tmp_path, row(2, "CA1-1", -4250, "void")) == ["charged_although_voided"]


@pytest.mark.parametrize("named", [{"reference": "CA1-1"}, {"bank_reference": "bank-CA1-1", "reference": ""}])
def test_a_refund_at_the_bank_of_a_charge_from_long_before_is_told(named: dict[str, str], store: Store, tmp_path: Path):
    charge(store, "CA1-1", at=NOW - timedelta(days=200))
    given = replace(row(2, "CA1-1", 1000, "refund"), **named)
    (told,) = found(store, tmp_path, given)
    assert (told.kind, told.reference) == ("refund_not_ours", "CA1-1")
    assert kinds(store, tmp_path, row(3, "CA1-1"), given) == ["refund_not_ours"]
    give_back(store, "CA1-1", 1000, at=NOW - timedelta(days=190))
    assert kinds(store, tmp_path, given) == []


def test_an_amount_that_was_reserved_and_voided_is_no_charge_from_long_before(store: Store, tmp_path: Path):
    rows = reserved(store)
    give_back(store, "CA1-1", 4250, "void")
    assert kinds(store, tmp_path, *rows) == ["charged_although_voided"]


def test_what_is_charged_back_in_another_currency_does_not_stand_for_its_charge(store: Store, tmp_path: Path):
    charge(store, "CA1-1")
    (back, missing) = found(store, tmp_path, row(2, "CA1-1", 100, "chargeback", currency="EUR"))
    assert (back.kind, back.here, back.there) == ("charged_back", Money(4250), Money(100, "EUR"))
    assert missing.kind == "not_at_the_bank_yet"
    with reconcile([row(2, "CA1-1"), row(3, "CA1-1", 1, "refund", currency="EUR")], store, tmp_path) as made:
        assert [one.kind for one in made.differences] == ["currency_differs"]
        assert made.here == {"USD": 4250}


def test_another_bank_s_charges_are_left_out(store: Store, tmp_path: Path):
    charge(store, "CA1-1")
    assert kinds(store, tmp_path, row(2, "CA9-1"), bank="other_bank") == ["not_on_record"]


def test_rows_that_name_another_bank_are_left_out_and_counted(store: Store, tmp_path: Path):
    charge(store, "CA1-1")
    rows = [replace(row(2, "CA1-1"), bank="acme_bank"), replace(row(3, "CA2-1"), bank="other_bank")]
    with reconcile(rows, store, tmp_path, bank="acme_bank") as made:
        assert list(made.differences) == []
        assert (made.rows, made.left_out, made.agreeing) == (1, 1, 1)


def test_a_row_of_a_charge_at_another_bank_is_told_as_such_and_not_as_long_before(store: Store, tmp_path: Path):
    charge(store, "CA1-1")
    assert kinds(store, tmp_path, row(2, "CA1-1"), bank="other_bank") == ["at_another_bank"]
    assert CAUSES["at_another_bank"].is_open


def test_a_file_without_days_needs_to_be_told_them(store: Store, tmp_path: Path):
    nameless = BankRow(2, "charge", "CA1-1", "", 4250, "USD", None)
    with pytest.raises(ConfigError, match="say --since and --until"), reconcile([nameless], store, tmp_path):
        pass
    with (
        pytest.raises(ConfigError, match="2026-02-01 is after 2026-01-01"),
        reconcile([nameless], store, tmp_path, since=date(2026, 2, 1), until=date(2026, 1, 1)),
    ):
        pass
    assert list(tmp_path.glob("reconcile-*")) == []


def test_a_card_number_in_the_bank_s_file_is_not_repeated(store: Store, tmp_path: Path):
    (one,) = found(store, tmp_path, row(2, "4111 1111 1111 1111"))
    assert one.reference == "(a card number)"


def test_what_moves_a_terminal_s_cursor_is_not_repeated_nor_is_a_page_of_text(store: Store, tmp_path: Path):
    (one,) = found(store, tmp_path, row(2, "CA1\x1b[2J\n0 to look into", bank_reference="x" * 5000))
    assert one.reference == "CA1\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}0 to look into"
    assert len(one.bank_reference) == 121


def test_a_call_s_name_is_repeated_whatever_its_digits_come_to(store: Store, tmp_path: Path):
    (one,) = found(store, tmp_path, row(2, "CA4111b1111c1111d1111e"))
    assert one.reference == "CA4111b1111c1111d1111e"


def test_a_refund_that_failed_after_all_is_a_movement_back(store: Store, tmp_path: Path):
    charge(store, "CA1-1")
    give_back(store, "CA1-1", 1000)
    assert (
        store.settle_modification("CA1-1-m1", "failed", "operator", NOW) is None
    )  # done: only the bank can take it back
    moved = [(one.kind, one.amount.minor) for one in store.movements()]
    assert moved == [("charge", 4250), ("refund", 1000)]


def test_movements_are_of_the_time_that_was_asked_for(store: Store):
    charge(store, "CA1-1", at=datetime(2026, 1, 14, 23, 59, 59, tzinfo=UTC))
    charge(store, "CA2-1", at=datetime(2026, 1, 15, 0, 0, tzinfo=UTC))
    charge(store, "CA3-1", at=datetime(2026, 1, 16, 0, 0, tzinfo=UTC))
    since, until = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 1, 16, tzinfo=UTC)
    assert [one.reference for one in store.movements(since, until)] == ["CA2-1"]
