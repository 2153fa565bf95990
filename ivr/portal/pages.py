"""The pages of people who have signed in: payments, one payment's story, a day, what waits for a second person, audit, users.

What somebody searches for is sent by POST: nothing that was typed stands in an address, a log or a browser's history.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, get_args

from flask import Blueprint, Response, abort, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from ivr.bank import code_in_words
from ivr.books import DAY_COLUMNS, DayTotals, day_bounds, day_rows, total_of
from ivr.calls.personal_data import with_country_code
from ivr.calls.resending import Resender
from ivr.core.caller import mask_number
from ivr.core.confirmation import in_groups
from ivr.core.email_addresses import mask_email
from ivr.core.money import Money
from ivr.errors import RecordError
from ivr.flow.compiled import Flow
from ivr.incidents import LineKeys
from ivr.portal.credentials import csrf_token
from ivr.portal.csv_file import in_csv
from ivr.portal.finding import FIELDS, STATUSES, Finder, FoundPayments, day_in, without_cards
from ivr.portal.labels import on_a_page
from ivr.portal.modifications import KINDS, Asker, ModificationForm
from ivr.portal.roles import MEANINGS, Permission, may
from ivr.portal.site import PortalSite, within
from ivr.store import AuditFilter, Payment, Store, Way

MOST_EVENTS, MOST_OF_DAY = 200, 10_000
LONGEST_TYPED, LONGEST_ADDRESS = 80, 254  # the latter as RFC 5321 4.5.3.1 has it
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True)
class Pages:
    """`flows`: those that serve now. `line_keys`: None where the line's keys and settings are not this process's to see."""

    site: PortalSite
    store: Store
    finder: Finder
    asker: Asker
    flows: Callable[[], Mapping[str, Flow]] = lambda: {}
    resender: Resender | None = None
    alert_kinds: Mapping[str, str] = field(default_factory=dict)  # what raises each, in words
    line_keys: LineKeys | None = None

    # ---- payments

    def payments(self) -> AnyResponse:
        asked = {name: request.form.get(name, "")[:LONGEST_TYPED] for name in FIELDS}
        if asked["caller"]:
            self.require("see_callers")
            shortened = f"caller {mask_number(asked['caller'])}"
            self.store.note(g.person.name, "payments searched", shortened, self.asker.now())
        try:
            found, problem = self.finder.find(asked), ""
        except RecordError as error:
            found, problem = FoundPayments(()), on_a_page(error)
        rows = [(payment, self.store.balance_of(payment)) for payment in found.payments]
        is_search = any(asked[name] for name in FIELDS)
        return self.page(
            "payments.html",
            400 if problem else 200,
            rows=rows,
            # What could be a card number is not shown again.
            asked=without_cards(asked),
            problem=problem,
            older=found.older,
            statuses=STATUSES,
            flows=self.store.published_flows(),
            banks=sorted(self.asker.banks()),
            is_search=is_search,
            uncharged_call=self.uncharged_call(asked["text"]) if not rows and not problem else "",
            caller_hint=with_country_code(asked["caller"]),
        )

    def uncharged_call(self, text: str) -> str:
        """The id of a call that was searched for among the payments and has none; "" where it is none's that is on record."""
        typed = text.strip()
        return typed if typed and self.store.call_record(typed) else ""

    def payment(self, reference: str, told: str = "", problem: str = "", *, shows_caller: bool = False) -> AnyResponse:
        payment = self.store.payment(reference)
        if payment is None:
            abort(404)
        call = self.store.call_record(payment.intent.call)
        ani = call.call.ani if call else ""
        possible = self.asker.possible(payment) if may(g.person.role, "refund") else {}
        texts = (*self.store.texts_of(payment.intent.call), *self.store.emails_of(payment.intent.call))
        return self.page(
            "payment.html",
            409 if problem else 200,
            payment=payment,
            balance=self.store.balance_of(payment),
            entries=[one for one in self.store.ledger_of(payment.intent.call) if one.reference == reference],
            since=self.store.modifications_of(reference),
            second_words=self.store.requests_of(reference),
            turns=self.store.turns_of(payment.intent.call),
            began=call.started_at if call else None,
            caller=ani if shows_caller else mask_number(ani),
            texts=[
                (mask_email(one.recipient) if "@" in one.recipient else mask_number(one.recipient), one)
                for one in texts
            ],
            possible=possible,
            resending=self.resending(payment),
            told=told,
            problem=problem,
        )

    def resending(self, payment: Payment) -> Mapping[str, object]:
        """By way, why a receipt cannot be sent again; empty where that is not for this person. `so_far`: how often it was."""
        if self.resender is None or not may(g.person.role, "resend_receipt"):
            return {}
        why_not = {way: self.resender.why_not(payment, way) for way in WAYS}
        return {"why_not": why_not, "so_far": self.resender.sent_so_far(payment)}

    def resend(self, reference: str) -> AnyResponse:
        """A receipt once more. What is refused is on record too."""
        payment = self.store.payment(reference)
        way = next((one for one in WAYS if one == request.form.get("way")), None)
        so_far = request.form.get("so_far", "")
        if payment is None or self.resender is None:
            abort(404)
        if way is None or not (so_far.isascii() and so_far.isdecimal() and len(so_far) < 3):
            abort(400)
        address, now = request.form.get("address", "").strip()[:LONGEST_ADDRESS], self.asker.now()
        try:
            told = self.resender.resend(payment, way, address, int(so_far), g.person.name, now)
        except RecordError as error:
            return self.payment(reference, problem=on_a_page(error))
        return self.payment(reference, told=told)

    def modify(self, reference: str) -> AnyResponse:
        payment = self.store.payment(reference)
        if payment is None:
            abort(404)
        kind = next((one for one in KINDS if one == request.form.get("kind")), None)
        if kind is None:
            abort(400)
        amount = request.form.get("amount", "").strip()[:LONGEST_TYPED]
        if kind == "refund" and not amount:
            # A program that says no amount means all of it; a person who has emptied the field does not.
            return self.payment(reference, problem="Amount: say how much is given back")
        left, reopens_bill = request.form.get("left", ""), request.form.get("reopens_bill") == "yes"
        wish = ModificationForm(kind, left, amount or None, reopens_bill)
        try:
            return self.payment(reference, told=self.asker.ask(payment, wish, g.person.name).words)
        except RecordError as error:
            return self.payment(reference, problem=on_a_page(error))

    def show_caller(self, reference: str) -> AnyResponse:
        """In full, once, and on record."""
        if self.store.payment(reference) is None:
            abort(404)
        self.store.note(g.person.name, "caller's number shown", reference, self.asker.now())
        return self.payment(reference, shows_caller=True)

    # ---- what waits for a second person

    def requests(self, told: str = "", problem: str = "") -> AnyResponse:
        waiting = self.store.waiting_requests()
        return self.page("requests.html", 409 if problem else 200, waiting=waiting, told=told, problem=problem)

    def decide(self, key: str) -> AnyResponse:
        found = self.store.portal_request(key)
        if found is None:
            abort(404)
        try:
            allows = request.form.get("word") == "allow"
            return self.requests(self.asker.decide(found, g.person.name, allows=allows).words)
        except RecordError as error:
            return self.requests(problem=on_a_page(error))

    # ---- days

    def days(self) -> AnyResponse:
        """Leads to the page of the day that the form names; where it names none, to today's."""
        day = self.day_in(request.args.get("day") or str(self.asker.now().date()))
        return redirect(within(f"/days/{day}"), 303)

    def day(self, written: str) -> AnyResponse:
        day, totals = self.day_in(written), DayTotals()
        rows = list(self.rows_of(day, totals))
        return self.page(
            "day.html",
            200,
            day=day,
            rows=rows[:MOST_OF_DAY],
            columns=DAY_COLUMNS,
            totals=totals,
            owed=total_of(totals),
            statuses=self.by_status(day),
        )

    def export(self, written: str) -> AnyResponse:
        """A day's movements as a file. Who took it is on record."""
        day = self.day_in(written)
        form = "json" if request.form.get("form") == "json" else "csv"
        rows = list(self.rows_of(day, DayTotals()))
        self.store.note(g.person.name, "day exported", f"{day}: {len(rows)} movements, {form}", self.asker.now())
        if form == "json":
            lines = [json.dumps(dict(zip(DAY_COLUMNS, row, strict=True)), ensure_ascii=False) for row in rows]
            made = Response("".join(f"{line}\n" for line in lines), mimetype="application/x-ndjson")
        else:
            made = Response(in_csv(DAY_COLUMNS, rows), mimetype="text/csv")
        made.headers["Content-Disposition"] = f'attachment; filename="{day}.{form}"'
        return made

    def rows_of(self, day: date, totals: DayTotals) -> list[tuple[str, ...]]:
        since, until = day_bounds(day)
        return list(day_rows(self.store.movements(since, until), totals))

    def by_status(self, day: date) -> Mapping[str, int]:
        return self.store.count_payments(*day_bounds(day))

    def day_in(self, written: str) -> date:
        try:
            return day_in(written)
        except RecordError:
            abort(404)

    # ---- audit trail, users

    def audit(self) -> AnyResponse:
        asked = {name: request.args.get(name, "")[:LONGEST_TYPED] for name in ("who", "what", "about")}
        events = self.store.audit_events(MOST_EVENTS, AuditFilter(asked["who"], asked["what"], asked["about"]))
        return self.page("audit.html", 200, events=events, asked=without_cards(asked), most=MOST_EVENTS)

    def alerts(self) -> AnyResponse:
        """Those that stand, and the latest of those that are over."""
        alerts = self.store.alerts(MOST_EVENTS, also_over=True)
        return self.page("alerts.html", 200, alerts=alerts, kinds=self.alert_kinds)

    def users(self) -> AnyResponse:
        return self.page("users.html", 200, users=self.store.portal_users(), meanings=MEANINGS)

    # ---- how they look

    def page(self, template: str, status: int, **values: Any) -> Response:
        shown = render_template(
            f"portal/{template}",
            site=self.site,
            person=g.person,
            token=csrf_token(g.session),
            may=lambda permission: may(g.person.role, permission),
            groups=in_groups,
            code_in_words=code_in_words,
            today=self.asker.now().date(),
            zip=zip,
            dict=dict,
            money=Money,
            stopped=self.store.stops(),
            alert_count=len(self.store.alerts(MOST_EVENTS)) if may(g.person.role, "see_alerts") else 0,
            waiting_count=len(self.store.waiting_requests()) if may(g.person.role, "see_requests") else 0,
            waiting_flow_count=len(self.store.waiting_flow_requests()) if may(g.person.role, "see_flows") else 0,
            **values,
        )
        return Response(shown, status)

    def require(self, permission: Permission) -> None:
        if not may(g.person.role, permission):
            self.store.note(g.person.name, "portal refused", permission, self.asker.now())
            abort(403)


