"""A call's trace and a flow's traffic, read from the store and laid on the flow that they are of. Read only."""

from collections.abc import Mapping
from datetime import datetime

from ivr.calls import flow_of
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.drawing.traffic import traffic_of
from ivr.flow.way import whole_way
from ivr.store import CallRecord, LedgerEntry, Store, TextMessage, TurnRecord
from ivr.traces.drop_off import DropOff, begin_of
from ivr.traces.rows import CallRow, MoneyRow, TextRow, Trace, TurnRow


def trace_of(store: Store, flows: Mapping[str, Flow], call_id: str) -> Trace | None:
    """None for a call that there is not."""
    record = store.call_record(call_id)
    if record is None:
        return None
    began, turns = record.started_at, store.turns_of(call_id)
    flow = flow_of(flows, record.call)
    return Trace(
        call=call_row(record),
        flow=flow,
        way=whole_way(flow, [turn.step for turn in turns]) if flow else (),
        turns=[turn_row(turn, began) for turn in turns],
        money=[money_row(entry, began) for entry in store.ledger_of(call_id)],
        texts=[text_row(text) for text in (*store.texts_of(call_id), *store.emails_of(call_id))],
        agreements=store.agreements_of(call_id),
    )


def drop_off_of(store: Store, flows: Mapping[str, Flow], flow: str, span: str, now: datetime) -> DropOff:
    """KeyError for a span that there is not."""
    taken = store.ways_taken(flow, begin_of(span, now))
    return DropOff(flow, span, traffic_of(flows.get(flow), taken.ways), taken.live, taken.unnoted)


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
        line=record.line,
    )
