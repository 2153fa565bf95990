"""Double entry: what each state of a charge posts, from which account to which. Decided here, written by `transfers`.

A transfer debits one account and credits another by the same amount, so books made of transfers balance by construction
(TigerBeetle's model). Accounts are named `kind:owner`:

    in_flight:BANK    asked for, and not answered: `accepted` or `sent`          debit balance, against pending
    suspense:BANK     not known, may have been charged: `unknown`               debit, against pending
    reserved:BANK     held on a card, and not taken                             debit, against held
    bank:BANK         what the bank owes us                                     debit
    uncollected:BANK  approved, and the bank has let go of it before it took it  debit
    pending:MERCHANT  what callers have agreed to and the bank has not           credit
    held:BILL         reserved for a bill, or an open part of it                 credit
    bill:BILL         paid on a bill here; BILL is its source and key            credit
    sales:MERCHANT    paid without a bill that was looked up                     credit
    fees:MERCHANT     charged for the card                                       credit
    refunds:MERCHANT  given back while the bill stays paid                       debit

A charge that is asked for stands against `pending` until its outcome is known; then that is taken back, and an approved
amount is owed by the bank and credited to what it pays. What is owed is counted from the approval, also where the bank
takes the money later, as `movements` counts it. A refund, void or capture posts when the bank has done it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ivr.store.intents import Payment, PaymentIntent, Status

PART_COUNTED, PART_UNDONE = "part_counted", "part_undone"
_REFUNDS = frozenset({"refunded", "refunded_at_bank", "refund_failed", "bank_refund_failed"})
_DONE = {"refund_failed": "refunded", "void_failed": "voided", "capture_failed": "captured"}


@dataclass(frozen=True, slots=True)
class MoneyTransfer:
    """`minor`: above nought."""

    debit: str
    credit: str
    minor: int


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry of the ledger with its transfers."""

    kind: str
    modification: int
    transfers: tuple[MoneyTransfer, ...]


class ChargeAccounts:
    """The accounts that one charge moves."""

    def __init__(self, intent: PaymentIntent) -> None:
        self.intent = intent
        bank, merchant = intent.bank, intent.merchant
        self.in_flight, self.suspense, self.pending = f"in_flight:{bank}", f"suspense:{bank}", f"pending:{merchant}"
        self.reserved, self.bank, self.uncollected = f"reserved:{bank}", f"bank:{bank}", f"uncollected:{bank}"
        self.fees, self.refunds = f"fees:{merchant}", f"refunds:{merchant}"
        self.held = f"held:{bill_name(intent.payable_source, intent.payable_key) if intent.payable_key else merchant}"

    def paid(self, minor: int) -> list[tuple[str, int]]:
        """What `minor` of the charge pays: the bills in their order, and the fee last."""
        return self._spread(minor, self._room(), 0)

    def still_paid(self, minor: int, standing: Counter[str]) -> list[tuple[str, int]]:
        """What `minor` that is given back had paid, of what is still paid by it: in the same order, and after what was given
        back while the bill stays paid."""
        room = [(account, max(-standing[account], 0)) for account, _ in self._room()]
        return self._spread(minor, room, max(standing[self.refunds], 0))

    def _room(self) -> list[tuple[str, int]]:
        intent = self.intent
        bills = [(f"bill:{bill_name(one.source, one.key)}", one.amount.minor) for one in intent.paid_bills]
        return bills or [(f"sales:{intent.merchant}", intent.credited.minor)]

    def _spread(self, minor: int, room: list[tuple[str, int]], skipped: int) -> list[tuple[str, int]]:
        found, left = [], minor
        for account, most in room:
            passed = min(skipped, most)
            taken = min(left, most - passed)
            found.append((account, taken))
            skipped, left = skipped - passed, left - taken
        return [(account, taken) for account, taken in (*found, (self.fees, left)) if taken > 0]


def bill_name(source: str, key: str) -> str:
    return f"{source}:{key}"


def when_requested(intent: PaymentIntent) -> list[MoneyTransfer]:
    accounts = ChargeAccounts(intent)
    return [MoneyTransfer(accounts.in_flight, accounts.pending, intent.amount.minor)]


def when_concluded(payment: Payment, before: Status, *, is_captured: bool = False) -> list[MoneyTransfer]:
    """`payment` as it stands now, `before`: where it stood. `is_captured`: a bank may tell of a capture first."""
    accounts = ChargeAccounts(payment.intent)
    asked = (payment.asked or payment.intent.amount).minor
    if payment.status == "unknown":
        return [MoneyTransfer(accounts.suspense, accounts.in_flight, asked)]
    ended = MoneyTransfer(accounts.pending, accounts.suspense if before == "unknown" else accounts.in_flight, asked)
    return [ended, *_approved(payment, accounts)] if payment.status == "approved" and not is_captured else [ended]


def _approved(payment: Payment, accounts: ChargeAccounts) -> list[MoneyTransfer]:
    minor = payment.intent.amount.minor
    if payment.intent.captures_later:
        return [MoneyTransfer(accounts.reserved, accounts.held, minor)]
    if payment.split:
        return [MoneyTransfer(accounts.bank, accounts.held, minor)]
    return [MoneyTransfer(accounts.bank, account, part) for account, part in accounts.paid(minor)]


