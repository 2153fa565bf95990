"""A merchant's books: what a day moved by our ledger, and what a bank's own file says otherwise.

`settlement_form` reads how a bank writes its file, `bank_file` the file by it, `reconciling` lays it beside our ledger, and
`day` says what a day moved.
"""

from ivr.books.bank_file import BankRow, read_bank_file
from ivr.books.causes import CAUSES, Cause
from ivr.books.day import COLUMNS as DAY_COLUMNS
from ivr.books.day import DayTotals, day_bounds, day_rows, total_of
from ivr.books.reconciling import Difference, Reconciliation, reconcile
from ivr.books.settlement_form import SettlementForm, form_called, form_names, load_form

__all__ = [
    "CAUSES",
    "DAY_COLUMNS",
    "BankRow",
    "Cause",
    "DayTotals",
    "Difference",
    "Reconciliation",
    "SettlementForm",
    "day_bounds",
    "day_rows",
    "form_called",
    "form_names",
    "load_form",
    "read_bank_file",
    "reconcile",
    "total_of",
]
