"""A file of accounts (CSV) as bills: every mistake named with its line, all at once; what becomes of them is `billing`'s."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ivr.core.money import Money, is_grouped, parse_money
from ivr.core.stray_cards import holds_card_number
from ivr.errors import ConfigError
from ivr.reading.problems import did_you_mean
from ivr.reading.scalars import known_currency

COLUMNS = ("account", "due", "minimum", "currency")
MOST_BYTES = 256 * 1024 * 1024  # about eight million accounts
MOST_TOLD = 20  # a file of another kind is wrong in every line
CUSTOMER = "belongs_to"
_ACCOUNT = re.compile(r"[0-9A-Z]{1,32}")  # ASCII: what can be keyed in, and the column holds
_DETAIL = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")  # key.pin, customer.name
LONGEST_DETAIL = 120
_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_ZIP = b"PK\x03\x04"  # what a workbook is
# What a spreadsheet makes of an account that it takes for a number, and what people write to keep it from that.
_AS_A_NUMBER = re.compile(r"[0-9]+[.,][0-9]+(?:E\+?[0-9]+)?|[0-9]+E\+[0-9]+|'[0-9]+|=\"[0-9]+\"")
# A file that begins with one of these was saved as "Unicode text", which is two bytes a character.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Bill:
    """`due` of nothing or less (a credit) is a bill with nothing to pay. `belongs_to`: the customer, where a customer may
    have several bills. `details`: further columns by name, as they are written."""

    account: str
    due: Money
    minimum: Money
    belongs_to: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _NumberedLine:
    number: int
    fields: Sequence[str]


def read_bills(file: Path) -> list[Bill]:
    """ConfigError names each line that is wrong, and the cure; one bad line and nothing of the file is taken."""
    text = _text(file)
    _require_commas(file, text)
    lines = _lines(file, text)
    header = next(lines, None)
    if header is None:
        raise ConfigError(f"{file}: the file is empty: its first line is {','.join(COLUMNS)}")
    places = _places(file, header)
    bills: dict[str, tuple[int, Bill]] = {}
    problems: list[str] = []
    for line in lines:
        try:
            bill = _bill(line, header, places)
            if bill.account in bills:
                raise ValueError(f"account {bill.account} is in line {bills[bill.account][0]} already")
            bills[bill.account] = line.number, bill
        except ValueError as error:
            problems.append(f"{file}:{line.number}: {error}")
    _refuse(problems)
    return [bill for _, bill in bills.values()]


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        more = len(problems) - MOST_TOLD
        told = [*problems[:MOST_TOLD], *([f"and {more} more lines"] if more > 0 else [])]
        raise ConfigError("\n".join(told))


def _text(file: Path) -> str:
    """UTF-8, with or without the byte order mark that spreadsheets write."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{file}: larger than {MOST_BYTES >> 20} MB: is it a file of accounts?")
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None
    if content.startswith(_UTF_16):
        raise ConfigError(f"{file}:1: the file is UTF-16: save it as 'CSV UTF-8'")
    if content.startswith(_ZIP):
        raise ConfigError(f"{file}: the file is a workbook: save its sheet as 'CSV UTF-8'")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A byte order mark is decoded away before the position is counted: it holds no line end.
        line = content.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise ConfigError(f"{file}:{line}: byte 0x{byte:02x} is not UTF-8: save the file as 'CSV UTF-8'") from None


def _require_commas(file: Path, text: str) -> None:
    """Told before the lines are read: quoted fields between semicolons would look like a missing quotation mark."""
    first = text.lstrip().partition("\n")[0]
    used = next((name for sign, name in _OTHER_SEPARATORS.items() if sign in first and "," not in first), "")
    if used:
        line = text[: len(text) - len(text.lstrip())].count("\n") + 1
        cure = "save it with commas between the columns and a point in amounts (42.50)"
        raise ConfigError(f"{file}:{line}: the columns are separated by {used}: {cure}")


