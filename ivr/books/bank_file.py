"""Reads a bank's settlement file row by row: memory stays the same however long it is."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from ivr.books.day import YEARS
from ivr.books.settlement_form import SettlementForm
from ivr.core.money import Money, decimals
from ivr.errors import ConfigError
from ivr.reading.problems import nearest
from ivr.reading.scalars import known_currency

MOST_TOLD = 20
LONGEST_SHOWN = 60
MOST_MINOR = 10**13  # of one row; the sum of all rows of a charge must be a number that a database holds
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
_NO_FORMAT = "a day is read where its year, month and day are numbers: write it so in the file"
_CURRENCY = re.compile(r"[A-Z]{3}")
# Groups of thousands only where they are of three digits: 21.01 in a file of decimal commas is no 2101. The minus may stand
# behind the amount, as some hosts write it.
_AMOUNTS = {
    ".": re.compile(r"(?=.*[0-9])([+-]?)([0-9]{0,15}|[0-9]{1,3}(?:,[0-9]{3})+)((?:\.[0-9]*)?)(-?)"),
    ",": re.compile(r"(?=.*[0-9])([+-]?)([0-9]{0,15}|[0-9]{1,3}(?:\.[0-9]{3})+)((?:,[0-9]*)?)(-?)"),
}
_MINUS_SIGN = "\u2212"  # what typesetting puts for a hyphen
_GROUPS = re.compile(r"[0-9][ '\u2019_\u00a0\u202f][0-9]{3}")
_BESIDE_AN_AMOUNT = re.compile(r"[A-Z]{3}|[$\u00a3\u20ac\u00a5]")
# A file that begins with one of these was saved as "Unicode text", which is two bytes a character.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class BankRow:
    """`kind`: charge, refund, void, chargeback, chargeback_reversed, or empty where the form does not say what `said` is.
    `minor`: of a refund or chargeback without its sign, unless the form is signed; below nought of a refund that came back. `day`, `bank` (by its name in banks.yaml):
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
        begins = 1
        lines = csv.reader(stream, delimiter="\t" if form.separator == "tab" else form.separator, strict=True)
        try:
            header = next(lines, None)
            places = _places(file, form, header or [])
            wide = len(header or [])
            begins = lines.line_num + 1
            for fields in lines:
                begins = lines.line_num + 1
                if not any(fields):
                    continue
                if any("\0" in one for one in fields):
                    raise ValueError(
                        "it has zero bytes: the file was cut off, or is no text; get it from the bank again"
                    )
                if len(fields) != wide:
                    raise ValueError(_not_as_wide(fields, wide))
                row = _row(lines.line_num, fields, places, form)
                if row is not None:
                    yield row
        except UnicodeDecodeError:
            raise ConfigError(_not_utf_8(file)) from None
        except csv.Error as error:
            raise ConfigError(f"{file}:{begins}: {error}: is a quotation mark missing?") from None
        except ValueError as error:
            raise ConfigError(f"{file}:{lines.line_num}: {error}") from None


def _opened(file: Path) -> TextIO:
    try:
        with file.open("rb") as stream:
            if stream.read(2) in _UTF_16:
                raise ConfigError(f"{file}:1: the file is UTF-16: save it as 'CSV UTF-8'")
        return file.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None


def _not_utf_8(file: Path) -> str:
    """Read again for the line: what is decoded at once is more than a line."""
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                byte = error.object[error.start]
                return f"{file}:{number}: byte 0x{byte:02x} is not UTF-8: save it as 'CSV UTF-8'"
    return f"{file}: it is not UTF-8: save it as 'CSV UTF-8'"


def _not_as_wide(fields: list[str], wide: int) -> str:
    if len(fields) > wide:
        cure = "put quotation marks round a field that has the separator in it"
    else:
        cure = "take out a line that is no row of the table, such as a total"
    return f"{len(fields)} fields where the columns are {wide}: {cure}"


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
        if len(needed) == len(wanted) - len(spared & {*wanted.values()}) and any(header):
            told.append(f"{file}:1: is it the line that names the columns? take out what stands above that")
        if len(needed) > 1:
            told.append(f"{file}:1: --form says which bank's file it is, or names a form of yours (docs/books.md)")
        raise ConfigError("\n".join(told))
    return {name: found.index(column.strip().casefold()) for name, column in wanted.items() if column not in missing}


