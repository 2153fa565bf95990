"""Callers who meet at one bill: it is charged once, and each of them hears what is true of it and of their card."""

from dataclasses import replace
from pathlib import Path

import pytest

from ivr.channels.simulator import LocalLine
from ivr.core.events import CardCaptured, CardField, Digits, HungUp, KeysEntered
from ivr.core.money import Money
from ivr.flow.compiler import compile_flow
from ivr.store import StaleCall
from tests.benches import ROOT, Bench
from tests.conversation.talk import Talk
from tests.merchants import FLOWS, bench_of

VISA = ("4111111111111111#", "1230", "123", "94105")
MASTERCARD = ("5555555555554444", "1230", "123", "94105")


class Person:
    flow = "pay-a-bill"

    def __init__(self, bench: Bench, ani: str = "+15551230100") -> None:
        self.bench = bench
        self.line: LocalLine = bench.workbench.dial(self.flow, ani)
        self.line.between = lambda: None  # the bank answers when the test says so
        self.heard = [heard.name for heard in self.line.begin().heard]
        self.words = ""

    def keys(self, *entries: str) -> "Person":
        for entry in entries:
            reply = self.line.press(entry)
            self.heard = [heard.name for heard in reply.heard]
            self.words = " ".join(heard.words for heard in reply.heard)
        return self

    def wait(self) -> "Person":
        reply = self.line.wait()
        self.heard = [heard.name for heard in reply.heard]
        self.words = " ".join(heard.words for heard in reply.heard)
        return self

    def at_consent(self, *amount: str, card: tuple[str, ...] = VISA) -> "Person":
        return self.keys("1", "12345678#", *(amount or ("1",)), *card)

    @property
    def call(self):
        stored = self.bench.workbench.store.load_call(self.line.call_id)
        assert stored is not None
        return stored.call

    @property
    def texts(self) -> list[str]:
        self.bench.workbench.work()
        return [text.body for text in self.bench.workbench.store.texts_of(self.line.call_id)]


def charged(bench: Bench) -> list[int]:
    return sorted(money.minor for money in bench.bank.charged.values())


def due(bench: Bench) -> int:
    bill = bench.workbench.store.find_bill("12345678")
    assert bill is not None
    return bill.due.minor


def test_a_caller_who_rings_again_while_the_bank_is_silent_need_not_pay_again(bench: Bench):
    bench.bank.behaviour = "cannot say"
    Person(bench).at_consent().keys("1").line.hang_up()
    bench.workbench.work()
    again = Person(bench).keys("1", "12345678#", "1")
    assert again.heard == ["payment_in_progress", "you_were_not_charged", "goodbye"]
    assert again.call.outcome == "unpaid"
    bench.bank.behaviour = "approves"
    for _ in range(3):
        bench.workbench.clock.advance(600)
        bench.workbench.work()
    assert charged(bench) == [4250]
    assert Person(bench).keys("1", "12345678#").heard[:2] == ["nothing_due", "you_were_not_charged"]


def test_two_callers_who_consent_at_once_pay_one_bill_once(bench: Bench):
    one, other = Person(bench), Person(bench, "+15559990100")
    one.at_consent()
    other.at_consent(card=MASTERCARD)
    one.keys("1")
    assert other.keys("1").heard == ["payment_in_progress", "you_were_not_charged", "goodbye"]
    assert not bench.workbench.store.is_staged(f"{other.line.call_id}-1")
    bench.workbench.work()
    assert one.wait().heard[0] == "confirmation_number"
    assert (charged(bench), due(bench)) == ([4250], 0)


def test_who_consents_to_more_than_is_due_by_then_hears_the_new_amount_and_chooses_again(bench: Bench):
    one, other = Person(bench), Person(bench, "+15559990100")
    one.at_consent()
    other.at_consent("2", "2000#", "1", card=MASTERCARD).keys("1")
    bench.workbench.work()
    one.keys("1")
    assert one.heard == ["due_changed", "pay_full_balance", "pay_another_amount"]
    assert "It is now 22 dollars and 50 cents." in one.words
    assert not bench.workbench.store.is_staged(f"{one.line.call_id}-1")
    one.keys("1", *VISA, "1")
    bench.workbench.work()
    assert one.wait().heard[0] == "confirmation_number"
    assert (charged(bench), due(bench)) == ([2000, 2250], 0)


