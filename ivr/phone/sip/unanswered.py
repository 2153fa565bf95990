"""Limits how many calls one source may keep between INVITE and ACK; calls that were acknowledged are not counted here.

An INVITE costs its sender one packet and us a call for 32 s (RFC 3261 13.3.1.4), so whoever sends no ACK could take
every call there is. At the limit the call that has waited longest for its ACK gives way: a telephone's ACK takes a
round trip, so those who do send one get through even beside a flood that carries their own address.
"""

from typing import Protocol


class WaitingCall(Protocol):
    @property
    def waits_for_ack(self) -> bool:
        """Its 200 is out; before that the handler is still at work, and the caller has nothing to acknowledge."""

    def give_up_waiting(self) -> None: ...


class UnansweredCalls:
    """Time is the event loop's, in seconds."""

    def __init__(self, most_per_source: int, least_wait_s: float) -> None:
        self._most, self._least_wait_s = most_per_source, least_wait_s
        self._waiting: dict[str, dict[WaitingCall, float]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def make_room(self, source: str, now: float) -> bool:
        """False when the source is at its limit and none of its calls has had time enough for an ACK."""
        calls = self._waiting.get(source, {})
        if len(calls) < self._most:
            return True
        oldest = next((call for call in calls if call.waits_for_ack), None)
        if oldest is None or now - calls[oldest] < self._least_wait_s:
            return False
        oldest.give_up_waiting()
        return True

    def add(self, source: str, call: WaitingCall, now: float) -> None:
        self._waiting.setdefault(source, {})[call] = now

    def remove(self, source: str, call: WaitingCall) -> None:
        """It was acknowledged, or is over. A second time nothing happens."""
        calls = self._waiting.get(source, {})
        calls.pop(call, None)
        if not calls:
            self._waiting.pop(source, None)
