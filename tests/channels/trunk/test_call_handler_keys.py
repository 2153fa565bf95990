"""Keys on their way from signalling and media to a call's conversation: none is lost that was answered, none stops a wrong prompt."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from ivr.channels.line import MOST_KEYS, Heard, KeyPressed
from ivr.channels.trunk.call_handler import TrunkCall, TrunkCallHandler
from ivr.phone.rtp import CallMedia, KeyHeard


@dataclass
class Worker:
    """The media worker's end of the pipe."""

    did: list[str] = field(default_factory=list)

    def still_alive(self, call: str) -> None:
        self.did.append("alive")

    def stop(self, call: str) -> None:
        self.did.append("stop")


@dataclass
class Talking:
    heard: list[Heard] = field(default_factory=list)

    def tell(self, heard: Heard) -> None:
        self.heard.append(heard)


def handler_with(line: TrunkCall) -> tuple[TrunkCallHandler, Worker]:
    handler = TrunkCallHandler({}, "192.0.2.1", 10)
    worker = Worker()
    handler.media = worker  # type: ignore[assignment]
    handler.lines["c1"] = line
    return handler, worker


def a_line(*, answered: bool, barge_in: bool = True) -> tuple[TrunkCall, Talking]:
    talking = Talking()
    line = TrunkCall(None, None, None, CallMedia(), barge_in=barge_in)  # type: ignore[arg-type]
    line.conversation = talking if answered else None  # type: ignore[assignment]
    return line, talking


def by_event(handler: TrunkCallHandler, key: str) -> None:
    handler.heard(KeyHeard("c1", key, "telephone_event", time.monotonic()))


def by_info(handler: TrunkCallHandler, key: str) -> None:
    asyncio.run(handler.info_key("c1", key, 100))


def test_a_key_by_info_is_told_and_stops_the_prompt_that_it_interrupts():
    line, talking = a_line(answered=True)
    handler, worker = handler_with(line)
    by_info(handler, "7")
    assert talking.heard == [KeyPressed("7")]
    assert worker.did == ["alive", "stop"]


def test_the_echo_by_info_of_a_key_that_came_as_an_event_stops_nothing():
    """What plays by then is the next prompt: cut off, nobody would notice that it is over, and the call would stand still."""
    line, talking = a_line(answered=True)
    handler, worker = handler_with(line)
    by_event(handler, "7")
    by_info(handler, "7")
    assert talking.heard == [KeyPressed("7")]
    assert worker.did == ["alive"]


@pytest.mark.parametrize("press", [by_event, by_info], ids=["event", "info"])
def test_a_key_that_comes_before_the_ack_is_type_ahead(press):  # type: ignore[no-untyped-def]
    line, _ = a_line(answered=False)
    handler, _ = handler_with(line)
    for key in "12":
        press(handler, key)
    assert line.early == [KeyPressed("1"), KeyPressed("2")]
    assert "1" not in repr(line.early)


def test_somebody_leaning_on_the_keypad_before_the_ack_fills_no_memory():
    line, _ = a_line(answered=False)
    handler, _ = handler_with(line)
    for _ in range(1000):
        by_event(handler, "5")
    assert len(line.early) == MOST_KEYS
