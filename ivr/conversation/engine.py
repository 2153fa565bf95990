"""The conversation: one pure function from a call and an event to the call and what to do. No socket, clock or log.

What follows from which event in which phase is the table in `phases`; here is how.
"""

from collections.abc import Callable, Mapping

from ivr.conversation import asides, habit
from ivr.conversation.phases import Follows, what_follows
from ivr.core.actions import AS_WRITTEN, Action, HangUp, Phrase, Speak
from ivr.core.call import NO_NOTES, Call
from ivr.core.entry import EntryRules
from ivr.core.events import (
    CallStarted,
    CardField,
    ChargeRefused,
    Event,
    KeysEntered,
    LimitReached,
    NoInput,
    Value,
)
from ivr.core.fixed_keys import ACCEPT_KEY
from ivr.core.moves import BACK, BEGAN, ERROR, LIMIT
from ivr.core.remembered import ACCOUNT, IS_REMEMBERED, OTHERS_OFFERED
from ivr.errors import FlowError
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
from ivr.words.wordings import endings

MESSAGE = "message"  # in the call's notes, with a language
MOST_STEPS_A_TURN = 1000  # none that a flow's checks let through comes near it


def step(flow: Flow, call: Call, event: Event) -> tuple[Call, list[Action]]:
    """What follows from the event, by the table of phases."""
    turn = Turn(flow, call, event.at.timestamp())
    if isinstance(event, KeysEntered) and not event.keys:
        event = NoInput(event.at)
    follows = what_follows(flow, call, event)
    if follows not in OF_ITS_QUESTION:
        turn = ANSWERS[follows](turn, event)
    elif habit.is_stray_done(turn, event):
        turn = ask_again(habit.drop_done(turn))
    else:
        turn = answer(habit.note_how_entry_ended(turn, event), event, follows)
    turn = forget_answers(turn) if turn.call.phase == "over" else turn
    return turn.call, list(turn.actions)


def answer(turn: Turn, event: Event, follows: Follows) -> Turn:
    """What a caller asks about the question itself is no answer to it."""
    if OTHERS_OFFERED in turn.call.values and isinstance(event, KeysEntered):
        turn = turn.forget(OTHERS_OFFERED)
        if asides.lone_key(turn, event) == turn.flow.editing_keys[1]:
            return offer_languages(turn.change(step="", phase="language", silences=0, mistakes=0, warned=False))
    if (aside := asides.asked_for(turn, event)) is not None:
        return put_aside(turn, aside)
    return ANSWERS[follows](turn.change(warned=False) if turn.call.warned else turn, event)


def forget_answers(turn: Turn) -> Turn:
    """What the caller keyed in, and what is known of the customer, is kept no longer than the call needs it; what was paid for is in the payment's record."""
    asked, call = turn.flow.forgets, turn.call
    turn = turn.change(notes=NO_NOTES, bills=()) if call.notes or call.bills else turn
    return turn if asked.isdisjoint(call.values) else Turn(turn.flow, turn.call.without(asked), turn.at, turn.actions)


def hear(turn: Turn, event: Event) -> Turn:
    """Where the step has nothing to do with the event it holds the line, each in its own way."""
    return resume(here(turn).hear(turn, event))


def put_again(turn: Turn, _event: Event) -> Turn:
    return resume(here(turn).put_again(turn))


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
    raise FlowError(f"the call goes round without a wait at step '{turn.call.step}'")  # ends it by what the ledger says


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
    turn = turn.change(asides=0, warned=False) if turn.call.asides or turn.call.warned else turn
    return here(turn).enter(turn)


def ask_again(turn: Turn) -> Turn:
    """The present question once more, from whatever it is in the middle of."""
    return offer_languages(turn) if turn.call.phase == "language" else resume(here(turn).put_again(turn))


def put_aside(turn: Turn, aside: asides.Aside) -> Turn:
    """The caller asks about the question, and gets it once more."""
    turn = asides.note(turn, aside)
    if turn.call.phase == "language":
        return offer_languages(turn)
    turn = resume(here(turn).say_again(turn) if aside == "again" else here(turn).put_again(turn))
    return asides.with_flush(turn) if aside == "more_time" else turn


# ---- at no step, or above it


def hang_up_again(turn: Turn, _event: Event) -> Turn:
    return turn.do(HangUp())


def hang_up(turn: Turn, _event: Event) -> Turn:
    """The caller is gone. A charge that is under way goes on without them: its outcome will be on record."""
    turn = turn.change(charges=turn.call.closed.charges) if turn.call.held else turn
    return turn.change(phase="over", hung_up=True, outcome=turn.call.known_ending).forget_card()


def apologise(turn: Turn, _event: Event) -> Turn:
    """Once a charge has been begun, only its record knows how it ends."""
    return ending.end(turn.went(ERROR).say("apology"))


def refuse_charge(turn: Turn, event: Event) -> Turn:
    assert isinstance(event, ChargeRefused)
    return resume(charging.hear_refusal(turn, event))


def refuse(turn: Turn, event: Event) -> Turn:
    """The answer to `BeginCard`, or to `Authorize`: then nothing was sent."""
    assert isinstance(event, LimitReached)
    turn = charging.drop_charge(turn).went(LIMIT)
    return ending.end(turn.say(f"limit_{event.limit}", max=turn.flow.head.limits.max_amount))


