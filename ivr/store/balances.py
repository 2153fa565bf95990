"""What the accounts of double entry come to: a query each, over transfers alone. Which accounts there are is in `postings`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from ivr.core.money import Money
from ivr.store.database import Database, milliseconds
from ivr.store.postings import bill_name

# Bills are many: their accounts are added up.
_ALL = text(
    """
SELECT CASE WHEN account LIKE 'bill:%' THEN 'bill' WHEN account LIKE 'held:%' THEN 'held' ELSE account END AS account,
    currency, sum(debit) AS debit, sum(credit) AS credit FROM (
    SELECT debit_account AS account, currency, amount_minor AS debit, 0 AS credit FROM transfer WHERE at < :until
    UNION ALL SELECT credit_account, currency, 0, amount_minor FROM transfer WHERE at < :until) AS sides
GROUP BY 1, currency ORDER BY 1, currency
"""
)
_OF_CHARGES = """
SELECT account, currency, sum(debit) AS debit, sum(credit) AS credit FROM (
    SELECT t.debit_account AS account, t.currency, t.amount_minor AS debit, 0 AS credit
    FROM transfer t JOIN ledger_entry e ON e.id = t.entry WHERE e.reference IN ({charges})
    UNION ALL SELECT t.credit_account, t.currency, 0, t.amount_minor
    FROM transfer t JOIN ledger_entry e ON e.id = t.entry WHERE e.reference IN ({charges})) AS sides
GROUP BY account, currency ORDER BY account, currency
"""
_OF_BILL = text(
    _OF_CHARGES.format(
        charges="SELECT reference FROM payment_intent WHERE payable_source = :source AND payable_key = :key "
        "UNION SELECT reference FROM intent_bill WHERE payable_source = :source AND payable_key = :key"
    )
)
_OF_CALLER = text(_OF_CHARGES.format(charges="SELECT reference FROM payment_intent WHERE ani_hash = :whom"))
_OF_CALL = text(_OF_CHARGES.format(charges="SELECT reference FROM payment_intent WHERE call = :whom"))
_LAST = 2**62
PAID_KINDS = ("bill", "sales", "fees")


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """`account`: its name; `bill` and `held` stand for those of all bills. `debit`, `credit`: all that went to each side."""

    account: str
    debit: Money
    credit: Money

    @property
    def kind(self) -> str:
        return self.account.partition(":")[0]

    @property
    def minor(self) -> int:
        """Debits less credits: above nought what is owed to the merchant, below it what came of that."""
        return self.debit.minor - self.credit.minor


@dataclass(frozen=True, slots=True)
class PaidSoFar:
    """Of a caller or a call, in one currency. `paid`: for bills, sales and fees. `returned`: given back while the bill stays
    paid. `held`: reserved, or parts of a bill that are not decided. `pending`: asked for, without the bank's answer."""

    paid: Money
    returned: Money
    held: Money
    pending: Money


@dataclass(frozen=True, slots=True)
class PaidOnBill:
    """`held`: reserved for it, or open parts of it."""

    paid: Money
    held: Money


class AccountBalances:
    def __init__(self, database: Database) -> None:
        self._database = database

    def account_balances(self, until: datetime | None = None) -> list[AccountBalance]:
        """Of every account, by name and currency. `until` is not within; without it, now."""
        with self._database.calls() as connection:
            return _read(connection.execute(_ALL, {"until": milliseconds(until) if until else _LAST}))

    def owed_by_banks(self) -> dict[str, list[Money]]:
        """What each bank owes us, by the bank's name; a currency each."""
        return self._balances_of("bank")

    def suspense(self) -> dict[str, list[Money]]:
        """What may have been charged and is not known, by the bank's name; a currency each."""
        return self._balances_of("suspense")

    def _balances_of(self, kind: str) -> dict[str, list[Money]]:
        found: dict[str, list[Money]] = {}
        for one in self.account_balances():
            if one.kind == kind and one.minor:
                found.setdefault(one.account.partition(":")[2], []).append(Money(one.minor, one.debit.currency))
        return found

    def paid_on_bill(self, source: str, key: str) -> list[PaidOnBill]:
        """In each currency in which something was charged for it."""
        name = bill_name(source, key)
        with self._database.calls() as connection:
            read = _read(connection.execute(_OF_BILL, {"source": source, "key": key}))
        of_it = [one for one in read if one.account in (f"bill:{name}", f"held:{name}")]
        return [
            PaidOnBill(_credit(group, ("bill",), currency), _credit(group, ("held",), currency))
            for currency, group in _by_currency(of_it)
        ]

    def paid_by(self, *, caller: str = "", call: str = "") -> list[PaidSoFar]:
        """`caller`: the hash of the number (`ani_hash`); or `call`: one call's id. In each currency."""
        with self._database.calls() as connection:
            read = _read(connection.execute(_OF_CALL if call else _OF_CALLER, {"whom": call or caller}))
        return [
            PaidSoFar(
                _credit(group, PAID_KINDS, currency),
                Money(-_credit(group, ("refunds",), currency).minor, currency),
                _credit(group, ("held",), currency),
                _credit(group, ("pending",), currency),
            )
            for currency, group in _by_currency(read)
        ]


def _read(rows: Iterable[Row[Any]]) -> list[AccountBalance]:
    return [
        AccountBalance(row.account, Money(int(row.debit), row.currency), Money(int(row.credit), row.currency))
        for row in rows
    ]


def _by_currency(read: list[AccountBalance]) -> list[tuple[str, list[AccountBalance]]]:
    currencies = sorted({one.debit.currency for one in read})
    return [(currency, [one for one in read if one.debit.currency == currency]) for currency in currencies]


def _credit(read: list[AccountBalance], kinds: tuple[str, ...], currency: str) -> Money:
    return Money(-sum(one.minor for one in read if one.kind in kinds), currency)