def renew(bench: Bench, due: Money) -> None:
    bill = bench.workbench.store.find_bill("12345678")
    assert bill is not None
    bench.workbench.store.renew_bills([replace(bill, due=due, minimum=Money(1000, due.currency))])


@pytest.mark.parametrize("now_due", [4249, 4251, 5000])
def test_the_full_balance_is_that_of_the_moment_of_the_charge(bench: Bench, now_due: int):
    one = Person(bench).at_consent()
    renew(bench, Money(now_due))
    one.keys("1")
    assert one.heard == ["due_changed", "pay_full_balance", "pay_another_amount"]
    assert (charged(bench), one.call.charges) == ([], ())


@pytest.mark.parametrize("now_due", [2000, 4249, 5000])
def test_an_amount_of_the_callers_own_is_paid_as_long_as_it_is_due(bench: Bench, now_due: int):
    one = Person(bench).at_consent("2", "2000#", "1")
    renew(bench, Money(now_due))
    one.keys("1")
    bench.workbench.work()
    assert (charged(bench), due(bench)) == ([2000], now_due - 2000)


@pytest.mark.parametrize("amount", [("1",), ("2", "2000#", "1")])
def test_a_bill_that_is_in_another_currency_by_then_is_not_payable_here(bench: Bench, amount: tuple[str, ...]):
    one = Person(bench).at_consent(*amount)
    renew(bench, Money(4250, "EUR"))
    one.keys("1")
    assert one.heard == ["bill_not_payable", "you_were_not_charged", "goodbye"]
    assert not bench.workbench.store.is_staged(f"{one.line.call_id}-1")


def test_who_consents_to_a_bill_that_is_paid_by_then_hears_that_nothing_is_due(bench: Bench):
    one, other = Person(bench), Person(bench, "+15559990100")
    one.at_consent()
    other.at_consent(card=MASTERCARD).keys("1")
    bench.workbench.work()
    assert one.keys("1").heard == ["nothing_due", "you_were_not_charged", "goodbye"]
    assert charged(bench) == [4250]


@pytest.mark.parametrize("declined_before", [True, False])
@pytest.mark.parametrize("consent_is_first", [True, False])
def test_a_caller_who_hangs_up_between_two_writes_is_texted_what_became_of_the_right_card(
    bench: Bench, consent_is_first: bool, declined_before: bool
):
    """The card is charged, perhaps after another was declined, but the call's own row never hears of it."""
    person = Person(bench).at_consent()
    if declined_before:
        bench.bank.behaviour = "declines 05"
        person.keys("1")
        bench.workbench.work()
        assert "card_declined" in person.wait().heard
        person.keys(*MASTERCARD)
    store, runner, now = bench.workbench.store, bench.workbench.runner, bench.workbench.clock()
    stored = store.load_call(person.line.call_id)
    assert stored is not None
    bench.bank.behaviour = "approves"
    consent = runner.advance(stored.call, KeysEntered(now, Digits("1")))
    if consent_is_first:
        bench.workbench.work()  # and the bank has answered before the hang-up is handled
    gone = runner.advance(stored.call, HungUp(now))
    store.save_call(gone.call, stored.version, now)
    with pytest.raises(StaleCall):
        store.save_call(consent.call, stored.version, now)
    assert person.call.outcome == ("paid" if consent_is_first else "pending")
    bench.workbench.work()
    bench.workbench.clock.advance(60)
    assert len(person.texts) == 1
    assert "went through" in person.texts[0]
    assert charged(bench) == [4250]


