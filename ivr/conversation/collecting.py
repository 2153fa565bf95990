"""The card: field after field, each heard only as the vault's verdict, then one confirmation before any charge."""

from ivr.conversation.turn import ACCEPT_KEY, REFUSE_KEY, Again, Leave, OfferCancel, Reply, Turn, no_input, no_match
from ivr.core.actions import BeginCard, CaptureCard
from ivr.core.brands import BRANDS, LONGEST_PAN, SHORTEST_PAN, pan_endings
from ivr.core.call import Call
from ivr.core.entry import EntryRules, Reading, read_after_timeout
from ivr.core.events import CardCaptured, CardCollected, CardEntryEdited, CardField, Event, KeysEntered, NoInput
from ivr.core.money import Money
from ivr.flow.compiler import Flow
from ivr.flow.schema import CollectStep

# Keys pressed before these are dropped: what a caller typed ahead for another question must not become card data.
FLUSHED_FIELDS = frozenset({"card_number", "security_code"})
FIXED_LENGTHS = {"expiry": 4, "postal_code": 5}
NOT_VALID_PROMPTS = {"brand_refused": "brand_not_accepted", "expired": "card_expired"}
# Which network can collect a card itself (`capture: pay`); on the others the keys come to us.
CAPTURING_CHANNEL = "twilio"


def begin(turn: Turn) -> Turn:
    """A new attempt, with an intent of its own; what an earlier one left unsent is dropped."""
    turn = turn.forget_card().forget("brand", "last4").change(attempt=turn.call.attempt + 1)
    return turn.do(BeginCard(turn.call.intent))


def expected_field(flow: Flow, call: Call) -> tuple[CardField, EntryRules] | None:
    """The card field that this call's next keys belong to, and how they are read; None where keys are not card data."""
    kind = flow.steps.get(call.step)
    if not isinstance(kind, CollectStep) or call.phase != "entry" or call.field_index >= len(kind.collect):
        return None
    field = kind.collect[call.field_index]
    return field, _rules(Turn(flow, call, 0.0), kind, field)


def ask(turn: Turn, kind: CollectStep) -> Turn:
    if turn.call.field_index >= len(kind.collect):
        return _ask_to_confirm(turn)
    if _is_captured_elsewhere(turn, kind):
        return turn.do(_capture(turn, kind))
    field = kind.collect[turn.call.field_index]
    turn = turn.say(f"enter_{field}", count=_length(turn, field))
    return turn.collect(field, _rules(turn, kind, field), sensitive=True, flush=field in FLUSHED_FIELDS)


def hear(turn: Turn, kind: CollectStep, event: Event) -> Reply:
    if isinstance(event, NoInput):
        return no_input(turn)
    if isinstance(event, CardCaptured) and _is_captured_elsewhere(turn, kind):
        return _hear_capture(turn, kind, event)
    if turn.call.field_index >= len(kind.collect):
        return _hear_confirmation(turn, event)
    if isinstance(event, CardEntryEdited):
        return _hear_edit(turn, event)
    if isinstance(event, CardCollected) and event.field == kind.collect[turn.call.field_index]:
        return _hear_verdict(turn, kind, event)
    return turn, Again()


def _is_captured_elsewhere(turn: Turn, kind: CollectStep) -> bool:
    return (
        kind.capture == "pay" and turn.call.channel == CAPTURING_CHANNEL and turn.call.field_index < len(kind.collect)
    )


def _hear_edit(turn: Turn, event: CardEntryEdited) -> Reply:
    if event.reading == "cancel":
        return turn, OfferCancel()
    if event.reading == "cleared":
        return turn.say("cleared"), Again()
    return no_match(turn, "nothing_entered")


def _hear_verdict(turn: Turn, kind: CollectStep, event: CardCollected) -> Reply:
    if not event.valid:
        return no_match(turn, NOT_VALID_PROMPTS.get(event.reason or "", f"{event.field}_not_valid"))
    if event.summary:
        brand, _, last4 = event.summary.partition(" ")
        turn = turn.remember(brand=brand, last4=last4)
    turn = turn.change(field_index=turn.call.field_index + 1, silences=0, mistakes=0)
    return _next(turn, kind)


def _hear_capture(turn: Turn, kind: CollectStep, event: CardCaptured) -> Reply:
    if event.result == "success":
        brand, _, last4 = (event.summary or " ").partition(" ")
        turn = turn.remember(brand=brand, last4=last4).change(field_index=len(kind.collect))
        return _next(turn, kind)
    if event.result == "caller-interrupted-with-star":
        return turn, OfferCancel()
    return turn, Leave("gave_up")


def _next(turn: Turn, kind: CollectStep) -> Reply:
    if turn.call.field_index >= len(kind.collect) and not kind.confirm:
        return turn, Leave("ok")
    return turn, Again()


def _ask_to_confirm(turn: Turn) -> Turn:
    return turn.change(phase="confirm").say("confirm_card").collect_one_key("confirm", flush=True)


def _hear_confirmation(turn: Turn, event: Event) -> Reply:
    if not isinstance(event, KeysEntered):
        return turn, Again()
    span = read_after_timeout(event.keys.buffer, turn.rules(1, 1))
    key = event.keys.text()[span.start : span.end]
    if key == ACCEPT_KEY:
        return turn.change(phase="entry"), Leave("ok")
    if key == REFUSE_KEY:
        return begin(turn.change(phase="entry", field_index=0)), Again()
    if span.reading is Reading.CANCEL:
        return turn, OfferCancel()
    return no_match(turn, "no_match")


def _rules(turn: Turn, kind: CollectStep, field: CardField) -> EntryRules:
    length = _length(turn, field)
    if field == "card_number":
        return turn.rules(SHORTEST_PAN, length, ends_at=pan_endings(frozenset(kind.brands)))
    return turn.rules(length, length)


def _length(turn: Turn, field: CardField) -> int:
    if field == "card_number":
        return LONGEST_PAN
    if field == "security_code":
        brand = turn.call.values.get("brand")
        return next((known.security_code_length for known in BRANDS if known.name == brand), 3)
    return FIXED_LENGTHS[field]


def _capture(turn: Turn, kind: CollectStep) -> CaptureCard:
    amount = turn.call.values["amount"]
    if not isinstance(amount, Money):
        raise TypeError("a charge needs an amount")
    return CaptureCard(
        connector=kind.connector,
        amount=amount,
        intent=turn.call.intent,
        fields=tuple(kind.collect),
        brands=tuple(kind.brands),
        tries=turn.flow.head.patience.tries,
        language=turn.call.language,
    )
