"""Faults of ours in the middle of a call at Twilio: whatever breaks, wherever, the caller hears the truth about the charge."""

from functools import partial

import pytest

from ivr.calls import session as session_module
from ivr.calls.payments import Payments
from ivr.channels.twilio import Writer
from ivr.store import Store
from ivr.testing.billing import Behaviour, ScriptedBilling
from ivr.words.phrases import Prompts
from tests.benches import ROOT, Bench
from tests.faults import CHARGED, NOT_CHARGED, NOT_KNOWN, RECEIPT, VOICE, WILL_TELL, Breaking, Caller, Killed, is_true
from tests.webs import CALL_ID, Web, make_web

ACCOUNTS = ROOT / "config" / "accounts.csv"
RESULT = "Your payment of $42.50 to "


@pytest.fixture
def web(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Web:
    monkeypatch.setattr(session_module, "PAUSES_S", (0, 0))
    return make_web(bench)


def caller(web: Web, *, bank: bool = True) -> Caller:
    return Caller(web, web.bench.workbench.work if bank else lambda: None)


def confirmed(web: Web) -> Caller:
    """A caller whose next request confirms the card: the charge is begun by it."""
    return caller(web).until("press 1 to pay")


def is_paid(line: Caller) -> bool:
    """Goes on to the end: has the caller heard the receipt, and nothing that contradicts it?"""
    return line.to_the_end() == "Goodbye." and RECEIPT in line.ever_said


def waiting(web: Web) -> Caller:
    """A caller on hold, while the bank has approved: the next request brings the confirmation number."""
    return confirmed(web).until("Thank you, one moment.")


def hang_up(web: Web) -> None:
    assert web.post("/twilio/status", {"CallStatus": "completed"}).status_code == 204


def texts(web: Web) -> list[str]:
    workbench = web.bench.workbench
    for _ in range(3):
        workbench.work()
        workbench.clock.advance(600)
    return [text.body for text in workbench.store.texts_of(CALL_ID)]


def outcome(web: Web) -> str:
    stored = web.bench.workbench.store.load_call(CALL_ID)
    return str(stored.call.outcome) if stored else "never began"


def statuses(web: Web) -> list[str]:
    return [payment.status for payment in web.bench.workbench.store.payments_of(CALL_ID)]


def broken(*_arguments: object, **_named: object) -> object:
    raise OSError("a fault of ours")


def broken_words(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Every phrase in which one of `words` would be said cannot be put together."""
    say = Writer._say

    def break_at(writer: Writer, phrase: object) -> str:
        said = say(writer, phrase)  # type: ignore[arg-type]
        return str(broken()) if any(one in said for one in words) else said

    monkeypatch.setattr(Writer, "_say", break_at)


# ---- words


def test_words_that_fail_after_the_bank_approved_are_said_in_other_words(web: Web, monkeypatch: pytest.MonkeyPatch):
    line = waiting(web)
    broken_words(monkeypatch, RECEIPT)
    assert "Your card was charged 42 dollars and 50 cents in this call." in line.to_the_end()
    assert (outcome(web), statuses(web)) == ("paid", ["approved"])


def test_where_no_amount_can_be_said_it_is_said_without(web: Web, monkeypatch: pytest.MonkeyPatch):
    line = waiting(web)
    broken_words(monkeypatch, RECEIPT, "42 dollars")
    assert "Your payment went through: your card was charged." in line.to_the_end()
    assert (outcome(web), statuses(web)) == ("paid", ["approved"])


def test_where_a_language_has_no_words_another_of_the_flow_has(web: Web, monkeypatch: pytest.MonkeyPatch):
    line = waiting(web)
    broken_words(monkeypatch, 'language="en-US"')
    assert "Su pago se realizó" in line.to_the_end()


@pytest.mark.parametrize("owner", [(Prompts, "words"), (Writer, "_say"), (Writer, "answer")], ids=str)
@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("For English", NOT_CHARGED),
        ("Enter your card number", NOT_CHARGED),
        ("press 1 to pay", WILL_TELL),  # the request that begins the charge is the one that breaks
        ("Thank you, one moment.", CHARGED[1]),
    ],
)
def test_where_nothing_of_ours_can_be_said_there_are_last_words(
    web: Web, monkeypatch: pytest.MonkeyPatch, owner: tuple[type, str], moment: str, words: str
):
    line = caller(web).until(moment)
    monkeypatch.setattr(*owner, broken)
    if owner == (Prompts, "words"):
        monkeypatch.setattr(Writer, "_say", lambda writer, phrase: Prompts.words(None, phrase))  # type: ignore[arg-type]
    said = line.to_the_end()
    assert words in said
    assert is_true(line, web)
    assert set(line.statuses) == {200}


def test_a_call_that_was_promised_a_text_by_last_words_gets_it(web: Web, monkeypatch: pytest.MonkeyPatch):
    line = confirmed(web)
    with monkeypatch.context() as breaking:
        breaking.setattr(Writer, "answer", broken)
        assert WILL_TELL in line.to_the_end()
    assert [text[: len(RESULT)] for text in texts(web)] == [RESULT]


# ---- the database


def test_a_database_that_is_away_for_a_moment_is_not_even_heard(web: Web, monkeypatch: pytest.MonkeyPatch):
    line, breaking = waiting(web), Breaking(1)
    monkeypatch.setattr(Store, "load_call", breaking.wrap(Store, "load_call"))
    assert RECEIPT in line.request()
    assert breaking.broke


def test_while_the_database_is_away_the_caller_is_held_and_then_hears_the_number(
    web: Web, monkeypatch: pytest.MonkeyPatch
):
    line = waiting(web)
    with monkeypatch.context() as away:
        away.setattr(Store, "save_call", broken)
        for _ in range(3):
            assert "Still working on it." in line.request()
    assert RECEIPT in line.request()
    assert line.to_the_end() == "Goodbye."
    assert set(line.statuses) == {200}


def test_keys_that_are_lost_while_the_database_is_away_are_asked_for_again(web: Web, monkeypatch: pytest.MonkeyPatch):
    line = caller(web).until("security code")
    with monkeypatch.context() as away:
        away.setattr(Store, "load_call", broken)
        line.request()
    assert "security code" in line.request()
    assert "did not hear" not in line.said
    assert is_paid(line)
    assert [money.minor for money in web.bench.bank.charged.values()] == [4250]


@pytest.mark.parametrize("moment", ["press 1 to pay", "Thank you, one moment."])
def test_a_database_that_stays_away_leaves_nobody_with_an_untruth(
    web: Web, monkeypatch: pytest.MonkeyPatch, moment: str
):
    line = caller(web).until(moment)
    for name in ("load_call", "save_call", "payments_of", "payment", "begin_payment", "forget_card"):
        monkeypatch.setattr(Store, name, broken)
    assert NOT_KNOWN in line.to_the_end()
    assert set(line.statuses) == {200}


def test_a_database_that_cannot_be_written_but_read_still_tells_the_truth(web: Web, monkeypatch: pytest.MonkeyPatch):
    line = waiting(web)
    monkeypatch.setattr(Store, "save_call", broken)
    assert "Your card was charged 42 dollars and 50 cents in this call." in line.to_the_end()
    assert set(line.statuses) == {200}


def test_a_call_that_never_got_to_the_database_is_not_charged(web: Web, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Store, "load_call", broken)
    assert NOT_CHARGED in caller(web).to_the_end()


# ---- every place


STRIDE = 6  # into so many tests the places are divided
PLACES = [
    *[(Store, name) for name in ("load_call", "save_call", "find_bill", "stage_sealed", "begin_payment")],
    *[(Store, name) for name in ("payment", "payments_of", "forget_card", "limit_reached")],
    *[(Writer, "_say"), (Writer, "answer"), (Payments, "answer"), (ScriptedBilling, "due_now")],
]


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize(
    ("behaviour", "billing"),
    [("approves", "answers"), ("declines 51", "answers"), ("is silent", "answers"), ("approves", "is slow")],
)
@pytest.mark.parametrize("part", range(STRIDE))
def test_a_fault_at_any_place_of_a_call_ends_it_with_the_truth(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, part: int, behaviour: str, billing: Behaviour, for_ever: bool
):
    monkeypatch.setattr(session_module, "PAUSES_S", ())  # each fault gets through
    web = make_web(bench)
    bench.bank.behaviour, bench.billing.behaviour = behaviour, billing
    reached = part + 1
    stride = STRIDE if (behaviour, billing) == ("approves", "answers") else 5 * STRIDE
    while True:
        breaking = Breaking(reached, for_ever=for_ever)
        with monkeypatch.context() as patched:
            for owner, name in PLACES:
                patched.setattr(owner, name, breaking.wrap(owner, name))
            line = Caller(web, partial(breaking.rest, web.bench.workbench.work))
            said = line.to_the_end()
        assert set(line.statuses) == {200}
        assert is_true(line, web), f"{breaking.broke} at {reached}: {said}; {statuses(web)}"
        if not breaking.broke:
            break
        hang_up(web)
        results = [text for text in texts(web) if text.startswith("Your payment of")]
        # Whoever did not hear how a charge ended is texted; whoever did, and whose row could not say so, may be too.
        is_unheard = "approved" in statuses(web) and RECEIPT not in line.ever_said
        is_owed = WILL_TELL in said or (NOT_KNOWN in said and is_unheard)
        assert results or not is_owed, breaking.broke
        assert all(("went through" in text) == ("approved" in statuses(web)) for text in results), breaking.broke
        start_again(web)
        reached += stride
    assert reached > 50


def start_again(web: Web) -> None:
    """An empty database, with the accounts as they were."""
    with web.bench.workbench.store._database.money() as connection:
        for table in (
            "call",
            "sealed_field",
            "payment_intent",
            "outbox",
            "bill",
            "text_message",
            "transfer",
            "ledger_entry",
        ):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    web.bench.workbench.store.seed_bills(ACCOUNTS)
    web.bench.billing.forget()


# ---- a process that dies


def test_killed_between_the_charge_and_the_calls_row_the_caller_who_hung_up_is_texted(
    web: Web, monkeypatch: pytest.MonkeyPatch
):
    line = confirmed(web)
    with monkeypatch.context() as killed:
        killed.setattr(Store, "save_call", kill)
        with pytest.raises(Killed):
            line.request()
    hang_up(web)
    assert outcome(web) == "pending"
    assert [text[: len(RESULT)] for text in texts(web)] == [RESULT]


def test_the_text_is_of_the_charge_that_nobody_heard_of_and_not_of_the_declined_card_before(
    web: Web, monkeypatch: pytest.MonkeyPatch
):
    web.bench.bank.behaviour = "declines 51"
    line = confirmed(web).until("did not approve")
    web.bench.bank.behaviour = "approves"
    line.until("press 1 to pay")
    with monkeypatch.context() as killed:
        killed.setattr(Store, "save_call", kill)
        with pytest.raises(Killed):
            line.request()
    web.bench.workbench.work()
    hang_up(web)
    assert statuses(web) == ["declined", "approved"]
    assert [text[: len(RESULT)] for text in texts(web)] == [RESULT]


def test_killed_after_the_charge_the_same_request_again_goes_on_and_charges_once(
    web: Web, monkeypatch: pytest.MonkeyPatch
):
    line = confirmed(web)
    with monkeypatch.context() as killed:
        killed.setattr(Store, "save_call", kill)
        with pytest.raises(Killed):
            line.request()
    assert is_paid(line)
    assert list(web.bench.bank.requests.values()) == [1]


def kill(*_arguments: object, **_named: object) -> None:
    raise Killed


# ---- events that come twice, late, or to a call that is over


def test_who_is_still_there_when_their_call_was_ended_as_a_hang_up_hears_what_is_true(web: Web):
    line = waiting(web)
    hang_up(web)
    assert "Your payment went through" in line.to_the_end()
    assert "Your payment went through" in Caller(web, lambda: None, line.url or f"{VOICE}?seq=2").request()


def test_a_repeated_delivery_of_the_last_request_gets_the_same_ending(web: Web):
    line = waiting(web).until(RECEIPT)
    line.fields = {"Digits": "", "FinishedOnKey": "#"}
    url, fields = line.url, line.fields
    last = line.request()
    line.url, line.fields = url, fields
    assert line.request() == last
    assert last == "Goodbye."


def test_a_card_that_has_gone_is_a_fault_and_no_loop(web: Web):
    line = confirmed(web)
    store = web.bench.workbench.store
    assert store.forget_card(f"{CALL_ID}-1")
    assert NOT_CHARGED in line.to_the_end()
    assert statuses(web) == []


def test_a_fault_leaves_no_sealed_field(web: Web, monkeypatch: pytest.MonkeyPatch):
    line = caller(web).until("security code")
    monkeypatch.setattr(Store, "stage_sealed", broken)
    assert NOT_CHARGED in line.to_the_end()
    monkeypatch.undo()
    assert web.bench.workbench.store.drop_unsent_cards(web.bench.workbench.clock.now.replace(year=2100)) == 0
