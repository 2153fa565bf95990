"""Accounts files as spreadsheets write them; each mistake is told with its line, and one mistake imports nothing."""

from pathlib import Path

import pytest

from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.store import Bill, Store, read_bills
from ivr.store.accounts_file import MOST_BYTES, MOST_TOLD

HEAD = b"account,due,minimum,currency\n"
ROW = b"12345678,42.50,10.00,USD\n"
BILL = Bill("12345678", Money(4250), Money(1000))


def written(folder: Path, content: bytes) -> Path:
    file = folder / "accounts.csv"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    "content",
    [
        HEAD + ROW,
        b"\xef\xbb\xbf" + (HEAD + ROW).replace(b"\n", b"\r\n"),
        (HEAD + ROW).replace(b"\n", b"\r"),
        HEAD + b"\n\n , , ,\n" + ROW + b"\n",
        b'"account","due","minimum","currency"\n"12345678","42.50","10.00","USD"\n',
        b"Currency, Minimum, Due, Account\nUSD, 10.00, 42.50, 12345678",
    ],
    ids=["plain", "BOM and CRLF", "CR", "empty lines", "quotes", "another order"],
)
def test_files_of_spreadsheets_are_read(tmp_path: Path, content: bytes):
    assert read_bills(written(tmp_path, content)) == [BILL]


