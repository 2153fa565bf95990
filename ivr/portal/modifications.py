"""What finance asks for: refunds, voids and captures, one person's alone up to a limit, above it with a second person's word."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ivr.bank import BankSettings, ModificationKind
from ivr.calls.modifying import Standing, amount_to_modify, money_in, standing_at
from ivr.core.money import Money
from ivr.errors import RecordError
from ivr.portal.labels import on_a_page
from ivr.portal.second_word import is_said, require_sayable
from ivr.portal.site import PortalSite
from ivr.store import AlreadyAsked, Balance, Changed, Modification, Payment, PortalRequest, Store, WantedModification

KINDS: tuple[ModificationKind, ...] = ("refund", "void", "capture")
LONGEST_ABOUT = 200  # characters of an audit event
LOOK_AGAIN = "what can be refunded has changed meanwhile: look again, nothing was asked for"


@dataclass(frozen=True)
class ModificationForm:
    """As a form has it. `left`: what could be refunded when the page was shown, so that a form sent twice asks once."""

    kind: ModificationKind
    left: str
    amount: str | None = None
    reopens_bill: bool = False


@dataclass(frozen=True)
class Taken:
    """What became of a wish, in words. `modification`: where it is taken to the bank; `waits_as`: the request that waits for a
    second person."""

    words: str
    modification: Modification | None = None
    waits_as: str = ""


@dataclass(frozen=True)
class Asker:
    """`bills_are_ours`: bills are kept here, and can be owed again."""

    store: Store
    banks: Callable[[], Mapping[str, BankSettings]]
    site: PortalSite
    now: Callable[[], datetime]
    bills_are_ours: bool = True

    def standing(self, payment: Payment) -> Standing:
        return standing_at(self.banks(), self.store, payment)

    def possible(self, payment: Payment) -> Mapping[ModificationKind, Money]:
        """What may be asked for now, each with the most that it is of."""
        standing = self.standing(payment)
        found: dict[ModificationKind, Money] = {}
        for kind in KINDS:
            try:
                found[kind] = amount_to_modify(standing, kind, None)
            except RecordError:
                continue
        return found

    def ask(self, payment: Payment, wish: ModificationForm, by: str) -> Taken:
        """RecordError says why it was refused; that is on record too, in the words of the pages."""
        try:
            return self._ask(payment, wish, by)
        except RecordError as error:
            about = f"{payment.intent.reference}: {on_a_page(error)}"[:LONGEST_ABOUT]
            self.store.note(by, f"{wish.kind} refused", about, self.now())
            raise

    def _ask(self, payment: Payment, wish: ModificationForm, by: str) -> Taken:
        standing = self.standing(payment)
        if wish.reopens_bill:
            self._require_our_bill(payment)
        left = standing.balance.refundable
        expected = money_in(wish.left, left.currency)
        part = money_in(wish.amount, left.currency) if wish.amount else expected
        wanted = WantedModification(payment.intent.reference, wish.kind, part, expected, by, wish.reopens_bill)
        # A capture leaves what can be refunded as it was.
        before = self.store.asked_before(wanted) if expected != left or wish.kind == "capture" else None
        if before is not None:
            return Taken(in_words(before, is_new=False), before)
        if expected != left:
            raise RecordError(LOOK_AGAIN)
        amount = amount_to_modify(standing, wish.kind, wish.amount)
        if wish.reopens_bill and payment.intent.bills and amount != payment.intent.amount:
            raise RecordError("--reopen-bill: bills that were paid in one sum are owed again together, by all of it")
        wanted = WantedModification(payment.intent.reference, wish.kind, amount, left, by, wish.reopens_bill)
        if wish.kind != "capture" and self.site.takes_two(with_what_went_before(amount, standing.balance)):
            return self._ask_second(wanted)
        return self._take(wanted)

    def _ask_second(self, wanted: WantedModification) -> Taken:
        key = f"R{secrets.token_hex(8)}"
        if not self.store.ask_second_person(key, wanted, self.now()):
            waiting = [one for one in self.store.requests_of(wanted.reference) if one.status == "waiting"]
            same = next((one for one in waiting if one.wanted == wanted), None)
            if same is None:
                raise RecordError(f"a {wanted.kind} of this charge waits for a second person already")
            key = same.id
        words = f"{wanted.kind} of {wanted.amount} waits for a second person: it is more than one may do alone"
        return Taken(words, waits_as=key)

    def decide(self, request: PortalRequest, by: str, *, allows: bool, is_repeat: bool = False) -> Taken:
        """Whoever asked may take it back, and cannot allow it. RecordError also where it was decided already, or where the charge
        has changed since: it waits on then. `is_repeat`: it may be that the same person's same word has come before, and was
        not answered."""
        wanted = request.wanted
        try:
            self._say(request, by, allows=allows)
        except RecordError:
            if not is_repeat or not is_said(self.store.portal_request(request.id), by, allows=allows):
                raise
        if allows:
            return self._take(wanted)
        return Taken(f"{wanted.kind} of {wanted.amount} is {'taken back' if wanted.asked_by == by else 'refused'}")

    def _say(self, request: PortalRequest, by: str, *, allows: bool) -> None:
        require_sayable(self.store.portal_request(request.id) or request, by, "another person", allows=allows)
        if allows:
            self._require_as_asked(request.wanted)
        if self.store.decide_request(request.id, by, self.now(), allows=allows) is None:
            raise RecordError("that was decided meanwhile")

    def _require_as_asked(self, wanted: WantedModification) -> None:
        payment = self.store.payment(wanted.reference)
        if payment is None or self.standing(payment).balance.refundable != wanted.left:
            raise RecordError(LOOK_AGAIN)
        amount_to_modify(self.standing(payment), wanted.kind, str(wanted.amount))

    def _take(self, wanted: WantedModification) -> Taken:
        asked = self.store.ask_modification(wanted, self.now())
        if isinstance(asked, Changed):
            raise RecordError(LOOK_AGAIN)
        if isinstance(asked, AlreadyAsked):
            return Taken(in_words(asked.modification, is_new=False), asked.modification)
        return Taken(in_words(asked, is_new=True), asked)

    def _require_our_bill(self, payment: Payment) -> None:
        if not self.bills_are_ours:
            raise RecordError("--reopen-bill: bills are at BILLING_URL, reopen it there")
        if not payment.intent.payable_key:
            raise RecordError(
                "--reopen-bill: the charge pays no bill that was looked up, so that none can be owed again"
            )


def with_what_went_before(amount: Money, balance: Balance) -> Money:
    """Many small refunds of one charge are one large one."""
    return Money(amount.minor + balance.returned.minor + balance.asked.minor, amount.currency)


def in_words(asked: Modification, *, is_new: bool) -> str:
    word = "asked for" if is_new else f"asked for already, by {asked.asked_by}"
    return f"{asked.kind} of {asked.amount} {word}: the forwarder takes it to the bank"
