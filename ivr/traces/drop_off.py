"""Where callers stop: a flow's traffic over a span of time, as the page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ivr.core.moves import BEGINNING
from ivr.flow.drawing.traffic import STOPS, Traffic
from ivr.flow.drawing.traffic_look import per_cent

# By the word in the page's address: what the page says, and how many days back; None is from the first call on.
SPANS: Mapping[str, tuple[str, int | None]] = {
    "today": ("today (UTC)", 0),
    "7": ("7 days", 7),
    "30": ("30 days", 30),
    "all": ("all calls", None),
}
USUAL_SPAN = "7"
STOP_WORDS = {
    "hung_up": "Hung up",
    "connecting": "Left while connecting",
    "gave_up": "Gave up",
    "cancelled": "Cancelled",
    "limit": "Turned away",
    "error": "Error",
}


@dataclass(frozen=True)
class StepRow:
    """`stops`: calls in the order of STOPS. `is_gone`: the flow has no such step any more."""

    name: str
    reached: int
    of_all: str
    stops: Sequence[int]
    lost: int
    of_those: str
    is_gone: bool


@dataclass(frozen=True)
class WayRow:
    source: str
    target: str
    calls: int
    of_those: str  # who reached the source


@dataclass(frozen=True)
class DropOff:
    """`live`: calls that go on; `unnoted`: those that ended before ways were noted. Neither is in the numbers."""

    flow: str
    span: str
    traffic: Traffic
    live: int = 0
    unnoted: int = 0

    @property
    def steps(self) -> Sequence[StepRow]:
        """The beginning is a row of its own where a caller was lost there."""
        first = [BEGINNING] if self.traffic.lost_at(BEGINNING) else []
        return [self._row(step) for step in (*first, *self.traffic.steps)]

    def _row(self, step: str) -> StepRow:
        traffic, reached, lost = self.traffic, self.traffic.reached[step], self.traffic.lost_at(step)
        return StepRow(
            name="before the first step" if step == BEGINNING else step.replace("_", " "),
            reached=reached,
            of_all=per_cent(reached, traffic.calls),
            stops=[traffic.stopped[step, how] for how in STOPS],
            lost=lost,
            of_those=per_cent(lost, reached),
            is_gone=step != BEGINNING and not traffic.is_known(step),
        )

    @property
    def ways(self) -> Sequence[WayRow]:
        """The most taken first."""
        return [
            WayRow(
                source.replace("_", " "),
                "asked again" if source == target else target.replace("_", " "),
                count,
                per_cent(count, self.traffic.reached[source]),
            )
            for (source, target), count in self.traffic.taken.most_common()
        ]

    @property
    def lost(self) -> int:
        return sum(self.traffic.stopped.values())

    @property
    def transferred(self) -> int:
        return sum(self.traffic.transferred.values())

    @property
    def share_lost(self) -> str:
        return per_cent(self.lost, self.traffic.calls)


def begin_of(span: str, now: datetime) -> datetime | None:
    """From when on calls are counted; KeyError for a span that there is not."""
    days = SPANS[span][1]
    if days is None:
        return None
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return now - timedelta(days=days) if days else midnight
