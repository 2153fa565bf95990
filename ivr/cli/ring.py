"""`ring`: a small caller of our own: rings a SIP address, presses keys when it is spoken to, tells what it heard and when."""

import asyncio
import re
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from dsp import g711
from ivr.channels.simulator import mask
from ivr.cli.call_picture import CallPicture, CallTape, SensitiveEntries, draw, require_plotting
from ivr.cli.on_record import Finder, tell_of_line
from ivr.cli.refusals import with_cure
from ivr.core.caller import caller_key
from ivr.errors import ConfigError
from ivr.logs import set_up_logging
from ivr.phone.rtp import CallerStream, Phone
from ivr.phone.sip import (
    CallerHandler,
    CallRefusedError,
    ListenAddress,
    LocalSession,
    OutgoingCall,
    SipCaller,
    SipEndpoint,
    SipSettings,
)
from ivr.store import Store

console = Console(highlight=False)
TONE_MS, GAP_MS = 100, 80
INFO_GAP_S = 0.1
BARGE_IN_AFTER_S = 1.0
SAID_BY_CALLER = {"caller hung up": "the line hung up", "we hung up": "you hung up"}
NUMBER = re.compile(r"[+*#]?[0-9A-Za-z._-]{1,40}")
WITHHELD = "sip:anonymous@anonymous.invalid"  # RFC 3323 4.1.1.3
LATEST = 20  # calls that may have come in since
COMMA_S = 2.0  # as in a modem's dial string
QUIET_S = 0.7  # this long without sound, and a prompt is over
MOST_PROMPT_S = 40.0
LOUD = 200.0  # RMS at 16-bit scale, about -41 dBm0: any voice is above it, line noise is not


@click.command()
@click.argument("uri")
@click.option(
    "--keys",
    default="",
    help="Entries separated by spaces, each pressed once a prompt is over; '-' waits one out, ',' waits two seconds.",
)
@click.option(
    "--from", "ani", default="+15550100", show_default=True, help="The caller's number; `anonymous`: withheld."
)
@click.option("--method", type=click.Choice(["rfc4733", "inband", "info"]), default="rfc4733", show_default=True)
@click.option("--codec", type=click.Choice(["PCMU", "PCMA"]), default="PCMU", show_default=True)
@click.option("--bind", default="127.0.0.1", show_default=True, help="Our own address.")
@click.option("--barge-in", is_flag=True, help="Press into the prompts, without hearing them out.")
@click.option(
    "--save", type=click.Path(path_type=Path), help="Write what was heard to this WAV file (prompts, no keys)."
)
@click.option(
    "--plot", type=click.Path(path_type=Path), help="Draw the call into this file (.png, .svg): card keys masked."
)
def ring(
    uri: str,
    keys: str,
    ani: str,
    method: str,
    codec: str,
    bind: str,
    barge_in: bool,
    save: Path | None,
    plot: Path | None,
) -> None:
    """Ring URI (sip:pay@127.0.0.1:5060), press keys, print what was heard and when, and what is on record afterwards if
    the line is this project's.

    \b
    A whole payment:
      python -m ivr ring sip:pay@127.0.0.1:5060 --keys "1 12345678# 1 4111111111111111# 1230 123 94105 1 #"
    The same by in-band tones in A-law, and a picture of it:
      python -m ivr ring ... --method inband --codec PCMA --plot call.png
    """
    if plot is not None:
        require_plotting(plot)
    plan = Plan(keys.split(), method, codec, barge_in, ani=ani, taped=plot is not None)
    set_up_logging("error", "text")
    begun = datetime.now(UTC)
    try:
        transcript = asyncio.run(ring_up(uri, bind, plan))
    except CallRefusedError as refused:
        raise with_cure(refused) from None
    tell_of_line(console, rung_by(ani, begun))
    if plot is not None and transcript.picture is not None:
        draw(transcript.picture, plot)
        console.print(f"the call is drawn in {plot}")
    if save is not None:
        save_wav(save, transcript.heard)
        console.print(f"what was heard is in {save}")


def rung_by(ani: str, begun: datetime) -> Finder:
    """The call that came in from this number meanwhile; none where there are several."""

    def find(store: Store) -> str | None:
        since = [one for one in store.latest_calls(LATEST) if one.started_at >= begun and one.call.channel == "sip"]
        ours = [one.id for one in since if caller_key(one.call.ani) == caller_key(ani)]
        return ours[0] if len(ours) == 1 else None

    return find


