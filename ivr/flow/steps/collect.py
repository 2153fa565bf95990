"""`collect`: the card, field after field, each heard only as the vault's verdict, then one confirmation before any charge."""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ivr.core.actions import BeginCard, CaptureCard
from ivr.core.brands import BRANDS, DATED_BRANDS, LONGEST_PAN, SHORTEST_PAN, TWILIO_PAY_BRANDS, pan_endings
from ivr.core.entry import EntryRules, Reading, read_after_timeout
from ivr.core.events import (
    OPTIONAL_FIELDS,
    CardCaptured,
    CardCollected,
    CardEntryEdited,
    CardField,
    Event,
    KeysEntered,
    NoInput,
)
from ivr.core.fixed_keys import ACCEPT_KEY, REFUSE_KEY
from ivr.core.money import Money
from ivr.core.postal_codes import USUAL, digit_counts
from ivr.core.stray_cards import SECONDS_A_KEY
from ivr.flow.card_fee import CardFee
from ivr.flow.keeping import ASKED, KEPT
from ivr.flow.parts import (
    CardAsked,
    Drawn,
    Explained,
    Facts,
    Finding,
    Hears,
    Keyed,
    Known,
    Need,
    Phases,
    Place,
    Said,
    Values,
    in_words,
)
from ivr.flow.registry import step_kind
from ivr.flow.schema import Different
from ivr.flow.step import Step
from ivr.flow.talk.amounts import fix_fee
from ivr.flow.talk.card_fees import CARD_FEE
from ivr.flow.talk.charging import is_split_full
from ivr.flow.talk.turn import Again, End, Leave, Listen, Reply, Turn, cleared, no_input, no_match, offer_cancel
from ivr.flow.value_check import value_needed
from ivr.reading.rules import advice, charges, values
from ivr.reading.scalars import BrandName, Country, Name, Target, WrongValue
from ivr.words.consent import CONFIRM_ALL

# Keys pressed before these are dropped: what a caller typed ahead for another question must not become card data.
FLUSHED_FIELDS = frozenset({"card_number", "security_code"})
FIXED_LENGTHS = {"expiry": 4, "postal_code": 5, "start_date": 4, "issue_number": 2}
CODE_LENGTHS = {brand.name: brand.security_code_length for brand in BRANDS}
NOT_VALID_PROMPTS = {"brand_refused": "brand_not_accepted", "expired": "card_expired"}
# Which network can collect a card itself (`capture: pay`); on the others the keys come to us.
CAPTURING_CHANNEL = "twilio"
# A card number of 19 keys is five entries of four, or seven of three; a key that hangs is no card number.
MOST_PARTS, SHORTEST_PART = 6, 4
MOST_DRAWN = 3  # fields before the rest becomes dots
CARD = frozenset({"brand", "last4"})


