"""What the pages and the API say of a flow: its versions with the calls under way on each, and what `check` found, as plain values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivr.reading.problems import Problem, one_line
from ivr.store import FlowVersion, Store


@dataclass(frozen=True)
class FlowRow:
    """`versions`: the latest first; `live` is None where the flow is withdrawn; `calls`: under way, by the digest of their version."""

    name: str
    versions: Sequence[FlowVersion]
    live: FlowVersion | None
    calls: Mapping[str, int]

    @property
    def calls_in_all(self) -> int:
        return sum(self.calls.values())


def flow_row(store: Store, name: str) -> FlowRow:
    """KeyError for a flow that was never published."""
    live = store.live_versions()[name].number
    versions = store.flow_versions(name)
    calls = Counter(call.flow_version for call in store.open_calls(name))
    return FlowRow(name, versions[::-1], next((one for one in versions if one.number == live), None), calls)


def problem_shown(one: Problem) -> Mapping[str, object]:
    return {
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "code": one.rule.code,
        "level": "advice" if one.is_advice else "problem",
        "message": one_line(one.message),
        "cure": one_line(one.suggestion),
    }
