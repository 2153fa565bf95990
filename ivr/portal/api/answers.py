"""What each operation answers: the same store, search and asking as the pages', as JSON."""

from dataclasses import dataclass
from datetime import date

from flask import Response
from pydantic import BaseModel

from ivr.books import DAY_COLUMNS, DayTotals, day_bounds, day_rows, total_of
from ivr.calls.flow_drafts import files_of
from ivr.calls.live_flows import stored_content_of
from ivr.core.caller import mask_number
from ivr.errors import RecordError
from ivr.portal.api import shapes
from ivr.portal.api.line_answers import LineAnswers, holder, message_shown
from ivr.portal.api.problems import ProblemError, refused
from ivr.portal.api.shapes import AmountShown
from ivr.portal.csv_file import in_csv
from ivr.portal.flow_rows import FlowRow, flow_row, problem_shown
from ivr.portal.modifications import ModificationForm, Taken
from ivr.portal.publishing import Publisher
from ivr.portal.roles import may
from ivr.reading.problems import without_card_numbers
from ivr.store import AuditFilter, FlowVersion, Payment

MOST_EVENTS = 200
Answer = BaseModel | Response


@dataclass(frozen=True)
class ApiAnswers(LineAnswers):
    """Those of `LineAnswers`, and these, in the same way."""

    publisher: Publisher

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

    def requests(self) -> Answer:
        waiting = [shapes.RequestShown.of(one) for one in self.store.waiting_requests()]
        return shapes.Requests(waiting=waiting)

    def decide(self, key: str, decision: shapes.SecondWord, _looked_at: str) -> Answer:
        found = self.store.portal_request(key)
        if found is None:
            raise ProblemError(404, "not_found", "nothing waits by this id")
        try:
            return taken(self.asker.decide(found, holder().token.user, allows=decision.allow))
        except RecordError as error:
            raise refused(error) from None

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

    def flows(self) -> Answer:
        rows = [flow_row(self.store, name) for name in self.store.published_flows()]
        shown = [
            shapes.FlowShown(
                name=row.name,
                live=row.live.number if row.live else None,
                versions=len(row.versions),
                calls=row.calls_in_all,
            )
            for row in rows
        ]
        return shapes.FlowsShown(flows=shown)

    def flow_versions(self, flow: str) -> Answer:
        row = self.flow_called(flow)
        return shapes.VersionsShown(versions=[version_shown(row, one) for one in row.versions])

    def flow_version(self, flow: str, number: str) -> Answer:
        row = self.flow_called(flow)
        version = next((one for one in row.versions if one.number == int(number)), None)
        if version is None:
            raise ProblemError(404, "not_found", f"{flow} has no such version")
        files = files_of(stored_content_of(version))
        found = [shapes.FindingShown.model_validate(problem_shown(one)) for one in self.publisher.check(files).told]
        texts = {name: without_card_numbers(text) for name, text in files.by_name.items()}
        return shapes.VersionSource(**dict(version_shown(row, version)), files=texts, check=found)

    def audit(self, asked: shapes.AuditQuery) -> Answer:
        wanted = AuditFilter(asked.who, asked.what, asked.about, before=asked.before)
        events = self.store.audit_events(MOST_EVENTS + 1, wanted)
        shown = [shapes.EventShown.of(one) for one in events[:MOST_EVENTS]]
        return shapes.AuditPage(events=shown, next=shown[-1].id if len(events) > MOST_EVENTS else None)

    def alerts(self, asked: shapes.AlertsQuery) -> Answer:
        found = self.store.alerts(MOST_EVENTS, also_over=asked.over == "yes")
        return shapes.AlertsShown(alerts=[shapes.AlertShown.of(one) for one in found])

    # ---- parts of it

    def payment_called(self, reference: str) -> Payment:
        found = self.store.payment(reference)
        if found is None:
            raise ProblemError(404, "not_found", "there is no payment by this reference: search for it")
        return found

    def flow_called(self, flow: str) -> FlowRow:
        if flow not in self.store.published_flows():
            raise ProblemError(404, "not_found", "no flow of this name was ever published")
        return flow_row(self.store, flow)

    def shown(self, payment: Payment) -> shapes.PaymentShown:
        intent, balance = payment.intent, self.store.balance_of(payment)
        return shapes.PaymentShown(
            reference=intent.reference,
            status=payment.status,
            confirmation_number=payment.confirmation_number,
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


def version_shown(row: FlowRow, one: FlowVersion) -> shapes.VersionShown:
    return shapes.VersionShown(
        number=one.number,
        is_live=one == row.live,
        digest=one.digest,
        published_at=one.published_at,
        published_by=one.published_by,
        calls=row.calls.get(one.digest, 0),
    )


def taken(what: Taken) -> shapes.WishTaken:
    asked = shapes.ModificationShown.of(what.modification) if what.modification else None
    return shapes.WishTaken(told=what.words, modification=asked, waits_as=what.waits_as or None)
