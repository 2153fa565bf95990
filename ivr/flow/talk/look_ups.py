"""Holding the line while the billing system looks something up; what its answer means is for the step that asked.

A step may ask several times, one look-up after another: each is begun in a phase of its own that `looks_up`, and its answer
comes to the step as an event in that phase.
"""

from collections.abc import Mapping

from ivr.core.actions import LookUp, Wait
from ivr.core.events import Event, LookedUp, LookUpFailed
from ivr.flow.talk.turn import Listen, Reply, Turn

HOLD_S = 1.0  # one pause while the billing system thinks; most answer before the first
PATIENCE_S = 12.0  # the runner gives up earlier; this holds where an answer is lost with its process
PROMPTS: Mapping[str, frozenset[str]] = dict.fromkeys(
    ("one_moment", "bill_not_reached", "bill_not_payable"), frozenset()
)
# Why a look-up that takes a second answer was not made, by what its failure is called.
LOCKED = {"caller_locked": "limit_guesses_per_caller", "account_locked": "limit_guesses_per_account"}


def begin(turn: Turn, source: str, key: str, phase: str = "lookup") -> Reply:
    turn = turn.change(phase=phase, since=turn.at, looking_up=(source, key)).do(_look_up(turn, source, key))
    return turn.say("one_moment").do(Wait(HOLD_S, keep_keys=True)), Listen()


def answer_to(turn: Turn, event: Event) -> LookedUp | LookUpFailed | None:
    """The look-up's answer, or that nobody waits for it any longer; None while it is under way."""
    if isinstance(event, LookedUp | LookUpFailed):
        return event
    return LookUpFailed(event.at, "not_reached") if turn.at - turn.call.since >= PATIENCE_S else None


def is_out_of_guesses(turn: Turn) -> bool:
    """Pairs that nothing was found for, in the entire call: a PIN is not to be tried out."""
    return turn.call.guesses >= turn.flow.head.patience.tries


def ask_again(turn: Turn) -> Reply:
    """Whatever else happens while a look-up is under way leads to asking for its answer again."""
    assert turn.call.looking_up is not None
    return turn.do(_look_up(turn, *turn.call.looking_up), Wait(HOLD_S, keep_keys=True)), Listen()


def _look_up(turn: Turn, source: str, key: str) -> LookUp:
    """With what the flow declares of it."""
    terms, answers = turn.flow.head.lookups.get(source), turn.call.values
    if terms is None:
        return LookUp(source, key)
    others = tuple((name, str(answers[name])) for name in terms.takes[1:] if name in answers)
    return LookUp(source, key, others, tuple(terms.gives.items()))
