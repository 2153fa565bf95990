"""Adyen's webhooks about tokens, the newer form and the older one, as the simulator sends them: each keeps the card once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from ivr.bank import BankAnswer
from ivr.bank.adyen.kept_cards import parts_of
from ivr.bank.simulator.adyen_news import AdyenNotice, Signed, token_event
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.calls.bank_news import BankNewsIntake
from ivr.core.money import Money
from ivr.errors import ConfigError, PeerError
from ivr.store import Accepted, AttemptLimits, BankWord, Bill, FollowUp, SealedField, Store, TooEarly
from tests.bank.adyen.running import request_of, sealed_card
from tests.bank.adyen.test_simulator import SimulatedAdyen, running
from tests.bank_process import BankKeys
from tests.store.payments import intent

NOW = datetime.now(UTC)
BILL = "700101"


@pytest.fixture
def simulated(bank_keys: BankKeys, tmp_path: Path) -> Iterator[SimulatedAdyen]:
    with running(bank_keys, tmp_path / "adyen", SimulatorWays()) as found:
        yield found


def intake(store: Store, simulated: SimulatedAdyen, **secrets: str) -> BankNewsIntake:
    known = secrets or {"ACME_BANK_HMAC_KEY": simulated.host.account.hmac_key}
    return BankNewsIntake(store, {"acme_bank": simulated.settings()}, known, tell_billing=False)


def tell(store: Store, simulated: SimulatedAdyen, event: Signed, **secrets: str) -> None:
    intake(store, simulated, **secrets).take("acme_bank", event.content, NOW, event.headers)


def keep(store: Store, simulated: SimulatedAdyen) -> tuple[str, BankAnswer]:
    """A charge that was to keep its card, approved there and unknown here."""
    store.renew_bills([Bill(BILL, Money(4250), Money(0))])
    reference = f"CA{uuid4().hex}-1"
    for name, seal in sealed_card(simulated.vault(), reference).items():
        store.stage_sealed(SealedField(reference, name, seal), NOW)
    wanted = replace(intent(reference, minor=4250, pays=BILL), keeps_card=True)
    assert store.begin_payment(wanted, AttemptLimits(), NOW) == Accepted()
    job = store.claim(NOW, 60.0)
    assert job is not None
    store.mark_sent(job)
    with simulated.bank() as bank:
        answer = bank.authorize(
            replace(request_of(simulated.vault(), reference), keep_card=True, invoice_reference=BILL)
        )
    assert store.record(job, "unknown", NOW)
    return reference, answer


def end(store: Store, reference: str, status: str, answer: BankAnswer) -> None:
    job = store.claim(NOW, 60.0)
    assert job is not None
    assert job.reference == reference
    word = BankWord(answer.authorization_code, "00", answer.bank_reference)
    assert store.record(job, status, NOW, word, FollowUp())  # type: ignore[arg-type]


def older(simulated: SimulatedAdyen, reference: str) -> Signed:
    (found,) = [one for one in simulated.news(reference) if b"RECURRING_CONTRACT" in one]
    return Signed(found, {})


def newer(simulated: SimulatedAdyen) -> Signed:
    (found,) = simulated.host.news.told_of_tokens
    return found


def test_both_forms_are_as_adyen_writes_them(store: Store, simulated: SimulatedAdyen):
    reference, answer = keep(store, simulated)
    shopper, token = parts_of(answer.kept_token)
    (item,) = (
        one["NotificationRequestItem"] for one in json.loads(older(simulated, reference).content)["notificationItems"]
    )
    assert (item["pspReference"], item["originalReference"]) == (token, answer.bank_reference)
    assert item["additionalData"]["recurring.shopperReference"] == shopper
    event = json.loads(newer(simulated).content)
    assert (event["type"], event["eventId"]) == ("recurring.token.created", answer.bank_reference)
    assert (event["data"]["storedPaymentMethodId"], event["data"]["shopperReference"]) == (token, shopper)


@pytest.mark.parametrize("order", ["newer", "older", "both", "both the other way round"])
def test_a_token_that_is_told_in_either_form_or_both_and_twice_is_kept_once(
    order: str, store: Store, simulated: SimulatedAdyen
):
    reference, answer = keep(store, simulated)
    end(store, reference, "approved", answer)
    old, new = older(simulated, reference), newer(simulated)
    told = {"newer": [new], "older": [old], "both": [new, old]}.get(order, [old, new])
    for event in (*told, *told):
        tell(store, simulated, event)
    assert [one.token for one in store.kept_cards(9)] == [answer.kept_token]
    assert store.card_deletions(9) == []


def test_a_token_of_a_charge_that_is_in_doubt_is_to_be_told_again_and_is_kept_then(
    store: Store, simulated: SimulatedAdyen
):
    reference, answer = keep(store, simulated)
    with pytest.raises(TooEarly):
        tell(store, simulated, newer(simulated))
    end(store, reference, "approved", answer)
    tell(store, simulated, newer(simulated))
    assert [one.token for one in store.kept_cards(9)] == [answer.kept_token]


def test_a_token_of_a_charge_that_was_taken_back_is_deleted_there(store: Store, simulated: SimulatedAdyen):
    reference, answer = keep(store, simulated)
    end(store, reference, "reversed", answer)
    tell(store, simulated, newer(simulated))
    assert store.kept_cards(9) == []
    assert [(one.token, one.status) for one in store.card_deletions(9)] == [(answer.kept_token, "asked")]


def test_a_token_of_somebody_elses_shopper_or_charge_changes_nothing(store: Store, simulated: SimulatedAdyen):
    reference, answer = keep(store, simulated)
    theirs = AdyenNotice("", "", "M5N7TQ4TG5PFWR50", Money(0), "QBQQ9DLNRHHKGK38")
    tell(store, simulated, token_event(simulated.host.account, theirs, "YOUR_SHOPPER_REFERENCE"))
    end(store, reference, "approved", answer)
    tell(store, simulated, token_event(simulated.host.account, theirs, "a" * 64))
    about = replace(theirs, psp=parts_of(answer.kept_token)[1], original=str(answer.bank_reference))
    tell(store, simulated, token_event(simulated.host.account, about, parts_of(answer.kept_token)[0], "disabled"))
    assert store.kept_cards(9) == []


def changed(event: Signed, **headers: str) -> Mapping[str, str]:
    return {**event.headers, **headers}


def test_nobody_but_adyen_is_believed_and_the_whole_body_is_what_is_signed(store: Store, simulated: SimulatedAdyen):
    reference, answer = keep(store, simulated)
    end(store, reference, "approved", answer)
    event = newer(simulated)
    other = event.content.replace(parts_of(answer.kept_token)[1].encode(), b"M5N7TQ4TG5PFWR50")
    spaced = event.content.replace(b": ", b":")
    wrong = [
        replace(event, headers={}),
        replace(event, headers=changed(event, HmacSignature="")),
        replace(event, content=other),
        replace(event, content=spaced),
        token_event(replace(simulated.host.account, hmac_key="00" * 32), AdyenNotice("", "", "M5N7TQ4TG5PFWR50", Money(0)), "a" * 64),
        token_event(replace(simulated.host.account, merchant_account="Another"), AdyenNotice("", "", "M5N7TQ4TG5PFWR50", Money(0)), "a" * 64),
    ]  # fmt: skip
    for one in wrong:
        with pytest.raises(PeerError):
            tell(store, simulated, one)
    assert store.kept_cards(9) == []
    tell(store, simulated, replace(event, headers={"Hmacsignature": event.headers["HmacSignature"]}))
    assert len(store.kept_cards(9)) == 1, "however the server writes the header's name"


def test_the_webhook_of_tokens_may_have_a_key_of_its_own(store: Store, simulated: SimulatedAdyen):
    reference, answer = keep(store, simulated)
    end(store, reference, "approved", answer)
    standard, own = "11" * 32, simulated.host.account.hmac_key
    with pytest.raises(PeerError):
        tell(store, simulated, newer(simulated), ACME_BANK_HMAC_KEY=own, ACME_BANK_TOKEN_HMAC_KEY=standard)
    with pytest.raises(ConfigError, match="not hexadecimal"):
        tell(store, simulated, newer(simulated), ACME_BANK_HMAC_KEY=own, ACME_BANK_TOKEN_HMAC_KEY="zz")
    tell(store, simulated, newer(simulated), ACME_BANK_HMAC_KEY=standard, ACME_BANK_TOKEN_HMAC_KEY=own)
    assert len(store.kept_cards(9)) == 1
