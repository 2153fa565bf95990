"""`choose_bill: <prompt>`: one of the open bills that a look-up has found, offered by a key each, or all of them in one sum."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from ivr.core.call import Payable
from ivr.core.entry import Reading
from ivr.core.events import Event, KeysEntered, OpenBill
from ivr.flow.declared import short
from ivr.flow.parts import (
    Drawn,
    Explained,
    Facts,
    Finding,
    Keyed,
    Known,
    Need,
    Phases,
    Place,
    Said,
    Values,
    without_set,
)
from ivr.flow.registry import step_kind
from ivr.flow.step import Step
from ivr.flow.talk import open_bills
from ivr.flow.talk.amounts import choose, forget_computed
from ivr.flow.talk.entries import hear_keys, span_of
from ivr.flow.talk.turn import AGREED_AMOUNT, Leave, Listen, Reply, Turn, come_round, no_match, offer_cancel
from ivr.flow.talk.turn import short as short_name
from ivr.reading.rules import ways
from ivr.reading.scalars import BILL, EMAIL, OPEN_BILLS, Name, Target
from ivr.words.consent import CONFIRM_ALL
from ivr.words.slots import MONEY_KINDS

# Keys 0 and 9 are left to what callers can do at any question. A page has one bill less where a key takes all of them.
PER_PAGE = 6
ALL_KEY, MORE_KEY, FINISH_KEY = "6", "7", "8"
PAGE = "page"


@step_kind
class ChooseBillStep(Step):
    """Let the caller choose one of several open bills."""

    word = "choose_bill"
    place = 22
    explained = Explained(
        "`choose_bill: <prompt>`",
        "Offers the open bills that `billing.find_bills` has found, a key each; the one that is chosen is paid for",
        "`chosen`, `none_left`, `gave_up`; optional `all` (in one sum, key 6), `finished` (key 8) and `cancelled`",
    )
    example = """
which_bill:
  choose_bill: offer_bill
  then: {chosen: amount, none_left: receipt, finished: receipt, gave_up: receipt}
