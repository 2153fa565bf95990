"""`ring`: a small caller of our own: rings a SIP address, presses keys when it is spoken to, tells what it heard and when."""

import asyncio
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from dsp import g711
from ivr.channels.rtp import CallerStream, Phone
from ivr.channels.simulator import mask
from ivr.channels.sip import LocalSession, OutgoingCall, SipCaller, SipEndpoint, SipSettings
from ivr.channels.sip.caller import CallerHandler
from ivr.channels.sip.settings import Listen

console = Console(highlight=False)
QUIET_S = 0.7  # this long without sound, and a prompt is over
MOST_PROMPT_S = 40.0
LOUD = 200.0  # RMS at 16-bit scale, about -41 dBm0: any voice is above it, line noise is not


@click.command()
@click.argument("uri")
@click.option(
    "--keys", default="", help="Entries separated by spaces, each pressed once a prompt is over; '-' waits one out."
)
@click.option("--method", type=click.Choice(["rfc4733", "inband", "info"]), default="rfc4733", show_default=True)
@click.option("--codec", type=click.Choice(["PCMU", "PCMA"]), default="PCMU", show_default=True)
@click.option("--bind", default="127.0.0.1", show_default=True, help="Our own address.")
@click.option("--barge-in", is_flag=True, help="Press at once, without hearing prompts out.")
@click.option(
    "--save", type=click.Path(path_type=Path), help="Write what was heard to this WAV file (prompts, no keys)."
)
def ring(uri: str, keys: str, method: str, codec: str, bind: str, barge_in: bool, save: Path | None) -> None:
    """Ring URI (sip:pay@127.0.0.1:5060), press keys, print what was heard and when.

    \b
    A whole payment:
      python -m ivr ring sip:pay@127.0.0.1:5060 --keys "1 12345678# 1 4111111111111111# 1230 123 94105 1 #"
    The same by in-band tones in A-law:
      python -m ivr ring ... --method inband --codec PCMA
    """
    plan = Plan(keys.split(), method, codec, barge_in)
    transcript = asyncio.run(ring_up(uri, bind, plan))
    if save is not None:
        save_wav(save, transcript.heard)
        console.print(f"what was heard is in {save}")


@dataclass(frozen=True)
class Plan:
    entries: Sequence[str]
    method: str
    codec: str
    barge_in: bool


@dataclass
class Transcript:
    """What happened on the line, with seconds since the answer. Long entries are shown as dots: they may be a card's."""

    began: float
    lines: list[str] = field(default_factory=list)
    heard: bytes = b""

    def add(self, what: str) -> None:
        line = f"{time.monotonic() - self.began:6.1f} s  {what}"
        self.lines.append(line)
        console.print(line, markup=False)


async def ring_up(uri: str, bind: str, plan: Plan) -> Transcript:
    """PeerError when nobody answers; the transcript otherwise, however the call went."""
    endpoint = SipEndpoint(SipSettings(listen=(Listen("udp", bind, 0), Listen("tcp", bind, 0))), CallerHandler())
    await endpoint.start()
    phone = await Phone.at(bind)
    try:
        session = LocalSession(bind, phone.address[1], preference=(plan.codec,))  # type: ignore[arg-type]
        call = await SipCaller(endpoint).call(uri, session)
        transcript = Transcript(time.monotonic())
        transcript.add("answered")
        talk_to(phone, call)
        await hold_conversation(phone, call, plan, transcript)
        transcript.heard = phone.heard_codes("ulaw")
        return transcript
    finally:
        phone.hang_up()
        await endpoint.stop()


def talk_to(phone: Phone, call: OutgoingCall) -> None:
    remote = call.remote
    stream = CallerStream(
        law="alaw" if remote.codecs[0].name == "PCMA" else "ulaw",
        telephone_event=remote.telephone_event,
    )
    phone.talk_to((remote.address, remote.port), stream)


async def hold_conversation(phone: Phone, call: OutgoingCall, plan: Plan, transcript: Transcript) -> None:
    over = asyncio.create_task(call.until_over())
    for entry in plan.entries:
        if not plan.barge_in:
            await hear_prompt(phone, transcript, over)
        if over.done():
            break
        if entry != "-":
            await press(phone, call, plan.method, entry)
            transcript.add(f"keys  {mask(entry) if len(entry) > 10 else entry}")
        if plan.barge_in:
            await asyncio.sleep(0.5)
    while not over.done():
        if not await hear_prompt(phone, transcript, over):
            break
    if not over.done():
        await call.hang_up()
    transcript.add(f"over: {await over}")


async def press(phone: Phone, call: OutgoingCall, method: str, entry: str) -> None:
    if method == "info":
        for key in entry:
            await call.send_key(key)
            await asyncio.sleep(0.1)
        return
    await phone.press(entry, inband=method == "inband")


async def hear_prompt(phone: Phone, transcript: Transcript, over: "asyncio.Task[str]") -> bool:
    """Until something was said and it is quiet again; False if nothing was said for long."""
    started = time.monotonic()
    first = last = 0.0
    seen = len(phone.heard)
    while not over.done() and time.monotonic() - started < MOST_PROMPT_S:
        await asyncio.sleep(0.05)
        for packet in phone.heard[seen:]:
            if is_loud(packet.codes, packet.law):
                first, last = first or packet.at_s, packet.at_s
        seen = len(phone.heard)
        if last and time.monotonic() - last > QUIET_S:
            break
    if last:
        transcript.add(f"heard {last - first:.1f} s of a voice, from {first - transcript.began:.1f} s on")
    return bool(last)


def is_loud(codes: bytes, law: g711.Law) -> bool:
    samples = g711.decode(np.frombuffer(codes, np.uint8), law).astype(np.float64)
    return bool(np.sqrt(np.mean(samples**2)) > LOUD)


def save_wav(file: Path, codes: bytes) -> None:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(g711.decode(np.frombuffer(codes, np.uint8), "ulaw").astype("<i2").tobytes())
