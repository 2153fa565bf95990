"""`load --via`: an address that leads nowhere is refused with its own reason, before anything is dialled."""

import pytest

from ivr.cli.load_ways import flow_in, read_way
from ivr.errors import ConfigError


@pytest.mark.parametrize(
    ("via", "way"),
    [
        ("sip", "sip"),
        ("sip:pay@127.0.0.1:5060", "sip"),
        ("sip:pay@[::1]:5060;transport=tcp", "sip"),
        ("http://127.0.0.1:8000", "webhooks"),
        ("https://pay.example.com/", "webhooks"),
        ("http://[::1]:8000", "webhooks"),
    ],
)
def test_an_address_of_a_line_says_which_way_calls_go(via: str, way: str):
    assert read_way(via) == way


@pytest.mark.parametrize(
    ("via", "reason"),
    [
        ("", "is no address of a line"),
        ("127.0.0.1:8000", "is no address of a line"),
        ("ftp://x", "is no address of a line"),
        ("http:8000", "is no address of a line"),
        ("http:/host//x", "is no address of a line"),
        ("http:x//y", "is no address of a line"),
        ("http://\0x", "there is no host"),
        ("sip:pay@sip:x@y", "more than one @"),
        ("sips:pay@127.0.0.1", "over TLS"),
        ("http://[::1", "its host cannot be read"),
        ("http://", "there is no host"),
        ("http://a b", "there is no host"),
        ("http://127.0.0.1:99999", "99999 is no port"),
        ("sip:", "there is no host"),
        ("sip:pay@127.0.0.1:99999", "99999 is no port"),
        ("sip:pay@127.0.0.1:0", "0 is no port"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_with_its_reason(via: str, reason: str):
    with pytest.raises(ConfigError, match=reason):
        read_way(via)


def test_the_address_of_a_flows_webhook_names_the_flow():
    assert flow_in("http://127.0.0.1:8000/") == ("http://127.0.0.1:8000", "")
    assert flow_in("http://127.0.0.1:8000/twilio/voice/donate") == ("http://127.0.0.1:8000", "donate")


@pytest.mark.parametrize("path", ["/donate", "/twilio/voice", "/twilio/voice/a/b", "/?flow=donate", "/#donate"])
def test_an_address_with_any_other_path_is_refused(path: str):
    with pytest.raises(ConfigError, match=r"write the address of the line alone, http://127.0.0.1:8000, or of a flow"):
        flow_in(f"http://127.0.0.1:8000{path}")
