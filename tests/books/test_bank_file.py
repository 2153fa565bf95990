"""A settlement file is read row by row; what cannot be read is told with its line and changes nothing."""

from datetime import date
from pathlib import Path

import pytest

from ivr.books import BankRow, form_called, load_form, read_bank_file
from ivr.errors import ConfigError

ADYEN = (
    "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,"
    "Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,"
    "Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC)\n"
)
STRIPE = "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id\n"


def rows(folder: Path, content: str | bytes, form: str = "tonetill") -> list[BankRow]:
    file = folder / "bank.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_bank_file(file, form_called(form)))


def refused(folder: Path, content: str | bytes, form: str = "tonetill") -> str:
    with pytest.raises(ConfigError) as found:
        rows(folder, content, form)
    return str(found.value).removeprefix(str(folder / "bank.csv"))


def test_adyen_s_report_gives_charges_and_refunds_under_our_reference(tmp_path: Path):
    content = ADYEN + (
        "Co,Shop,8836123456789012,CA1-1,visa,2026-01-15 14:22:00,CET,Settled,8836,EUR,,42.50,1,EUR,,41.90,.60,,,\n"
        "Co,Shop,8836123456789012,CA1-1,visa,2026-01-16 09:00:00,CET,Refunded,8837,EUR,10.00,,1,EUR,10.00,,,,,\n"
        "Co,Shop,,,,2026-01-16 10:00:00,CET,MerchantPayout,,EUR,,,1,EUR,31.90,,,,,\n"
    )
    assert rows(tmp_path, content, "adyen") == [
        BankRow(2, "charge", "CA1-1", "8836123456789012", 4250, "EUR", date(2026, 1, 15), "Settled"),
        BankRow(3, "refund", "CA1-1", "8836123456789012", 1000, "EUR", date(2026, 1, 16), "Refunded"),
    ]


def test_stripe_s_report_gives_them_under_the_payment_intent(tmp_path: Path):
    content = STRIPE + (
        "txn_1,2026-01-15 10:00:00,jpy,4250,60,4190,charge,ch_1,pi_1\n"
        "txn_2,2026-01-15 11:00:00,usd,-10.00,0.00,-10.00,refund,re_1,pi_2\n"
        "txn_3,2026-01-15 12:00:00,usd,-31.90,0.00,-31.90,payout,po_1,\n"
    )
    found = [(row.kind, row.bank_reference, row.minor, row.currency) for row in rows(tmp_path, content, "stripe")]
    assert found == [("charge", "pi_1", 4250, "JPY"), ("refund", "pi_2", 1000, "USD")]


def test_a_file_of_an_acquirer_with_semicolons_and_decimal_commas(tmp_path: Path):
    form = tmp_path / "own.yaml"
    form.write_text(
        "title: An acquirer\ncolumns: {reference: Referenz, amount: Betrag, date: Tag}\ncurrency: EUR\n"
        'separator: ";"\ndecimal_point: ","\n'
    )
    file = tmp_path / "bank.csv"
    file.write_bytes("\ufeffTag;Betrag;Referenz\n2026-01-15;1.250,00;CA1-1\n2026-01-16;-20,00;CA1-1\n".encode())
    found = [(row.kind, row.reference, row.minor) for row in read_bank_file(file, load_form(form))]
    assert found == [("charge", "CA1-1", 125_000), ("refund", "CA1-1", 2000)]


def test_a_kind_that_the_form_does_not_name_is_kept_to_be_told(tmp_path: Path):
    content = STRIPE + "txn_1,2026-01-15 10:00:00,usd,1.00,0,1.00,climate_order,x,pi_1\n"
    (row,) = rows(tmp_path, content, "stripe")
    assert (row.kind, row.said) == ("", "climate_order")


GERMAN = "title: An acquirer\ncolumns: {reference: Referenz, amount: Betrag, date: Tag}\ncurrency: EUR\n"


def of_german_days(folder: Path, tag: str, more: str = "", amount: str = "20.00") -> BankRow:
    form, file = folder / "own.yaml", folder / "bank.csv"
    form.write_text(GERMAN + more)
    file.write_text(f"Tag,Betrag,Referenz\n{tag},{amount},CA1-1\n")
    (row,) = read_bank_file(file, load_form(form))
    return row


