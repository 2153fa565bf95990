"""The page's rows from the running product: its settings, flows and store. Read only."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.calls import flow_of
from ivr.console.drop_off import DropOff, begin_of
from ivr.console.rows import CallRow, MoneyRow, Process, TextRow, Trace, Trial, TurnRow
from ivr.console.trials import processes, trials, usual_first
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.drawing.traffic import traffic_of
from ivr.flow.way import whole_way
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import CallRecord, LedgerEntry, Store, TextMessage, TurnRecord


@dataclass(frozen=True)
class LivePages:
    """`running`: the names of the processes that were started together with this one. `flow_trouble`: what is wrong with
    flows that should be serving."""

    settings: Settings
    compiled: Mapping[str, Flow]
    store: Store
    running: Collection[str] = ("web",)
    flow_trouble: Callable[[], Sequence[str]] = lambda: ()

    def processes(self) -> Sequence[Process]:
        return processes(self.settings, self.running, self.store.outbox_depth())

    def trials(self) -> Sequence[Trial]:
        return trials(self.settings, self.running, list(self.compiled))

    def flows(self) -> Mapping[str, Flow]:
        return {name: self.compiled[name] for name in usual_first(self.settings, self.compiled)}

    def latest_calls(self, limit: int) -> Sequence[CallRow]:
        return [call_row(record) for record in self.store.latest_calls(limit)]

    def latest_texts(self, limit: int) -> Sequence[TextRow]:
        """Of the latest calls: most of them send none."""
        calls = self.store.latest_calls(limit)
        sent = (text for call in calls for text in (*self.store.texts_of(call.id), *self.store.emails_of(call.id)))
        return [text_row(text) for text in sent][:limit]

    def trace(self, call_id: str) -> Trace | None:
        record = self.store.call_record(call_id)
        if record is None:
            return None
        began, turns = record.started_at, self.store.turns_of(call_id)
        flow = flow_of(self.compiled, record.call)
        return Trace(
            call=call_row(record),
            flow=flow,
            way=whole_way(flow, [turn.step for turn in turns]) if flow else (),
            turns=[turn_row(turn, began) for turn in turns],
            money=[money_row(entry, began) for entry in self.store.ledger_of(call_id)],
            texts=[text_row(text) for text in (*self.store.texts_of(call_id), *self.store.emails_of(call_id))],
            agreements=self.store.agreements_of(call_id),
        )

    def called_flows(self) -> Sequence[str]:
        return list(dict.fromkeys([*self.flows(), *self.store.called_flows()]))

    def drop_off(self, flow: str, span: str, now: datetime) -> DropOff:
        taken = self.store.ways_taken(flow, begin_of(span, now))
        return DropOff(flow, span, traffic_of(self.compiled.get(flow), taken.ways), taken.live, taken.unnoted)

    def trouble(self) -> Sequence[str]:
        stopped = [f"No card is taken of {one.what}: {one.reason} ({one.by})" for one in self.store.stops()]
        words = self.store.text_trouble()
        texts = [f"No text can be sent, and none is promised to callers: {words}"] if words else []
        mail = self.store.email_trouble()
        emails = [f"No receipt can be e-mailed, and none is promised to callers: {mail}"] if mail else []
        return [*stopped, *texts, *emails, *self._failed_notices(), *self.flow_trouble()]

    def _failed_notices(self) -> Sequence[str]:
        failed = self.store.failed_merchant_notices()
        return [f"{failed} notices to NOTICES_URL have failed: `{COMMAND} notices list` says why"] if failed else []


def turn_row(turn: TurnRecord, began: datetime) -> TurnRow:
    at_s = max((turn.at - began).total_seconds(), 0.0)
    return TurnRow(at_s, turn.came, turn.step, turn.phase, turn.said, turn.took_ms)


def money_row(entry: LedgerEntry, began: datetime) -> MoneyRow:
    at_s = (entry.at - began).total_seconds()
    return MoneyRow(at_s, entry.reference.rpartition("-")[2], entry.kind, entry.amount, entry.response_code or "")


def text_row(text: TextMessage) -> TextRow:
    notes = {
        "sent": "sent",
        "kept": "kept here, not sent",
        "waiting": f"not sent yet{f': {text.problem}' if text.problem else ''}",
        "refused": f"cannot be sent: {text.problem}",
    }
    return TextRow(text.recipient, text.body, text.is_sent, notes[text.state])


def call_row(record: CallRecord) -> CallRow:
    call = record.call
    has_amount = record.amount_minor is not None and record.currency is not None
    return CallRow(
        id=record.id,
        started_at=record.started_at,
        duration_s=record.duration_s,
        ani=call.ani,
        flow=call.flow,
        channel=call.channel,
        language=call.language,
        ending=call.outcome,
        hung_up=call.hung_up,
        payment=record.payment,
        amount=Money(record.amount_minor or 0, record.currency or "") if has_amount else None,
        transferred_to=call.transferred_to,
    )
