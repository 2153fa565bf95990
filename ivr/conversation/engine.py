"""The conversation: one pure function from a call and an event to the call and what to do. No socket, clock or log."""

from ivr.conversation import asking, collecting, ending, habit, paying
from ivr.conversation.dropping import is_card
from ivr.conversation.turn import ACCEPT_KEY, Again, End, GoTo, Leave, Listen, OfferCancel, Reply, Turn, one_key
from ivr.core.actions import Action, HangUp, Phrase, Speak
from ivr.core.call import Call
from ivr.core.events import CallStarted, ChargeRefused, Event, Fault, HungUp, KeysEntered, LimitReached, NoInput
from ivr.core.moves import BACK, BEGAN, ERROR, LIMIT
from ivr.flow.compiler import BUILT_IN, CANCELLED, Flow
from ivr.flow.schema import (
    AskStep,
    Closing,
    CollectStep,
    MenuStep,
    PayStep,
    ResolveStep,
    SayStep,
    SmsStep,
)


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
        turn = resume(paying.hear_refusal(turn, event))
    else:
        turn = hear(turn, event)
    turn = forget_answers(turn) if turn.call.phase == "over" else turn
    return turn.call, list(turn.actions)


def forget_answers(turn: Turn) -> Turn:
    """What the caller keyed in is kept no longer than the call needs it; what was paid for is in the payment's record."""
    asked = turn.flow.answers
    return turn if asked.isdisjoint(turn.call.values) else turn.forget(*asked)


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
    kind = turn.flow.steps[turn.call.step]
    match kind:
        case AskStep() | MenuStep():
            reply = asking.hear(turn, kind, event)
        case CollectStep():
            reply = collecting.hear(turn, kind, event)
        case PayStep() | ResolveStep():
            reply = paying.hear(turn, kind, event)
        case SayStep() if phase == "repeat":
            reply = paying.hear_repeat(turn, kind, event)
        case _:
            return ask(turn)
    return resume(reply)


def resume(reply: Reply) -> Turn:
    """A phase says what it wants next; going from step to step happens only here."""
    turn, wish = reply
    match wish:
        case Listen():
            return turn
        case Again():
            return ask(turn)
        case OfferCancel():
            return turn.change(phase="cancel").say("offer_cancel").collect_one_key("cancel", flush=True)
        case Leave(outcome):
            return leave(turn, outcome)
        case GoTo(name):
            return enter(turn.went(BACK), name)
        case End():
            return ending.end(turn)


def leave(turn: Turn, outcome: str) -> Turn:
    target = turn.flow.follow(turn.call.step, outcome)
    turn = turn.went(outcome)
    if target == turn.call.step:
        return ask(turn)
    return enter(turn, target)


def enter(turn: Turn, name: str) -> Turn:
    if name == CANCELLED:
        turn = turn if turn.call.charges else turn.say("cancelled")
    if name in BUILT_IN:
        return ending.end(turn)
    turn = turn.change(step=name, phase="entry", field_index=0, silences=0, mistakes=0, repeats=0)
    kind = turn.flow.steps[name]
    if isinstance(kind, CollectStep):
        if turn.call.approved and "amount" not in turn.call.values:
            return ending.end(turn)  # what was chosen has been paid: there is nothing to ask another card for
        turn = collecting.begin(turn)
    return ask(turn)


def ask(turn: Turn) -> Turn:
    """Puts the present step's question."""
    kind = turn.flow.steps[turn.call.step]
    match kind:
        case AskStep() | MenuStep():
            return asking.ask(turn, kind)
        case CollectStep():
            return collecting.ask(turn, kind)
        case PayStep() | ResolveStep():
            return paying.begin(turn, kind)
        case SayStep():
            turn = ending.say(turn, kind)
            return resume(paying.offer_repeat(turn, kind)) if kind.repeat or kind.sms else close(turn, kind)
        case SmsStep():
            return close(paying.send_and_say(turn, kind), kind)
        case Closing():
            return close(turn, kind)
    raise AssertionError(f"a step of an unknown kind: {kind!r}")


def ask_again(turn: Turn) -> Turn:
    """The present question once more, from whatever it is in the middle of."""
    if turn.call.phase == "language":
        return offer_languages(turn)
    kind = turn.flow.steps[turn.call.step]
    if isinstance(kind, SayStep) and turn.call.phase == "repeat":
        return resume(paying.offer_repeat(turn, kind))
    return ask(turn)


def close(turn: Turn, kind: Closing) -> Turn:
    if kind.end is not None:
        return paying.end_call(turn, kind)
    return enter(turn.went("ok"), str(kind.then))


def hang_up(turn: Turn) -> Turn:
    """The caller is gone. A charge that is under way goes on without them: its outcome will be on record."""
    return turn.change(phase="over", hung_up=True, outcome=turn.call.known_ending).forget_card()


def apologise(turn: Turn) -> Turn:
    """Once a charge has been begun, only its record knows how it ends."""
    return ending.end(turn.went(ERROR).say("apology"))


def refuse(turn: Turn, event: LimitReached) -> Turn:
    """The answer to `BeginCard`, or to `Authorize`: then nothing was sent."""
    turn = paying.drop_charge(turn).went(LIMIT)
    return ending.end(turn.say(f"limit_{event.limit}", max=turn.flow.head.limits.max_amount))


def greet(turn: Turn) -> Turn:
    """Languages come first, each in its own tongue: what is said before a choice is understood by some only."""
    languages = turn.flow.head.languages
    turn = turn.change(language=languages[0])
    if len(languages) == 1:
        return start(turn)
    return offer_languages(turn.change(phase="language"))


def start(turn: Turn) -> Turn:
    return enter(turn.went(BEGAN).say("welcome"), turn.flow.head.start)


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
        return ask(turn.change(phase="entry"))
    turn = turn.change(phase="entry")
    if turn.flow.leads_on(turn.call.step, "cancelled"):
        return leave(turn, "cancelled")
    return enter(turn.went("cancelled"), CANCELLED)
