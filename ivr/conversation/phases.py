"""Every phase of a call, every event, and what follows: one table, which the engine reads and nothing else decides.

A call is always in one phase. Three belong to the engine, and lie before, across and after all steps:

    language   the call has begun, and the caller chooses a language; no step has been entered
    cancel     the clear key was pressed on an empty entry, and the caller is asked whether to cancel
    over       the last words have been said; only a hang-up is left to do

All others belong to the step that the call is at. A kind of step declares its phases (`Step.phases`) and says of each
which moment it is, because a moment is what other parts of the product need to know of a phase they have never met:

    asks       a question has been put, and keys are awaited
    offers     the same, but the done key means "go on"
    looks_up   the line is held while a billing system is asked; keys are kept for the next question
    waits      the line is held while the bank works, or somebody else is rung; keys are dropped
    passes     the step does something and moves on within the same turn: no call rests here

A step is entered in its phase `entry`, and returns to it when an offer to cancel was refused. From there it goes through
its own phases as it likes (`Step.leads`), until it is left by one of its outcomes, which the flow maps to the next step.

Events come from a channel (`KeysEntered`, `NoInput`, `HungUp`), from what the runner did for the core (`LookedUp`,
`CardCollected`, `ChargeRefused`, ...) and from the bank. Deliveries are late, repeated and out of order, so any event may
meet any phase, and no cell of the table may be empty. What keeps the money right is in the table too:

    - once a call is over, nothing begins again: every event of that column only hangs up
    - a charge is begun by keys at a question, or by the end of a pause while what is due is asked for; an event that
      a phase does not take never reaches a question's step, so it can agree to nothing
    - a key pressed while the bank works changes nothing: it holds the line for another pause

What a caller asks about the question itself (9, 0, any key after a warning) is no answer: where the table says that the question
gets the event, `asides` looks at it first, and puts the question once more.

`is_taken` and `what_follows` read the table; `engine` has one function for each of the words in it.
"""

from collections.abc import Mapping
from typing import Literal

from ivr.core.call import Call
from ivr.core.events import (
    AgreementRecorded,
    AgreementRefused,
    BankAnswered,
    CallStarted,
    CardCaptured,
    CardCollected,
    CardEntryEdited,
    ChargeRefused,
    DueAwaited,
    Event,
    Fault,
    HungUp,
    KeysEntered,
    LimitReached,
    LookedUp,
    LookUpFailed,
    NoInput,
    PartsTakenBack,
    TransferEnded,
    Waited,
)
from ivr.flow.parts import Moment
from ivr.flow.talk.turn import FlowInTurn, StepInTurn, moment_of

Follows = Literal[
    "begins",  # languages are offered, or the first step is entered
    "chooses",  # the choice of a language: taken, or offered again
    "decides",  # the answer to an offer to cancel: yes cancels, anything else puts the question again
    "hears",  # the step takes the event: it may say, ask, change its phase, or be left
    "again",  # the step does not see the event: the present question is put again
    "holds",  # the step has nothing to do with the event: the line is held for another pause
    "unbegun",  # the charge was not begun: the caller is told why, and chooses again or the call ends
    "limited",  # the caller is told that a limit is reached; the call ends
    "breaks",  # an apology, and what is known of the charge; the call ends
    "gone",  # the caller has hung up: the call is over, and what was begun goes on without them
    "over",  # the call is over: hang up, once more
]
Column = Moment | Literal["language", "cancel"]
COLUMNS: tuple[Column, ...] = ("language", "cancel", "asks", "offers", "looks_up", "waits", "passes", "over")

# fmt: off
_ROWS: Mapping[type[object], tuple[Follows, ...]] = {
    #                 language   cancel     asks       offers     looks_up   waits      passes     over
    CallStarted:     ("begins",  "decides", "again",   "again",   "holds",   "holds",   "hears",   "over"),
    KeysEntered:     ("chooses", "decides", "hears",   "hears",   "holds",   "holds",   "hears",   "over"),
    NoInput:         ("chooses", "decides", "hears",   "hears",   "holds",   "holds",   "hears",   "over"),
    Waited:          ("chooses", "decides", "again",   "again",   "hears",   "hears",   "hears",   "over"),
    CardCollected:   ("chooses", "decides", "again",   "again",   "holds",   "holds",   "hears",   "over"),
    CardEntryEdited: ("chooses", "decides", "again",   "again",   "holds",   "holds",   "hears",   "over"),
    CardCaptured:    ("chooses", "decides", "again",   "again",   "holds",   "holds",   "hears",   "over"),
    LookedUp:        ("chooses", "decides", "again",   "again",   "hears",   "holds",   "hears",   "over"),
    LookUpFailed:    ("chooses", "decides", "again",   "again",   "hears",   "holds",   "hears",   "over"),
    DueAwaited:      ("chooses", "decides", "again",   "again",   "holds",   "holds",   "hears",   "over"),
    BankAnswered:    ("chooses", "decides", "again",   "again",   "holds",   "hears",   "hears",   "over"),
    PartsTakenBack:  ("chooses", "decides", "again",   "again",   "holds",   "holds",   "hears",   "over"),
    AgreementRecorded: ("chooses", "decides", "again", "again",   "holds",   "holds",   "hears",   "over"),
    AgreementRefused: ("chooses", "decides", "again",  "again",   "holds",   "holds",   "hears",   "over"),
    TransferEnded:   ("chooses", "decides", "again",   "again",   "holds",   "holds",   "hears",   "over"),
    ChargeRefused:   ("unbegun", "unbegun", "unbegun", "unbegun", "unbegun", "unbegun", "unbegun", "over"),
    LimitReached:    ("limited", "limited", "limited", "limited", "limited", "limited", "limited", "over"),
    Fault:           ("breaks",  "breaks",  "breaks",  "breaks",  "breaks",  "breaks",  "breaks",  "over"),
    HungUp:          ("gone",    "gone",    "gone",    "gone",    "gone",    "gone",    "gone",    "over"),
}
_OF_A_KIND: tuple[Follows, ...] = (  # an event of a kind's own, in phases that do not declare it
                      "chooses", "decides", "again",   "again",   "holds",   "holds",   "hears",   "over")
# fmt: on

TABLE: Mapping[type[object], Mapping[Column, Follows]] = {
    event: dict(zip(COLUMNS, row, strict=True)) for event, row in _ROWS.items()
}
OF_A_KIND: Mapping[Column, Follows] = dict(zip(COLUMNS, _OF_A_KIND, strict=True))
LEFT_TO_THE_STEP = frozenset[Follows](
    {"again", "holds"}
)  # where a kind may declare, in `hears`, that it takes the event


def what_follows(flow: FlowInTurn, call: Call, event: Event) -> Follows:
    follows = TABLE.get(type(event), OF_A_KIND)[column_of(flow, call)]
    if follows in LEFT_TO_THE_STEP and is_taken(flow.steps[call.step], call.phase, type(event)):
        return "hears"
    return follows


def column_of(flow: FlowInTurn, call: Call) -> Column:
    if call.phase == "over":
        return "over"
    if not call.step:
        return "language"
    return "cancel" if call.phase == "cancel" else moment_of(flow, call)


def is_taken(step: StepInTurn, phase: str, event: type[object]) -> bool:
    """Does the kind declare that it takes this event in this phase, beside those that every such moment takes?"""
    return event in step.hears.get(phase, ())