def test_a_credit_is_a_bill_with_nothing_to_pay(tmp_path: Path):
    assert read_bills(written(tmp_path, HEAD + b"1,-5.00,1.00,USD\n")) == [Bill("1", Money(-500), Money(-500))]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (HEAD + ROW + b"12345678,50.00,10.00,USD\n", ":3: account 12345678 is in line 2 already"),
        (HEAD + ROW + b"8765\xf1,1.00,1.00,USD\n", ":3: byte 0xf1 is not UTF-8: save the file as 'CSV UTF-8'"),
        (HEAD + b"12345678,42.50,10.00\n", ":2: 3 fields where the columns are 4"),
        (HEAD + b"12345678,42,50,10,00,USD\n", ":2: 6 fields where the columns are 4: an amount has a decimal point"),
        (HEAD + b"12345678,42.50,10.00,USD,x\n", ":2: 5 fields"),
        (b"account,due,currency\n12345678,42.50,USD\n", ":1: the column 'minimum' is missing"),
        (b"account,due,minimum,currency,name\n", ":1: no column is called 'name'"),
        (b"acount,due,minimum,currency\n", ":1: no column is called 'acount' (did you mean 'account'?)"),
        (b"account,due,due,minimum,currency\n", ":1: the column 'due' is there twice"),
        (b"account;due;minimum;currency\n12345678;42,50;10,00;USD\n", ":1: the columns are separated by semicolons"),
        (
            b'\n"account";"due";"minimum";"currency"\n',
            ":2: the columns are separated by semicolons: save it with commas",
        ),
        (b"sep=;\naccount;due;minimum;currency\n", ":1: the columns are separated by semicolons"),
        (b"account\tdue\tminimum\tcurrency\n", ":1: the columns are separated by tabs"),
        (HEAD + b"12345678;42.50;10.00;USD\n", ":2: 1 fields where the columns are 4: columns are separated by commas"),
        (HEAD + b"1,5.00,1.00,ZZZ\n", ":2: 'ZZZ' is not a currency"),
        (HEAD + b"1,5.00,1.00,EUE\n", ":2: 'EUE' is not a currency (did you mean 'EUR'?)"),
        (b"12345678,42.50,10.00,USD\n", ":1: the first line names the columns, and this one names none"),
        (b"", "the file is empty"),
        (b"\xff\xfea\x00", ":1: the file is UTF-16"),
        (HEAD + b"\n" + ROW + b'1,"2.00,1.00,USD\n3,4.00,1.00,USD\n', ":4: unexpected end of data"),
        (
            HEAD + b'"1\n",2.00,3.00,USD\n' + b"x,1.00,1.00,USD\n",
            ":4: account: expected 1 to 32 digits or capital letters",
        ),
        (HEAD + "١٢٣,1.00,1.00,USD\n".encode(), ":2: account: expected 1 to 32 digits or capital letters"),
        (HEAD + b"1" * 33 + b",1.00,1.00,USD\n", ":2: account: expected 1 to 32 digits or capital letters"),
        (HEAD + b"1,5.00,10.00,USD\n", ":2: minimum: 10.00 USD is more than the 5.00 USD due"),
        (HEAD + b"1,5.00,-1.00,USD\n", ":2: minimum: less than nothing"),
        (HEAD + b"1,5.001,1.00,USD\n", ":2: due: USD has 2 decimal places"),
        (HEAD + b"1,5.00,1.00,usd\n", ":2: currency: expected a code of three capital letters, such as USD: write USD"),
        (HEAD + b"1,5.00,1.00,\n", ":2: currency: expected a code of three capital letters, such as USD"),
        (HEAD + b"1,5.00,1.00,$\n", ":2: currency: expected a code of three capital letters, such as USD"),
        (HEAD + b"1,five,1.00,USD\n", ":2: due: expected the amount alone, such as 42.50"),
        (HEAD + b"1,5.00 USD,1.00 USD,USD\n", ":2: due: expected the amount alone, such as 42.50: the currency has"),
        (HEAD + b"1,$5.00,1.00,USD\n", ":2: due: expected the amount alone, such as 42.50: the currency has"),
        (
            HEAD + b'1,"1,005.00",1.00,USD\n',
            ":2: due: an amount has no thousands separator: leave it out, as in 1200.00",
        ),
        (HEAD + b"1,1'005.00,1.00,USD\n", ":2: due: an amount has no thousands separator"),
        (HEAD + b'1,"5,00",1.00,USD\n', ":2: due: an amount has a decimal point, not a comma: 42.50"),
        (HEAD + b"1,5.00,,USD\n", ":2: minimum: there is no amount: where it is nothing, write 0"),
        (
            HEAD + b"1,(5.00),0,USD\n",
            ":2: due: expected an amount such as 42.50; a credit has one minus before it: -42.50",
        ),
        (
            HEAD + b"1,5.00-,0,USD\n",
            ":2: due: expected an amount such as 42.50; a credit has one minus before it: -42.50",
        ),
        (
            HEAD + b"1,--5.00,0,USD\n",
            ":2: due: expected an amount such as 42.50; a credit has one minus before it: -42.50",
        ),
        (HEAD + b"1,12345678901.00,0,USD\n", ":2: due: an amount has at most 9 digits before its point"),
        (
            HEAD + b"1.23457E+07,5.00,1.00,USD\n",
            ":2: account: expected 1 to 32 digits or capital letters: let your spreadsheet",
        ),
        (HEAD + b"'12345678,5.00,1.00,USD\n", ": let your spreadsheet keep the column as text"),
        (HEAD + b"12345678.0,5.00,1.00,USD\n", ": let your spreadsheet keep the column as text"),
        (b"account|due|minimum|currency\n", ":1: the columns are separated by bars: save it with commas"),
        (b"PK\x03\x04\x14\x00", ": the file is a workbook: save its sheet as 'CSV UTF-8'"),
        (
            b"# bills of May\n" + HEAD + ROW,
            ":1: the first line names the columns, and this one names none: account,due",
        ),
        (b"account,due,minimum,currency,\n", ":1: column 5 has no name: name it, or take it out"),
        (b"account,due,minimum,currency,belongs to\n", "'belongs to' (did you mean 'belongs_to'?)"),
        (b"account,due,minimum,currency,town\n", "one of your own has a dot in its name, such as customer.name)"),
        (HEAD + b"1,5.00\x00,1.00,USD\n", ":2: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, content: bytes, told: str):
    file = written(tmp_path, content)
    with pytest.raises(ConfigError) as raised:
        read_bills(file)
    assert told in str(raised.value)
    assert str(raised.value).startswith(str(file)), "the file is named"


CARDS = ["4111111111111111", "378282246310005", "5555555555554444", "36227206271667", "6212345678901232"]
CARDS += ["123456784111111111111111", "41111111111111111230", "0004111111111111111"]


@pytest.mark.parametrize("card", CARDS)
def test_an_account_that_cannot_be_told_from_a_card_is_refused_and_not_quoted(tmp_path: Path, card: str):
    with pytest.raises(ConfigError, match=":3: account: it cannot be told from a card number") as raised:
        read_bills(written(tmp_path, HEAD + ROW + f"{card},1.00,1.00,USD\n".encode()))
    assert card not in str(raised.value)
    assert "give the account another number" in str(raised.value)


@pytest.mark.parametrize("account", ["4111111111111112", "1111111111111117", "10000000000000000001"])
def test_a_long_account_that_is_no_card_number_is_taken(tmp_path: Path, account: str):
    assert read_bills(written(tmp_path, HEAD + f"{account},1.00,1.00,USD\n".encode()))[0].account == account


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XDR", "XBA"])
def test_a_currency_that_is_no_money_is_refused(tmp_path: Path, code: str):
    with pytest.raises(ConfigError, match=f":2: '{code}' is no money that a card can be charged in"):
        read_bills(written(tmp_path, HEAD + f"12345678,1,1,{code}\n".encode()))


@pytest.mark.parametrize("code", ["XAF", "XCD", "XOF", "XPF"])
def test_a_currency_that_countries_share_is_taken(tmp_path: Path, code: str):
    assert read_bills(written(tmp_path, HEAD + f"12345678,1,1,{code}\n".encode()))[0].due.currency == code


def test_every_wrong_line_is_told_at_once_and_not_without_end(tmp_path: Path):
    with pytest.raises(ConfigError) as raised:
        read_bills(written(tmp_path, HEAD + b"x,1,1,USD\n" * 1000))
    lines = str(raised.value).splitlines()
    assert len(lines) == MOST_TOLD + 1
    assert lines[-1] == f"and {1000 - MOST_TOLD} more lines"


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path):
    file = tmp_path / "huge.csv"
    with file.open("wb") as out:
        out.truncate(MOST_BYTES + 1)  # sparse: it takes no room
    with pytest.raises(ConfigError, match="larger than 256 MB"):
        read_bills(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(ConfigError) as raised:
        read_bills(tmp_path / "none.csv")
    assert str(raised.value) == f"cannot read {tmp_path / 'none.csv'}: No such file or directory"


# ---- what an import changes


def bills(store: Store, *accounts: str) -> list[Bill | None]:
    return [store.find_bill(account) for account in accounts]


def bill(account: str, due: int, minimum: int = 1) -> Bill:
    return Bill(account, Money(due), Money(minimum))


def test_an_import_adds_and_changes_and_leaves_the_rest(store: Store):
    store.renew_bills([bill("1", 100), bill("2", 200), bill("3", 300)])
    renewal = store.renew_bills([bill("2", 250), bill("3", 300), bill("4", 400)])
    assert renewal.added == [bill("4", 400)]
    assert renewal.changed == [(bill("2", 200), bill("2", 250))]
    assert (renewal.removed, renewal.unchanged) == ([], 1)
    assert bills(store, "1", "2", "3", "4") == [bill("1", 100), bill("2", 250), bill("3", 300), bill("4", 400)]


def test_a_replacement_removes_what_is_not_in_the_file(store: Store):
    store.renew_bills([bill("1", 100), bill("2", 200)])
    renewal = store.renew_bills([bill("2", 200)], replace_all=True)
    assert renewal.removed == [bill("1", 100)]
    assert bills(store, "1", "2") == [None, bill("2", 200)]


def test_a_trial_shows_the_same_and_changes_nothing(store: Store):
    store.renew_bills([bill("1", 100)])
    shown = store.renew_bills([bill("2", 200)], replace_all=True, only_show=True)
    assert bills(store, "1", "2") == [bill("1", 100), None]
    assert store.renew_bills([bill("2", 200)], replace_all=True) == shown


def test_an_import_that_fails_half_way_changes_nothing(store: Store):
    store.renew_bills([bill("1", 100)])
    too_long = bill("9" * 33, 100) if not store._database.is_sqlite else Bill("9", None, Money(1))  # type: ignore[arg-type]
    with pytest.raises(Exception):  # noqa: B017 - whatever the database says
        store.renew_bills([bill("2", 200), too_long], replace_all=True)
    assert bills(store, "1", "2") == [bill("1", 100), None]


def test_many_accounts_are_imported_at_once(store: Store):
    many = [bill(str(number), number) for number in range(1, 3001)]
    assert len(store.renew_bills(many).added) == 3000
    renewal = store.renew_bills([bill(str(number), number + 1) for number in range(1, 3001)], replace_all=True)
    assert len(renewal.changed) == 3000
    assert bills(store, "3000") == [bill("3000", 3001)]
