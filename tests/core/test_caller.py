"""One caller is one caller however a network writes the number, and callers who withhold theirs are nobody in particular."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ivr.core.caller import caller_block, caller_key, may_lack_country_code, takes_texts

WITHHELD = [
    *("", " ", "anonymous", "Anonymous", "ANONYMOUS", "restricted", "unavailable", "Unavailable", "unknown", "private"),
    *("+266696687", "266696687", "+7378742833", "+7378742883", "+2562533", "+8656696", "+86282452253"),
    *(
        "sip:anonymous@anonymous.invalid",
        "sips:anonymous@anonymous.invalid",
        '"Anonymous" <sip:anonymous@anonymous.invalid>',
    ),
    *(
        "<sip:anonymous@anonymous.invalid>;tag=1",
        "sip:thisis@anonymous.invalid",
        "anonymous@192.0.2.1",
        "sip:+266696687@h",
    ),
    *("Number withheld", "Withheld Number", "id withheld", "Caller ID unavailable", "anonym", "Desconocido"),
    *("Caller ID Withheld", "NUMBER_UNAVAILABLE", "unavailable caller", "Número privado", "número oculto", "Anónimo"),
    *("Not Available", "Unknown Caller ID", "sip:Number%20withheld@192.0.2.1", "sip:anonymous:x@192.0.2.1", "Anonyme"),
    *("No disponible", "identidad oculta", "unbekannt", "Caller-ID blocked", '"Withheld" <sip:withheld@pbx.example>'),
    *("No Caller ID", "Out of Area", "0", "0000000000", "+", "-", "Private Number", "withheld", "blocked"),
]
SAME = [
    *("+15551230100", "15551230100", "0015551230100", "tel:+1-555-123-0100", "+1 (555) 123-0100", "+1.555.123.0100"),
    *("sip:+15551230100@gateway.example", "sip:+15551230100@192.0.2.1:5060;user=phone", "<sip:15551230100@h>"),
    *("tel:+15551230100;phone-context=example.com", "%2B15551230100", "00 1 555 123 0100", "SIP:+1-555-123-0100@h"),
    *("sip:+15551230100:secret@gateway.example", "<sip:15551230100:5060@h;user=phone>", "011 1 555 123 0100"),
    *("01115551230100", "+1\u2010555\u2011123\u20120100", "+1\u2013555\u2014123\u22120100", "\u202a+15551230100\u202c"),
    '"Ann" <sip:+15551230100@gateway.example;user=phone>;tag=42',
]


@pytest.mark.parametrize("written", WITHHELD)
def test_a_withheld_number_is_nobodys(written: str):
    assert caller_key(written) == ""
    assert not takes_texts(written)


@pytest.mark.parametrize("written", SAME)
def test_one_caller_is_one_caller_however_the_number_is_written(written: str):
    assert caller_key(written) == "15551230100"
    assert takes_texts(written)


def test_callers_with_names_are_told_apart():
    assert caller_key("sip:alice@pbx.example") != caller_key("sip:bob@pbx.example")
    assert caller_key("sip:alice@pbx.example") == caller_key("sip:Alice@PBX.example;transport=tcp")
    assert not takes_texts("sip:alice@pbx.example")


@pytest.mark.parametrize(
    "written", ["101", "sip:1001@pbx", "+1234567890123456789012345678901234567890123", "client:ann"]
)
def test_what_is_no_whole_telephone_number_takes_no_texts(written: str):
    assert caller_key(written)
    assert not takes_texts(written)


def test_a_client_of_the_networks_own_is_told_apart_by_its_name():
    assert caller_key("client:ann") != caller_key("client:bob")
    assert caller_key("client:ann@desk") != caller_key("client:bob@desk")


@pytest.mark.parametrize(
    "written", ["01134960000", "sip:private.office@pbx", "sip:callers@pbx", "sip:idaho@pbx", "client:unknown"]
)
def test_what_only_looks_withheld_or_dialled_abroad_is_kept(written: str):
    assert caller_key(written)
    assert caller_key("01134960000") == "01134960000"


@given(st.text(max_size=80))
def test_anything_may_be_written_there(written: str):
    assert isinstance(caller_key(written), str)
    assert not takes_texts(written) or caller_key(written).isdecimal()


def test_numbers_of_one_block_differ_in_their_last_four_digits_alone():
    assert caller_block("+12125550147") == caller_block("tel:+1-212-555-9999") == "1212555"
    assert caller_block("+12125560147") != caller_block("+12125550147")
    assert [caller_block(none) for none in ("anonymous", "101", "sip:alice@pbx.example", "")] == [""] * 4


def test_a_number_without_a_plus_may_lack_its_country():
    assert may_lack_country_code("202 555 0100")
    assert may_lack_country_code("tel:(202) 555-0100")
    for whole in (
        "+1 202 555 0100",
        "001 202 555 0100",
        "011 1 202 555 0100",
        "sip:+12025550100@gateway",
        "201",
        "alice",
        "",
    ):
        assert not may_lack_country_code(whole), whole
