"""Who keys in bench_keys: Asterisk's robots, put through to us as deploy/asterisk has it, and telephones of our own.

As a process, the telephones: reads one JSON line {"uri": URI, "at_once": N, "calls": [{"caller", "way", "keys"}, ...]}, prints
"done" when the last of them has hung up. Each way has N calls at a time. `w` in keys is half a second.
    python benchmarks/keys_callers.py
"""

import asyncio
import json
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parents[1]))

from ivr.phone.rtp import CallerStream, Phone
from ivr.phone.sip import CallerHandler, ListenAddress, LocalSession, SipCaller, SipEndpoint, SipSettings, SourceLimits

TONE_MS = GAP_MS = 100
PAUSE_S = 0.5
AFTER_S = 1.0
PATIENCE_S = 30
WAYS = ("events", "tones, mu-law", "tones, A-law", "INFO")
# Of deploy/asterisk, but for A-law, which is offered outside of America.
ENDPOINTS = {
    "events": "tonetill",
    "tones, mu-law": "tonetill-inband",
    "tones, A-law": "tonetill-alaw",
    "INFO": "tonetill-info",
}
PJSIP = """
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}
#include tonetill/pjsip.conf
[tonetill-alaw](tonetill-endpoint)
dtmf_mode=inband
disallow=all
allow=alaw
"""
EXTENSIONS = """
[globals]
#include tonetill/extensions.conf
[phones]
{phones}
[robot]
exten => _keys.,1,Answer()
 same => n,SendDTMF(${{EXTEN:4}},{gap},{tone})
 same => n,Wait(1)
"""
PHONE = """
exten => _{digit}.,1,Set(CALLERID(num)=${{EXTEN}})
 same => n,Set(TONETILL_TRUNK={endpoint})
 same => n,Goto(tonetill,729,1)
"""


def asterisk_files(till_port: int, rtp: tuple[int, int]) -> Mapping[str, str]:
    """A caller whose number begins with the place of a way in WAYS, from 1, keys that way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    phones = [PHONE.format(digit=place, endpoint=ENDPOINTS[way]) for place, way in enumerate(WAYS, 1)]
    return {
        "pjsip.conf": PJSIP.format(port=port),
        "extensions.conf": EXTENSIONS.format(phones="".join(phones), tone=TONE_MS, gap=GAP_MS),
        "rtp.conf": f"[general]\nrtpstart={rtp[0]}\nrtpend={rtp[1]}\n",
        "tonetill/address.conf": f"[tonetill-address](!)\ncontact=sip:127.0.0.1:{till_port}\n",
    }


async def telephone(endpoint: SipEndpoint, uri: str, caller: str, way: str, keys: str) -> None:
    law = "alaw" if way == "tones, A-law" else "ulaw"
    phone = await Phone.at("127.0.0.1", CallerStream(law))
    try:
        codec = "PCMA" if law == "alaw" else "PCMU"
        session = LocalSession("127.0.0.1", phone.address[1], preference=(codec,))
        call = await SipCaller(endpoint, identity=f"sip:{caller}@127.0.0.1").call(uri, session, patience_s=PATIENCE_S)
        phone.talk_to((call.remote.address, call.remote.port))
        for entry in keys.split("w"):
            if way != "INFO":
                await phone.press(entry, inband=way.startswith("tones"), tone_ms=TONE_MS, gap_ms=GAP_MS)
            for key in entry if way == "INFO" else "":
                await call.send_key(key, TONE_MS)
                await asyncio.sleep((TONE_MS + GAP_MS) / 1000)
            await asyncio.sleep(PAUSE_S)
        await asyncio.sleep(AFTER_S)
        await call.hang_up()
    finally:
        phone.hang_up()


async def ring_all(order: dict) -> None:
    settings = SipSettings(listen=(ListenAddress("udp", "127.0.0.1", 0),), limits=SourceLimits(calls=10_000))
    endpoint = SipEndpoint(settings, CallerHandler())
    await endpoint.start()
    turns = {way: asyncio.Semaphore(order["at_once"]) for way in WAYS}

    async def one(caller: str, way: str, keys: str) -> None:
        async with turns[way]:
            await telephone(endpoint, order["uri"], caller, way, keys)

    results = await asyncio.gather(*(one(**call) for call in order["calls"]), return_exceptions=True)
    for failed in filter(None, results):
        print(f"telephone: {failed!r}", file=sys.stderr)
    await endpoint.stop()


def main() -> None:
    import logging

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(ring_all(json.loads(sys.stdin.readline())))
    print("done", flush=True)


if __name__ == "__main__":
    main()