def test_a_fault_drops_the_sealed_fields_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    person = Person(bench).keys("1", "12345678#", "1", *VISA[:3])
    store = bench.workbench.store
    assert store.is_staged(f"{person.line.call_id}-1")

    def break_down(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(type(store), "stage_sealed", break_down)
    assert person.keys("94105").heard == ["apology", "you_were_not_charged", "goodbye"]
    assert not store.is_staged(f"{person.line.call_id}-1")


def test_a_fault_on_the_way_to_the_ledger_leaves_no_charge_and_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    person = Person(bench).at_consent()

    def break_down(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(type(bench.workbench.store), "begin_payment", break_down)
    assert person.keys("1").heard == ["apology", "you_were_not_charged", "goodbye"]
    assert person.call.charges == ()
    assert not bench.workbench.store.is_staged(f"{person.line.call_id}-1")


def test_a_fault_when_the_ledger_cannot_be_read_says_nothing_that_may_be_untrue(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    person = Person(bench).at_consent().keys("1")

    def break_down(*_: object) -> None:
        raise OSError("the disk is full")

    for name in ("payment", "payments_of"):
        monkeypatch.setattr(type(bench.workbench.store), name, break_down)
    assert person.wait().heard == ["apology", "charge_not_known", "goodbye"]
    assert person.call.outcome == "pending"


@pytest.mark.parametrize("token", [None, ""])
def test_a_captured_card_without_a_token_is_a_fault_and_no_loop(sealing_key: Path, token: str | None):
    bench = bench_of(sealing_key, "pay-a-bill")
    flow = bench.workbench.flow
    steps = {**flow.steps, "card": flow.steps["card"].model_copy(update={"capture": "pay"})}
    bench.workbench.runner.flows = {flow.name: replace(flow, steps=steps)}
    person = Person(bench).keys("1", "12345678#")
    stored = bench.workbench.store.load_call(person.line.call_id)
    assert stored is not None
    runner, now = bench.workbench.runner, bench.workbench.clock()
    call = runner.advance(replace(stored.call, channel="twilio"), KeysEntered(now, Digits("1"))).call
    done = runner.advance(call, CardCaptured(now, "success", "visa 1111", token))
    assert (done.call.phase, done.call.outcome) == ("over", "unpaid")


def test_a_captured_card_that_comes_after_the_charge_is_refused_and_wiped(bench: Bench):
    person = Person(bench).at_consent()
    before = person.call
    person.keys("1")
    late: dict[CardField, Digits] = {
        "card_number": Digits("4111111111111111"),
        "expiry": Digits("1230"),
        "security_code": Digits("123"),
        "postal_code": Digits("94105"),
    }
    assert bench.workbench.runner.tokenize(before, late, bench.workbench.clock()) == "too_late"
    assert not any(len(keys) for keys in late.values())


def test_a_caller_without_a_number_is_promised_no_text(bench: Bench):
    bench.bank.behaviour = "cannot say"
    person = Person(bench, "anonymous").at_consent().keys("1")
    bench.workbench.work()
    for _ in range(60):
        if person.wait().heard[-1:] == ["goodbye"]:
            break
    assert person.heard == ["call_again_for_the_result", "goodbye"]
    assert person.texts == []


def test_the_number_of_a_caller_may_be_longer_than_any_telephones(bench: Bench):
    person = Person(bench, "sip:" + "5" * 60 + "@gateway.example").at_consent().keys("1")
    bench.workbench.work()
    assert person.wait().heard == ["confirmation_number", "may_hang_up", "repeat_offer"]
    person.keys("#")
    assert (person.call.outcome, person.texts) == ("paid", [])


def test_an_amount_that_was_chosen_once_is_charged_once():
    """Where a flow charges twice what was chosen once, `check` refuses it, or the call ends with what was charged."""
    file = FLOWS / "refused" / "charged-twice.yaml"
    flow, problems = compile_flow(str(file), file.read_text(encoding="utf-8"))
    if flow is None:
        assert problems
        return
    talk = Talk(flow).start().keys("12345678").found().keys("1")
    talk.keys("4111111111111111").keys("1230").keys("123").keys("1").bank("approved")
    assert talk.said == ["you_were_charged", "goodbye"]
    assert (talk.call.outcome, len(talk.charges)) == ("paid", 1)


def test_the_payment_says_what_was_paid_for(sealing_key: Path):
    bench = bench_of(sealing_key, "membership")
    line = bench.workbench.dial("membership", "+15551230100")
    line.begin()
    for keys in ("98765", "12345678", "1", *VISA[:3], "1"):
        line.press(keys)
    intent = bench.workbench.store.payments_of(line.call_id)[0].intent
    assert (intent.payable_source, intent.payable_key, intent.account) == ("billing.find_bill", *["12345678"] * 2)
    bench.workbench.work()
    assert due(bench) == 0


def test_a_test_card_works_all_day(bench: Bench):
    for _ in range(12):
        person = Person(bench).at_consent().keys("1")
        bench.workbench.work()
        assert person.wait().heard[0] == "confirmation_number"
        bench.workbench.store.seed_bills(ROOT / "config" / "accounts.csv", anew=True)
        bench.workbench.clock.advance(60)
    assert sum(charged(bench)) == 12 * Money(4250).minor
