"""Names of answers that mean card data, and names that only look as if they did."""

import pytest

from ivr.reading.card_names import card_meaning


@pytest.mark.parametrize(
    "name",
    [
        *(
            "ccv",
            "exp_date",
            "expdate",
            "exp",
            "exp_month",
            "expiry",
            "card_expiry",
            "atm_pin",
            "card_pin",
            "pin_of_card",
        ),
        *("cc_number", "ccnumber", "cc", "cc_num", "cardnumber", "cardno", "card_no", "card", "card_2", "creditcard"),
        *("credit_card_number", "debitcardnumber", "bank_card", "security_number", "security_code", "sec_code"),
        *(
            "tarjeta",
            "numero_de_tarjeta",
            "tarjeta_de_credito",
            "codigo_de_seguridad",
            "codigo_seguridad",
            "nip_tarjeta",
        ),
        *("valid_thru", "mmyy", "mm_yy", "track2", "track_2", "cvv", "cvv_code", "cvvcode", "c_v_v", "cvv_2", "pan"),
        *("pan_number", "card_code", "card_security_code", "fecha_de_caducidad", "amex_number", "debit_pin", "bankpin"),
    ],
)
def test_a_name_of_card_data_is_known_however_it_is_put_together(name: str):
    assert card_meaning(name) == "card"


@pytest.mark.parametrize("name", ["pin", "pin_code", "pincode", "pin_number", "your_pin", "pin_2"])
def test_a_pin_of_nobody_in_particular_is_one(name: str):
    assert card_meaning(name) == "pin"


@pytest.mark.parametrize(
    "name", ["account_pin", "meter_pin", "nip", "library_card", "member_card_number", "gift_card", "tarjeta_de_socio"]
)
def test_a_card_or_pin_of_somebodys_own_may_be_meant(name: str):
    assert card_meaning(name) == "maybe"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "account_number",
            "social_security_number",
            "tracking_number",
            "company",
            "shipping_code",
            "discard",
            "policy",
        ),
        *("export_number", "expense_code", "date", "code", "number", "security_deposit", "postcode", "meter_number"),
        *("fecha_de_vencimiento", "opinion", "spin", "wildcard_entry", "occupation", "success_code", "credit_note"),
    ],
)
def test_other_names_say_nothing_of_a_card(name: str):
    assert card_meaning(name) is None
