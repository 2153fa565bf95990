"""baresip without a sound card: a softphone that tests dial and key with over its control port; it answers no call.

`net_interface` is an address: by an interface's name it refuses loopback.
"""

import asyncio
import json
import os
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

from dsp import tones
from tests.channels.trunk.callers import GAP_MS, TONE_MS, Codec
from tests.peers import Tree, running
from tests.ports import free_port

# Debian 13 has 1.1.0. Debian 12 has 1.0.0, which sends no INFO; neither can make tones of its keys.
SUITE, PACKAGES = "trixie", ("baresip-core",)
Method = Literal["rtpevent", "info", "tones"]
EVENT_S = 0.2  # baresip sends a key for 180 ms and keeps no queue of keys
INFO_S = 0.05
RATE = 8000
HOST = "127.0.0.1"
CONFIG = """
sip_listen {host}:0
net_interface {host}
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
ctrl_tcp_listen {host}:{control}
rtp_ports 24000-28000
"""


class Softphone:
    def __init__(self, folder: Path, tree: Tree, ani: str, method: Method, codec: Codec) -> None:
        self._folder, self._tree, self._method = folder, tree, method
        self._control = free_port()
        self._entries = 0
        self._writer: asyncio.StreamWriter
        folder.mkdir()
        modules = tree.root / "usr" / "lib" / "baresip" / "modules"
        places = {"host": HOST, "folder": folder, "modules": modules, "control": self._control}
        (folder / "config").write_text(CONFIG.format(**places))
        dtmfmode = "info" if method == "info" else "rtpevent"
        account = f"<sip:{ani}@{HOST}>;regint=0;audio_codecs={codec}/8000/1;dtmfmode={dtmfmode}\n"
        (folder / "accounts").write_text(account)
        (folder / "contacts").write_text("")
        write_sound(folder / "quiet.wav", "")

    @asynccontextmanager
    async def started(self) -> AsyncIterator["Softphone"]:
        command = self._tree.command("usr/bin/baresip", "-f", str(self._folder))
        phone = running(command, self._folder / "log")
        process = phone.__enter__()
        try:
            with suppress(PermissionError):  # a telephone has a processor of its own, not the rest of this one
                os.sched_setscheduler(process.pid, os.SCHED_RR, os.sched_param(1))
            self._writer = await self._connected()
            yield self
        finally:
            # Beside the loop: it hangs up before it ends, and the till must answer.
            await asyncio.to_thread(phone.__exit__, None, None, None)

    def send(self, command: str, words: str) -> None:
        """The control port speaks netstrings of JSON."""
        said = json.dumps({"command": command, "params": words, "token": command}).encode()
        self._writer.write(b"%d:%s," % (len(said), said))

    async def press(self, keys: str) -> None:
        if self._method == "tones":
            self._speaks(keys)
            return
        for key in keys:
            self.send("sndcode", key)
            await asyncio.sleep(INFO_S if self._method == "info" else EVENT_S)

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-2000:]

    def _speaks(self, keys: str) -> None:
        """The microphone is changed for one in which the keys sound."""
        self._entries += 1
        sound = self._folder / f"{self._entries}.wav"
        write_sound(sound, keys)
        self.send("ausrc", f"aufile,{sound}")

    async def _connected(self) -> asyncio.StreamWriter:
        for _ in range(100):
            try:
                return (await asyncio.open_connection(HOST, self._control))[1]
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)  # a real program: its port tells when it is ready
        raise AssertionError(self.log())


def write_sound(file: Path, keys: str) -> None:
    """Tones, then a minute of silence: where a microphone's file ends, baresip hangs up."""
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        if keys:
            sound.writeframes(tones.dtmf(keys, tone_ms=TONE_MS, gap_ms=GAP_MS).astype("<i2").tobytes())
        sound.writeframes(bytes(2 * RATE * 60))