def greet(turn: Turn, event: Event) -> Turn:
    """Languages come first, each in its own tongue: what is said before a choice is understood by some only."""
    assert isinstance(event, CallStarted)
    turn, languages = keep_message(turn, event), turn.flow.head.languages
    turn = turn.change(language=languages[0])
    if event.is_stopped:
        return turn_away(turn)
    if event.remembered is not None:
        kept: dict[str, Value] = {IS_REMEMBERED: True, ACCOUNT: event.remembered.account}
        turn = turn.remember(**kept)
        if event.remembered.language in languages:
            return start(offer_others(turn.change(language=event.remembered.language)))
    if len(languages) == 1:
        return start(turn)
    return offer_languages(turn.change(phase="language"))


def start(turn: Turn) -> Turn:
    turn, is_all = say_message(turn if turn.call.moves else turn.went(BEGAN))
    return ending.end(turn) if is_all else resume(enter(turn.say("welcome"), turn.flow.head.start))


def turn_away(turn: Turn) -> Turn:
    """No cards are taken for now. In every language, because nobody is asked for a key first."""
    why = "cards_not_taken_now" if turn.flow.bank else "apology"  # a flow that takes no card has no words for it
    turn, languages = turn.went(BEGAN), turn.flow.head.languages
    for language in languages:
        turn = turn.change(language=language)
        turn = say_message(turn)[0] if f"{MESSAGE} {language}" in turn.call.notes else turn
        turn = turn.say(why)
        turn = ending.end(turn) if language == languages[-1] else ending.tell(turn)
    return turn.change(language=languages[0])


def keep_message(turn: Turn, event: CallStarted) -> Turn:
    """An operator's message is kept until the caller has chosen a language to hear it in."""
    if not event.message:
        return turn
    return turn.note(**{f"{MESSAGE} {language}": text for language, text in event.message.items()}, is_all=event.is_all)


def say_message(turn: Turn) -> tuple[Turn, bool]:
    """Whether the call ends with it. In the caller's language, or in one that the message has."""
    notes, language = turn.call.notes, turn.call.language
    texts = {name.removeprefix(f"{MESSAGE} "): text for name, text in notes.items() if name.startswith(f"{MESSAGE} ")}
    if not texts:
        return turn, False
    spoken = language if language in texts else next(iter(texts))
    phrase = Phrase(AS_WRITTEN, language, (("text", texts[spoken]),))
    return turn.do(Speak((phrase,))), bool(notes.get("is_all"))


def offer_languages(turn: Turn) -> Turn:
    of_flow = endings("", again=False, flow=turn.call.flow)
    offers = [
        Phrase("choose_language", language, (("key", str(number)),), endings=of_flow)
        for number, language in enumerate(turn.flow.head.languages, 1)
    ]
    return turn.do(Speak(tuple(offers))).collect_one_key("language")


def offer_others(turn: Turn) -> Turn:
    """Somebody else may ring from the same telephone: the clear key as the call's first one leads to the languages, and each but the
    caller's says so."""
    others = [one for one in turn.flow.head.languages if one != turn.call.language]
    clear = ("key", turn.flow.key_words["clear"])
    of_flow = endings("", again=False, flow=turn.call.flow)
    offers = tuple(Phrase("choose_language", one, (clear,), endings=of_flow) for one in others)
    return turn.do(Speak(offers)).remember(**{OTHERS_OFFERED: True}) if offers else turn


def choose_language(turn: Turn, event: Event) -> Turn:
    """A caller who does not choose hears the first language; nobody is turned away for it."""
    languages = turn.flow.head.languages
    key = one_key(turn, event)
    if key.isdecimal() and 1 <= int(key) <= len(languages):
        return start(turn.change(language=languages[int(key) - 1]))
    if turn.call.silences + 1 >= turn.flow.head.patience.tries or isinstance(event, NoInput):
        return start(turn)
    wrong = "card_asked_later" if isinstance(event, KeysEntered) and is_card(turn, event) else "no_match"
    # Said before it is counted: the words of a first failure are not those of a second.
    return offer_languages(turn.say(wrong).change(silences=turn.call.silences + 1))


def answer_cancel_offer(turn: Turn, event: Event) -> Turn:
    if one_key(turn, event) != ACCEPT_KEY:
        return resume((turn.change(phase="entry"), Again()))
    turn = turn.change(phase="entry")
    if turn.flow.leads_on(turn.call.step, "cancelled"):
        return resume(leave(turn, "cancelled"))
    return resume(enter(turn.went("cancelled"), CANCELLED))


# ---- a function for each word of the table

ANSWERS: Mapping[Follows, Callable[[Turn, Event], Turn]] = {
    "begins": greet,
    "chooses": choose_language,
    "decides": answer_cancel_offer,
    "hears": hear,
    "again": put_again,
    "holds": hear,
    "unbegun": refuse_charge,
    "limited": refuse,
    "breaks": apologise,
    "gone": hang_up,
    "over": hang_up_again,
}
# What a caller or an awaited answer leads to: a done key out of habit is looked for among these, and how an entry ended.
OF_ITS_QUESTION = frozenset[Follows]({"chooses", "decides", "hears", "again", "holds"})