@step_kind
class CollectStep(Step):
    """The card. `capture: pay` lets the telephone network collect it in its own zone where it can."""

    word = "collect"
    place = 30
    explained = Explained(
        "`collect`",
        "The card, field by field, sealed as it is keyed in",
        "`ok`, `cancelled`, `gave_up`",
        "`brands`, `postal_codes: [US, CA, GB]`, `confirm: [brand, last4, amount]`, `fee` ([A fee](#a-fee-for-the-card)), "
        "`to: reserve` before a `pay` with `capture: later`, `capture: pay` and `connector` for Twilio's `<Pay>`",
    )
    example = """
card:
  collect: [card_number, expiry, security_code]
  confirm: [brand, last4, amount]
  then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
"""
    outcomes = frozenset({"ok", "cancelled", "gave_up"})
    phases: ClassVar[Phases] = {"entry": "asks", "confirm": "asks"}
    hears: ClassVar[Hears] = {"entry": (CardCollected, CardEntryEdited, CardCaptured)}
    speaks: ClassVar[Values] = dict.fromkeys(
        (
            *("card_number_not_valid", "brand_not_accepted", "card_expired"),
            *("expiry_not_valid", "security_code_not_valid", "postal_code_not_valid"),
        ),
        frozenset[str](),
    )

    collect: Annotated[
        list[Literal["card_number", "expiry", "security_code", "postal_code", "start_date", "issue_number"]],
        Field(min_length=1),
        Different,
    ]
    """The card's fields, in the order they are asked for; card_number comes first. start_date and issue_number are asked of Maestro cards alone, and the done key leaves them out."""
    brands: Annotated[list[BrandName], Field(min_length=1), Different] = ["visa", "mastercard", "amex", "discover"]
    """The card brands you take."""
    postal_codes: Annotated[list[Country], Field(min_length=1), Different] = [USUAL]
    """The countries whose postal codes are taken, such as [US, CA, GB]; of one with letters its digits are asked for."""
    confirm: Annotated[list[Literal["brand", "last4", "amount"]], Different] = []
    """What is read back before the charge; without it no charge may follow."""
    to: Literal["pay", "reserve"] = "pay"
    """What the caller agrees to: pay (the prompt confirm_card), or reserve (confirm_reservation), before a pay step with
    'capture: later'."""
    capture: Literal["keys", "pay"] = "keys"
    """keys: this product hears and seals the card; pay: Twilio's <Pay> collects it on Twilio's side."""
    fee: CardFee | None = None
    """What paying by card costs on top of the amount, by brand: 2.00 USD, or {rate: {amex: 3 %}, round: down, at_most: 5.00 USD}. Said before the caller agrees."""
    connector: Name = "tonetill"
    """The payment connector that <Pay> hands the card to."""
    then: dict[str, Target]
    """Where each outcome goes."""

    @model_validator(mode="after")
    def in_order(self) -> "CollectStep":
        if self.collect[0] != "card_number":
            raise WrongValue(
                values.WRONG_VALUE,
                "card_number comes first, because what follows depends on its brand (move it to the front)",
                "collect",
            )
        for brand in sorted(self.fee.named_brands - set(self.brands)) if self.fee else ():
            raise WrongValue(
                values.WRONG_VALUE, f"'{brand}' costs a fee and is not among 'brands' (add it there)", "fee"
            )
        return self

    def says(self) -> Iterator[Said]:
        for index, name in enumerate(self.collect):
            fills = frozenset({"count"}) if name == "card_number" else CARD | {"count"}
            yield Said(("collect", index), self._question(name), fills)
            if name in OPTIONAL_FIELDS:
                yield Said(("collect", index), f"{name}_not_valid", CARD)
        if "postal_code" in self.collect and self._of_digits:
            yield Said(("postal_codes",), "postal_digits_not_valid")
        if self.confirm:
            yield Said(
                ("confirm",), self._consent, CARD, must_say=CARD | {"amount"} if self.to == "reserve" else frozenset()
            )

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        if self.confirm or self.capture == "pay":
            yield from value_needed(name, ("collect",), "amount")

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """Whatever becomes of it, the card that an earlier step took is dropped, and consent with it."""
        agreed = {"confirmed"} | ({"to_reserve"} if self.to == "reserve" else set())
        consent = {"card"} | (agreed if "amount" in self.confirm else set())
        return (facts - {"confirmed", "to_reserve", "card", ASKED, KEPT}) | (consent if outcome == "ok" else set())

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return known | CARD if outcome == "ok" else known - CARD

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        for index, brand in enumerate(self.brands if self.capture == "pay" else ()):
            if brand not in TWILIO_PAY_BRANDS:
                message = f"Twilio's <Pay> does not know the brand '{brand}'"
                cure = "leave it out, or let 'capture: keys' collect the card"
                yield Finding(charges.BRAND_NOT_CAPTURED, ("brands", index), message, cure)
        yield from self._dated_findings()
        if "expiry" not in self.collect:
            message = f"step '{name}' does not ask for the card's expiration date"
            yield Finding(values.NO_EXPIRY, ("collect",), message, "add expiry after card_number")
        if "security_code" not in self.collect:
            message = f"step '{name}' does not ask for the card's security code"
            yield Finding(advice.NO_SECURITY_CODE, ("collect",), message, "most banks decline a card without it")

    def _dated_findings(self) -> Iterator[Finding]:
        """Of fields that nobody would be asked for."""
        for index, field in enumerate(self.collect):
            if field not in OPTIONAL_FIELDS:
                continue
            if self.capture == "pay":
                message = f"Twilio's <Pay> does not ask for {in_words(field)}s"
                cure = f"leave {field} out, or let 'capture: keys' collect the card"
                yield Finding(charges.FIELD_NOT_CARRIED, ("collect", index), message, cure)
            if DATED_BRANDS.isdisjoint(self.brands):
                message = f"no card of the brands here has {in_words(field)}s: nobody is asked for one"
                cure = f"leave {field} out, or add {' or '.join(sorted(DATED_BRANDS))} to 'brands'"
                yield Finding(values.FIELD_OF_NO_BRAND, ("collect", index), message, cure)

    @property
    def fixed_amounts(self) -> Iterator[tuple[Place, Money]]:
        for below, amount in self.fee.fixed_amounts if self.fee else ():
            yield ("fee", *below), amount

    def drawn(self) -> Drawn:
        more = " ..." if len(self.collect) > MOST_DRAWN else ""
        return Drawn("card", f"collect {', '.join(map(in_words, self.collect[:MOST_DRAWN]))}{more}")

    # ---- in a call

    @cached_property
    def _taken(self) -> frozenset[str]:
        return frozenset(self.brands)

    @cached_property
    def card(self) -> CardAsked:
        return CardAsked(self.collect, self.brands, digit_counts(self.postal_codes), self.fee is not None)

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def card_field(self, turn: Turn) -> tuple[CardField, EntryRules] | None:
        if turn.call.phase != "entry" or turn.call.field_index >= len(self.collect):
            return None
        field = self.collect[turn.call.field_index]
        return field, self._rules(turn, field)

    def enter(self, turn: Turn) -> Reply:
        if turn.call.approved and "amount" not in turn.call.values:
            return turn, End()  # what was chosen has been paid: there is nothing to ask another card for
        if is_split_full(turn):
            return turn.say("no_more_cards"), Leave("gave_up")
        return _begin(turn), Again()

    def put(self, turn: Turn) -> Reply:
        if turn.call.field_index >= len(self.collect):
            turn = fix_fee(turn, self.fee.schedule if self.fee else None)
            return _ask_to_confirm(turn.change(phase="confirm"), self._consent), Listen()
        if self._is_captured_elsewhere(turn):
            return turn.do(self._capture(turn)), Listen()
        field = self.collect[turn.call.field_index]
        turn = turn.say(self._question(field), count=_length(turn, field))
        rules, flush = self._rules(turn, field), field in FLUSHED_FIELDS
        return turn.collect(field, rules, sensitive=True, flush=flush), Listen()

    def hear(self, turn: Turn, event: Event) -> Reply:
        if isinstance(event, NoInput):
            return no_input(turn)
        if isinstance(event, CardCaptured) and self._is_captured_elsewhere(turn):
            return self._hear_capture(turn, event)
        if turn.call.field_index >= len(self.collect):
            return _hear_confirmation(turn, event)
        if isinstance(event, CardEntryEdited):
            return self._hear_edit(turn, event)
        if isinstance(event, CardCollected) and event.field == self.collect[turn.call.field_index]:
            return self._hear_verdict(turn, event)
        return turn, Again()

    def _hear_verdict(self, turn: Turn, event: CardCollected) -> Reply:
        if not event.valid:
            wrong = "postal_digits" if event.field == "postal_code" and self._of_digits else event.field
            if _goes_on(turn, event.field):
                return _note_wrong(turn, event.field, _more(turn) + 1), Again()
            turn = _note_wrong(turn, event.field, 0)
            return no_match(turn, NOT_VALID_PROMPTS.get(event.reason or "", f"{wrong}_not_valid"))
        if event.summary:
            brand, _, last4 = event.summary.partition(" ")
            turn = turn.remember(brand=brand, last4=last4)
        return self._next(turn)

    def _hear_edit(self, turn: Turn, event: CardEntryEdited) -> Reply:
        if event.reading == "empty" and turn.is_optional:
            return self._next(turn)  # the card has none
        if event.reading == "cancel":
            return offer_cancel(turn)
        if event.reading == "cleared":
            return cleared(turn)
        return no_match(turn, "nothing_entered")

    def _next(self, turn: Turn) -> Reply:
        """The field after the present one that the card's brand has."""
        index = turn.call.field_index + 1
        if turn.call.values.get("brand") not in DATED_BRANDS:
            while index < len(self.collect) and self.collect[index] in OPTIONAL_FIELDS:
                index += 1
        return self._go_on(turn.change(field_index=index, silences=0, mistakes=0, clears=0, asides=0))

    def _go_on(self, turn: Turn) -> Reply:
        if turn.call.field_index >= len(self.collect) and not self.confirm:
            return turn, Leave("ok")
        return turn, Again()

    def _rules(self, turn: Turn, field: CardField) -> EntryRules:
        length = _length(turn, field)
        if field == "card_number":
            return _pan_rules(self._taken, length, *turn.flow.editing_keys)
        if field == "postal_code":
            counts = self.card.postal_digits
            return turn.rules(min(counts), max(counts), is_plain=True)
        return turn.rules(1 if field == "issue_number" else length, length, is_plain=True)

    @property
    def _of_digits(self) -> bool:
        """Other codes than five digits: they are asked for in words of their own."""
        return self.postal_codes != [USUAL]

    @property
    def _consent(self) -> str:
        return "confirm_reservation" if self.to == "reserve" else "confirm_card"

    def _question(self, field: CardField) -> str:
        return "enter_postal_digits" if field == "postal_code" and self._of_digits else f"enter_{field}"

    # ---- a card that the telephone network collects

    def _is_captured_elsewhere(self, turn: Turn) -> bool:
        is_there = turn.call.channel == CAPTURING_CHANNEL
        return self.capture == "pay" and is_there and turn.call.field_index < len(self.collect)

    def _hear_capture(self, turn: Turn, event: CardCaptured) -> Reply:
        if event.result == "success":
            brand, _, last4 = (event.summary or " ").partition(" ")
            return self._go_on(turn.remember(brand=brand, last4=last4).change(field_index=len(self.collect)))
        if event.result == "caller-interrupted-with-star":
            return offer_cancel(turn)
        return turn, Leave("gave_up")

    def _capture(self, turn: Turn) -> CaptureCard:
        amount = turn.call.values["amount"]
        if not isinstance(amount, Money):
            raise TypeError("a charge needs an amount")
        return CaptureCard(
            connector=self.connector,
            amount=amount,
            intent=turn.call.intent,
            fields=tuple(self.collect),
            brands=tuple(self.brands),
            tries=turn.flow.head.patience.tries,
            language=turn.call.language,
        )