@pytest.mark.parametrize(
    ("spelled", "written"),
    [
        ("DD.MM.YYYY", "31.12.2026"),
        ("DD.MM.YYYY", "31.12.2026 23:59"),
        ("DD.MM.YY", "31.12.26"),
        ("DD/MM/YYYY", "31/12/2026"),
        ("MM/DD/YYYY", "12/31/2026"),
        ("YYYYMMDD", "20261231"),
        ("YYYY-MM-DD", "2026-12-31T10:00:00Z"),
    ],
)
def test_the_form_says_how_a_day_is_written(spelled: str, written: str, tmp_path: Path):
    assert of_german_days(tmp_path, written, f"date_format: {spelled}\n").day == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("31.12.2026", "'31.12.2026' is no day as YYYY-MM-DD; say in the form .* date_format: DD.MM.YYYY$"),
        ("31/12/2026", "date_format: DD/MM/YYYY, or MM/DD/YYYY$"),
        ("20261231", "date_format: YYYYMMDD$"),
        ("soon", "'soon' is no day as YYYY-MM-DD; a day is read where its year, month and day are numbers"),
        ("31 Dec 2026", "write it so in the file$"),
        ("46053", "write it so in the file$"),
        ("2026-02-30", "'2026-02-30' is no day as YYYY-MM-DD: date_format in the form$"),
    ],
)
def test_a_day_that_is_written_otherwise_is_told_with_its_line_and_the_cure(written: str, told: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=rf"bank\.csv:2: .*{told}"):
        of_german_days(tmp_path, written)


def test_a_day_in_another_order_is_told(tmp_path: Path):
    with pytest.raises(
        ConfigError, match=r"bank\.csv:2: '31/12/2026' is no day as MM/DD/YYYY: date_format in the form"
    ):
        of_german_days(tmp_path, "31/12/2026", "date_format: MM/DD/YYYY\n")


@pytest.mark.parametrize("spelled", ["DD.MM", "DD.MM.YYYY.DD", "%d.%m.%Y", "YYYY-MM-DD-YY"])
def test_a_form_whose_days_cannot_be_read_is_refused_with_its_line(spelled: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"own\.yaml:4:.*date_format: expected DD, MM and YYYY"):
        of_german_days(tmp_path, "31.12.2026", f'date_format: "{spelled}"\n')


def test_a_charge_without_an_amount_is_told_with_its_line(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"bank\.csv:2: a charge without an amount: 'Betrag' is empty"):
        of_german_days(tmp_path, "2026-12-31", amount=" ")
    content = ADYEN + "Co,Shop,8836,CA1-1,visa,2026-01-15 14:22:00,CET,Refunded,8836,EUR,,,1,EUR,,,,,,\n"
    assert (
        refused(tmp_path, content, "adyen")
        == ":2: a refund without an amount: 'Gross Credit (GC)' and 'Gross Debit (GC)' are empty"
    )


OWN = "kind,reference,bank_reference,amount,currency,at\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", ":1: the column 'kind' is missing"),
        ("kind;reference;amount\n", ":1: the columns are separated by ';'"),
        (STRIPE, ":1: --form says which bank's file it is"),
        ("kind,referense,amount,currency,at,x\n", ":1: the column 'reference' is missing (did you mean 'referense'?)"),
        (
            OWN + "charge,CA1-1,,42.505,USD,2026-01-15\n",
            ":2: '42.505': expected no more than the 2 decimal places of USD",
        ),
        (OWN + "charge,CA1-1,,4O.00,USD,2026-01-15\n", ":2: '4O.00': expected an amount such as 42.50"),
        (OWN + "charge,CA1-1,,NaN,USD,2026-01-15\n", ":2: 'NaN': expected an amount such as 42.50"),
        (OWN + "charge,CA1-1,,1e3,USD,2026-01-15\n", ":2: '1e3': expected an amount such as 42.50"),
        (OWN + "charge,CA1-1,,4_2.50,USD,2026-01-15\n", ":2: '4_2.50': expected an amount such as 42.50"),
        (OWN + "charge,CA1-1,,-,USD,2026-01-15\n", ":2: '-': expected an amount such as 42.50"),
        (
            OWN.replace("bank_reference", "Amount") + "charge,CA1-1,1.00,42.50,USD,2026-01-15\n",
            ":1: the column 'amount' is there more than once",
        ),
        (OWN + "charge,CA1-1,,1.00,US,2026-01-15\n", ":2: 'US' is no currency"),
        (OWN + "charge,CA1-1,,1.00,USD\n", ":2: 5 fields where the columns are 6: take out a line that is no row"),
        (OWN + "charge,CA1-1,,1,000.00,USD,2026-01-15\n", ":2: 7 fields where the columns are 6: put quotation marks"),
        (OWN + "charge,CA1-1,,1.00,XXQ,2026-01-15\n", ":2: 'XXQ' is not a currency"),
        (OWN + 'charge,"CA1-1,,1.00,USD,2026-01-15\nfee,,,,,\n', ":2: unexpected end of data: is a quotation mark"),
        (OWN.encode() + b"fee,,,,,\ncharge,CA\xff-1,,1.00,USD,2026-01-15\n", ":3: byte 0xff is not UTF-8"),
        (OWN.encode("utf-16"), ":1: the file is UTF-16: save it as 'CSV UTF-8'"),
        ("Statement 7,,,,,\n" + OWN, ":1: is it the line that names the columns? take out what stands above that"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(content: str | bytes, told: str, tmp_path: Path):
    assert told in refused(tmp_path, content)


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot read"):
        list(read_bank_file(tmp_path / "none.csv", form_called("tonetill")))


@pytest.mark.parametrize(
    ("written", "minor"), [("1.250,00", 125000), ("1250,00", 125000), ("-1.234.567,89", 123456789), (",50", 50)]
)
def test_groups_of_three_digits_may_be_parted_where_the_comma_is_the_decimal_point(
    written: str, minor: int, tmp_path: Path
):
    assert [row.minor for row in rows(tmp_path, commas(tmp_path, written), str(tmp_path / "commas.yaml"))] == [minor]


@pytest.mark.parametrize("written", ["21.01", "1.25,00", "12.34.567,00", "1.2345,00"])
def test_a_decimal_point_in_a_file_of_decimal_commas_is_not_read_as_a_hundredfold(written: str, tmp_path: Path):
    told = refused(tmp_path, commas(tmp_path, written), str(tmp_path / "commas.yaml"))
    assert told.startswith(f":2: '{written}': expected an amount such as 42,50")


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("1,250.00", 125000),
        ("1,234,567.89", 123456789),
        ("1,250", 125000),
        ("42.50-", -4250),
        ("\N{MINUS SIGN}42.50", -4250),
    ],
)
def test_thousands_may_be_parted_beside_a_decimal_point_and_a_minus_stand_behind(
    written: str, minor: int, tmp_path: Path
):
    content = OWN + f'refund,CA1-1,,"{written}",USD,2026-01-15\n'
    assert [row.minor for row in rows(tmp_path, content)] == [minor]  # `tonetill` is a signed form


