"""sipp, a SIP caller that is not ours, against the endpoint on loopback: every call completes, also when packets are lost."""

import asyncio
import contextlib
import shutil
from pathlib import Path

import pytest
import structlog

from ivr.phone.sip import SipEndpoint
from tests.phone.sip.phones import FakeCallHandler
from tests.phone.sip.test_sockets import listening, opened
from tests.ports import free_even_port, free_port

SCENARIOS = Path(__file__).parent / "scenarios"
SIPP = shutil.which("sipp")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(SIPP is None, reason="sipp is not installed; `apt-get install sip-tester` brings it"),
]


@pytest.fixture(autouse=True)
def quiet():
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    yield
    structlog.reset_defaults()


async def sipp(
    endpoint: SipEndpoint, kind: str, folder: Path, *options: str, scenario: str = "keys"
) -> tuple[int, str]:
    """sipp's exit code (0: every call succeeded) and what it complained of."""
    host, port = dict(endpoint.listening)[kind]
    mode = {"udp": "u1", "tcp": "t1"}[kind]
    command = [
        str(SIPP), f"{host}:{port}", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-t", mode, "-i", "127.0.0.1",
        "-p", str(free_port()), "-cp", str(free_port()), "-mp", str(free_even_port()), "-nostdin", "-timeout", "90s", "-timeout_error",
        "-recv_timeout", "40000", "-max_invite_retrans", "9", "-max_non_invite_retrans", "9", "-trace_err", "-error_file", str(folder / "errors"), *options,
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        code = await asyncio.wait_for(process.wait(), 100)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    errors = folder / "errors"
    return code, errors.read_text(errors="replace")[-2000:] if errors.exists() else ""


def run(kind: str, folder: Path, calls: int, *options: str) -> None:
    async def body():
        handler = FakeCallHandler()
        endpoint = await opened(listening("udp", "tcp"), handler)
        code, errors = await sipp(endpoint, kind, folder, "-m", str(calls), *options)
        assert code == 0, errors
        await endpoint.drain(5)
        assert len(handler.invitations) == calls  # one dialog each
        assert handler.count("ended") == calls
        assert set(handler.reasons()) == {"caller hung up"}
        assert set(handler.keys.values()) == {"4#"}
        assert endpoint.counters["failures"] == 0
        await endpoint.stop()

    asyncio.run(body())


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_sipp_rings_and_keys(kind, tmp_path):
    run(kind, tmp_path, 200, "-r", "100")


def test_every_call_of_sipp_completes_at_ten_percent_loss(tmp_path):
    run("udp", tmp_path, 100, "-r", "50", "-lost", "10")


@pytest.mark.long
def test_every_one_of_many_calls_of_sipp_completes_at_ten_percent_loss(tmp_path):
    run("udp", tmp_path, 2000, "-r", "50", "-lost", "10")
