"""X-Twilio-Signature: our streamed HMAC says exactly what Twilio's SDK says."""

from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from ivr.channels.twilio import Signer, parse_form

TOKEN = "12345"
FIELDS = st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=30), max_size=8)
HOSTS = st.sampled_from(["https://pay.example.com", "https://pay.example.com:8443", "http://127.0.0.1:8000"])


def form_of(fields: dict[str, str]):
    return parse_form(urlencode(fields).encode())


@given(FIELDS, HOSTS, st.sampled_from(["/twilio/voice/pay-a-bill", "/twilio/voice/pay-a-bill?seq=3&more=4"]))
def test_a_signature_of_the_sdk_is_accepted(fields, host, path):
    signature = RequestValidator(TOKEN).compute_signature(host + path, fields)
    assert Signer(TOKEN).accepts(host + path, form_of(fields), signature)
    assert Signer(TOKEN).sign(host + path, form_of(fields)) == signature


@given(FIELDS, st.text(min_size=1, max_size=5))
def test_a_changed_field_is_refused(fields, added):
    url = "https://pay.example.com/twilio/voice/pay-a-bill"
    signature = Signer(TOKEN).sign(url, form_of(fields))
    changed = form_of({**fields, "Digits": fields.get("Digits", "") + added})
    assert not Signer(TOKEN).accepts(url, changed, signature)
    assert not RequestValidator(TOKEN).validate(url, {**fields, "Digits": fields.get("Digits", "") + added}, signature)


def test_the_default_port_may_be_written_out_or_not():
    form = form_of({"CallSid": "CA1"})
    signed = RequestValidator(TOKEN).compute_signature("https://pay.example.com:443/x", {"CallSid": "CA1"})
    assert Signer(TOKEN).accepts("https://pay.example.com/x", form, signed)
    assert RequestValidator(TOKEN).validate("https://pay.example.com/x", {"CallSid": "CA1"}, signed)


def test_a_wrong_token_is_refused():
    form = form_of({"CallSid": "CA1"})
    assert not Signer("other").accepts("https://a.example/x", form, Signer(TOKEN).sign("https://a.example/x", form))