@pytest.mark.parametrize(
    ("written", "currency", "cure"),
    [
        ("42,50", "USD", "such as 42.50: is it 'decimal_point: \",\"' in the form?"),
        ("12,34,567.00", "USD", "such as 42.50"),
        ("1 250.00", "USD", "such as 42.50: take out what parts the thousands"),
        ("$42.50", "USD", "such as 42.50, without its currency"),
        ("42.50 USD", "USD", "such as 42.50, without its currency"),
        ("(42.50)", "USD", "such as 42.50, and a minus before it where it is below nought"),
        ("-42.50-", "USD", "such as 42.50"),
        ("42,500", "KWD", "the decimal places of KWD: thousands cannot be told from them here"),
    ],
)
def test_an_amount_that_cannot_be_read_is_told_with_what_to_change(
    written: str, currency: str, cure: str, tmp_path: Path
):
    told = refused(tmp_path, OWN + f'charge,CA1-1,,"{written}",{currency},2026-01-15\n')
    assert told.startswith(f":2: '{written}': expected ")
    assert cure in told


def commas(folder: Path, written: str) -> str:
    (folder / "commas.yaml").write_text(
        "title: Commas\ncolumns: {reference: R, amount: A, date: D}\ncurrency: EUR\n"
        'separator: ";"\ndecimal_point: ","\n'
    )
    return f"R;A;D\nCA1-1;{written};2026-01-15\n"


OF_A_DAY = "at,kind,reference,amount,currency\n"


def test_what_no_database_holds_is_refused_with_its_line(tmp_path: Path):
    assert ":2: an amount beyond" in refused(tmp_path, OF_A_DAY + "2026-01-15,charge,X,999999999999999,CLF\n")
    assert ":2: it has zero bytes" in refused(tmp_path, OF_A_DAY + "2026-01-15,charge,X\0Y,1.00,USD\n")
    assert [row.minor for row in rows(tmp_path, OF_A_DAY + "2026-01-15,charge,X,100000000000.00,USD\n")] == [10**13]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "0026-01-15", "1753-01-01"])
def test_a_day_that_stands_for_none_is_refused_with_its_line(day: str, tmp_path: Path):
    assert f":2: '{day}' is no day" in refused(tmp_path, OF_A_DAY + f"{day},charge,X,1.00,USD\n")


def test_a_refund_that_came_back_is_told_apart_from_one_more(tmp_path: Path):
    stripe = STRIPE + (
        "txn_1,2026-01-15 10:00:00,usd,-10.00,0,-10.00,refund,re_1,pi_1\n"
        "txn_2,2026-01-18 10:00:00,usd,10.00,0,10.00,refund_failure,re_1,pi_1\n"
    )
    assert [(row.kind, row.minor) for row in rows(tmp_path, stripe, "stripe")] == [("refund", 1000), ("refund", -1000)]
    adyen = (
        ADYEN + "Co,Shop,8836,CA1-1,visa,2026-01-16 09:00:00,CET,RefundedReversed,8837,EUR,,10.00,1,EUR,,10.00,,,,\n"
    )
    assert [(row.kind, row.minor) for row in rows(tmp_path, adyen, "adyen")] == [("refund", -1000)]


def test_what_stripe_did_not_capture_of_a_charge_is_no_refund(tmp_path: Path):
    content = STRIPE + "txn_1,2026-01-15 10:00:00,usd,-10.00,0,-10.00,partial_capture_reversal,ch_1,pi_1\n"
    assert [(row.kind, row.minor) for row in rows(tmp_path, content, "stripe")] == [("void", 1000)]
