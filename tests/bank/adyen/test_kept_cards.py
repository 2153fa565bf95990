"""Cards that Adyen keeps: a token comes back with its shopper, and stays where it belongs."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import inspect, text

from ivr.bank import AuthorizationRequest, BankAnswer, CardDeletionRequest
from ivr.bank.adyen import AdyenBank
from ivr.bank.adyen.answers import read_payment
from ivr.bank.adyen.card_deletions import read_deletion
from ivr.bank.adyen.client import payment_body
from ivr.bank.adyen.notifications import kept_told
from ivr.bank.simulator.adyen_checkout import AdyenCheckout
from ivr.bank.simulator.adyen_keys import AdyenSeals, account_in
from ivr.bank.simulator.adyen_news import AdyenNews
from ivr.bank.simulator.authorizer import BankReply, Undecided
from ivr.bank.simulator.books import Books
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.calls.assembly import vaults_for
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.logs import set_up_logging
from ivr.places import SHIPPED
from ivr.store import Accepted, AttemptLimits, Bill, SealedField, Store, open_store
from ivr.testing.workbench import Workbench, build_workbench
from ivr.vault import Vault
from tests.bank.adyen.keys import API_KEY, MERCHANT_ACCOUNT
from tests.bank.adyen.running import RunningAdyen, request_of, sealed_card
from tests.bank.adyen.test_client import DESCRIPTION
from tests.bank.adyen.test_ledger import tell, work
from tests.bank.adyen.test_simulator import running
from tests.bank_process import BankKeys
from tests.benches import ROOT, load_flow
from tests.store.databases import make_empty
from tests.store.payments import intent

SHOPPER = "a" * 64


def keeping(adyen: RunningAdyen, minor: int = 4250, bill: str = "700101") -> AuthorizationRequest:
    request = request_of(adyen.vault(), f"CA{uuid4().hex}-1", minor)
    return replace(request, keep_card=True, invoice_reference=bill)


def by_token(kept: str, minor: int = 1500) -> AuthorizationRequest:
    reference = f"CA{uuid4().hex}-1"
    request = AuthorizationRequest(reference, reference, "demo-merchant", reference[:-2], Money(minor), {})
    return replace(request, kept_card=kept, invoice_reference="700101")


def body_of(adyen: RunningAdyen, request: AuthorizationRequest) -> dict[str, Any]:
    return json.loads(adyen.seen(request.reference)[0]["body"])


def test_a_card_is_kept_for_a_shopper_and_charged_without_its_number(adyen: AdyenBank, adyen_process: RunningAdyen):
    request = keeping(adyen_process)
    kept = adyen.authorize(request)
    assert (kept.outcome, kept.kept_until) == ("approved", "2030-12")
    assert adyen.authorize(request).kept_token == kept.kept_token, "the same, however often it is asked for"
    later = by_token(kept.kept_token)
    answer = adyen.authorize(later)
    assert (answer.outcome, answer.kept_token) == ("approved", "")
    asked, charged = body_of(adyen_process, request), body_of(adyen_process, later)
    assert (asked["storePaymentMethod"], asked["shopperInteraction"]) == (True, "Moto")
    assert charged["paymentMethod"] == {"type": "scheme", "storedPaymentMethodId": kept.kept_token.partition("/")[2]}
    assert (charged["shopperInteraction"], "storePaymentMethod" in charged) == ("ContAuth", False)
    for body in (asked, charged):
        assert body["shopperReference"] == kept.kept_token.partition("/")[0]
        assert body["recurringProcessingModel"] == "CardOnFile"
    assert [one["last4"] for one in adyen_process.booked(later.reference)] == ["1111"]
    for shown in (repr(kept), repr(later), repr(answer), *(one["path"] for one in adyen_process.ask("/_seen"))):
        assert not set(kept.kept_token.split("/")) & set(re.split(r"\W", shown))


def test_the_shopper_is_the_same_for_a_bill_and_says_nothing_of_it(adyen: AdyenBank, adyen_process: RunningAdyen):
    requests = [keeping(adyen_process, bill=bill) for bill in ("700101", "700101", "700102")]
    first, second, third = (adyen.authorize(one).kept_token.partition("/")[0] for one in requests)
    assert first == second != third
    assert re.fullmatch(r"[a-z]{64}", first), "no digits, so nothing that could be a number"
    with AdyenBank(adyen_process.settings(), "another") as bank:
        bank.authorize(requests[0])
    other = json.loads(adyen_process.seen(requests[0].reference)[-1]["body"])["shopperReference"]
    assert other != first, "whoever has no key cannot find the account number by trying"


def test_a_card_is_kept_only_where_that_was_asked_for_and_there_is_a_bill_to_keep_it_for(
    adyen: AdyenBank, adyen_process: RunningAdyen
):
    for changes in ({"keep_card": False}, {"invoice_reference": ""}):
        request = replace(keeping(adyen_process), **changes)  # type: ignore[arg-type]
        assert adyen.authorize(request).kept_token == ""
        assert not {"storePaymentMethod", "shopperReference"} & body_of(adyen_process, request).keys()


def test_a_token_is_good_for_its_shopper_alone_until_its_card_expires(adyen: AdyenBank, adyen_process: RunningAdyen):
    shopper, _, token = adyen.authorize(keeping(adyen_process)).kept_token.partition("/")
    other = adyen.authorize(keeping(adyen_process, bill="700102")).kept_token.partition("/")[0]
    expired = adyen.authorize(keeping(adyen_process, 1312)).kept_token
    refused = [f"{other}/{token}", f"{SHOPPER}/{token}", f"{shopper}/NOBODYHASTHISONE", expired]
    answers = [adyen.authorize(by_token(one)) for one in refused]
    assert [(one.outcome, one.response_code) for one in answers] == [
        *[("declined", "14")] * 3,
        ("declined", "54"),
    ]


def test_the_older_name_of_the_token_is_as_good_and_without_one_the_charge_is(
    adyen: AdyenBank, adyen_process: RunningAdyen
):
    older = adyen.authorize(keeping(adyen_process, 1311))
    assert (older.outcome, older.kept_until) == ("approved", "")
    assert adyen.authorize(by_token(older.kept_token)).outcome == "approved"
    without = adyen.authorize(keeping(adyen_process, 1313))
    assert (without.outcome, without.kept_token) == ("approved", "")


@pytest.mark.parametrize("kept", ["kept_of-another-protocol", f"{SHOPPER}/../cancels", "x/KHQC5N7G84BLNK43"])
def test_what_adyen_did_not_give_is_never_sent(kept: str, adyen: AdyenBank, adyen_process: RunningAdyen):
    request = by_token(kept)
    answer = adyen.authorize(request)
    assert (answer.outcome, kept in str(answer)) == ("not_sent", False)
    assert adyen_process.seen(request.reference) == []


@pytest.mark.parametrize(
    "more",
    [
        None,
        [],
        {"tokenization.storedPaymentMethodId": 7},
        {"tokenization.storedPaymentMethodId": "with blanks in it"},
        {"tokenization.storedPaymentMethodId": "4111111111111111"},
        {"tokenization.storedPaymentMethodId": "KHQC5N7G84BLNK43", "tokenization.shopperReference": "another"},
    ],
)
def test_what_cannot_stand_for_a_card_is_not_kept_and_the_charge_is_as_good(more: object):
    assert read(more).outcome == "approved"
    assert (read(more).kept_token, read(more).kept_until) == ("", "")


@pytest.mark.parametrize(
    ("written", "month"), [("6/2030", "2030-06"), ("12/2030", "2030-12"), ("13/2030", ""), (6, "")]
)
def test_its_month_is_kept_where_it_can_be_read(written: object, month: str):
    answer = read({"tokenization.storedPaymentMethodId": "8416038790273850", "expiryDate": written})
    assert (answer.kept_token, answer.kept_until) == (f"{SHOPPER}/8416038790273850", month)


def read(more: object) -> BankAnswer:
    said = {"resultCode": "Authorised", "merchantReference": "CA1.1", "pspReference": "X1", "additionalData": more}
    return read_payment("CA1-1", 200, json.dumps(said).encode(), SHOPPER)


# ---- forgotten


def deletion(kept: str) -> CardDeletionRequest:
    return CardDeletionRequest(f"card-{uuid4().hex}", "demo-merchant", kept)


@pytest.mark.parametrize(("minor", "first"), [(4250, "done"), (1314, "unknown")])
def test_a_forgotten_card_is_deleted_once_and_cannot_be_charged_again(
    minor: int, first: str, adyen: AdyenBank, adyen_process: RunningAdyen
):
    kept = adyen.authorize(keeping(adyen_process, minor)).kept_token
    request = deletion(kept)
    assert kept not in repr(request)
    assert [adyen.delete_card(request).outcome for _ in range(2)] == [first, "done"]
    answer = adyen.authorize(by_token(kept))
    assert (answer.outcome, answer.response_code) == ("declined", "14")


def test_the_deletion_is_valid_by_adyens_own_description(adyen: AdyenBank, adyen_process: RunningAdyen):
    openapi_core = pytest.importorskip("openapi_core", reason="pip install openapi-core validates by the description")
    from openapi_core.testing import MockRequest

    kept = adyen.authorize(keeping(adyen_process)).kept_token
    adyen.delete_card(deletion(kept))
    shopper, token = kept.split("/")
    (one,) = [one for one in adyen_process.ask("/_seen") if token in one["path"]]
    where = urlsplit(one["path"])
    assert (one["status"], where.path) == (204, f"/v72/storedPaymentMethods/{token}")
    assert dict(parse_qsl(where.query)) == {"shopperReference": shopper, "merchantAccount": MERCHANT_ACCOUNT}
    description = openapi_core.OpenAPI.from_dict(json.loads(DESCRIPTION.read_text()))
    host, headers = "https://checkout-test.adyen.com", {**one["headers"], "X-API-Key": API_KEY}
    asked = MockRequest(host, "delete", where.path, args=dict(parse_qsl(where.query)), headers=headers)
    description.validate_request(asked)


def test_wrong_credentials_and_nobody_there_delete_nothing_and_say_so(adyen: AdyenBank, adyen_process: RunningAdyen):
    kept = adyen.authorize(keeping(adyen_process)).kept_token
    with AdyenBank(adyen_process.settings(), "another") as bank:
        assert bank.delete_card(deletion(kept)).outcome == "not_sent"
    with AdyenBank(adyen_process.settings(url="https://127.0.0.1:1/v72"), API_KEY) as bank:
        assert bank.delete_card(deletion(kept)).outcome == "not_sent"
    assert adyen.delete_card(deletion("kept_of-another-protocol")).outcome == "refused"
    assert adyen.authorize(by_token(kept)).outcome == "approved", "it is still there"


@pytest.mark.parametrize(
    ("status", "content", "outcome"),
    [
        (204, b"", "done"),
        (200, b"", "unknown"),
        (204, b"<html>", "unknown"),
        (404, b"", "unknown"),
        (500, b"", "unknown"),
    ],
)
def test_only_adyens_own_word_says_that_a_card_is_gone(status: int, content: bytes, outcome: str):
    assert read_deletion("card-1", status, content).outcome == outcome


# ---- the answer is lost, and notifications tell


def lost(store: Store, adyen: AdyenBank, process: RunningAdyen, clock: Clock, minor: int) -> str:
    """A charge that was to keep its card, booked at Adyen and unknown here."""
    store.renew_bills([Bill("700101", Money(minor), Money(0))])
    reference = f"CA{uuid4().hex}-1"
    wanted = replace(intent(reference, minor=minor, pays="700101"), keeps_card=True)
    for name, seal in sealed_card(process.vault(), reference).items():
        store.stage_sealed(SealedField(reference, name, seal), clock())
    assert store.begin_payment(wanted, AttemptLimits(), clock()) == Accepted()
    job = store.claim(clock(), 60.0)
    assert job is not None
    request = replace(request_of(process.vault(), reference, minor), sealed=store.mark_sent(job) or {})
    adyen.authorize(replace(request, keep_card=True, invoice_reference="700101"))
    assert store.record(job, "unknown", clock())
    return reference


def kept_tokens(store: Store) -> list[str]:
    return [one.token for one in store.kept_cards(9)]


@pytest.mark.parametrize(
    ("minor", "events"),
    [
        (4250, ["AUTHORISATION", "RECURRING_CONTRACT"]),
        (4250, ["RECURRING_CONTRACT", "AUTHORISATION"]),
        (4250, ["RECURRING_CONTRACT", "RECURRING_CONTRACT", "AUTHORISATION", "AUTHORISATION"]),
        (4250, ["AUTHORISATION", "RECURRING_CONTRACT", "RECURRING_CONTRACT"]),
        (1315, ["AUTHORISATION"]),
        (1315, ["AUTHORISATION", "RECURRING_CONTRACT"]),
        (1315, ["RECURRING_CONTRACT", "AUTHORISATION"]),
    ],
)
def test_a_card_is_kept_by_notifications_alone_in_whatever_order_they_come(
    minor: int, events: list[str], store: Store, adyen: AdyenBank, adyen_process: RunningAdyen
):
    clock = Clock(datetime.now(UTC))
    reference = lost(store, adyen, adyen_process, clock, minor)
    for event in events:
        tell(store, adyen_process, reference, event)
    (kept,) = store.kept_cards(9)
    assert (kept.expires, kept.last4) == ("2030-12", "1111")
    assert kept.token not in str(store.entries(reference))
    assert adyen.authorize(by_token(kept.token)).outcome == "approved"
    assert rows_with(store, kept.token.partition("/")[2]) == {"kept_card"}
    assert store.card_deletions(9) == []


def test_the_repeat_that_brings_the_answer_keeps_the_card_that_was_told_before(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen
):
    clock = Clock(datetime.now(UTC))
    reference = lost(store, adyen, adyen_process, clock, 1313)
    tell(store, adyen_process, reference, "RECURRING_CONTRACT")
    assert kept_tokens(store) == []
    work(store, adyen, clock)
    assert store.entries(reference)[:3] == ["requested", "unknown", "approved"]
    assert len(kept_tokens(store)) == 1


def test_a_token_that_is_told_after_its_card_was_forgotten_is_deleted_at_the_bank(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen
):
    clock = Clock(datetime.now(UTC))
    reference = lost(store, adyen, adyen_process, clock, 4250)
    work(store, adyen, clock)
    (token,) = kept_tokens(store)
    store.forget_kept_card("700101", "ada", clock())
    tell(store, adyen_process, reference, "RECURRING_CONTRACT")
    assert kept_tokens(store) == []
    work(store, adyen, clock)
    assert {one.status for one in store.card_deletions(9)} == {"deleted"}
    assert adyen.authorize(by_token(token)).response_code == "14"


def test_an_approval_by_notification_without_a_token_is_told_to_the_operator(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, capfd: pytest.CaptureFixture[str]
):
    set_up_logging("info", "json")
    reference = lost(store, adyen, adyen_process, Clock(datetime.now(UTC)), 4250)
    tell(store, adyen_process, reference, "AUTHORISATION")
    assert store.entries(reference)[:3] == ["requested", "unknown", "approved"]
    assert kept_tokens(store) == []
    assert "has not told its token" in "".join(capfd.readouterr())


@pytest.mark.parametrize("status", ["declined", "reversed"])
def test_a_token_told_of_a_charge_that_is_none_is_deleted_at_the_bank(
    status: Any, store: Store, adyen: AdyenBank, adyen_process: RunningAdyen
):
    clock = Clock(datetime.now(UTC))
    reference = lost(store, adyen, adyen_process, clock, 4250)
    tell(store, adyen_process, reference, "RECURRING_CONTRACT")
    job = store.claim(clock(), 60.0)
    assert job is not None
    assert store.record(job, status, clock())
    assert kept_tokens(store) == []
    (asked,) = store.card_deletions(9)
    assert (asked.status, asked.asked_by) == ("asked", "its charge")
    assert asked.token


@pytest.mark.parametrize(
    ("event", "more"),
    [
        ("AUTHORISATION", {"recurring.recurringDetailReference": "KHQC5N7G84BLNK43"}),
        ("AUTHORISATION", {"recurring.recurringDetailReference": "KHQC5N7G84BLNK43", "shopperReference": "somebody"}),
        ("RECURRING_CONTRACT", {}),
        ("RECURRING_CONTRACT", {"shopperReference": "somebody"}),
        ("CAPTURE", {"recurring.recurringDetailReference": "KHQC5N7G84BLNK43", "shopperReference": SHOPPER}),
    ],
)
def test_no_token_is_taken_from_a_notification_that_names_no_shopper_of_ours(event: str, more: dict[str, str]):
    assert kept_told({"pspReference": "KHQC5N7G84BLNK43", "additionalData": more}, event) == ("", "")


# ---- the simulator


def test_the_simulators_token_is_refused_to_another_shopper_and_when_its_card_has_expired(
    bank_keys: BankKeys, tmp_path: Path
):
    account, today = account_in(tmp_path), [date(2030, 12, 31)]
    books, news = Books(tmp_path), AdyenNews(account, "")
    desk = AdyenCheckout(
        account, AdyenSeals(tmp_path / "adyen-private.pem"), books, news, SimulatorWays(0.01), lambda: today[0]
    )
    request = request_of(Vault(account.public_key, bytes(32), "adyen"), "CA1-1")
    more = asked(desk, payment_body(request, account.merchant_account, SHOPPER), "1")["additionalData"]
    token = more["tokenization.storedPaymentMethodId"]
    assert (more["tokenization.shopperReference"], more["expiryDate"]) == (SHOPPER, "12/2030")

    def charge(kept: str, key: str, **changes: object) -> dict[str, Any]:
        body = payment_body(by_token(kept), account.merchant_account)
        return asked(desk, (body or {}) | changes, key)

    assert charge(f"{SHOPPER}/{token}", "2")["resultCode"] == "Authorised"
    assert charge(f"{'b' * 64}/{token}", "3")["errorCode"] == "803"
    assert charge(f"{SHOPPER}/NOBODYHASTHISONE", "4")["errorCode"] == "803"
    assert charge(f"{SHOPPER}/{token}", "5", shopperInteraction="Moto")["errorCode"] == "803"
    today[0] = date(2031, 1, 1)
    assert charge(f"{SHOPPER}/{token}", "6")["refusalReason"] == "Expired Card"
    news.stop()
    books.close()


def asked(desk: AdyenCheckout, body: dict[str, Any] | None, key: str) -> dict[str, Any]:
    decided = desk.pay(body or {}, key)
    reply = decided.enter() if isinstance(decided, Undecided) else decided
    assert isinstance(reply, BankReply)
    return reply.body


# ---- a whole call at the simulator

BILL = ("1", "700101", "2468")
KEEPS = (*BILL, "2", "{amount}", "1", "4111111111111111#", "1230", "123", "94105", "1", "1")
USES = (*BILL, "2", "2000", "1", "1")
FORGETS = (*BILL, "1", "3")


def ring(bench: Workbench, keys: Sequence[str]) -> tuple[str, str]:
    """The reference of the call's first charge, and everything that was heard."""
    line = bench.dial(bench.flow.name, f"+1555{uuid4().int % 10**7:07}")
    reply = line.begin()
    heard = [one.words for one in reply.heard]
    for pressed in keys:
        while reply.state == "waiting":
            reply = line.wait()
            heard += [one.words for one in reply.heard]
        reply = line.press(pressed)
        heard += [one.words for one in reply.heard]
    for _ in range(30):
        if reply.state == "waiting":
            reply = line.wait()
            heard += [one.words for one in reply.heard]
    line.hang_up()
    bench.work()
    return f"{line.call_id}-1", " ".join(heard)


