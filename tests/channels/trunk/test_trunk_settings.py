"""Settings of the trunk that keep callers out: logins, SRTP, certificates, numbers; each by what a caller then meets."""

import asyncio
import subprocess
import sys

import pytest

from ivr.channels.trunk.answering import read_routes, without_plus
from ivr.channels.trunk.process import sip_settings
from ivr.errors import ConfigError
from ivr.phone.sip import (
    CallerHandler,
    CallRefusedError,
    ListenAddress,
    LocalSession,
    SipCaller,
    SipEndpoint,
    SipSettings,
)
from ivr.settings import load_settings
from tests.channels.trunk.callers import play
from tests.patience import PATIENCE_S
from tests.phone.sip.test_sockets import certificate
from tests.ports import free_port
from tests.tills import open_till

HOST = "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"TRUNK_USER": "pbx"}, "TRUNK_USER needs TRUNK_PASSWORD"),
        ({"TRUNK_USER": "pbx", "TRUNK_PASSWORD": " "}, "TRUNK_USER needs TRUNK_PASSWORD"),
        ({"TRUNK_PASSWORD": "s3cret"}, "TRUNK_PASSWORD needs TRUNK_USER"),
        ({"TRUNK_SRTP": "required"}, "TRUNK_SRTP=required needs TRUNK_TLS_PORT"),
        ({"TRUNK_TLS_CLIENT_CA": "ca.pem"}, "TRUNK_TLS_CLIENT_CA needs TRUNK_TLS_PORT"),
        ({"TRUNK_SRTP": "always"}, "TRUNK_SRTP"),
        ({"TRUNK_CALLED_NUMBER": "from"}, "TRUNK_CALLED_NUMBER"),
    ],
)
def test_a_setting_that_would_keep_nobody_out_or_everybody_is_refused_with_its_cure(given, said):
    with pytest.raises(ConfigError, match=said) as error:
        load_settings({"TWILIO_AUTH_TOKEN": "x" * 32, **given})
    assert "s3cret" not in str(error.value)


def test_several_such_settings_are_told_at_once():
    with pytest.raises(ConfigError) as error:
        load_settings({"TWILIO_AUTH_TOKEN": "x" * 32, "TRUNK_USER": "pbx", "TRUNK_SRTP": "required"})
    assert "TRUNK_PASSWORD" in str(error.value)
    assert "TRUNK_TLS_PORT" in str(error.value)


@pytest.mark.parametrize(
    ("calls", "unanswered", "limit"), [(1000, 100, 100), (1000, 30, 30), (20, 100, 10), (1, 100, 2)]
)
def test_calls_that_nobody_acknowledges_leave_at_least_half_of_all_calls(calls, unanswered, limit):
    given = {"TRUNK_MAX_CALLS": str(calls), "TRUNK_MAX_UNANSWERED": str(unanswered), "TWILIO_AUTH_TOKEN": "x" * 32}
    assert sip_settings(load_settings(given)).limits.most_unanswered == limit


def test_an_address_that_is_none_is_told_by_the_name_of_its_setting():
    for name in ("TRUNK_BIND", "TRUNK_ADVERTISE"):
        given = load_settings({name: "till.example", "TWILIO_AUTH_TOKEN": "x" * 32})
        with pytest.raises(ConfigError, match=f"{name}: 'till.example' is no IP address"):
            sip_settings(given)


def test_numbers_are_read_however_an_operator_writes_them():
    routes = read_routes("+1-555-123-4567=a,%2B49 30 1234=a,pay-desk=b,*=b", {"a": 1, "b": 2})
    assert routes == {"+15551234567": "a", "+49301234": "a", "pay-desk": "b", "*": "b"}
    assert without_plus(routes) == {"15551234567": "a", "49301234": "a"}
    assert without_plus({"15551234567": "a"}) == {"+15551234567": "a"}


# --- SRTP and certificates, on a whole trunk --------------------------------------------------------------------------


def secure_till(folder, **settings):
    tls = certificate(folder)
    own = {"trunk_tls_port": str(free_port()), "trunk_tls_cert": str(tls.certificate), "trunk_tls_key": str(tls.key)}
    return tls, open_till(folder, **own, **settings)


async def ring(till, tls, kind, **how):
    """The far end's session, or the status that refused the call."""
    port = dict(till.trunk.endpoint.listening)[kind][1]
    phones = SipEndpoint(SipSettings(listen=(ListenAddress("udp", HOST, 0),), tls=tls), CallerHandler())
    await phones.start()
    try:
        target = f"sip:pay@{HOST}:{port};transport={kind}"
        call = await asyncio.wait_for(SipCaller(phones).call(target, LocalSession(HOST, 4000), **how), PATIENCE_S)
        await call.hang_up()
        return call.remote.secure
    except CallRefusedError as refused:
        return refused.status
    finally:
        await phones.stop()


@pytest.mark.parametrize(
    ("srtp", "plain_udp", "plain_tls", "secure_tls"),
    [("required", 488, 488, True), ("optional", False, False, True), ("off", False, False, 488)],
)
def test_plain_and_encrypted_calls_are_taken_as_the_setting_says(tmp_path, srtp, plain_udp, plain_tls, secure_tls):
    async def scene():
        tls, opening = secure_till(tmp_path, trunk_srtp=srtp)
        async with opening as till:
            assert await ring(till, tls, "udp") == plain_udp
            assert await ring(till, tls, "tls") == plain_tls
            assert await ring(till, tls, "tls", secure=True) == secure_tls

    play(scene)


@pytest.mark.parametrize(("srtp", "udp", "tls_offer"), [("required", 488, True), ("optional", False, False)])
def test_our_own_offer_keeps_to_the_setting_too(tmp_path, srtp, udp, tls_offer):
    async def scene():
        tls, opening = secure_till(tmp_path, trunk_srtp=srtp)
        async with opening as till:
            assert await ring(till, tls, "udp", late_offer=True) == udp
            assert await ring(till, tls, "tls", late_offer=True) == tls_offer

    play(scene)


def test_a_caller_without_a_certificate_of_the_authority_is_turned_away(tmp_path):
    async def scene():
        (tmp_path / "stranger").mkdir()
        authority = tmp_path / "cert.pem"
        tls, opening = secure_till(tmp_path, trunk_tls_client_ca=str(authority))
        stranger = certificate(tmp_path / "stranger")
        stranger = type(stranger)(stranger.certificate, stranger.key, server_ca=authority)
        async with opening as till:
            assert await ring(till, tls, "tls", secure=True) is True
            assert await ring(till, stranger, "tls", secure=True) == 503

    play(scene)


RAISED = """
import resource
from ivr.channels.trunk.open_files import allow_open_files
for hard in (4096, 512):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    allow_open_files(calls=1000, connections=1000)
    print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_limit_of_open_files_is_raised_as_far_as_the_system_lets_us():
    done = subprocess.run([sys.executable, "-c", RAISED], capture_output=True, text=True, check=True)
    raised, warned, not_enough = done.stdout.splitlines()
    assert (raised, not_enough) == ("4096 4096", "512 512")
    assert "too few open files" in warned
    assert "wanted=2200" in warned