"""
    outcomes = frozenset({"chosen", "none_left", "gave_up"})
    optional_outcomes = frozenset({"all", "finished", "cancelled"})
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
    """Where each outcome goes; none_left: nothing is open, or no more; all: a key offers to pay all that are left in one sum,
    which is the amount then; finished: a key offers to leave the rest."""

    @property
    def offers_bills(self) -> bool:
        return True

    @property
    def passes_by(self) -> frozenset[str]:
        """The only bill is chosen without a key once; the next time it is offered."""
        return frozenset({"none_left"})

    def says(self) -> Iterator[Said]:
        fills = frozenset({"key", *short(self._gives)})
        yield Said(("choose_bill",), self.choose_bill, fills, offers_each=True)
        yield Said(("choose_bill",), "more_bills", frozenset({"key"}), MORE_KEY)
        if "finished" in self.then:
            yield Said(("then", "finished"), "finish_bills", frozenset({"key"}), FINISH_KEY)
        if "all" in self.then:
            all_of_it, agreed = frozenset({"count", "total"}), frozenset({"count", "amount", "brand", "last4"})
            yield Said(("then", "all"), "all_bills", all_of_it | {"key"}, ALL_KEY, must_say=all_of_it)
            yield Said(("then", "all"), CONFIRM_ALL, agreed, must_say=agreed)

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        message = f"there is a way to '{name}' on which no bills have been looked up"
        cure = f"let an 'ask' step with 'lookup: {OPEN_BILLS}' come before"
        yield Need(open_bills.FACT, ways.NO_BILLS, message, cure, ("choose_bill",))

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """Another bill is another amount."""
        if outcome == "all":
            of_all = {"amount", open_bills.ONE_SUM, open_bills.CHOSEN} | (self._gives & {EMAIL})
            return (without_set(facts) - self._gives - {"confirmed"}) | of_all
        if outcome != "chosen":
            return facts
        return (facts | self._gives | {open_bills.CHOSEN}) - {"amount", "confirmed", open_bills.ONE_SUM}

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        if outcome == "all":
            return (without_set(known) - short(self._gives)) | {"amount"}
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
        bills = open_bills.left(turn.call)
        if key == FINISH_KEY:
            return "finished" in self.then
        if key == ALL_KEY and "all" in self.then:
            return self._offers_all(turn, bills)
        return key != MORE_KEY or len(bills) > self._per_page

    def put(self, turn: Turn) -> Reply:
        bills = open_bills.left(turn.call)
        if not bills:
            return turn, Leave("none_left")
        # Once a bill has been chosen the caller is heard, or the call could go round by itself.
        if len(bills) == 1 and not turn.call.charges and turn.call.payable is None:
            return self._choose(turn, bills[0])
        return self._offer(turn, bills), Listen()

    @property
    def _per_page(self) -> int:
        return PER_PAGE - 1 if "all" in self.then else PER_PAGE

    def _offers_all(self, turn: Turn, bills: Sequence[OpenBill]) -> bool:
        """A single one is chosen by its own key, and no charge is more than the flow's largest amount."""
        most = turn.flow.head.limits.max_amount
        return "all" in self.then and len(bills) > 1 and open_bills.total(bills).minor <= most.minor

    def _offer(self, turn: Turn, bills: Sequence[OpenBill]) -> Turn:
        page = self._page(turn, bills)
        if not turn.call.notes:
            turn = turn.say("open_bills", count=len(bills), total=open_bills.total(bills))
        for key, bill in enumerate(self._shown(bills, page), 1):
            said = {short_name(name): value for name, value in bill.values.items()}
            turn = turn.say(self.choose_bill, **(said | {"key": str(key)}))
        if self._offers_all(turn, bills):
            turn = turn.say("all_bills", key=ALL_KEY, count=len(bills), total=open_bills.total(bills))
        if len(bills) > self._per_page:
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
        if key == ALL_KEY and self._offers_all(turn, bills):
            return self._choose_all(turn, bills)
        page = self._page(turn, bills)
        if key == MORE_KEY and len(bills) > self._per_page:
            turn = turn.note(**{PAGE: page + 1})
            # The first page again costs what a clear key does: a key that hangs must not hold a line for ever.
            return (self._offer(turn, bills), Listen()) if self._page(turn, bills) else come_round(turn)
        shown = dict(zip(map(str, range(1, self._per_page + 1)), self._shown(bills, page), strict=False))
        return self._choose(turn, shown[key]) if key in shown else no_match(turn, "no_match")

    def _choose(self, turn: Turn, bill: OpenBill) -> Reply:
        turn = turn.forget("amount", "money", AGREED_AMOUNT).remember(**bill.values)
        return turn.change(payable=Payable(BILL, bill.key, open_bills.due_on(bill))), Leave("chosen")

    def _choose_all(self, turn: Turn, bills: Sequence[OpenBill]) -> Reply:
        """What else a single bill gives is not known of all of them, but for the address that all have. Chosen here: should it
        be another sum by the charge, the list is offered again."""
        sum_of_all = open_bills.all_of(bills)
        turn = forget_computed(turn.forget("money", *self.declared.types))
        turn = turn.remember(**{"bill.due": sum_of_all.owed, "bill.min": sum_of_all.owed})
        if address := open_bills.address(bills):
            turn = turn.remember(**{EMAIL: address})
        return choose(turn.change(payable=sum_of_all), sum_of_all.owed), Leave("all")

    def _page(self, turn: Turn, bills: Sequence[OpenBill]) -> int:
        """After the last page the first comes again."""
        noted = turn.call.notes.get(PAGE, 0)
        pages = -(-len(bills) // self._per_page)
        return int(str(noted)) % pages if pages else 0

    def _shown(self, bills: Sequence[OpenBill], page: int) -> Sequence[OpenBill]:
        return bills[page * self._per_page : (page + 1) * self._per_page]
