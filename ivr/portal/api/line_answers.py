"""What is answered about calls, about one person's data and about stops: by the same search, rules and records as the pages'."""

from dataclasses import dataclass

from flask import Response, g
from pydantic import BaseModel

from ivr.calls.personal_data import STAYS, PersonalData
from ivr.calls.stopping import reason_in
from ivr.core.caller import caller_key, mask_number
from ivr.core.email_addresses import mask_email
from ivr.core.money import Money
from ivr.errors import RecordError
from ivr.portal.api import shapes
from ivr.portal.api.gate import Gate
from ivr.portal.api.problems import ProblemError, refused
from ivr.portal.api.shapes import AmountShown
from ivr.portal.calls import PAGE, cursor, filter_of
from ivr.portal.finding import CARD, Finder, is_card_typed
from ivr.portal.live import MOST_SHOWN
from ivr.portal.modifications import Asker
from ivr.portal.stops import stoppable
from ivr.store import CallRecord, Person, Stop, Store, TextMessage, TokenHolder

Answer = BaseModel | Response


@dataclass(frozen=True)
class LineAnswers:
    """Each operation is a method of its name: with what stands in its path, and with its body or query."""

    store: Store
    finder: Finder
    asker: Asker
    gate: Gate

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
            raise ProblemError(404, "not_found", "there is no call by this id: search for it")
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
        found = self.person_called(asked.number)
        self.note("personal data looked for", mask_number(asked.number))
        return shapes.PersonShown(
            calls=len(found.calls), charges=len(found.charges), texts=len(found.texts), stays=list(STAYS)
        )

    def export_person(self, asked: shapes.PersonAsked) -> Answer:
        self.person_called(asked.number)
        text = self.data.export(asked.number, holder().token.user, self.asker.now())
        return Response(text, mimetype="application/json")

    def delete_person(self, asked: shapes.PersonAsked) -> Answer:
        self.person_called(asked.number)
        try:
            done = self.data.delete(asked.number, holder().token.user, self.asker.now())
        except RecordError as error:
            raise refused(error) from None
        return shapes.PersonDeleted(**vars(done))

    def person_called(self, number: str) -> Person:
        if is_card_typed(number):
            raise refused(RecordError(CARD), 422)
        if not caller_key(number):
            raise refused(RecordError("number: expected a telephone number, and not a withheld one"), 422)
        try:
            return self.data.find(number)
        except RecordError as error:
            raise ProblemError(404, "not_found", str(error)) from None

    @property
    def data(self) -> PersonalData:
        return PersonalData(self.store, self.finder.hash_caller)

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
            raise refused(RecordError(f"{wanted.what} is stopped already"))
        return self.stops()

    def start(self, asked: shapes.StopNamed) -> Answer:
        if not self.store.start_charging(asked.scope, asked.name, holder().token.user, self.asker.now()):
            raise refused(RecordError("that is not stopped: GET /stops says what is"))
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

    # ---- parts of it

    def note(self, what: str, about: str) -> None:
        """With the token, so that a program is told from its user."""
        token = holder().token
        self.store.note(token.user, what, f"{about}; token {token.id}", self.asker.now())


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
