"""The money side of a call: keys to the vault, sealed fields and intents to the store, the bank's answers back as events."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ivr.core.actions import Authorize, Phrase, SendSms
from ivr.core.call import Call
from ivr.core.compiler import Flow
from ivr.core.entry import EntryRules, Reading, ends_itself, read_after_timeout, read_entry
from ivr.core.events import (
    BankAnswered,
    BankOutcome,
    CardCaptured,
    CardCollected,
    CardEntryEdited,
    CardField,
    Digits,
    Event,
    KeysEntered,
    LimitReached,
    Waited,
)
from ivr.core.flow import CollectStep, PayStep
from ivr.core.scalars import Rate
from ivr.errors import FlowError
from ivr.runner.texting import can_be_kept
from ivr.store import AlreadyBegun, Limit, Limits, OverLimit, PaymentIntent, SealedField, Status, Store
from ivr.vault import CardRules, SealContext, Vault, last_date_on_earth

# What a payment's status is to the caller. `accepted` and `sent` are no answer yet; `not_sent` was surely not charged.
ANSWERS: Mapping[Status, BankOutcome] = {
    "approved": "approved",
    "declined": "declined",
    "not_sent": "declined",
    "unknown": "unknown",
    "reversed": "reversed",
}
TOKEN_FIELD = "payment_token"  # noqa: S105 - a name, not a token
EDITS = {Reading.CLEARED: "cleared", Reading.CANCEL: "cancel", Reading.EMPTY: "empty"}


@dataclass(frozen=True)
class Payments:
    """`vaults`: one for each bank, sealing to that bank's key. `ani_key` keys the hash that stands for a caller's number.
    `can_text`: whether a text to that number can be promised."""

    store: Store
    vaults: Mapping[str, Vault]
    merchant: str
    ani_key: bytes
    words: Callable[[Phrase], str]
    can_text: Callable[[str], bool] = can_be_kept

    # ---- keys that are card data

    def take_card_keys(self, call: Call, flow: Flow, field: CardField, rules: EntryRules, event: KeysEntered) -> Event:
        """The vault's verdict. The keys are wiped here whatever happens."""
        try:
            read = read_after_timeout if event.timed_out else read_entry
            span = read(event.keys.buffer, rules)
            if span.reading in EDITS:
                return CardEntryEdited(event.at, EDITS[span.reading])  # type: ignore[arg-type]
            keys = event.keys.buffer[span.start : span.end]
            verdict = self._take(call, flow, field, keys, event.at)
            if isinstance(verdict, CardCollected):
                return replace(verdict, ended_itself=ends_itself(event.keys.buffer, rules))
            return verdict
        finally:
            event.keys.wipe()

    def _take(self, call: Call, flow: Flow, field: CardField, keys: bytearray, at: datetime) -> Event:
        kind = flow.steps[call.step]
        assert isinstance(kind, CollectStep)
        context = SealContext(self.merchant, call.id, call.intent)
        rules = CardRules(frozenset(kind.brands), str(call.values.get("brand", "")) or None)
        intake = self._vault(flow).take(field, keys, context, rules, at.date(), last_date_on_earth(at))
        limit = flow.head.limits.attempts_per_card
        if intake.fingerprint and limit and not self.store.within_card_limit(intake.fingerprint, _limit(limit), at):
            return LimitReached(at, "attempts_per_card")
        if intake.sealed is not None:
            self.store.stage_sealed(SealedField(call.intent, field, intake.sealed, intake.fingerprint), at)
        return CardCollected(at, field, intake.valid, intake.reason, intake.summary)

    # ---- cards that the telephone network has collected (`capture: pay`)

    def tokenize(self, call: Call, flow: Flow, fields: Mapping[CardField, Digits], at: datetime) -> str | None:
        """Seals every field of the step, or none; the reason's name where one is missing or wrong. Wipes them all."""
        kind = flow.steps.get(call.step)
        try:
            if not isinstance(kind, CollectStep):
                return "not_collecting"
            for field in kind.collect:
                if field not in fields:
                    return f"missing_{field}"
            for field in kind.collect:
                verdict = self._take(call, flow, field, fields[field].buffer, at)
                if not isinstance(verdict, CardCollected) or not verdict.valid:
                    self.forget(call.intent)
                    return f"{field}_refused"
                call = _with_brand(call, verdict)
            return None
        finally:
            for keys in fields.values():
                keys.wipe()

    def keep_token(self, call: Call, event: CardCaptured) -> None:
        """A PSP's own connector keeps the card and gives a token in its place, which its bank adapter charges."""
        if event.result == "success" and event.token and event.token != call.intent:
            self.store.stage_sealed(SealedField(call.intent, TOKEN_FIELD, event.token, None), event.at)

    # ---- the attempt, the charge, the answer

    def begin_card(self, call: Call, flow: Flow, at: datetime) -> Event | None:
        """Early word of a limit, before the caller keys in a card; the final word is in `authorize`'s transaction."""
        rate = flow.head.limits.attempts_per_caller
        if rate and call.ani and not self.store.within_caller_limit(self._ani_hash(call), _limit(rate), at):
            return LimitReached(at, "attempts_per_caller")
        return None

    def forget(self, intent: str) -> bool:
        """False where the attempt has been charged for by now: its fields are the forwarder's."""
        return self.store.forget_card(intent)

    def authorize(self, call: Call, flow: Flow, action: Authorize, at: datetime) -> Event | None:
        """One transaction: intent, idempotency key, sealed fields, outbox row, attempt counts."""
        intent = PaymentIntent(
            reference=action.intent,
            merchant=self.merchant,
            call=call.id,
            bank=action.bank,
            amount=action.amount,
            account=action.account,
            card_summary=f"{call.values.get('brand', '')} {call.values.get('last4', '')}".strip(),
            ani_hash=self._ani_hash(call),
        )
        match self.store.begin_payment(intent, _limits(flow, call), at):
            case OverLimit(name):
                return LimitReached(at, name)
            case AlreadyBegun():
                return self.answer(call, Waited(at))
        return None

    def answer(self, call: Call, event: Waited) -> Event | None:
        """What is known of the call's charge by now; None while the bank works on it."""
        payment = self.store.payment(call.intent)
        if payment is None or payment.status not in ANSWERS:
            return None
        return BankAnswered(event.at, ANSWERS[payment.status], payment.confirmation_number)

    def send_sms(self, call: Call, action: SendSms, at: datetime) -> None:
        # One text of a kind for each call, however often the step is repeated; none to a number that takes none.
        if call.can_text:
            self.store.queue_sms(f"{call.id}-{action.template}", call.ani, self.words(action.phrase), at)

    def _vault(self, flow: Flow) -> Vault:
        bank = bank_of(flow)
        if bank is None:
            raise FlowError(f"flow '{flow.name}' collects a card and never pays")  # the compiler refuses such a flow
        return self.vaults[bank]

    def _ani_hash(self, call: Call) -> str:
        return hmac.new(self.ani_key, call.ani.encode(), hashlib.sha256).hexdigest()


def _with_brand(call: Call, verdict: CardCollected) -> Call:
    brand = (verdict.summary or "").partition(" ")[0]
    return replace(call, values={**call.values, "brand": brand}) if brand else call


def bank_of(flow: Flow) -> str | None:
    """The bank that a flow's cards are sealed to: the one its pay step names. None for a flow that charges nobody."""
    return next((kind.pay for kind in flow.steps.values() if isinstance(kind, PayStep)), None)


def _limit(rate: Rate) -> Limit:
    return Limit(rate.count, rate.window_s)


def _limits(flow: Flow, call: Call) -> Limits:
    """Callers without a number (AudioSocket, withheld) are not one caller: the card's limit and the amount's hold."""
    written = flow.head.limits
    return Limits(
        per_caller=_limit(written.attempts_per_caller) if written.attempts_per_caller and call.ani else None,
        per_card=_limit(written.attempts_per_card) if written.attempts_per_card else None,
    )
