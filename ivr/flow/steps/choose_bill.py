"""`choose_bill: <prompt>`: one of the open bills that a look-up has found, offered by a key each; each is paid for by itself."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from ivr.core.call import Payable
from ivr.core.entry import Reading
from ivr.core.events import Event, KeysEntered, OpenBill
from ivr.core.money import Money
from ivr.flow.declared import short
from ivr.flow.parts import Drawn, Explained, Facts, Finding, Keyed, Known, Need, Phases, Place, Said, Values
from ivr.flow.registry import step_kind
from ivr.flow.step import Step
from ivr.flow.talk import open_bills
from ivr.flow.talk.entries import hear_keys, span_of
from ivr.flow.talk.turn import Leave, Listen, Reply, Turn, come_round, no_match, offer_cancel
from ivr.flow.talk.turn import short as short_name
from ivr.reading.rules import ways
from ivr.reading.scalars import BILL, OPEN_BILLS, Name, Target
from ivr.words.slots import MONEY_KINDS

# Keys 0 and 9 are left to what callers can do at any question.
PER_PAGE = 6
MORE_KEY, FINISH_KEY = "7", "8"
PAGE = "page"


@step_kind
class ChooseBillStep(Step):
    """Let the caller choose one of several open bills."""

    word = "choose_bill"
    place = 22
    explained = Explained(
        "`choose_bill: <prompt>`",
        "Offers the open bills that `billing.find_bills` has found, a key each; the one that is chosen is paid for",
        "`chosen`, `none_left`, `gave_up`; optional `finished` and `cancelled`",
    )
    example = """
which_bill:
  choose_bill: offer_bill
  then: {chosen: amount, none_left: receipt, finished: receipt, gave_up: receipt}
"""
    outcomes = frozenset({"chosen", "none_left", "gave_up"})
    optional_outcomes = frozenset({"finished", "cancelled"})
    phases: ClassVar[Phases] = {"entry": "asks"}
    speaks: ClassVar[Values] = {
        "open_bills": frozenset({"count", "total"}),
        "more_bills": frozenset({"key"}),
        "finish_bills": frozenset({"key"}),
    }
    values: ClassVar[Values] = {"total": MONEY_KINDS}

    choose_bill: Name
    """The prompt that offers one bill; it says {key:key}, {due:money}, and what the look-up gives."""
    then: dict[str, Target]
    """Where each outcome goes; none_left: nothing is open, or no more; finished: a key offers to leave the rest."""

    @property
    def offers_bills(self) -> bool:
        return True

    @property
    def passes_by(self) -> frozenset[str]:
        """The only bill is chosen without a key once; the next time it is offered."""
        return frozenset({"none_left"})

    def says(self) -> Iterator[Said]:
        fills = frozenset({"key", *short(self._gives)})
        yield Said(("choose_bill",), self.choose_bill, fills)

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        message = f"there is a way to '{name}' on which no bills have been looked up"
        cure = f"let an 'ask' step with 'lookup: {OPEN_BILLS}' come before"
        yield Need(open_bills.FACT, ways.NO_BILLS, message, cure, ("choose_bill",))

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """Another bill is another amount."""
        return (facts | self._gives) - {"amount", "confirmed"} if outcome == "chosen" else facts

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return (known - {"amount"}) | short(self._gives) if outcome == "chosen" else known

    @property
    def _gives(self) -> frozenset[str]:
        return self.declared.gives(OPEN_BILLS)

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from ()

    def drawn(self) -> Drawn:
        return Drawn("talk", "choose a bill")

    # ---- in a call

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def takes(self, turn: Turn, key: str) -> bool:
        if key == FINISH_KEY:
            return "finished" in self.then
        return key != MORE_KEY or len(open_bills.left(turn.call)) > PER_PAGE

    def put(self, turn: Turn) -> Reply:
        bills = open_bills.left(turn.call)
        if not bills:
            return turn, Leave("none_left")
        # Once a bill has been chosen the caller is heard, or the call could go round by itself.
        if len(bills) == 1 and not turn.call.charges and turn.call.payable is None:
            return self._choose(turn, bills[0])
        return self._offer(turn, bills), Listen()

    def _offer(self, turn: Turn, bills: Sequence[OpenBill]) -> Turn:
        page = _page(turn, bills)
        if not turn.call.notes:
            turn = turn.say("open_bills", count=len(bills), total=open_bills.total(bills))
        for key, bill in enumerate(_shown(bills, page), 1):
            said = {short_name(name): value for name, value in bill.values.items()}
            turn = turn.say(self.choose_bill, **(said | {"key": str(key)}))
        if len(bills) > PER_PAGE:
            turn = turn.say("more_bills", key=MORE_KEY)
        if "finished" in self.then:
            turn = turn.say("finish_bills", key=FINISH_KEY)
        return turn.note(**{PAGE: page}).collect_one_key("menu")

    def hear(self, turn: Turn, event: Event) -> Reply:
        return hear_keys(turn, event, self._hear_key)

    def _hear_key(self, turn: Turn, event: KeysEntered) -> Reply:
        span = span_of(turn, event, 1, 1)
        if span.reading is Reading.CANCEL:
            return offer_cancel(turn)
        key, bills = event.keys.text()[span.start : span.end], open_bills.left(turn.call)
        if key == FINISH_KEY and "finished" in self.then:
            return turn, Leave("finished")
        page = _page(turn, bills)
        if key == MORE_KEY and len(bills) > PER_PAGE:
            turn = turn.note(**{PAGE: page + 1})
            # The first page again costs what a clear key does: a key that hangs must not hold a line for ever.
            return (self._offer(turn, bills), Listen()) if _page(turn, bills) else come_round(turn)
        shown = dict(zip(map(str, range(1, PER_PAGE + 1)), _shown(bills, page), strict=False))
        return self._choose(turn, shown[key]) if key in shown else no_match(turn, "no_match")

    def _choose(self, turn: Turn, bill: OpenBill) -> Reply:
        due = bill.values["bill.due"]
        if not isinstance(due, Money):
            raise TypeError("a bill says what is due")
        turn = turn.forget("amount", "money").remember(**bill.values)
        return turn.change(payable=Payable(BILL, bill.key, due)), Leave("chosen")


def _page(turn: Turn, bills: Sequence[OpenBill]) -> int:
    """After the last page the first comes again."""
    noted = turn.call.notes.get(PAGE, 0)
    pages = -(-len(bills) // PER_PAGE)
    return int(str(noted)) % pages if pages else 0


def _shown(bills: Sequence[OpenBill], page: int) -> Sequence[OpenBill]:
    return bills[page * PER_PAGE : (page + 1) * PER_PAGE]
