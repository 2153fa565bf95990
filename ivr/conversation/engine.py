"""The conversation: one pure function from a call and an event to the call and what to do. No socket, clock or log."""

from ivr.conversation import habit
from ivr.core.actions import Action, HangUp, Phrase, Speak
from ivr.core.call import NO_NOTES, Call
from ivr.core.entry import EntryRules
from ivr.core.events import (
    CallStarted,
    CardField,
    ChargeRefused,
    Event,
    Fault,
    HungUp,
    KeysEntered,
    LimitReached,
    NoInput,
)
from ivr.core.fixed_keys import ACCEPT_KEY
from ivr.core.moves import BACK, BEGAN, ERROR, LIMIT
from ivr.flow.compiled import Flow
from ivr.flow.compiler import BUILT_IN, CANCELLED
from ivr.flow.talk import charging, ending
from ivr.flow.talk.dropping import is_card
from ivr.flow.talk.turn import (
    Again,
    End,
    GoTo,
    Leave,
    Listen,
    OfferCancel,
    Reply,
    StepInTurn,
    Turn,
    Wish,
    one_key,
)

MOST_STEPS_A_TURN = 1000  # none that a flow's checks let through comes near it


def step(flow: Flow, call: Call, event: Event) -> tuple[Call, list[Action]]:
    """What follows from the event. An event that does not fit the call's phase asks the present question again."""
    turn = Turn(flow, call, event.at.timestamp())
    if call.phase == "over":
        turn = turn.do(HangUp())
    elif isinstance(event, HungUp):
        turn = hang_up(turn)
    elif isinstance(event, CallStarted) and not call.step:
        turn = greet(turn)
    elif isinstance(event, Fault):
        turn = apologise(turn)
    elif isinstance(event, LimitReached):
        turn = refuse(turn, event)
    elif isinstance(event, ChargeRefused):
        turn = resume(charging.hear_refusal(turn, event))
    else:
        turn = hear(turn, event)
    turn = forget_answers(turn) if turn.call.phase == "over" else turn
    return turn.call, list(turn.actions)


def forget_answers(turn: Turn) -> Turn:
    """What the caller keyed in is kept no longer than the call needs it; what was paid for is in the payment's record."""
    asked, call = turn.flow.answers, turn.call
    turn = turn.change(notes=NO_NOTES) if call.notes else turn
    return turn if asked.isdisjoint(call.values) else turn.forget(*asked)


def hear(turn: Turn, event: Event) -> Turn:
    phase = turn.call.phase
    if isinstance(event, KeysEntered) and not event.keys:
        event = NoInput(event.at)
    if habit.is_stray_done(turn, event):
        return ask_again(habit.drop_done(turn))
    turn = habit.note_how_entry_ended(turn, event)
    if phase == "language":
        return choose_language(turn, event)
    if phase == "cancel":
        return answer_cancel_offer(turn, event)
    return resume(here(turn).hear(turn, event))


def here(turn: Turn) -> StepInTurn:
    """The step that the call is at."""
    return turn.flow.steps[turn.call.step]


def expected_field(flow: Flow, call: Call) -> tuple[CardField, EntryRules] | None:
    """The card field that this call's next keys belong to, and how they are read; None where keys are not card data."""
    kind = flow.steps.get(call.step)
    return kind.card_field(Turn(flow, call, 0.0)) if kind is not None else None


# ---- from step to step


def resume(reply: Reply) -> Turn:
    """A step says what it wants next; going from step to step happens only here."""
    turn, wish = reply
    for _ in range(MOST_STEPS_A_TURN):
        if isinstance(wish, Listen):
            return turn
        turn, wish = grant(turn, wish)
    raise RecursionError(f"the call goes round at step '{turn.call.step}'")


def grant(turn: Turn, wish: Wish) -> Reply:
    match wish:
        case Again():
            return here(turn).put(turn)
        case Leave(outcome):
            return leave(turn, outcome)
        case OfferCancel():
            turn = turn.change(phase="cancel").say("offer_cancel")
            return turn.collect_one_key("cancel", flush=True), Listen()
        case GoTo(name):
            return enter(turn.went(BACK), name)
        case End(told):
            return ending.end(turn, told=told), Listen()
        case Listen():
            return turn, wish


def leave(turn: Turn, outcome: str) -> Reply:
    target = turn.flow.follow(turn.call.step, outcome)
    turn = turn.went(outcome)
    return (turn, Again()) if target == turn.call.step else enter(turn, target)


def enter(turn: Turn, name: str) -> Reply:
    if name == CANCELLED:
        turn = turn if turn.call.charges else turn.say("cancelled")
    if name in BUILT_IN:
        return turn, End()
    turn = turn.change(
        step=name, phase="entry", field_index=0, silences=0, mistakes=0, clears=0, repeats=0, notes=NO_NOTES
    )
    return here(turn).enter(turn)


def ask_again(turn: Turn) -> Turn:
    """The present question once more, from whatever it is in the middle of."""
    return offer_languages(turn) if turn.call.phase == "language" else resume(here(turn).put_again(turn))


# ---- at no step, or above it


def hang_up(turn: Turn) -> Turn:
    """The caller is gone. A charge that is under way goes on without them: its outcome will be on record."""
    return turn.change(phase="over", hung_up=True, outcome=turn.call.known_ending).forget_card()


def apologise(turn: Turn) -> Turn:
    """Once a charge has been begun, only its record knows how it ends."""
    return ending.end(turn.went(ERROR).say("apology"))


def refuse(turn: Turn, event: LimitReached) -> Turn:
    """The answer to `BeginCard`, or to `Authorize`: then nothing was sent."""
    turn = charging.drop_charge(turn).went(LIMIT)
    return ending.end(turn.say(f"limit_{event.limit}", max=turn.flow.head.limits.max_amount))


def greet(turn: Turn) -> Turn:
    """Languages come first, each in its own tongue: what is said before a choice is understood by some only."""
    languages = turn.flow.head.languages
    turn = turn.change(language=languages[0])
    if len(languages) == 1:
        return start(turn)
    return offer_languages(turn.change(phase="language"))


def start(turn: Turn) -> Turn:
    return resume(enter(turn.went(BEGAN).say("welcome"), turn.flow.head.start))


def offer_languages(turn: Turn) -> Turn:
    offers = [
        Phrase("choose_language", language, (("key", str(number)),))
        for number, language in enumerate(turn.flow.head.languages, 1)
    ]
    return turn.do(Speak(tuple(offers))).collect_one_key("language")


def choose_language(turn: Turn, event: Event) -> Turn:
    """A caller who does not choose hears the first language; nobody is turned away for it."""
    languages = turn.flow.head.languages
    key = one_key(turn, event)
    if key.isdecimal() and 1 <= int(key) <= len(languages):
        return start(turn.change(language=languages[int(key) - 1]))
    if turn.call.silences + 1 >= turn.flow.head.patience.tries or isinstance(event, NoInput):
        return start(turn)
    wrong = "card_asked_later" if isinstance(event, KeysEntered) and is_card(turn, event) else "no_match"
    return offer_languages(turn.change(silences=turn.call.silences + 1).say(wrong))


def answer_cancel_offer(turn: Turn, event: Event) -> Turn:
    if one_key(turn, event) != ACCEPT_KEY:
        return resume((turn.change(phase="entry"), Again()))
    turn = turn.change(phase="entry")
    if turn.flow.leads_on(turn.call.step, "cancelled"):
        return resume(leave(turn, "cancelled"))
    return resume(enter(turn.went("cancelled"), CANCELLED))
