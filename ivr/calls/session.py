"""One call's session: the only way in which any channel, and the sweeper, takes a call from one event to the next.

A call is a row with a version. It is in one of three states:

    new    there is no row              `begin` makes it, with version 1
    live   the row's call goes on       `hear` makes version n + 1 of version n
    over   the row's call has ended     nothing changes it any more

One event is handled so: load the row, let the runner advance the call (which carries out its effects), put the answer
into the channel's words, save all of it if the row still has the version that was loaded. Effects are carried out before
the row is saved, and may be carried out again: a charge has one reference however often it is asked for.

A channel that is asked over a network says with each event which version of the call it has `seen`:

    seen = version     the event is new: it is handled
    seen < version     a repeated delivery, or a late one: the stored answer is given again, and nothing changes
    seen > version     an answer was given that this database does not have: the call ends, by what the ledger says

Of two that handle one event at once, one saves; the other gives the answer of the first. An event that comes when the
call has been ended as a hang-up (the network said so, or nothing was heard for too long), from somebody who is still
there, is answered with a farewell that says what is true by then.

A fault ends the call with an apology and the truth: in the flow's own words with the amount in them; if those cannot be
put together, in fixed prompts; if those cannot either, in the channel's last words. The same happens to a call whose row
this program cannot read, or whose version of the flow cannot be had; as a rule a call finishes on the version it began on.

What never happens: two charges for one attempt; an ending that contradicts the ledger; silence; a live call that is ended
as idle while it is being heard from; a `KeyError` at a call of yesterday's program. What may happen: the database does not
answer. `begin`, `hear` and `hang_up` then raise what the driver raised, after some tries, and may be called again;
`fault` never raises.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from ivr import metrics
from ivr.calls.runner import Advance, Runner, count, note_fault
from ivr.calls.turns import in_words, turn_of
from ivr.core.actions import ChannelAction, Speak
from ivr.core.call import Call
from ivr.core.events import CallStarted, Event, HungUp
from ivr.store import StaleCall, Store, StoredCall

Result = TypeVar("Result")
# A connection that broke is found out by the statement that fails; the next one has a new connection.
PAUSES_S = (0.1, 0.5)
PATIENCE_S = 4.0  # a database that takes longer to refuse is not asked again: Twilio waits 15 s in all
TRIES = 5  # to save a hang-up while events of the same call are being handled


def no_words(_call: Call, _actions: Sequence[ChannelAction], _version: int) -> str:
    """For channels whose answers are not stored."""
    return ""


@dataclass(frozen=True)
class CallService:
    """What the sessions of one channel share.

    `write` puts an answer into the channel's words, with the version that the call then has, to be stored for repeated
    deliveries. `last_words` says a plain ending's prompt without any of our prompts, in a language if it knows it.
    """

    runner: Runner
    store: Store
    write: Callable[[Call, Sequence[ChannelAction], int], str] = no_words
    last_words: Callable[[str, str], str] = lambda _told, _language: ""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def session(self, call_id: str) -> "Session":
        return Session(self, call_id)


@dataclass(frozen=True)
class Answered:
    """What the channel is to do. `text`: the same in its own words, where it has a `write`; `repeated`: it was stored."""

    call: Call
    actions: Sequence[ChannelAction]
    text: str = ""
    repeated: bool = False


@dataclass(frozen=True)
class Came:
    """An event in words, and when it came (monotonic)."""

    words: str
    at_s: float


class NoSuchCall(LookupError):
    """There is no row: the call began in another database, or never did."""


class SeenBeforeSaved(Exception):
    """A channel was given an answer that this database does not have: it lost its last moments, or is another."""


class FormChanged(Exception):
    """The row was stored in a form that this version cannot read."""


@dataclass
class Session:
    """Not shared between threads. It may live for one event, or as long as the call."""

    service: CallService
    call_id: str
    # What was last saved here. If somebody else has saved since, saving finds it out.
    _known: StoredCall | None = field(default=None, init=False)

    @property
    def call(self) -> Call | None:
        """As it was last loaded or saved here."""
        return self._known.call if self._known else None

    # ---- the caller is there

    def begin(self, call: Call) -> Answered:
        """Greets. A call that has begun already is a repeated delivery."""
        stored = self._load()
        if stored is not None:
            return self._repeat(stored)
        begun_s, event = self.service.monotonic(), self._started(call.flow)
        advance = self.service.runner.begin(call, event)
        return self._save_or_repeat(call, advance, 0, Came(self._in_words(call, event), begun_s))

    def _started(self, flow: str) -> CallStarted:
        """With what an operator wants every caller to hear; a call goes on without it where it cannot be read: the last word on
        a stop is in the charge's transaction."""
        started = CallStarted(self.service.now())
        try:
            told = self.service.store.announcement_for(flow)
            if told is not None:
                started = replace(started, message=told.texts, is_all=told.ends_calls)
            served = self.service.runner.flows.get(flow)
            return replace(started, is_stopped=self.service.store.is_stopped(flow, served.bank if served else None))
        except Exception as fault:
            note_fault(self.call_id, fault)
        return started

    def hear(self, event: Event | Callable[[Call], Event], *, seen: int | None = None) -> Answered:
        """One event, or a function that makes it of the call as it stands. NoSuchCall where there is none."""
        stored = self._known or self._load()
        if stored is None:
            raise NoSuchCall(self.call_id)
        if stored.call.phase == "over":
            return self._repeat(stored)
        if seen is not None and seen > stored.version:
            note_fault(self.call_id, SeenBeforeSaved(self.call_id))
            return self._end(stored)
        if seen is not None and seen < stored.version:
            return self._repeat(stored)
        if not stored.is_whole:
            note_fault(self.call_id, FormChanged(self.call_id))
            return self._end(stored)
        heard = event if not callable(event) else event(stored.call)
        came = Came(self._in_words(stored.call, heard), self.service.monotonic())
        try:
            advance = self.service.runner.advance(stored.call, heard)
        except StaleCall:
            return self._repeat_latest()
        return self._save_or_repeat(stored.call, advance, stored.version, came)

    def is_at(self, seen: int) -> bool:
        """Is `seen` the present version of a call that goes on?"""
        stored = self._load()
        return stored is not None and stored.version == seen and stored.call.phase != "over"

    def fault(self, *, is_new: bool = False) -> Answered:
        """The channel could not do what it was told to: the call ends with the truth, however far that takes us.

        Called for a call that is over, it says the ending in plainer words. `is_new`: nothing can have been charged yet.
        """
        try:
            stored = self._known or self._load()
        except Exception as fault:
            note_fault(self.call_id, fault)
            return self._say_plainly(self.service.runner.end_plainly(self._nobody(), known=is_new))
        if stored is None:
            return self._end_unknown(is_new)
        if stored.call.phase == "over":
            advance = self.service.runner.farewell(stored.call)
            return self._say_plainly(replace(advance, call=stored.call))
        return self._end(stored)

    # ---- what was answered was sent

    @property
    def tells_news(self) -> bool:
        """Whether the answer that was last saved or loaded here tells of a charge for the first time."""
        return self._known is not None and bool(self._known.call.told_last)

    def was_sent(self) -> None:
        """That answer has left the process: what it tells counts as heard, whoever ends the call.

        A process that dies before this leaves a caller who is told by text as well, perhaps for the second time.
        """
        known = self._known
        if known is None or not known.call.told_last:
            return
        try:
            self.service.store.note_sent(known.call.changed(told_last=0), known.version)
        except Exception as fault:
            note_fault(self.call_id, fault)

    # ---- the caller is gone

    def hang_up(self, *, idle_since: datetime | None = None, knows_sent: bool = True) -> bool:
        """Ends a live call, once. `idle_since`: only if it has not been heard of since then. True where it was ended.

        `knows_sent`: it comes from the process that speaks to the caller, which has said all that it had to say. Where it comes
        from the network, an answer that nobody has noted as sent may have died with its process, also one that ended the call.
        """
        for _ in range(TRIES):
            stored = self._load()
            if stored is None:
                return False
            if stored.call.phase == "over":
                if not knows_sent:
                    self._tell_unsent(stored)
                return False
            if idle_since is not None and stored.updated_at >= idle_since:
                return False
            # Its process may have died before the last answer was spoken: nobody has said that it ended, or the network alone.
            call = stored.call if idle_since is None and knows_sent else stored.call.perhaps_unheard
            advance = self.service.runner.advance(call.changed(told_last=0), HungUp(self.service.now()))
            try:
                self._save(stored.call, advance.call, stored.version, stored.answer)
            except StaleCall:
                continue
            self._note(advance, Came("hung up" if idle_since is None else "idle", self.service.monotonic()))
            return True
        return False

    def _tell_unsent(self, stored: StoredCall) -> None:
        """By text, what the ending of a call that is over told."""
        if stored.call.told_last:
            unheard = stored.call.perhaps_unheard.changed(told_last=0)
            self._patiently(lambda: self.service.store.promise_results(unheard, stored.version))

    # ---- the row

    def _load(self) -> StoredCall | None:
        self._known = self._patiently(lambda: self.service.store.load_call(self.call_id))
        return self._known

    def _save(self, before: Call, call: Call, version: int, text: str) -> None:
        now = self.service.now()
        self._patiently(lambda: self.service.store.save_call(call, version, now, answer=text))
        self._known = StoredCall(call, version + 1, text, now)
        count(before, call)

    def _save_or_repeat(self, before: Call, advance: Advance, version: int, came: Came) -> Answered:
        advance, text = self._worded(before, advance, version + 1)
        advance = replace(advance, call=with_told_last(before, advance.call))
        try:
            self._save(before, advance.call, version, text)
        except StaleCall:
            return self._repeat_latest()
        self._note(advance, came)
        return Answered(advance.call, advance.actions, text)

    def _in_words(self, call: Call, event: Event) -> str:
        return in_words(self.service.runner.flows, call, event) if self.service.store.notes_turns else ""

    def _note(self, advance: Advance, came: Came) -> None:
        """For people to follow the call by. It has been saved: a turn that cannot be noted changes nothing of it."""
        if self._known is None or not self.service.store.notes_turns:
            return
        took_s = self.service.monotonic() - came.at_s
        turn = turn_of(advance.call, self._known.version, came.words, advance.actions, took_s, self.service.now())
        try:
            self.service.store.note_turn(turn)
        except Exception as fault:
            note_fault(self.call_id, fault)

    def _patiently(self, work: Callable[[], Result]) -> Result:
        """What was saved although it looked as if it was not, is found saved: that is a repeated delivery."""
        begun = self.service.monotonic()
        for pause_s in PAUSES_S:
            try:
                return work()
            except StaleCall:
                raise
            except Exception:
                if self.service.monotonic() - begun > PATIENCE_S:
                    raise
                self.service.pause(pause_s)
        return work()

    # ---- what had been answered

    def _repeat_latest(self) -> Answered:
        stored = self._load()
        if stored is None:
            raise NoSuchCall(self.call_id)
        return self._repeat(stored)

    def _repeat(self, stored: StoredCall) -> Answered:
        metrics.REPEATED.labels().inc()
        if stored.call.phase == "over" and (stored.call.hung_up or not stored.answer):
            return self._say_plainly(replace(self.service.runner.farewell(stored.call), call=stored.call))
        if stored.answer:
            return Answered(stored.call, (), stored.answer, repeated=True)
        # Another process goes on with this call: two callers, or a restart in the middle of it.
        return self._end(stored)

    # ---- endings that are not the flow's

    def _end(self, stored: StoredCall) -> Answered:
        advance = self.service.runner.apologise(stored.call, self.service.now())
        advance, text = self._worded(stored.call, advance, stored.version + 1)
        advance = replace(advance, call=with_told_last(stored.call, advance.call))
        try:
            self._save(stored.call, advance.call, stored.version, text)
            self._note(advance, Came("a fault of ours", self.service.monotonic()))
        except Exception as fault:
            # It is true all the same; the sweeper ends the row.
            note_fault(self.call_id, fault)
            self._known = replace(stored, call=advance.call)
        return Answered(advance.call, advance.actions, text)

    def _end_unknown(self, is_new: bool) -> Answered:
        """No row: the ledger is more durable than the row, and may know of a charge."""
        runner, nobody = self.service.runner, self._nobody()
        advance = runner.farewell(nobody)
        if advance.call.known_ending == "unpaid" and not advance.call.charged_attempt:
            advance = runner.end_plainly(nobody, known=is_new)
        return self._say_plainly(advance)

    def _nobody(self) -> Call:
        """A call of which nothing is known; if it was known a moment ago, that."""
        return self.call or Call(self.call_id, "", "", "", "", "")

    # ---- into words, one way or another

    def _worded(self, before: Call, advance: Advance, version: int) -> tuple[Advance, str]:
        """The answer in the channel's words; where these fail, an apology; where that fails, plain words, then the last.

        What was told in words that failed has not been heard: `before` is what the caller knew until then.
        """
        try:
            return advance, self.service.write(advance.call, advance.actions, version)
        except Exception as fault:
            note_fault(self.call_id, fault)
        if advance.call.phase != "over":
            unheard = as_heard(before, advance.call)
            return self._worded(before, self.service.runner.apologise(unheard, self.service.now()), version)
        return self._worded_plainly(replace(advance, call=as_heard(before, advance.call)), version)

    def _worded_plainly(self, advance: Advance, version: int) -> tuple[Advance, str]:
        plain = advance if advance.told else self.service.runner.end_plainly(advance.call)
        for language in self._languages(plain.call):
            try:
                spoken = in_language(plain, language)
                return spoken, self.service.write(spoken.call, spoken.actions, version)
            except Exception as fault:
                note_fault(self.call_id, fault)
        return plain, self.service.last_words(plain.told, plain.call.language)

    def _say_plainly(self, plain: Advance) -> Answered:
        """Nothing is saved."""
        plain, text = self._worded_plainly(plain, 0)
        return Answered(plain.call, plain.actions, text)

    def _languages(self, call: Call) -> Iterator[str]:
        """The caller's own, where it is known, then the flow's, then any."""
        flows = self.service.runner.flows
        known = [flow] if (flow := flows.get(call.flow)) else list(flows.values())
        yield from dict.fromkeys(
            filter(None, [call.language, *(name for flow in known for name in flow.head.languages)])
        )


def as_heard(before: Call, call: Call) -> Call:
    """The call with only those charges told that were told before."""
    heard = {charge.attempt for charge in before.charges if charge.told}
    return replace(call, charges=tuple(replace(one, told=one.told and one.attempt in heard) for one in call.charges))


def with_told_last(before: Call, call: Call) -> Call:
    """The call with the first charge that this answer tells of, should it never be spoken."""
    heard = {charge.attempt for charge in before.charges if charge.told}
    told = (charge.attempt for charge in call.charges if charge.told and charge.attempt not in heard)
    first = min(told, default=0)
    return call if call.told_last == first else call.changed(told_last=first)


def in_language(advance: Advance, language: str) -> Advance:
    actions: list[ChannelAction] = [
        replace(action, phrases=tuple(replace(phrase, language=language) for phrase in action.phrases))
        if isinstance(action, Speak)
        else action
        for action in advance.actions
    ]
    return replace(advance, actions=actions)
