"""What each operation answers: the same store, search and asking as the pages', as JSON."""

from dataclasses import dataclass
from datetime import date

from flask import Response
from pydantic import BaseModel

from ivr.books import DAY_COLUMNS, DayTotals, day_bounds, day_rows, total_of
from ivr.calls.resending import Resender, SentBeforeError, resent_id
from ivr.core.caller import mask_number
from ivr.core.money import Money
from ivr.errors import RecordError
from ivr.portal.api import shapes
from ivr.portal.api.flow_answers import FlowAnswers
from ivr.portal.api.line_answers import holder, message_shown
from ivr.portal.api.problems import ProblemError, not_found, refused
from ivr.portal.api.shapes import AmountShown
from ivr.portal.csv_file import in_csv
from ivr.portal.modifications import ModificationForm, Taken
from ivr.portal.roles import may
from ivr.store import AuditFilter, Payment, PortalRequest

MOST_EVENTS = 200
TO_CALLER_ALONE = "a text goes to the number that the call came from, and to no other: an address is for email"
Answer = BaseModel | Response


@dataclass(frozen=True)
class ApiAnswers(FlowAnswers):
    """Those of `LineAnswers` and `FlowAnswers`, and these, in the same way."""

    def me(self) -> Answer:
        token = holder().token
        return shapes.Me(user=token.user, role=token.role, token=token.name, until=token.until)

    def search(self, asked: shapes.Search) -> Answer:
        if asked.caller:
            self.gate.require("see_callers")
            self.note("payments searched", f"caller {mask_number(asked.caller)}")
        typed = {
            "text": asked.text,
            "day": asked.day.isoformat() if asked.day else "",
            "status": asked.status,
            "flow": asked.flow,
            "bank": asked.bank,
            "amount": asked.amount.written() if asked.amount else "",
            "caller": asked.caller,
            "older_than": asked.cursor,
        }
        try:
            found = self.finder.find(typed)
        except RecordError as error:
            raise refused(error, 422) from None
        return shapes.PaymentPage(
            payments=[self.shown(payment) for payment in found.payments], next=found.older or None
        )

    def payment(self, reference: str) -> Answer:
        payment = self.payment_called(reference)
        call = self.store.call_record(payment.intent.call)
        of_call = payment.intent.call
        possible = self.asker.possible(payment) if self.may_refund() else {}
        messages = (*self.store.texts_of(of_call), *self.store.emails_of(of_call))
        entries = [one for one in self.store.ledger_of(of_call) if one.reference == payment.intent.reference]
        return shapes.Story(
            **dict(self.shown(payment)),
            caller=mask_number(call.call.ani) if call else "",
            possible={kind: AmountShown.of(most) for kind, most in possible.items()},
            ledger=[shapes.LedgerLine.of(one) for one in entries],
            modifications=[shapes.ModificationShown.of(one) for one in self.store.modifications_of(reference)],
            turns=[shapes.TurnShown.of(turn) for turn in self.store.turns_of(of_call)],
            messages=[message_shown(one) for one in messages],
        )

    def caller(self, reference: str) -> Answer:
        payment = self.payment_called(reference)
        call = self.store.call_record(payment.intent.call)
        self.note("caller's number shown", reference)
        return shapes.CallerShown(caller=call.call.ani if call else "")

    def modify(self, reference: str, wish: shapes.AskedModification, looked_at: str) -> Answer:
        payment = self.payment_called(reference)
        amount = wish.amount.written() if wish.amount else None
        form = ModificationForm(wish.kind, looked_at, amount, wish.reopens_bill)
        try:
            return taken(self.asker.ask(payment, form, holder().token.user))
        except RecordError as error:
            raise refused(error) from None

    def refundable_of(self, reference: str) -> Money:
        return self.store.balance_of(self.payment_called(reference)).refundable

    def resend(self, reference: str, asked: shapes.ReceiptAsked, looked_at: str) -> Answer:
        payment, so_far = self.payment_called(reference), int(looked_at)
        if asked.way == "text" and asked.address:
            raise refused(RecordError(f"address: {TO_CALLER_ALONE}"), 422)
        try:
            by, now = holder().token.user, self.asker.now()
            told = self.resender.resend(payment, asked.way, asked.address, so_far, by, now)
        except SentBeforeError:
            told = "that receipt was asked for already"
        except RecordError as error:
            raise refused(error) from None
        message = self.store.text_message(resent_id(payment, so_far + 1))
        assert message is not None
        return shapes.ReceiptTaken(told=told, way=message.way, to=message_shown(message).to)

    def receipts_of(self, reference: str) -> int:
        return self.resender.sent_so_far(self.payment_called(reference))

    def requests(self) -> Answer:
        waiting = [shapes.RequestShown.of(one) for one in self.store.waiting_requests()]
        return shapes.Requests(waiting=waiting)

    def decide(self, key: str, decision: shapes.SecondWord, looked_at: str) -> Answer:
        """`looked_at`: its status at the first attempt. What an attempt before this one has decided is decided."""
        found, is_repeat = self.request_called(key), looked_at == "waiting"
        try:
            return taken(self.asker.decide(found, holder().token.user, allows=decision.allow, is_repeat=is_repeat))
        except RecordError as error:
            raise refused(error) from None

    def status_of_request(self, key: str) -> str:
        return self.request_called(key).status

    def day(self, day: date) -> Answer:
        totals = DayTotals()
        self.rows_of(day, totals)
        groups = [
            shapes.DayGroup(
                **dict(zip(("merchant", "bank", "currency", "brand"), group, strict=True)),
                count=totals.counts[group],
                charged=totals.charged[group],
                refunded=totals.refunded[group],
                voided=totals.voided[group],
                fees=totals.fees[group],
                net=totals.net(group),
            )
            for group in totals.groups
        ]
        charges = dict(self.store.count_payments(*day_bounds(day)))
        return shapes.Day(
            day=day, groups=groups, owed=[AmountShown.of(one) for one in total_of(totals)], charges=charges
        )

    def movements(self, day: date, asked: shapes.MovementsQuery) -> Answer:
        rows = self.rows_of(day, DayTotals())
        self.note("day exported", f"{day}: {len(rows)} movements, {asked.form}")
        if asked.form == "csv":
            return Response(in_csv(DAY_COLUMNS, rows), mimetype="text/csv")
        return shapes.MovementsShown(movements=[dict(zip(DAY_COLUMNS, row, strict=True)) for row in rows])

    def users(self) -> Answer:
        return shapes.UsersShown(users=[shapes.UserShown.of(one) for one in self.store.portal_users()])

    def audit(self, asked: shapes.AuditQuery) -> Answer:
        wanted = AuditFilter(asked.who, asked.what, asked.about, before=asked.before)
        events = self.store.audit_events(MOST_EVENTS + 1, wanted)
        shown = [shapes.EventShown.of(one) for one in events[:MOST_EVENTS]]
        return shapes.AuditPage(events=shown, next=shown[-1].id if len(events) > MOST_EVENTS else None)

    def alerts(self, asked: shapes.AlertsQuery) -> Answer:
        found = self.store.alerts(MOST_EVENTS, also_over=asked.over == "yes")
        return shapes.AlertsShown(alerts=[shapes.AlertShown.of(one) for one in found])

    # ---- parts of it

    @property
    def resender(self) -> Resender:
        if self.pages.resender is None:
            raise ProblemError(404, "not_found", "no receipts are sent again from here")
        return self.pages.resender

    def request_called(self, key: str) -> PortalRequest:
        found = self.store.portal_request(key)
        if found is None:
            raise not_found("path.key", "nothing waits by this id: `GET /requests` says what does")
        return found

    def payment_called(self, reference: str) -> Payment:
        found = self.store.payment(reference)
        if found is None:
            raise not_found("path.reference", "there is no payment by this reference: search for it")
        return found

    def shown(self, payment: Payment) -> shapes.PaymentShown:
        intent, balance = payment.intent, self.store.balance_of(payment)
        return shapes.PaymentShown(
            reference=intent.reference,
            status=payment.status,
            confirmation_number=payment.receipt_number,
            begun_at=payment.begun_at,
            amount=AmountShown.of(intent.amount),
            fee=AmountShown.of(intent.fee) if intent.fee else None,
            returned=AmountShown.of(balance.returned),
            refundable=AmountShown.of(balance.refundable),
            card=intent.card_summary,
            account=intent.account,
            bills={bill.key: AmountShown.of(bill.amount) for bill in intent.paid_bills},
            bank=intent.bank,
            bank_reference=payment.bank_reference,
            authorization_code=payment.authorization_code,
            line=intent.line,
        )

    def rows_of(self, day: date, totals: DayTotals) -> list[tuple[str, ...]]:
        return list(day_rows(self.store.movements(*day_bounds(day)), totals))

    def may_refund(self) -> bool:
        return may(holder().token.role, "refund") and may(holder().user_role, "refund")


def taken(what: Taken) -> shapes.WishTaken:
    asked = shapes.ModificationShown.of(what.modification) if what.modification else None
    return shapes.WishTaken(told=what.words, modification=asked, waits_as=what.waits_as or None)
