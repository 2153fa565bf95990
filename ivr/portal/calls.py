"""Pages about calls: those that go on, those of a day, one call's trace on its diagram, where callers stop, time by prompt."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, get_args

from flask import Blueprint, Response, abort, g, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from ivr.books import day_bounds
from ivr.core.call import Ending
from ivr.core.caller import mask_number
from ivr.errors import RecordError
from ivr.flow.compiled import Flow
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.look import Look, OneCall
from ivr.flow.drawing.traffic_look import TrafficLook
from ivr.portal.finding import cursor_in, day_in, require_no_card, without_cards
from ivr.portal.labels import on_a_page
from ivr.portal.live import LiveFeed
from ivr.portal.pages import LONGEST_TYPED, Pages
from ivr.portal.roles import may
from ivr.portal.signing_in import SignIn
from ivr.portal.site import style_nonce
from ivr.store import CallFilter, CallRecord
from ivr.traces import ENDING_WORDS, SPANS, STOP_WORDS, USUAL_SPAN, call_row, drop_off_of, prompt_rows, trace_of

PAGE = 50
SHOWN_END = 3  # digits of a caller's number that are shown, and searched by
OUTCOMES: tuple[Ending, ...] = get_args(Ending)
FIELDS = ("day", "flow", "outcome", "caller_end", "older_than")
STREAM = "tonetill.stream"  # as `ivr.web` has it: an answer that goes on


@dataclass(frozen=True)
class CallPages:
    """`flows`: those that serve now, asked anew for each page."""

    pages: Pages
    signing_in: SignIn
    flows: Callable[[], Mapping[str, Flow]]
    feed: LiveFeed

    # ---- now

    def live(self) -> AnyResponse:
        return self.pages.page("live.html", 200, rows=Markup(self.feed.html()), now=self.pages.asker.now())  # noqa: S704

    def live_events(self) -> AnyResponse:
        session = g.session

        def may_go_on() -> bool:
            person = self.signing_in.whose(session, is_activity=False)
            return person is not None and may(person.role, "see_calls")

        watching = self.feed.watch(may_go_on)
        if watching is None:
            return Response("too many watch already: close a page\n", 503, mimetype="text/plain")
        first = Response(watching.more() or b"", mimetype="text/event-stream")
        first.headers["X-Accel-Buffering"] = "no"  # a proxy that waits for more would show nothing
        goes_on = request.environ.get(STREAM)
        if goes_on is None:
            watching.close()
        else:
            goes_on.append(watching)
        return first

    # ---- of a day

    def calls(self) -> AnyResponse:
        asked = {name: request.form.get(name, "")[:LONGEST_TYPED].strip() for name in FIELDS}
        asked["day"] = asked["day"] or str(self.pages.asker.now().date())
        try:
            found, problem = self.pages.store.find_calls(filter_of(asked), PAGE + 1), ""
        except RecordError as error:
            found, problem = (), on_a_page(error)
        return self.pages.page(
            "calls.html",
            400 if problem else 200,
            calls=[call_row(record) for record in found[:PAGE]],
            asked=without_cards(asked),
            problem=problem,
            older=cursor(found[PAGE - 1]) if len(found) > PAGE else "",
            flows=self.called_flows(),
            outcomes=OUTCOMES,
            words=ENDING_WORDS,
        )

    def call(self, call_id: str) -> AnyResponse:
        trace = trace_of(self.pages.store, self.flows(), call_id)
        if trace is None:
            abort(404)
        charges = [one.intent.reference for one in self.pages.store.payments_of(call_id)]
        look = OneCall(trace.way)
        return self.drawn("call.html", trace.flow, look, trace=trace, charges=charges, words=ENDING_WORDS)

    # ---- of many

    def drop_off(self) -> AnyResponse:
        flows = self.called_flows()
        flow, span = request.args.get("flow", flows[0] if flows else ""), request.args.get("span", USUAL_SPAN)
        if span not in SPANS or (flow and flow not in flows):
            abort(404)
        shown = drop_off_of(self.pages.store, self.flows(), flow, span, self.pages.asker.now())
        look, stops = TrafficLook(shown.traffic), STOP_WORDS.values()
        return self.drawn("drop_off.html", shown.traffic.flow, look, shown=shown, flows=flows, spans=SPANS, stops=stops)

    def prompts(self) -> AnyResponse:
        flows, today = self.called_flows(), self.pages.asker.now().date()
        flow = request.args.get("flow", flows[0] if flows else "")
        if flow and flow not in flows:
            abort(404)
        try:
            day = day_in(request.args.get("day") or str(today))
        except RecordError:
            abort(404)
        rows = prompt_rows(self.pages.store.prompt_times(flow, *day_bounds(day))) if flow else []
        days = [str(today - timedelta(days=back)) for back in range(7)]
        return self.pages.page("prompts.html", 200, rows=rows, flow=flow, flows=flows, day=day, days=days)

    def called_flows(self) -> list[str]:
        """Those that serve, then those that calls were made to and that are gone."""
        return list(dict.fromkeys([*sorted(self.flows()), *self.pages.store.called_flows()]))

    def drawn(self, template: str, flow: Flow | None, look: Look, **values: Any) -> AnyResponse:
        """A page with a drawing of the flow, whose style is its own."""
        nonce = secrets.token_urlsafe(16)
        # Our own drawing: it escapes what it takes from a flow, and the flow was checked.
        drawing = Markup(svg(flow, nonce=nonce, look=look)) if flow else ""  # noqa: S704
        return style_nonce(self.pages.page(template, 200, drawing=drawing, **values), nonce)


def filter_of(asked: Mapping[str, str]) -> CallFilter:
    """RecordError says what is wrong with it."""
    require_no_card(asked)
    digits = "".join(filter(str.isdecimal, asked["caller_end"]))
    if asked["caller_end"] and len(digits) != SHOWN_END:
        raise RecordError(f"caller_end: the last {SHOWN_END} digits, as the calls show them")
    outcome = next((one for one in OUTCOMES if one == asked["outcome"]), None)
    if asked["outcome"] and outcome is None:
        raise RecordError(f"outcome: expected one of {', '.join(OUTCOMES)}")
    wanted = CallFilter(*day_bounds(day_in(asked["day"])), asked["flow"], outcome, digits)
    at, call_id = cursor_in(asked["older_than"])
    return replace(wanted, older_than=(at, call_id)) if call_id else wanted


def cursor(last: CallRecord) -> str:
    return f"{round(last.started_at.timestamp() * 1000)} {last.id}"


def live_feed(pages: Pages) -> LiveFeed:
    def render(calls: Any, in_all: int) -> str:
        shown = [(one, mask_number(one.call.ani)) for one in calls]
        return render_template("portal/live_rows.html", calls=shown, in_all=in_all, root=pages.site.root)

    return LiveFeed(pages.store, pages.asker.now, render)


def add_call_pages(blueprint: Blueprint, pages: Pages, signing_in: SignIn) -> None:
    feed = live_feed(pages)
    calls = CallPages(pages, signing_in, pages.flows, feed)

    @blueprint.record_once
    def in_its_application(state: Any) -> None:
        """A stream is asked for more outside of any request."""
        render = feed.render

        def render_anywhere(found: Any, in_all: int) -> str:
            with state.app.app_context():
                return render(found, in_all)

        feed.render = render_anywhere

    for rule, name, view, methods in (
        ("/live", "live", calls.live, ("GET",)),
        ("/live/events", "live_events", calls.live_events, ("GET",)),
        ("/calls", "calls", calls.calls, ("GET", "POST")),
        ("/calls/<call_id>", "call", calls.call, ("GET",)),
        ("/drop-off", "drop_off", calls.drop_off, ("GET",)),
        ("/prompts", "prompts", calls.prompts, ("GET",)),
    ):
        blueprint.add_url_rule(rule, name, view, methods=list(methods))
