"""The in-process line: the product's own runner and store, a clock that is moved by hand, no server."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self

from ivr.calls import Answered, CallService, CallStore, Runner, Session, new_call, note_fault
from ivr.channels.simulator.line import HeardPrompt, LineReply, connected_to
from ivr.core.actions import ChannelAction, Collect, HangUp, Phrase, Speak, Transfer, Wait
from ivr.core.entry import Reading, read_entry
from ivr.core.events import Digits, Event, KeysEntered, NoInput, TransferEnded, Waited

# Whoever keys a field of a card when it is asked for has heard so; keys that came sooner would be the rest of the entry before.
LISTENING_S = 3.0
OVER = LineReply((), "over")
START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


class Clock:
    """The time of a simulated call."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class LocalLine:
    """`between` is called at each hold pause: where a forwarder gets its chance to work. `is_reached`: whether a person
    answers whom the caller is to be connected to."""

    def __init__(
        self,
        runner: Runner,
        store: CallStore,
        words: Callable[[Phrase], str],
        clock: Clock,
        between: Callable[[], object] = lambda: None,
    ) -> None:
        self.runner, self.words, self.clock, self.between = runner, words, clock, between
        self.is_reached: Callable[[], bool] = lambda: True
        self._service = CallService(runner, store, now=clock, pause=clock.advance)
        self.call_id = ""
        self._collect: Collect | None = None
        self._typed_ahead = ""
        self._hold_s, self._keeps_keys = 0.0, False
        self._is_over = False

    def dial(self, call_id: str, flow: str, *, ani: str, dnis: str = "") -> Self:
        self.call_id, self._flow, self._ani, self._dnis = call_id, flow, ani, dnis
        self._session: Session = self._service.session(call_id)
        return self

    def begin(self) -> LineReply:
        call = new_call(
            self.call_id, self.runner.flows[self._flow], ani=self._ani, dnis=self._dnis, channel="simulator"
        )
        return self._follow(self._session.begin(call))

    def press(self, keys: str) -> LineReply:
        """Keys pressed while a bill is looked up are type-ahead; on any other hold, and after the end, nobody hears them."""
        if self._is_over:
            return OVER
        if self._collect is None:
            self._typed_ahead += keys if self._keeps_keys else ""
            return LineReply((), "waiting")
        self.clock.advance(LISTENING_S if self._collect.sensitive else 1)
        return self._use(self._typed_ahead + keys)

    def stay_silent(self) -> LineReply:
        if self._is_over:
            return OVER
        self.clock.advance(self._collect.first_key_timeout_s if self._collect else 1)
        return self._happen(NoInput(self.clock()))

    def wait(self) -> LineReply:
        """A hold is over once the bank has answered; its time passes only where it does not."""
        if self._is_over:
            return OVER
        self.between()
        if not self._is_answered():
            self.clock.advance(self._hold_s)
            self.between()
        return self._happen(Waited(self.clock()))

    def _is_answered(self) -> bool:
        call = self._session.call
        return call is not None and self.runner.is_answered(call, self.clock())

    def hang_up(self) -> None:
        self._is_over = True
        self._session.hang_up()

    def _use(self, keys: str) -> LineReply:
        assert self._collect is not None
        span = read_entry(keys.encode(), self._collect.rules)
        timed_out = span.reading in (Reading.OPEN, Reading.CLEARED)
        if timed_out:
            self.clock.advance(self._collect.inter_digit_timeout_s)
        self._typed_ahead = keys[span.used :]
        return self._happen(KeysEntered(self.clock(), Digits(keys[: span.used]), timed_out))

    def _happen(self, event: Event) -> LineReply:
        return self._follow(self._session.hear(event))

    def _follow(self, answered: Answered) -> LineReply:
        """A fault in the words themselves ends the call, as on any channel."""
        try:
            return self._say(answered.actions)
        except Exception as fault:
            note_fault(self.call_id, fault)
        try:
            return self._say(self._session.fault().actions)
        except Exception as fault:
            note_fault(self.call_id, fault)
            return self._say(self._session.fault().actions)

    def _say(self, actions: Sequence[ChannelAction]) -> LineReply:
        heard: list[HeardPrompt] = []
        self._collect = None
        for action in actions:
            match action:
                case Speak():
                    heard += [HeardPrompt(phrase.name, self.words(phrase)) for phrase in action.phrases]
                case Collect():
                    return self._await_keys(heard, action)
                case Wait():
                    self._hold_s, self._keeps_keys = action.seconds, action.keep_keys
                    self._typed_ahead = self._typed_ahead if action.keep_keys else ""
                    return LineReply(heard, "waiting")
                case Transfer(number):
                    return self._connect(heard, number)
                case HangUp():
                    break
        self._is_over = True
        return LineReply(heard, "over")

    def _connect(self, heard: list[HeardPrompt], number: str) -> LineReply:
        """Where nobody is reached the call goes on at once."""
        is_connected = self.is_reached()
        heard = [*heard, connected_to(number)] if is_connected else heard
        more = self._happen(TransferEnded(self.clock(), is_connected))
        return replace(more, heard=[*heard, *more.heard])

    def _await_keys(self, heard: list[HeardPrompt], collect: Collect) -> LineReply:
        self._collect = collect
        if collect.flush:
            self._typed_ahead = ""
        if self._typed_ahead:
            more = self._use(self._typed_ahead)
            return LineReply([*heard, *more.heard], more.state, more.asks, more.sensitive, more.wait_s)
        return LineReply(heard, "keys", collect.field, collect.sensitive)