def add_pages(blueprint: Blueprint, pages: Pages) -> None:
    """Each is in the table of `roles` by its endpoint."""

    def home() -> AnyResponse:
        return redirect(within("/payments"), 303)

    for rule, name, view, methods in (
        ("/", "home", home, ("GET",)),
        ("/payments", "payments", pages.payments, ("GET", "POST")),
        ("/payments/<reference>", "payment", pages.payment, ("GET",)),
        ("/payments/<reference>/modify", "modify", pages.modify, ("POST",)),
        ("/payments/<reference>/resend", "resend", pages.resend, ("POST",)),
        ("/payments/<reference>/caller", "show_caller", pages.show_caller, ("POST",)),
        ("/requests", "requests", pages.requests, ("GET",)),
        ("/requests/<key>", "decide", pages.decide, ("POST",)),
        ("/days", "days", pages.days, ("GET",)),
        ("/days/<written>", "day", pages.day, ("GET",)),
        ("/days/<written>/export", "export", pages.export, ("POST",)),
        ("/audit", "audit", pages.audit, ("GET",)),
        ("/users", "users", pages.users, ("GET",)),
        ("/alerts", "alerts", pages.alerts, ("GET",)),
    ):
        blueprint.add_url_rule(rule, name, view, methods=list(methods))
