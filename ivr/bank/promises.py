"""What a bank's protocol promises, as data, and what follows from it once a request was met with silence.

A protocol is one folder beside this file and declares its `Promises`. The forwarder knows no protocol: of a charge that
may have left and was not answered it asks `after_silence` alone. Three ways to the truth, the best first:

- inquire: the bank can be asked by our reference. Nothing can be charged by asking.
- repeat: the bank keeps the answer to each idempotency key for a time. The same request under the same key brings that
  answer, or begins the charge that was agreed to, once. It needs the sealed fields, so they are kept until the answer.
- undo: the bank is told by our reference to take the charge back. It ends the matter only where it also stops a request
  that has not arrived yet, or where that request cannot arrive any more: longer than any connection lives.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ivr.core.events import CARD_FIELDS, CardField

Operation = Literal[
    "authorize", "sale", "capture", "void", "refund", "card verification", "create token", "charge token",
    "delete token",
]  # fmt: skip
Undo = Literal["no", "what has arrived", "also before arrival"]
NextQuestion = Literal["inquire", "repeat", "undo", "wait", "nothing"]
NextOfModification = Literal["repeat", "inquire", "nothing"]
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True)
class Promises:
    """One protocol's. Everything that is not said is not promised.

    `seal`: the form in which the vault seals a field, by its name there; `seal_to`: whose key it is. `repeats_s`: how
    long, counted from when the charge was begun, the same request under its idempotency key is the same charge.
    `undo_is_told_later`: an undo is accepted at once, and its outcome comes in a notification. `captures_apart`: an
    authorization takes no money until it is captured. `fields`: the card fields that a request has room for.
    `inquires_modifications`: a refund, void or capture can be asked about by its key. `modifications_are_told_later`: it is
    taken at once, and its outcome comes in a notification. `undo_waits_s`: how long after it was sent a request may still
    arrive, where an undo does not stop it: nothing is undone before. `traced`: a request has numbers of its own, which are
    stored before it leaves, and an undo is told them. `repeats_modifications_s`: how long the same refund, void or capture
    may be asked for again, where that is longer than for a charge. `partial_approval`: a request can say that the bank may
    approve less than its amount; the answer says how much, with code 10.
    """

    seal: str
    seal_to: Literal["bank", "vault"]
    operations: frozenset[Operation]
    inquires: bool = False
    repeats_s: float = 0.0
    undo: Undo = "no"
    undo_is_told_later: bool = False
    captures_apart: bool = False
    partial_approval: bool = False
    fields: frozenset[CardField] = frozenset({"card_number", "expiry", "security_code"})
    inquires_modifications: bool = False
    modifications_are_told_later: bool = False
    undo_waits_s: float = 0.0
    traced: bool = False
    repeats_modifications_s: float = 0.0


def after_silence(promises: Promises, age_s: float, sent_s: float | None = None) -> NextQuestion:
    """What to ask about a charge that was begun `age_s` ago, may have left (`sent_s` ago at most) and has no answer.

    An age of less than nothing is that of a charge which a node began whose clock is ahead: it is taken for nothing.
    """
    age_s = max(age_s, 0.0)
    if promises.inquires:
        return "inquire"
    if age_s < promises.repeats_s:
        return "repeat"
    if promises.undo == "no":
        return "nothing"
    return "wait" if (age_s if sent_s is None else sent_s) < promises.undo_waits_s else "undo"


def after_silent_modification(promises: Promises, age_s: float) -> NextOfModification:
    """What to ask about a refund, void or capture that was asked for `age_s` ago, may have left, and has no answer.

    Repeating comes first: under its key it is an inquiry, and it does what was asked for if the first request was lost.
    """
    if max(age_s, 0.0) < max(promises.repeats_s, promises.repeats_modifications_s):
        return "repeat"
    return "inquire" if promises.inquires_modifications else "nothing"


def promises_table(named: Iterable[tuple[str, Promises]]) -> str:
    """Protocol by promise, as Markdown: docs/money.md has it, and a test compares."""
    columns = [(f"`{name}`", promises) for name, promises in named]
    head = f"| promise | {' | '.join(name for name, _ in columns)} |"
    rule = f"| --- |{' --- |' * len(columns)}"
    cells = [list(_cells(promises)) for _, promises in columns]
    rows = [f"| {row[0][0]} | {' | '.join(value for _, value in row)} |" for row in zip(*cells, strict=True)]
    return "\n".join([head, rule, *rows])


def _cells(promises: Promises) -> Iterable[tuple[str, str]]:
    yield "a field is sealed", f"{promises.seal}, to the {promises.seal_to}'s key"
    yield "card fields", ", ".join(name for name in CARD_FIELDS if name in promises.fields)
    yield "can be asked by our reference", _yes(promises.inquires)
    yield "the same request again under its key", f"for {_time(promises.repeats_s)}" if promises.repeats_s else "no"
    yield "can be told to undo by our reference", _undo(promises)
    yield "numbers that it finds a request by, stored before it leaves", _yes(promises.traced)
    yield "the outcome of an undo", "in a notification" if promises.undo_is_told_later else "in its answer"
    yield "takes the money", "when it is captured" if promises.captures_apart else "with the authorization"
    yield "may approve a part", _yes(promises.partial_approval)
    yield "operations", ", ".join(sorted(promises.operations))
    young, old = (after_silence(promises, age_s) for age_s in (0.0, float("inf")))
    yield "after silence", _then(young, old)
    if {"refund", "void", "capture"} & promises.operations:
        later = promises.modifications_are_told_later
        yield "the outcome of a refund, void or capture", "in a notification" if later else "in its answer"
        first, last = (after_silent_modification(promises, age_s) for age_s in (0.0, float("inf")))
        yield "after silence on one of them", _then(first, last)
    else:
        yield "the outcome of a refund, void or capture", "-"
        yield "after silence on one of them", "-"


def _then(first: str, last: str) -> str:
    return first if first == last else f"{first}, then {last}"


def _undo(promises: Promises) -> str:
    return f"{promises.undo}, {promises.undo_waits_s:g} s after it left" if promises.undo_waits_s else promises.undo


def _yes(promised: bool) -> str:
    return "yes" if promised else "no"


def _time(seconds: float) -> str:
    hours = seconds / HOUR_S
    return f"{hours:g} hours" if seconds <= DAY_S else f"{hours / 24:g} days"
