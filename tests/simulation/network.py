"""Between callers and web nodes: Twilio's requests, the proxy in front of the nodes, and what becomes of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx

from ivr.channels.twilio import Writer
from ivr.core.actions import ChannelAction, Collect, Phrase, Speak
from tests.simulation.faults import Faults
from tests.simulation.nodes import WebNode
from tests.simulation.scheduler import Answer, Killed, Scheduler

TWILIO_WAITS_S = 15.0
LATEST_S = 600.0
BROKEN = "the node has gone"


@dataclass(frozen=True)
class Noted:
    """What an answer says and asks for."""

    phrases: Sequence[Phrase]
    asks: str = ""


@dataclass
class Notes:
    """Prompts by the TwiML that says them: stored answers, which are given again, are found as well."""

    of: dict[str, Noted] = field(default_factory=dict)

    def noting(self, writer: Writer) -> Writer:
        return NotingWriter(writer.words, writer.parts, self)


@dataclass(frozen=True)
class NotingWriter(Writer):
    notes: Notes = field(default_factory=Notes)

    def answer(self, actions: Sequence[ChannelAction], url: str) -> str:
        twiml = super().answer(actions, url)
        phrases = [phrase for action in actions if isinstance(action, Speak) for phrase in action.phrases]
        asks = next((action.field for action in actions if isinstance(action, Collect)), "")
        self.notes.of[twiml] = Noted(phrases, asks)
        return twiml


@dataclass
class Front:
    """The proxy: takes the request to a node, and to another where that one is gone."""

    scheduler: Scheduler
    faults: Faults
    nodes: Sequence[WebNode]

    def exchange(self, target: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """httpx.TransportError where no answer comes back in time."""
        chance, faults, who = self.scheduler.chance, self.faults, self.scheduler.current.process.name
        answer = Answer(self.scheduler)
        if chance.random() < faults.webhook_lost:
            self.scheduler.note("network", f"loses the webhook of {who} to {target}")
        else:
            self._deliver(chance.uniform(0.01, 0.3), target, body, headers, answer)
        if chance.random() < faults.webhook_doubled:
            self._deliver(chance.uniform(0.0, 0.6), target, body, headers, answer)
        if chance.random() < faults.webhook_late:
            self._deliver(chance.uniform(5.0, LATEST_S), target, body, headers, answer)
        if not answer.wait(TWILIO_WAITS_S):
            self.scheduler.note(who, f"hears no answer to {target}")
            raise httpx.ReadTimeout("silence")
        return answer.value

    def _deliver(self, after_s: float, target: str, body: bytes, headers: Mapping[str, str], answer: Answer) -> None:
        def arrive() -> None:
            alive = [node for node in self.nodes if not node.process.is_dead]
            if not alive:
                self.scheduler.after(1.0, arrive)
                return
            node = self.scheduler.chance.choice(alive)
            self.scheduler.spawn(node.process, target, lambda: self._serve(node, target, body, headers, answer))

        self.scheduler.after(after_s, arrive)

    def _serve(self, node: WebNode, target: str, body: bytes, headers: Mapping[str, str], answer: Answer) -> None:
        chance = self.scheduler.chance
        self.scheduler.note(node.name, f"is asked {target}")
        try:
            status, text = node.answer(target, body, headers)
        except Killed:
            if chance.random() < 0.7:
                self._deliver(0.1, target, body, headers, answer)  # the proxy tries the next
            raise
        if chance.random() < self.faults.answer_lost:
            self.scheduler.note("network", f"loses the answer to {target}")
            return
        self.scheduler.after(chance.uniform(0.01, 0.2), lambda: answer.give((status, text)))


@dataclass
class Telephone:
    """What Twilio's side of a call uses for an HTTP client. `said`: the prompts of the answers since it was emptied;
    `asks`: the field that keys are awaited for."""

    front: Front
    notes: Notes
    said: list[Phrase] = field(default_factory=list)
    asks: str = ""

    def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> Any:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        status, text = self.front.exchange(target, content, headers)
        if text in self.notes.of:
            noted = self.notes.of[text]
            self.said += noted.phrases
            self.asks = noted.asks
        return SimpleNamespace(status_code=status, text=text, headers={"content-type": "text/xml; charset=utf-8"})
