"""Bills that are asked for and answer when a test lets them: a billing system that takes its time."""

from ivr.core.actions import LookUp
from ivr.core.events import Event
from tests.benches import Bench


class SlowBills:
    """The bench's own bills, once the test has let them answer. `asked`: by whom, in order."""

    def __init__(self, bench: Bench) -> None:
        self.bills, self.answers = bench.billing, False
        self.asked: list[str] = []

    def look_up(self, asked: LookUp, event: Event, asker: str = "") -> object:
        return self.bills.look_up(asked, event, asker)

    def due_now(self, source: str, key: str, asker: str) -> object:
        self.asked.append(asker)
        return self.bills.due_now(source, key, asker) if self.answers else None