def when_noted(
    intent: PaymentIntent, kind: str, minor: int, modification: int, before: Sequence[Posted], *, reopens: bool = False
) -> list[MoneyTransfer]:
    """What an entry after the bank's answer posts. `before`: all entries of the charge. `reopens`: what is given back is owed
    on the bill again."""
    accounts, standing = ChargeAccounts(intent), balances(one for posted in before for one in posted.transfers)
    made: list[MoneyTransfer] = []
    match kind:
        case "captured" if intent.captures_later:
            made = _captured(accounts, standing, minor) if not captured_in(before) else []
        case "captured":
            made = [MoneyTransfer(accounts.bank, accounts.uncollected, standing[accounts.uncollected])]
        case "capture_failed" if intent.captures_later:
            made = _turned(before, _DONE[kind], modification)
        case "capture_failed" if not captured_in(before) - {modification}:
            made = [MoneyTransfer(accounts.uncollected, accounts.bank, _never_taken(accounts, before))]
        case "hold_lapsed":
            made = [MoneyTransfer(accounts.held, accounts.reserved, standing[accounts.reserved])]
        case "refunded" | "voided" | "refunded_at_bank":
            of_hold = max(min(minor, standing[accounts.reserved]), 0) if kind == "voided" else 0
            taken = (
                accounts.uncollected if kind == "voided" and standing[accounts.uncollected] >= minor else accounts.bank
            )
            back = _returned(accounts, minor - of_hold, taken, standing if reopens else None)
            made = [MoneyTransfer(accounts.held, accounts.reserved, of_hold), *back]
        case "refund_failed" | "void_failed":
            made = _turned(before, _DONE[kind], modification)
        case "bank_refund_failed":
            made = [MoneyTransfer(accounts.bank, accounts.refunds, minor)]
        case "part_counted":
            held = [MoneyTransfer(accounts.held, account, part) for account, part in accounts.paid(minor)]
            made = [*_turned(before, PART_UNDONE, modification), *held]
        case "part_undone":
            made = _undone(accounts, standing)
    return [one for one in made if one.minor > 0]


def _captured(accounts: ChargeAccounts, standing: Counter[str], minor: int) -> list[MoneyTransfer]:
    """Of what is reserved all is released, and what the bank has taken is owed by it. It may take what had lapsed."""
    reserved = standing[accounts.reserved]
    more = [MoneyTransfer(accounts.reserved, accounts.held, minor - reserved)]
    less = [MoneyTransfer(accounts.held, accounts.reserved, reserved - minor)]
    paid = [MoneyTransfer(accounts.held, account, part) for account, part in accounts.paid(minor)]
    return [*more, *less, MoneyTransfer(accounts.bank, accounts.reserved, minor), *paid]


def _returned(accounts: ChargeAccounts, minor: int, taken: str, standing: Counter[str] | None) -> list[MoneyTransfer]:
    """`taken`: the account that stands for it at the bank: what was never taken is uncollected, and a void ends that.
    `standing`: the charge's accounts, where the bill owes it again."""
    if standing is None:
        return [MoneyTransfer(accounts.refunds, taken, minor)]
    return [MoneyTransfer(account, taken, part) for account, part in accounts.still_paid(minor, standing)]


def _undone(accounts: ChargeAccounts, standing: Counter[str]) -> list[MoneyTransfer]:
    """A part that is taken back pays nothing: what was given back of it is no refund, and what the bank has let go of none."""
    held, back = -standing[accounts.held], standing[accounts.refunds]
    returned = min(held, back)
    lost = MoneyTransfer(accounts.held, accounts.uncollected, held - returned)
    return [MoneyTransfer(accounts.held, accounts.refunds, returned), lost]


def _turned(before: Sequence[Posted], kind: str, modification: int) -> list[MoneyTransfer]:
    """The opposite of what that entry posted, where there is one: transfers are corrected by others, never changed."""
    found = (one for one in before if (one.kind, one.modification) == (kind, modification))
    return [MoneyTransfer(one.credit, one.debit, one.minor) for posted in found for one in posted.transfers]


def balances(transfers: Iterable[MoneyTransfer]) -> Counter[str]:
    """Debits less credits, by account."""
    found: Counter[str] = Counter()
    for one in transfers:
        found[one.debit] += one.minor
        found[one.credit] -= one.minor
    return found


def captured_in(before: Sequence[Posted]) -> set[int]:
    """The numbers of the captures that the bank has made and that have not failed since: one at most, but for faults."""
    found: set[int] = set()
    for one in before:
        if one.kind == "captured":
            found.add(one.modification)
        elif one.kind == "capture_failed":
            found.discard(one.modification)
    return found


def _never_taken(accounts: ChargeAccounts, before: Sequence[Posted]) -> int:
    """What the bank was to take and does not, whatever it has refunded of it meanwhile; nothing of what was voided."""
    return balances(one for posted in before if posted.kind not in _REFUNDS for one in posted.transfers)[accounts.bank]


def lowered_by(intent: PaymentIntent, before: Sequence[Posted]) -> dict[str, int]:
    """By how much the charge has lowered each bill, by its key: what is paid on it, and what is reserved for it."""
    accounts, standing = ChargeAccounts(intent), balances(one for posted in before for one in posted.transfers)
    found = {one.key: -standing[f"bill:{bill_name(one.source, one.key)}"] for one in intent.paid_bills}
    if intent.captures_later and intent.payable_key:
        found[intent.payable_key] += min(-standing[accounts.held], intent.credited.minor)
    return found