def _lines(file: Path, text: str) -> Iterator[_NumberedLine]:
    """Rows with the line they begin in; empty ones are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield _NumberedLine(begins, [field.strip() for field in fields])
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(f"{file}:{begins}: {error}: is a quotation mark missing?") from None


def _places(file: Path, header: _NumberedLine) -> dict[str, int]:
    """Where each column is: in any order, and no others but details, whose names have a dot, and whose bill it is."""
    found = [name.lower() for name in header.fields]
    place = f"{file}:{header.number}"
    missing = [name for name in COLUMNS if name not in found]
    more = [name for name in found if name == CUSTOMER or _DETAIL.fullmatch(name)]
    unknown = [name for name in found if name not in COLUMNS and name not in more]
    if len(missing) == len(COLUMNS):
        raise ConfigError(f"{place}: the first line names the columns, and this one names none: {','.join(COLUMNS)}")
    told = [f"{place}: the column '{name}' is missing: expected {','.join(COLUMNS)}" for name in missing]
    told += [f"{place}: {_unknown(name, found.index(name) + 1)}" for name in unknown]
    told += [f"{place}: the column '{name}' is there twice" for name in {*COLUMNS, *more} if found.count(name) > 1]
    _refuse(told)
    return {name: found.index(name) for name in [*COLUMNS, *more]}


def _unknown(name: str, number: int) -> str:
    if not name:
        return f"column {number} has no name: name it, or take it out"
    cure = did_you_mean(name, [*COLUMNS, CUSTOMER])
    if not cure.startswith("did you mean"):
        cure += "; one of your own has a dot in its name, such as customer.name"
    return f"no column is called '{name[:40]}' ({cure})"


def _bill(line: _NumberedLine, header: _NumberedLine, places: dict[str, int]) -> Bill:
    """ValueError says what is wrong with the line."""
    if len(line.fields) != len(header.fields):
        raise ValueError(f"{len(line.fields)} fields where the columns are {len(header.fields)}{_hint(line, header)}")
    account, due, minimum, currency = (line.fields[places[name]] for name in COLUMNS)
    if not _CURRENCY.fullmatch(currency):
        near = "" if not _CURRENCY.fullmatch(currency.upper()) else f": write {currency.upper()}"
        raise ValueError(f"currency: expected a code of three capital letters, such as USD{near}")
    known_currency(currency)
    if not _ACCOUNT.fullmatch(account):
        cure = ": let your spreadsheet keep the column as text" if _AS_A_NUMBER.fullmatch(account) else ""
        raise ValueError(f"account: expected 1 to 32 digits or capital letters{cure}")
    written = {name: line.fields[place] for name, place in places.items() if name not in COLUMNS}
    customer = written.pop(CUSTOMER, "")
    if holds_card_number(account.encode()):
        raise ValueError(
            "account: it cannot be told from a card number, or from digits that hold one (an issuer's first digits, length "
            "and check digit), and what callers key is dropped as one: give the account another number"
        )
    bill = _checked(account, _money("due", due, currency), _money("minimum", minimum, currency))
    return replace(bill, belongs_to=_customer(customer), details=_details(written))


def _customer(written: str) -> str:
    if written and (not _ACCOUNT.fullmatch(written) or holds_card_number(written.encode())):
        raise ValueError(f"{CUSTOMER}: expected 1 to 32 digits or capital letters that are no card number")
    return written


def _details(written: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    for name, text in written.items():
        digits = re.sub(r"[^0-9]", "", text)
        if len(text) > LONGEST_DETAIL or not text.isprintable() or holds_card_number(digits.encode()):
            raise ValueError(f"{name}: expected at most {LONGEST_DETAIL} characters, and no card number in them")
    return tuple((name, text) for name, text in sorted(written.items()) if text)


def _hint(line: _NumberedLine, header: _NumberedLine) -> str:
    if len(line.fields) > len(header.fields):
        return ": an amount has a decimal point, not a comma"
    return ": columns are separated by commas" if any(";" in field for field in line.fields) else ""


def _checked(account: str, due: Money, minimum: Money) -> Bill:
    if minimum.minor < 0:
        raise ValueError("minimum: less than nothing")
    if minimum > due and due.minor > 0:
        raise ValueError(f"minimum: {minimum} is more than the {due} due")
    return Bill(account, due, min(minimum, due))


def _money(column: str, written: str, currency: str) -> Money:
    """The amount alone stands in its column: the currency has one of its own."""
    plain = written.removeprefix("-")
    if not _AMOUNT.fullmatch(plain):
        raise ValueError(f"{column}: {_no_amount(plain)}")
    try:
        amount = parse_money(f"{plain} {currency}")
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None
    return Money(-amount.minor, amount.currency) if written.startswith("-") else amount


def _no_amount(written: str) -> str:
    if not written:
        return "there is no amount: where it is nothing, write 0"
    if is_grouped(written):
        return "an amount has no thousands separator: leave it out, as in 1200.00"
    if re.fullmatch(r"[0-9]+,[0-9]{1,4}", written):
        return "an amount has a decimal point, not a comma: 42.50"
    if re.search(r"[^\W\d_]|[$£€¥]", written):
        return "expected the amount alone, such as 42.50: the currency has a column of its own"
    if re.fullmatch(r"[0-9]{10,}(\.[0-9]+)?", written):
        return "an amount has at most 9 digits before its point"
    if re.fullmatch(r"\([^()]*\)|[^-]*-|[-\N{MINUS SIGN}].*", written):
        return "expected an amount such as 42.50; a credit has one minus before it: -42.50"
    return "expected an amount such as 42.50"
