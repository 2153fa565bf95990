"""A merchant's books: what a day moved by our ledger, and what a bank's own file says otherwise.

`settlement_form` reads how a bank writes its file, `bank_file` the file by it, `reconciling` lays it beside our ledger, and
`day` says what a day moved. `audit_heads` signs where the audit trail ends.

Public are the names of `__all__`, and the module `audit_heads`.
"""

from ivr.books.audit_heads import HeadProblem, SignedHead, compare_heads, new_signing_key, read_heads, signed_line
from ivr.books.bank_file import BankRow, read_bank_file
from ivr.books.causes import CAUSES, Cause
from ivr.books.day import COLUMNS as DAY_COLUMNS
from ivr.books.day import YEARS, DayTotals, day_bounds, day_rows, total_of
from ivr.books.reconciling import Difference, Reconciliation, reconcile
from ivr.books.settlement_form import SettlementForm, form_called, form_names, load_form

__all__ = [
    "CAUSES",
    "DAY_COLUMNS",
    "YEARS",
    "BankRow",
    "Cause",
    "DayTotals",
    "Difference",
    "HeadProblem",
    "Reconciliation",
    "SettlementForm",
    "SignedHead",
    "compare_heads",
    "day_bounds",
    "day_rows",
    "form_called",
    "form_names",
    "load_form",
    "new_signing_key",
    "read_bank_file",
    "read_heads",
    "reconcile",
    "signed_line",
    "total_of",
]
