"""One payment by baresip into a till, both in the network namespace this is started in; prints what the bank was sent.

`python -m tests.channels.trunk.baresip_call FOLDER`, with the interface v0 at 10.99.0.1: baresip refuses loopback.
"""

import asyncio
import json
import shutil
import sys
import wave
from dataclasses import asdict
from pathlib import Path

from tests.channels.trunk.callers import place_of
from tests.peers import running
from tests.tills import Till, account, card, free_port, open_till

HOST = "10.99.0.1"
NUMBER = 3
KEY_S = 0.2
CONFIG = """
sip_listen {host}:{sip}
net_interface v0
audio_player aufile,{folder}/heard.wav
audio_source aufile,{folder}/quiet.wav
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path {modules}
module g711.so
module aufile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
rtp_ports 47000-47200
"""


async def main(folder: Path) -> None:
    phone = folder / "phone"
    phone.mkdir()
    control = free_port()
    configure(phone, control)
    async with open_till(folder, trunk_bind=HOST, trunk_peers=f"{HOST}/32") as till:
        with running([str(shutil.which("baresip")), "-f", str(phone)], folder / "log"):
            send = await connected(control)
            await pay(till, send)
            print(json.dumps([asdict(keyed) for keyed in till.keyed()]))


async def pay(till: Till, send) -> None:
    its = card(NUMBER)
    send("dial", f"sip:pay@{HOST}:{till.port}")
    for place, keys in [
        ("language", "1"),
        ("account", f"{account(NUMBER)}#"),
        ("amount", "1"),
        ("card 0", f"{its.pan}#"),
        ("card 1", its.expiry),
        ("card 2", its.cvv2),
        ("card 3", "94105"),
        ("confirm", "1"),
        ("repeat", "#"),
    ]:
        await till.progress.until(lambda here=place: here in map(place_of, till.progress.calls.values()), 20)
        for key in keys:
            send("sndcode", key)
            await asyncio.sleep(KEY_S)
    await till.progress.until(lambda: till.progress.ended() == ["paid"], 20)


async def connected(port: int):
    """baresip's control port speaks netstrings of JSON."""
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.1)  # a real program: its port tells when it is ready
    else:
        raise AssertionError("baresip does not listen")

    def send(command: str, words: str) -> None:
        said = json.dumps({"command": command, "params": words, "token": command}).encode()
        writer.write(b"%d:%s," % (len(said), said))

    return send


def configure(phone: Path, control: int) -> None:
    modules = next(Path("/usr/lib").glob("**/baresip/modules/ctrl_tcp.so")).parent
    sip = free_port()
    (phone / "config").write_text(CONFIG.format(host=HOST, sip=sip, folder=phone, modules=modules, control=control))
    (phone / "accounts").write_text(f"<sip:+15550100@{HOST}:{sip}>;regint=0;audio_codecs=PCMU/8000/1\n")
    (phone / "contacts").write_text("")
    with wave.open(str(phone / "quiet.wav"), "wb") as quiet:
        quiet.setparams((1, 2, 8000, 0, "NONE", ""))
        quiet.writeframes(bytes(16000 * 60))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