def _near(column: str, header: list[str]) -> str:
    named = [name.strip()[:LONGEST_SHOWN] for name in header if name.strip()]
    near = nearest(column, named)
    return f"did you mean '{near}'?" if near else f"the file has: {', '.join(named[:MOST_TOLD]) or 'nothing'}"


def _row(line: int, fields: list[str], places: dict[str, int], form: SettlementForm) -> BankRow | None:
    said = fields[places["kind"]].strip() if "kind" in places else ""
    kind = form.kind_of(said) if "kind" in places else "charge"
    if kind == "ignored":
        return None
    currency = fields[places["currency"]].strip().upper() if "currency" in places else form.currency
    if not _CURRENCY.fullmatch(currency):
        raise ValueError(f"'{currency[:LONGEST_SHOWN]}' is no currency: expected a code of three letters, such as USD")
    _require_known(currency)
    if kind and not any(fields[places[name]].strip() for name in ("amount", "credit", "debit") if name in places):
        raise ValueError(f"a {kind.replace('_', ' ')} without an amount: {_columns_of_amount(form)}")
    minor = _minor(fields, places, form, currency)
    if abs(minor) > MOST_MINOR:
        raise ValueError(f"an amount beyond {Money(MOST_MINOR, currency)}")
    if kind == "refund_reversed":
        kind, minor = "refund", -abs(minor)
    elif form.signed:
        pass  # as it is written
    elif "kind" not in places and minor < 0:
        kind, minor = "refund", -minor  # a file without kinds says it by the sign
    elif kind == "charge" and minor < 0:
        kind, said = "", f"{said} of less than nothing"
    else:
        minor = abs(minor)
    return BankRow(
        line,
        kind,
        fields[places["reference"]].strip() if "reference" in places else "",
        fields[places["bank_reference"]].strip() if "bank_reference" in places else "",
        minor,
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
    text = text.replace(_MINUS_SIGN, "-")
    found = _AMOUNTS[form.decimal_point].fullmatch(text)
    if found is None or (found[1] and found[4]):
        return _refuse(text, example + _beside(text, form))
    sign, whole, part, behind = found.groups()
    digits = whole.replace(".", "").replace(",", "")
    if digits != whole and not part and _places_of(currency) == 3:
        return _refuse(text, f"the decimal places of {currency}: thousands cannot be told from them here")
    minor = Decimal(f"{sign or behind}{digits or 0}{part.replace(',', '.')}").scaleb(_places_of(currency))
    if minor != int(minor):
        return _refuse(text, f"no more than the {_places_of(currency)} decimal places of {currency}")
    return int(minor)


def _beside(text: str, form: SettlementForm) -> str:
    """What has to go from an amount; "" where that is not known."""
    if _GROUPS.search(text):
        return ": take out what parts the thousands"
    if _BESIDE_AN_AMOUNT.search(text):
        return ", without its currency"
    if text.startswith("(") and text.endswith(")"):
        return ", and a minus before it where it is below nought"
    other = "," if form.decimal_point == "." else "."
    return (
        f": is it 'decimal_point: \"{other}\"' in the form?"
        if re.fullmatch(rf"[+-]?[0-9.,]*[{other}][0-9]+", text)
        else ""
    )


def _refuse(written: str, expected: str) -> int:
    raise ValueError(f"'{written[:LONGEST_SHOWN]}': expected {expected}")


@lru_cache(maxsize=512)
def _require_known(currency: str) -> None:
    known_currency(currency)


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
        meant = next((other for other, looks in _OTHER_DAYS.items() if looks.match(written) and other != spelled), "")
        cure = f"say in the form how the bank writes it, such as  date_format: {meant}" if meant else _NO_FORMAT
        raise ValueError(f"'{written[:LONGEST_SHOWN]}' is no day as {spelled}; {cure}")
    year = int(found["y"]) + (2000 if len(found["y"]) == 2 else 0)
    day: date | None = None
    with suppress(ValueError):
        day = datetime(year, int(found["m"]), int(found["d"]), tzinfo=UTC).date()
    if day is None or year not in YEARS:
        raise ValueError(f"'{written[:LONGEST_SHOWN]}' is no day as {spelled}: date_format in the form")
    return day