def rows_with(store: Store, token: str) -> set[str]:
    with store._database.calls() as connection:
        tables = inspect(connection).get_table_names()
        return {
            table
            for table in tables
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
            if token in str(tuple(row))
        }


@pytest.mark.parametrize(("amount", "story"), [("1000", ["approved"]), ("1367", ["unknown", "approved"])])
def test_a_card_is_kept_used_in_the_next_call_and_forgotten_in_the_one_after(
    amount: str, story: list[str], bank_keys: BankKeys, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    set_up_logging("debug", "json")
    make_empty(url := f"sqlite:///{tmp_path}/kept.db")
    store = open_store(url, tells=["payment.approved", "call.ended", "bill.paid"])
    flow, prompts = load_flow(SHIPPED / "flows" / "card-on-file.yaml")
    with running(bank_keys, tmp_path / "bank", SimulatorWays(0.05)) as adyen, adyen.bank("1s") as bank:
        bench = build_workbench(
            *(flow, prompts, adyen.host.account.public_key, bank, ROOT / "config" / "accounts.csv"),
            Clock(datetime.now(UTC)),
            store,
            vaults=lambda keys, secret: vaults_for(keys, secret, dict.fromkeys(keys, "adyen")),
        )
        first, _ = ring(bench, [one.format(amount=amount) for one in KEEPS])
        (kept,) = store.kept_cards(9)
        shown = repr(kept)
        second, heard = ring(bench, USES)
        assert "with your Visa 1, 1, 1, 1" in heard
        assert rows_with(store, kept.token) == {"kept_card"}
        _, last = ring(bench, FORGETS)
        assert rows_with(store, kept.token) == set(store.kept_cards(9)) == set()
        assert [one.status for one in store.card_deletions(9)] == ["deleted"]
        assert bank.authorize(by_token(kept.token)).response_code == "14", "Adyen has deleted it too"
        # Of the token tells what is about tokens, and nothing else.
        told = b"".join(one for one in adyen.host.news.told if b"RECURRING_CONTRACT" not in one).decode()
        assert [one.last4 for one in adyen.booked(second)] == ["1111"]
    assert store.entries(first) == ["requested", *story, "capture_asked"]
    assert store.entries(second) == ["requested", "approved", "capture_asked"]
    assert (kept.brand, kept.last4, kept.expires) == ("visa", "1111", "2030-12")
    logged = "".join(capfd.readouterr())
    assert len(logged) > 100
    for part in kept.token.split("/"):
        assert part not in logged + told + shown + heard + last
    store.close()
