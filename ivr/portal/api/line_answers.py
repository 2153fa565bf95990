"""What is answered about calls, about one person's data, about stops and about keys: by the same search, rules and records as the pages'."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Response, g
from pydantic import BaseModel

from ivr.calls.personal_data import STAYS, NotANumberError, NothingKeptError, PersonalData
from ivr.calls.stopping import reason_in
from ivr.core.caller import mask_number
from ivr.core.email_addresses import mask_email
from ivr.core.money import Money
from ivr.core.stray_cards import is_card_typed
from ivr.errors import ConfigError, RecordError
from ivr.portal.api import shapes
from ivr.portal.api.gate import Gate
from ivr.portal.api.problems import ProblemError, not_found, refused
from ivr.portal.api.shapes import AmountShown
from ivr.portal.calls import PAGE, cursor, filter_of
from ivr.portal.finding import Finder
from ivr.portal.live import MOST_SHOWN
from ivr.portal.modifications import Asker
from ivr.portal.pages import Pages
from ivr.portal.stops import stoppable
from ivr.store import CallRecord, Stop, Store, TextMessage, TokenHolder

Answer = BaseModel | Response


@dataclass(frozen=True)
class LineAnswers:
    """Each operation is a method of its name: with what stands in its path, and with its body or query. `pages`: what those stand on."""

    pages: Pages
    gate: Gate

    @property
    def store(self) -> Store:
        return self.pages.store

    @property
    def finder(self) -> Finder:
        return self.pages.finder

    @property
    def asker(self) -> Asker:
        return self.pages.asker

    # ---- calls

    def calls(self, asked: shapes.CallsAsked) -> Answer:
        day = asked.day or self.asker.now().date()
        typed = {
            "day": str(day),
            "flow": asked.flow,
            "outcome": asked.outcome,
            "caller_end": asked.caller_end,
            "older_than": asked.cursor,
        }
        try:
            found = self.store.find_calls(filter_of(typed), PAGE + 1)
        except RecordError as error:
            raise refused(error, 422) from None
        older = cursor(found[PAGE - 1]) if len(found) > PAGE else None
        return shapes.CallPage(calls=[call_shown(one) for one in found[:PAGE]], next=older)

    def live_calls(self) -> Answer:
        shown = [
            shapes.LiveCallShown(
                id=live.call.id,
                caller=mask_number(live.call.ani),
                flow=live.call.flow,
                channel=live.call.channel,
                language=live.call.language,
                step=live.call.step,
                begun_at=live.started_at,
                moved_at=live.moved_at,
                line=shapes.LineShown.of(live.line) if live.line else None,
            )
            for live in self.store.live_calls(MOST_SHOWN)
        ]
        return shapes.LiveCalls(calls=shown, in_all=self.store.count_open_calls())

    def call(self, reference: str) -> Answer:
        record = self.store.call_record(reference)
        if record is None:
            raise not_found("path.reference", "there is no call by this id: search for it")
        return shapes.CallStory(
            **dict(call_shown(record)),
            charges=[one.intent.reference for one in self.store.payments_of(reference)],
            turns=[shapes.TurnShown.of(turn) for turn in self.store.turns_of(reference)],
            messages=[
                message_shown(one) for one in (*self.store.texts_of(reference), *self.store.emails_of(reference))
            ],
        )

    # ---- one person's data

    def find_person(self, asked: shapes.PersonAsked) -> Answer:
        with one_person(asked.number):
            found = self.data.look_for(asked.number, holder().token.user, self.asker.now())
        return shapes.PersonShown(
            calls=len(found.calls), charges=len(found.charges), texts=len(found.texts), stays=list(STAYS)
        )

    def export_person(self, asked: shapes.PersonAsked) -> Answer:
        with one_person(asked.number):
            text = self.data.export(asked.number, holder().token.user, self.asker.now())
        return Response(text, mimetype="application/json")

    def delete_person(self, asked: shapes.PersonAsked) -> Answer:
        with one_person(asked.number):
            done = self.data.delete(asked.number, holder().token.user, self.asker.now())
        return shapes.PersonDeleted(**vars(done))

    @property
    def data(self) -> PersonalData:
        return PersonalData(self.store, self.finder.hash_caller, f"token {holder().token.id}")

    # ---- stops

    def stops(self) -> Answer:
        return shapes.StopsShown(stops=[shapes.StopShown.of(one) for one in self.store.stops()])

    def stop(self, asked: shapes.StopAsked) -> Answer:
        try:
            name = self.scope_called(asked)
            wanted = Stop(asked.scope, name, reason_in(asked.reason), holder().token.user, self.asker.now())
        except RecordError as error:
            raise refused(error, 422) from None
        if not self.store.stop_charging(wanted):
            raise refused(RecordError(f"{named_by(asked)}: {wanted.what} is stopped already"))
        return self.stops()

    def start(self, asked: shapes.StopNamed) -> Answer:
        if not self.store.start_charging(asked.scope, asked.name, holder().token.user, self.asker.now()):
            raise refused(RecordError(f"{named_by(asked)}: that is not stopped; GET /stops says what is"))
        return self.stops()

    def scope_called(self, asked: shapes.StopNamed) -> str:
        if asked.scope == "line":
            if asked.name:
                raise RecordError("name: the whole line has none")
            return ""
        known = stoppable(self.store, self.asker.banks())[asked.scope]
        if asked.name not in known:
            raise RecordError(f"name: expected a {asked.scope} that there is: {', '.join(known) or 'there is none'}")
        return asked.name

    # ---- keys

    def keys(self) -> Answer:
        line, now = self.pages.line_keys, self.asker.now()
        if line is None:
            raise ProblemError(404, "not_found", "the line's keys are not this portal's to see")
        try:
            alarms = line.alarms(now)
            return shapes.KeysShown(keys=[shapes.KeyShown.of(key, alarms.get(key.name)) for key in line.all(now)])
        except ConfigError as error:
            raise refused(RecordError(str(error))) from None

    # ---- parts of it

    def note(self, what: str, about: str) -> None:
        """With the token, so that a program is told from its user."""
        token = holder().token
        self.store.note(token.user, what, f"{about}; token {token.id}", self.asker.now())


@contextmanager
def one_person(number: str) -> Iterator[None]:
    """What is said where a person's data is asked for by what is no number, or is nobody's."""
    if is_card_typed(number):
        raise refused(RecordError("number: that holds a card number"), 422)
    try:
        yield
    except NotANumberError as error:
        raise refused(RecordError(f"number: {error}"), 422) from None
    except NothingKeptError as error:
        raise not_found("body.number", str(error)) from None
    except RecordError as error:
        raise refused(error) from None


def named_by(asked: shapes.StopNamed) -> str:
    """The field that says what it is about."""
    return "scope" if asked.scope == "line" else "name"


def call_shown(record: CallRecord) -> shapes.CallShown:
    call = record.call
    has_amount = record.amount_minor is not None and record.currency is not None
    return shapes.CallShown(
        id=record.id,
        begun_at=record.started_at,
        seconds=round(record.duration_s, 1),
        caller=mask_number(call.ani),
        flow=call.flow,
        channel=call.channel,
        language=call.language,
        outcome=call.outcome,
        hung_up=call.hung_up,
        transferred=bool(call.transferred_to),
        payment=record.payment,
        amount=AmountShown.of(Money(record.amount_minor or 0, record.currency or "")) if has_amount else None,
        line=shapes.LineShown.of(record.line) if record.line else None,
    )


def message_shown(one: TextMessage) -> shapes.MessageShown:
    to = mask_email(one.recipient) if "@" in one.recipient else mask_number(one.recipient)
    return shapes.MessageShown(to=to, body=one.body, state=one.state, problem=one.problem)


def holder() -> TokenHolder:
    found: TokenHolder = g.holder
    return found
