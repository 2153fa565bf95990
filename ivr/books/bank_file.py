"""Reads a bank's settlement file row by row: memory stays the same however long it is."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from ivr.books.settlement_form import SettlementForm
from ivr.core.money import decimals
from ivr.errors import ConfigError
from ivr.reading.problems import did_you_mean

MOST_TOLD = 20
LONGEST_SHOWN = 60
# To guess from what stands there; which of 03/04 is the month nobody can.
_OTHER_DAYS = {
    "DD.MM.YYYY": re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"),
    "DD.MM.YY": re.compile(r"\d{1,2}\.\d{1,2}\.\d{2}(?!\d)"),
    "DD/MM/YYYY, or MM/DD/YYYY": re.compile(r"\d{1,2}/\d{1,2}/\d{4}"),
    "DD-MM-YYYY": re.compile(r"\d{1,2}-\d{1,2}-\d{4}"),
    "YYYYMMDD": re.compile(r"\d{8}(?!\d)"),
    "YYYY-MM-DD": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "YYYY/MM/DD": re.compile(r"\d{4}/\d{1,2}/\d{1,2}"),
}
_CURRENCY = re.compile(r"[A-Z]{3}")
# Groups of thousands only where they are of three digits: 21.01 in a file of decimal commas is no 2101.
_AMOUNTS = {
    ".": re.compile(r"[+-]?[0-9]{0,15}(\.[0-9]*)?"),
    ",": re.compile(r"[+-]?([0-9]{0,15}|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]*)?"),
}


@dataclass(frozen=True, slots=True)
class BankRow:
    """`kind`: charge, refund, void, chargeback, chargeback_reversed, or empty where the form does not say what `said` is.
    `minor`: of a refund or chargeback without its sign, unless the form is signed. `day`, `bank` (by its name in banks.yaml):
    where a column has it."""

    line: int
    kind: str
    reference: str
    bank_reference: str
    minor: int
    currency: str
    day: date | None
    said: str = ""
    bank: str = ""


def read_bank_file(file: Path, form: SettlementForm) -> Iterator[BankRow]:
    """ConfigError with file, line and cure for what cannot be read; ignored kinds of rows are left out."""
    with _opened(file) as stream:
        lines = csv.reader(stream, delimiter="\t" if form.separator == "tab" else form.separator, strict=True)
        try:
            header = next(lines, None)
            places = _places(file, form, header or [])
            wide = len(header or [])
            for fields in lines:
                if not any(fields):
                    continue
                if len(fields) != wide:
                    raise ValueError(f"{len(fields)} fields where the columns are {wide}")
                row = _row(lines.line_num, fields, places, form)
                if row is not None:
                    yield row
        except UnicodeDecodeError:
            raise ConfigError(f"{file}: after line {lines.line_num} it is not UTF-8: save it as 'CSV UTF-8'") from None
        except (csv.Error, ValueError) as error:
            raise ConfigError(f"{file}:{lines.line_num}: {error}") from None


def _opened(file: Path) -> TextIO:
    try:
        return file.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None


def _places(file: Path, form: SettlementForm, header: list[str]) -> dict[str, int]:
    """Where each column is. A form may name columns that a bank leaves out of some files; what is needed must be there."""
    found = [name.strip().casefold() for name in header]
    if len(found) == 1 and len(header[0]) > 1:
        sign = next((sign for sign in (",", ";", "\t", "|") if sign in header[0]), "")
        if sign:
            raise ConfigError(f"{file}:1: the columns are separated by {sign!r}: is it another bank's file? (--form)")
    wanted = {name: column for name, column in form.columns if column}
    if twice := [column for column in wanted.values() if found.count(column.strip().casefold()) > 1]:
        raise ConfigError(
            f"{file}:1: the column '{twice[0]}' is there more than once: rename the one that is not meant"
        )
    missing = [column for name, column in wanted.items() if column.strip().casefold() not in found]
    either = {form.columns.reference, form.columns.bank_reference} - {""}
    spared = either | {form.columns.bank}
    needed = [column for column in missing if column not in spared] or ([*either] if either <= {*missing} else [])
    if needed:
        told = [f"{file}:1: the column '{column}' is missing ({_near(column, header)})" for column in needed]
        if len(needed) > 1:
            told.append(f"{file}:1: --form says which bank's file it is, or names a form of yours (docs/books.md)")
        raise ConfigError("\n".join(told))
    return {name: found.index(column.strip().casefold()) for name, column in wanted.items() if column not in missing}


def _near(column: str, header: list[str]) -> str:
    shown = ", ".join(name.strip()[:LONGEST_SHOWN] for name in header[:MOST_TOLD])
    return did_you_mean(column, header) or f"the file has: {shown or 'nothing'}"


def _row(line: int, fields: list[str], places: dict[str, int], form: SettlementForm) -> BankRow | None:
    said = fields[places["kind"]].strip() if "kind" in places else ""
    kind = form.kind_of(said) if "kind" in places else "charge"
    if kind == "ignored":
        return None
    currency = fields[places["currency"]].strip().upper() if "currency" in places else form.currency
    if not _CURRENCY.fullmatch(currency):
        raise ValueError(f"'{currency[:LONGEST_SHOWN]}' is no currency")
    if kind and not any(fields[places[name]].strip() for name in ("amount", "credit", "debit") if name in places):
        raise ValueError(f"a {kind.replace('_', ' ')} without an amount: {_columns_of_amount(form)}")
    minor = _minor(fields, places, form, currency)
    if form.signed:
        pass  # as it is written
    elif "kind" not in places and minor < 0:
        kind = "refund"  # a file without kinds says it by the sign
    elif kind == "charge" and minor < 0:
        kind, said = "", f"{said} of less than nothing"
    return BankRow(
        line,
        kind,
        fields[places["reference"]].strip() if "reference" in places else "",
        fields[places["bank_reference"]].strip() if "bank_reference" in places else "",
        minor if form.signed else abs(minor),
        currency,
        _day(fields[places["date"]].strip(), form) if "date" in places else None,
        said[:LONGEST_SHOWN],
        fields[places["bank"]].strip() if "bank" in places else "",
    )


def _columns_of_amount(form: SettlementForm) -> str:
    columns = form.columns
    return f"'{columns.amount}' is empty" if columns.amount else f"'{columns.credit}' and '{columns.debit}' are empty"


def _minor(fields: list[str], places: dict[str, int], form: SettlementForm, currency: str) -> int:
    if "amount" in places:
        return _amount(fields[places["amount"]], form, currency)
    return _amount(fields[places["credit"]], form, currency) - _amount(fields[places["debit"]], form, currency)


def _amount(written: str, form: SettlementForm, currency: str) -> int:
    """In minor units; an empty field is nothing, as of credit and debit one is."""
    text = written.strip()
    if not text:
        return 0
    if form.amounts == "minor":
        return int(text) if re.fullmatch(r"-?\d{1,15}", text) else _refuse(text, "a whole number of minor units")
    example = f"an amount such as 42{form.decimal_point}50"
    if not _AMOUNTS[form.decimal_point].fullmatch(text):
        _refuse(text, example)
    plain = text.replace(".", "").replace(",", ".") if form.decimal_point == "," else text
    try:
        amount = Decimal(plain).scaleb(_places_of(currency))
    except InvalidOperation:  # a sign or a point alone
        _refuse(text, example)
    whole = int(amount)
    return whole if whole == amount else _refuse(text, f"{currency} has {_places_of(currency)} decimal places")


def _refuse(written: str, expected: str) -> int:
    raise ValueError(f"'{written[:LONGEST_SHOWN]}': expected {expected}")


@lru_cache(maxsize=512)
def _places_of(currency: str) -> int:
    return decimals(currency)


def _day(written: str, form: SettlementForm) -> date | None:
    """None for an empty field, as rows that move no money may have."""
    return _day_in(written, form.day, form.date_format) if written else None


@lru_cache(maxsize=4096)
def _day_in(written: str, pattern: re.Pattern[str], spelled: str) -> date:
    found = pattern.match(written)
    if found is None:
        meant = next((other for other, looks in _OTHER_DAYS.items() if looks.match(written)), "DD.MM.YYYY")
        raise ValueError(
            f"'{written[:LONGEST_SHOWN]}' is no day as {spelled}; say in the form how the bank writes it, such as  date_format: {meant}"
        )
    year = int(found["y"])
    try:
        return datetime(year + (2000 if year < 100 else 0), int(found["m"]), int(found["d"]), tzinfo=UTC).date()
    except ValueError:
        raise ValueError(f"'{written[:LONGEST_SHOWN]}' is no day as {spelled}: date_format in the form") from None