def _goes_on(turn: Turn, field: CardField) -> bool:
    """Is this the rest of a wrong entry before it? A card number keyed in at the expiry ends by length every four keys:
    whoever keys on has not heard that it was wrong, and it is one mistake."""
    notes = turn.call.notes
    if notes.get("wrong_field") != field or field == "card_number" or _more(turn) >= MOST_PARTS:
        return False
    wrong_ms = notes["wrong_ms"]
    keys = max(_length(turn, field), SHORTEST_PART)
    return isinstance(wrong_ms, int) and turn.at * 1000 - wrong_ms <= SECONDS_A_KEY * 1000 * keys


def _note_wrong(turn: Turn, field: CardField, more: int) -> Turn:
    return turn.note(wrong_field=field, wrong_ms=int(turn.at * 1000), wrong_more=more)


def _more(turn: Turn) -> int:
    more = turn.call.notes.get("wrong_more", 0)
    return more if isinstance(more, int) else 0


def _begin(turn: Turn) -> Turn:
    """A new attempt, with an intent of its own; what an earlier one left unsent is dropped."""
    turn = turn.forget_card().forget("brand", "last4", CARD_FEE).change(attempt=turn.call.attempt + 1)
    return turn.do(BeginCard(turn.call.intent))


def _ask_to_confirm(turn: Turn, consent: str) -> Turn:
    """Of several bills in one sum, how many they are as well."""
    bills = turn.call.payable.parts if turn.call.payable else ()
    turn = turn.say(CONFIRM_ALL, count=len(bills)) if bills else turn.say(consent)
    return turn.collect_one_key("confirm", flush=True)


def _hear_confirmation(turn: Turn, event: Event) -> Reply:
    if not isinstance(event, KeysEntered):
        return turn, Again()
    span = read_after_timeout(event.keys.buffer, turn.rules(1, 1))
    key = event.keys.text()[span.start : span.end]
    if key == ACCEPT_KEY:
        return turn.change(phase="entry"), Leave("ok")
    if key == REFUSE_KEY:
        return _begin(turn.change(phase="entry", field_index=0)), Again()
    if span.reading is Reading.CANCEL:
        return offer_cancel(turn)
    return no_match(turn, "no_match")


@lru_cache(256)
def _pan_rules(brands: frozenset[str], longest: int, done: str, clear: str) -> EntryRules:
    return EntryRules(SHORTEST_PAN, longest, done, clear, ends_at=pan_endings(brands))


def _length(turn: Turn, field: CardField) -> int:
    if field == "card_number":
        return LONGEST_PAN
    if field == "security_code":
        return CODE_LENGTHS.get(str(turn.call.values.get("brand")), 3)
    return FIXED_LENGTHS[field]
