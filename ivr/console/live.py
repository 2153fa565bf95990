"""The page's rows from the running product: its settings, flows and store. Read only."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.console.rows import Process, Trial
from ivr.console.trials import processes, trials, usual_first
from ivr.flow.compiled import Flow
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import Store
from ivr.traces import CallRow, DropOff, TextRow, Trace, call_row, drop_off_of, text_row, trace_of


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
        return trace_of(self.store, self.compiled, call_id)

    def called_flows(self) -> Sequence[str]:
        return list(dict.fromkeys([*self.flows(), *self.store.called_flows()]))

    def drop_off(self, flow: str, span: str, now: datetime) -> DropOff:
        return drop_off_of(self.store, self.compiled, flow, span, now)

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
