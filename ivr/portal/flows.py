"""Pages about flows: what is published and how many calls are on it, a version's source with `check` and traffic, two versions compared."""

import difflib
import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, g, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from ivr.calls.flow_drafts import CheckedFiles, DraftFiles, files_of
from ivr.calls.live_flows import stored_content_of
from ivr.errors import IvrError, RecordError
from ivr.flow.compiled import Flow
from ivr.flow.content import Content, compiled
from ivr.flow.difference import differences
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.traffic_look import TrafficLook
from ivr.portal.flow_rows import FlowRow, flow_row
from ivr.portal.pages import LONGEST_TYPED, Pages
from ivr.portal.publishing import Publisher
from ivr.portal.site import style_nonce
from ivr.reading.problems import Problem, without_card_numbers
from ivr.store import FlowRequest, FlowVersion
from ivr.traces import SPANS, USUAL_SPAN, drop_off_of

AROUND_A_CHANGE = 3  # lines that are shown before and after it


@dataclass(frozen=True)
class SourceLine:
    number: int
    text: str
    problems: Sequence[Problem]


@dataclass(frozen=True)
class FlowPages:
    pages: Pages
    publisher: Publisher

    # ---- what there is

    def flows(self, told: str = "") -> AnyResponse:
        names = self.pages.store.published_flows()
        return self.pages.page(
            "flows.html", 200, rows=[self.row_of(name) for name in names], requests=self.requests(), told=told
        )

    def flow(self, flow: str, told: str = "", problem: str = "") -> AnyResponse:
        row = self.known(flow)
        return self.pages.page(
            "flow.html",
            409 if problem else 200,
            row=row,
            base=row.live.number if row.live else 0,
            requests=[one for one in self.requests() if one.wanted.flow == flow],
            draft=self.pages.store.flow_draft(flow, g.person.name),
            takes_two=self.publisher.takes_two,
            told=told,
            problem=problem,
        )

    def flow_version(self, flow: str, number: str) -> AnyResponse:
        """With the traffic of the flow's calls of the last days, whatever version they were on."""
        version = self.numbered(flow, number)
        span = request.args.get("span", USUAL_SPAN)
        if span not in SPANS:
            abort(404)
        content = stored_content_of(version)
        files = files_of(content)
        checked = self.publisher.check(files)
        drawn = drawn_flow(content)
        shown = drop_off_of(self.pages.store, {flow: drawn} if drawn else {}, flow, span, self.pages.asker.now())
        nonce = secrets.token_urlsafe(16)
        # Our own drawing: it escapes what it takes from a flow, and the flow was checked.
        drawing = Markup(svg(drawn, nonce=nonce, look=TrafficLook(shown.traffic))) if drawn else ""  # noqa: S704
        page = self.pages.page(
            "flow_version.html",
            200,
            row=self.row_of(flow),
            version=version,
            sources=sources_of(files, checked),
            checked=checked,
            shown=shown,
            spans=SPANS,
            drawing=drawing,
            passed=sum(bool(shown.traffic.reached[step]) for step in drawn.steps) if drawn else 0,
            steps=len(drawn.steps) if drawn else 0,
        )
        return style_nonce(page, nonce)

    def flow_diff(self, flow: str) -> AnyResponse:
        """From `old` to `new`."""
        row = self.known(flow)
        live = row.live.number if row.live else row.versions[-1].number
        old = self.numbered(flow, request.args.get("old") or str(live))
        new = self.numbered(flow, request.args.get("new") or str(row.versions[-1].number))
        before, after = stored_content_of(old), stored_content_of(new)
        return self.pages.page("flow_diff.html", 200, row=row, old=old, new=new, **compared(before, after))

    # ---- going back, and a second author's word

    def roll_back(self, flow: str) -> AnyResponse:
        self.known(flow)
        number, base = request.form.get("number", ""), request.form.get("base", "")
        if not (is_number(number) and is_number(base)):
            abort(400)
        try:
            return self.flow(flow, self.publisher.roll_back(flow, int(number), int(base), g.person.name))
        except RecordError as error:
            return self.flow(flow, problem=str(error))

    def flow_request(self, key: str, problem: str = "") -> AnyResponse:
        """What a second author is to allow: all that would change."""
        found = self.requested(key)
        before, after = self.publisher.before_and_after(found.wanted)
        files = files_of(after)
        checked = self.publisher.check(files)
        return self.pages.page(
            "flow_request.html",
            409 if problem else 200,
            request_=found,
            wanted=found.wanted,
            sources=sources_of(files, checked),
            checked=checked,
            problem=problem,
            **compared(before, after),
        )

    def decide_flow(self, key: str) -> AnyResponse:
        found = self.requested(key)
        word = request.form.get("word")
        if word not in ("allow", "refuse"):
            abort(400)
        try:
            told = self.publisher.decide(found, g.person.name, allows=word == "allow")
        except RecordError as error:
            return self.flow_request(key, problem=str(error))
        return self.flow(found.wanted.flow, told) if self.is_known(found.wanted.flow) else self.flows(told)

    # ---- parts of it

    def requests(self) -> Sequence[FlowRequest]:
        return self.pages.store.waiting_flow_requests()

    def requested(self, key: str) -> FlowRequest:
        found = self.pages.store.flow_request(key[:LONGEST_TYPED])
        if found is None:
            abort(404)
        return found

    def row_of(self, name: str) -> FlowRow:
        return flow_row(self.pages.store, name)

    def is_known(self, flow: str) -> bool:
        return flow in self.pages.store.published_flows()

    def known(self, flow: str) -> FlowRow:
        if not self.is_known(flow):
            abort(404)
        return self.row_of(flow)

    def numbered(self, flow: str, written: str) -> FlowVersion:
        found = self.pages.store.flow_version(flow, int(written)) if is_number(written) else None
        if found is None:
            abort(404)
        return found


