"""A bank's file is described by a form in YAML: what is wrong in it is told with its line."""

from pathlib import Path

import pytest

from ivr.books import form_called, form_names, load_form, read_bank_file
from ivr.errors import ConfigError

GOOD = """title: An acquirer
columns:
  kind: Art
  reference: Referenz
  amount: Betrag
kinds:
  charge: [Umsatz]
currency: EUR
separator: ";"
decimal_point: ","
"""


def test_the_shipped_forms_can_be_read():
    assert form_names() == ["adyen", "stripe", "tonetill"]
    assert [form_called(name).title for name in form_names()]


def test_a_form_of_ones_own_is_named_by_its_file(tmp_path: Path):
    file = tmp_path / "own.yaml"
    file.write_text(GOOD)
    assert form_called(str(file)).currency == "EUR"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  kind: Art", "  knid: Art", ":3:3: unknown key 'knid' (did you mean 'kind'?)"),
        ("  amount: Betrag", "  debit: Soll", ":2:1: columns: either 'amount', or 'credit' and 'debit'"),
        ("  reference: Referenz\n", "", ":2:1: columns: 'reference' (ours) or 'bank_reference' is needed"),
        ("currency: EUR\n", "", ":1:1: currency: no column says it"),
        ("  charge: [Umsatz]", "  refund: [Gutschrift]", ":1:1: kinds: which rows of the column of kinds are charges?"),
        ('separator: ";"', 'separator: ":"', "separator: Input should be"),
        ("title: An acquirer\n", "", "'title' is missing"),
        (
            "[Umsatz]",
            "[Umsatz]\n  refund: [UMSATZ]",
            ":6:1: kinds: 'UMSATZ' is named for two kinds, and a row is of one",
        ),
        ("amount: Betrag", "amount: Referenz", ":2:1: columns: 'Referenz' is named for two things"),
        ("[Umsatz]", "Umsatz", ":7:3: kinds.charge: expected a list in brackets: [first, second]"),
        ("currency: EUR", "currency: eur", ":8:1: currency: 'eur' is not a currency (did you mean 'EUR'?)"),
        ("currency: EUR", "currency: XXQ", ":8:1: currency: 'XXQ' is not a currency"),
        ('decimal_point: ","', "signed: sometimes", "signed: expected yes or no"),
    ],
)
def test_a_wrong_form_is_told_with_its_place(old: str, new: str, told: str, tmp_path: Path):
    file = tmp_path / "own.yaml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as found:
        load_form(file)
    assert told in str(found.value)


def test_a_form_that_is_not_there_names_those_that_are(tmp_path: Path):
    with pytest.raises(ConfigError, match="did you mean 'adyen'"):
        form_called("adjen")
    with pytest.raises(ConfigError, match=r"adyen\.yaml is one to copy"):
        form_called(str(tmp_path / "none.yaml"))


def test_our_own_form_reads_the_bank_of_a_row_where_the_file_has_it(tmp_path: Path):
    file = tmp_path / "day.csv"
    file.write_text("at,kind,reference,bank_reference,amount,currency,bank\n2026-01-15,charge,CA1-1,,42.50,USD,acme\n")
    assert [row.bank for row in read_bank_file(file, form_called("tonetill"))] == ["acme"]
    file.write_text("at,kind,reference,bank_reference,amount,currency\n2026-01-15,charge,CA1-1,,42.50,USD\n")
    assert [row.bank for row in read_bank_file(file, form_called("tonetill"))] == [""]
