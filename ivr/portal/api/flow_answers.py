"""What is answered about flows: their versions, a way back, and what waits for a second author, by the same `Publisher` as the pages'."""

from dataclasses import dataclass
from typing import TypedDict

from pydantic import BaseModel

from ivr.calls.flow_drafts import files_of
from ivr.calls.live_flows import stored_content_of
from ivr.errors import RecordError
from ivr.flow.content import Content
from ivr.flow.difference import differences
from ivr.portal.api import flow_shapes, shapes
from ivr.portal.api.line_answers import LineAnswers, holder
from ivr.portal.api.problems import not_found, refused
from ivr.portal.flow_rows import FlowRow, flow_row, problem_shown
from ivr.portal.publishing import Publisher
from ivr.reading.problems import without_card_numbers
from ivr.store import FlowRequest, FlowVersion, OtherLiveError, WantedFlow


class SourceShown(TypedDict):
    files: dict[str, str]
    check: list[flow_shapes.FindingShown]


@dataclass(frozen=True)
class FlowAnswers(LineAnswers):
    publisher: Publisher

    # ---- what there is

    def flows(self) -> BaseModel:
        rows = [flow_row(self.store, name) for name in self.store.published_flows()]
        shown = [
            flow_shapes.FlowShown(
                name=row.name,
                live=row.live.number if row.live else None,
                versions=len(row.versions),
                calls=row.calls_in_all,
            )
            for row in rows
        ]
        return flow_shapes.FlowsShown(flows=shown)

    def flow_versions(self, flow: str) -> BaseModel:
        row = self.flow_called(flow)
        return flow_shapes.VersionsShown(versions=[version_shown(row, one) for one in row.versions])

    def flow_version(self, flow: str, number: str) -> BaseModel:
        row = self.flow_called(flow)
        version = next((one for one in row.versions if one.number == int(number)), None)
        if version is None:
            raise not_found("path.number", f"{flow} has no such version: `GET /flows/{flow}/versions` has them")
        source = self.source_of(stored_content_of(version))
        return flow_shapes.VersionSource(**dict(version_shown(row, version)), **source)

    # ---- going back, and a second author's word

    def roll_back(self, flow: str, asked: flow_shapes.RollbackAsked, looked_at: str) -> BaseModel:
        """`looked_at`: the version that was live at the first attempt. What an attempt before this one has done is done."""
        row, base = self.flow_called(flow), asked.live or 0
        wanted = WantedFlow("rollback", flow, base, holder().token.user, asked.number)
        is_repeat = looked_at == str(base)
        told = self.told_already(wanted, is_repeat=is_repeat)
        if told:
            return self.flow_wish_taken(wanted, told)
        try:
            told = self.publisher.roll_back(flow, asked.number, base, wanted.asked_by)
        except RecordError as error:
            told = self.told_already(wanted, is_repeat=is_repeat)
            if not told:
                raise refused(placed(error, row, asked)) from None
        return self.flow_wish_taken(wanted, told)

    def told_already(self, wanted: WantedFlow, *, is_repeat: bool) -> str:
        """Of a way back that waits, or that an attempt before this one, on this node or another, has gone; "" of one to be gone."""
        if self.waiting(wanted) is not None:
            return f"{wanted.told} waits for a second author already"
        live = self.publisher.live_number(wanted.flow)
        is_gone = is_repeat and live == wanted.number != wanted.base
        return f"version {live} of {wanted.flow} is live already" if is_gone else ""

    def live_number_of(self, flow: str) -> int:
        return self.publisher.live_number(self.flow_called(flow).name)

    def flow_requests(self) -> BaseModel:
        waiting = self.store.waiting_flow_requests()
        return flow_shapes.FlowRequestsShown(waiting=[flow_shapes.FlowRequestShown.of(one) for one in waiting])

    def flow_request(self, change: str) -> BaseModel:
        found = self.change_called(change)
        before, after = self.publisher.before_and_after(found.wanted)
        return flow_shapes.FlowRequestStory(
            **dict(flow_shapes.FlowRequestShown.of(found)),
            status=found.status,
            changes=[without_card_numbers(line) for line in differences(before, after)],
            **self.source_of(after),
        )

    def decide_flow(self, change: str, decision: shapes.SecondWord, looked_at: str) -> BaseModel:
        """`looked_at`: its status at the first attempt. What an attempt before this one has decided is decided."""
        found, is_repeat = self.change_called(change), looked_at == "waiting"
        try:
            told = self.publisher.decide(found, holder().token.user, allows=decision.allow, is_repeat=is_repeat)
        except RecordError as error:
            raise refused(error) from None
        return self.flow_wish_taken(found.wanted, told)

    def status_of_change(self, change: str) -> str:
        return self.change_called(change).status

    # ---- parts of it

    def flow_called(self, flow: str) -> FlowRow:
        if flow not in self.store.published_flows():
            raise not_found("path.flow", "no flow of this name was ever published: `GET /flows` has those that were")
        return flow_row(self.store, flow)

    def change_called(self, change: str) -> FlowRequest:
        found = self.store.flow_request(change)
        if found is None:
            raise not_found("path.change", "nothing waits by this id: `GET /flow-requests` says what does")
        return found

    def waiting(self, wanted: WantedFlow) -> FlowRequest | None:
        return next((one for one in self.store.waiting_flow_requests() if one.wanted == wanted), None)

    def flow_wish_taken(self, wanted: WantedFlow, told: str) -> flow_shapes.FlowWishTaken:
        waits, live = self.waiting(wanted), self.publisher.live_number(wanted.flow)
        return flow_shapes.FlowWishTaken(told=told, live=live or None, waits_as=waits.id if waits else None)

    def source_of(self, content: Content) -> SourceShown:
        files = files_of(content)
        found = [
            flow_shapes.FindingShown.model_validate(problem_shown(one)) for one in self.publisher.check(files).told
        ]
        return {"files": {name: without_card_numbers(text) for name, text in files.by_name.items()}, "check": found}


def placed(error: RecordError, row: FlowRow, asked: flow_shapes.RollbackAsked) -> RecordError:
    """With the field that it is about, where it is about one."""
    if asked.number not in [one.number for one in row.versions]:
        return RecordError(f"number: {error}")
    return RecordError(f"live: {error}") if isinstance(error, OtherLiveError) else error


def version_shown(row: FlowRow, one: FlowVersion) -> flow_shapes.VersionShown:
    return flow_shapes.VersionShown(
        number=one.number,
        is_live=one == row.live,
        digest=one.digest,
        published_at=one.published_at,
        published_by=one.published_by,
        calls=row.calls.get(one.digest, 0),
    )
