"""A compiled flow, as calls go through it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from transitions import Machine

from ivr.core.events import Value
from ivr.core.remembered import OF_CALLER
from ivr.flow.declared import Declared
from ivr.flow.schema import FlowHead
from ivr.flow.step import Step

AMOUNT = frozenset({"amount"})  # the fact that one was chosen


@dataclass(frozen=True)
class Flow:
    """A compiled flow, shared by all its calls and by all threads. `version`: its content's digest; empty where it was
    read from a file that nobody has published."""

    head: FlowHead
    steps: Mapping[str, Step]
    machine: Machine = field(repr=False)
    version: str = ""

    @property
    def name(self) -> str:
        return self.head.flow

    def follow(self, step: str, outcome: str) -> str:
        """The step that the outcome leads to; KeyError where it leads nowhere."""
        return self._targets[step, outcome]

    def leads_on(self, step: str, outcome: str) -> bool:
        return (step, outcome) in self._targets

    def charges(self, step: str) -> bool:
        """Whether an amount that is chosen before this step can be charged from here on, with no other chosen on the way."""
        return step in self._charging

    @cached_property
    def _charging(self) -> frozenset[str]:
        charging = {name for name, step in self.steps.items() if _charges_amount(name, step)}
        while more := {name for name in self.steps.keys() - charging if self._carries_to(name, charging)}:
            charging |= more
        return frozenset(charging)

    def _carries_to(self, name: str, steps: Collection[str]) -> bool:
        """Does a way lead from this step to one of these, on which the amount stays as it was chosen?"""
        step = self.steps[name]
        return any(
            self._targets.get((name, outcome)) in steps
            and step.makes(path, outcome, AMOUNT) >= AMOUNT
            and not step.makes(path, outcome, frozenset()) >= AMOUNT
            for path, outcome, _ in step.targets()
        )

    @cached_property
    def editing_keys(self) -> tuple[str, str]:
        """The keys that end an entry and clear it."""
        return self.head.keys.done_key, self.head.keys.clear_key

    @cached_property
    def key_words(self) -> Mapping[str, Value]:
        """The same two as prompts say them."""
        return {"done": self.head.keys.done, "clear": self.head.keys.clear}

    @cached_property
    def answers(self) -> frozenset[str]:
        """What the flow's own questions are called, and what look-ups give besides what is due."""
        asked = filter(None, (step.answer for step in self.steps.values()))
        return frozenset({*asked, *Declared(self.head.lookups).given})

    @cached_property
    def forgets(self) -> frozenset[str]:
        """The values that are kept no longer than the call: those answers, and what is remembered of the caller."""
        return self.answers | OF_CALLER

    @cached_property
    def remembers(self) -> frozenset[str]:
        """What it keeps of a caller who agrees to it."""
        return frozenset().union(*(step.remembers for step in self.steps.values()))

    @cached_property
    def remembered_answer(self) -> str:
        """What the answer is called that a caller who is remembered need not key in again; "" where there is none."""
        return next((step.answer for step in self.steps.values() if step.offers_remembered), "")

    @cached_property
    def bank(self) -> str | None:
        """The bank that its cards are sealed to; None for a flow that charges nobody."""
        return next((step.bank[1] for step in self.steps.values() if step.bank), None)

    @cached_property
    def _targets(self) -> Mapping[tuple[str, str], str]:
        """The machine's transitions, by step and outcome. A flow has no callbacks or conditions, so that a look here is
        all that the machine's own `trigger` would do, at a hundredth of its cost."""
        return {
            (transition.source, outcome): str(transition.dest)
            for outcome, event in self.machine.events.items()
            for transitions in event.transitions.values()
            for transition in transitions
        }


def _charges_amount(name: str, step: Step) -> bool:
    return step.bank is not None and any(need.fact in AMOUNT for need in step.needs(name))