def is_number(written: str) -> bool:
    return written.isascii() and written.isdecimal() and len(written) < 7


def drawn_flow(content: Content) -> Flow | None:
    """None for a version that this program cannot read any more."""
    try:
        return compiled(content)[0]
    except IvrError:
        return None


def sources_of(files: DraftFiles, checked: CheckedFiles) -> Mapping[str, Sequence[SourceLine]]:
    """Each file's lines, with what `check` says of them. Digits that could be a card number are dots."""
    told: dict[tuple[str, int], list[Problem]] = defaultdict(list)
    for problem in checked.told:
        told[problem.file, problem.line].append(problem)
    return {
        name: [
            SourceLine(number, line, told[name, number])
            for number, line in enumerate(without_card_numbers(text).splitlines() or [""], 1)
        ]
        for name, text in files.by_name.items()
    }


def compared(before: Content | None, after: Content) -> Mapping[str, object]:
    """`changes`: in words, as `flows diff` has them; `hunks`: by file, each line with its mark."""
    old = files_of(before).by_name if before else {}
    new = files_of(after).by_name
    hunks = {name: list(hunks_of(old.get(name, ""), new.get(name, ""))) for name in dict.fromkeys([*new, *old])}
    changes = [without_card_numbers(line) for line in differences(before, after)]
    return {"changes": changes, "hunks": {name: lines for name, lines in hunks.items() if lines}}


def hunks_of(old: str, new: str) -> Iterator[tuple[str, str]]:
    """A mark (`+`, `-`, `@` or nothing) and a line."""
    before, after = (without_card_numbers(text).splitlines() for text in (old, new))
    for line in list(difflib.unified_diff(before, after, lineterm="", n=AROUND_A_CHANGE))[2:]:
        yield (line[0].strip(), line if line.startswith("@@") else line[1:])


def add_flow_pages(blueprint: Blueprint, flows: FlowPages) -> None:
    for rule, name, view, methods in (
        ("/flows", "flows", flows.flows, ("GET",)),
        ("/flows/<flow>", "flow", flows.flow, ("GET",)),
        ("/flows/<flow>/versions/<number>", "flow_version", flows.flow_version, ("GET",)),
        ("/flows/<flow>/diff", "flow_diff", flows.flow_diff, ("GET",)),
        ("/flows/<flow>/rollback", "roll_back", flows.roll_back, ("POST",)),
        ("/flow-requests/<key>", "flow_request", flows.flow_request, ("GET",)),
        ("/flow-requests/<key>", "decide_flow", flows.decide_flow, ("POST",)),
    ):
        blueprint.add_url_rule(rule, name, view, methods=list(methods))