@dataclass(frozen=True)
class Plan:
    entries: Sequence[str]
    method: str
    codec: str
    barge_in: bool
    ani: str = "+15550100"
    taped: bool = False
    """Remember both directions for a picture."""


@dataclass
class Transcript:
    """What happened on the line, with seconds since the answer. From a card number on, entries are shown as dots."""

    began: float
    lines: list[str] = field(default_factory=list)
    heard: bytes = b""
    picture: CallPicture | None = None

    def add(self, what: str) -> None:
        line = f"{time.monotonic() - self.began:6.1f} s  {what}"
        self.lines.append(line)
        console.print(line, markup=False)


async def ring_up(uri: str, bind: str, plan: Plan) -> Transcript:
    """PeerError when nobody answers; the transcript otherwise, however the call went."""
    endpoint = SipEndpoint(
        SipSettings(listen=(ListenAddress("udp", bind, 0), ListenAddress("tcp", bind, 0))), CallerHandler()
    )
    await endpoint.start()
    phone = await Phone.at(bind)
    try:
        session = LocalSession(bind, phone.address[1], preference=(plan.codec,))  # type: ignore[arg-type]
        call = await SipCaller(endpoint, identity=identity(plan.ani, bind)).call(uri, session)
        transcript = Transcript(time.monotonic())
        transcript.add("answered")
        talk_to(phone, call, plan)
        await hold_conversation(phone, call, plan, transcript)
        transcript.heard = phone.heard_codes("ulaw")
        if isinstance(phone.stream, CallTape):
            title = f"{uri}: keys by {plan.method}, {plan.codec}; dots are keys of a card, masked in the audio"
            transcript.picture = phone.stream.picture(title, phone.heard, transcript.began)
        return transcript
    finally:
        phone.hang_up()
        await endpoint.stop()


def identity(ani: str, bind: str) -> str:
    """Our From."""
    if not NUMBER.fullmatch(ani):
        raise ConfigError(f"--from {ani}: write a number, such as +15550100, or anonymous")
    return f"sip:{ani}@{bind}" if caller_key(ani) else WITHHELD


def talk_to(phone: Phone, call: OutgoingCall, plan: Plan) -> None:
    remote = call.remote
    law: g711.Law = "alaw" if remote.codecs[0].name == "PCMA" else "ulaw"
    events = remote.telephone_event
    stream = CallTape(law, events) if plan.taped else CallerStream(law, telephone_event=events)
    phone.talk_to((remote.address, remote.port), stream)


async def hold_conversation(phone: Phone, call: OutgoingCall, plan: Plan, transcript: Transcript) -> None:
    over = asyncio.create_task(call.until_over())
    cards = SensitiveEntries()
    for entry in plan.entries:
        if entry == ",":
            await asyncio.sleep(COMMA_S)
        elif plan.barge_in and entry != "-":
            await asyncio.sleep(BARGE_IN_AFTER_S)
        else:
            await hear_prompt(phone, transcript, over)
        if over.done():
            break
        if entry not in "-,":
            sensitive = cards.note(entry)
            await press(phone, call, plan.method, entry, sensitive=sensitive)
            transcript.add(f"keys  {mask(entry) if sensitive else entry}")
    while not over.done():
        if not await hear_prompt(phone, transcript, over):
            break
    if not over.done():
        await call.hang_up()
    reason = await over
    # The endpoint speaks from a till's side, where the other end is the caller; here it is the line.
    transcript.add(f"over: {SAID_BY_CALLER.get(reason, reason)}")


async def press(phone: Phone, call: OutgoingCall, method: str, entry: str, *, sensitive: bool) -> None:
    tape = phone.stream if isinstance(phone.stream, CallTape) else None
    if tape is not None:
        tape.note_state("keys")
    if method == "info":
        for key in entry:
            if tape is not None:
                tape.note_keys(key, 0, sensitive=sensitive)
            await call.send_key(key)
            await asyncio.sleep(INFO_GAP_S)
    else:
        if tape is not None:
            tape.note_keys(entry, (TONE_MS + GAP_MS) / 1000, sensitive=sensitive)
        await phone.press(entry, inband=method == "inband", tone_ms=TONE_MS, gap_ms=GAP_MS)
    if tape is not None:
        tape.note_state("listens")


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
