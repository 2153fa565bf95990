"""Joins signalling and media for the calls of one node: SIP's calls get ports, a conversation and their keys."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from ivr.calls import new_call
from ivr.channels.line import MOST_KEYS, CallerGone, Conversation, KeyPressed, PersonRang, Services, Silent
from ivr.channels.trunk.prompt_cache import PromptCache
from ivr.core.line_quality import LineQuality
from ivr.logs import fault_name
from ivr.merchants.serving import serving
from ivr.phone.rtp import (
    CallMedia,
    KeyHeard,
    LineLoss,
    MediaClient,
    MediaEvent,
    MediaStats,
    MediaUnavailable,
    Method,
    Played,
    SrtpKeys,
    TimedOut,
    WorkerLost,
)
from ivr.phone.sip import Answer, Invitation, LocalSession, Reject, SessionOffer, SipEndpoint

log = structlog.get_logger("trunk")
NO_MEDIA = "no media"
FAULT = "fault"
ON_RECORD = "SIP"  # before a call's name there
NOTHING_PLAYS = 0


@dataclass(frozen=True)
class Route:
    """What answers a called number. `merchant`: whose it is, of several."""

    flow: str
    services: Services
    merchant: str = ""


class RtpAudioPort:
    """One call's media on the media worker."""

    def __init__(self, handler: "TrunkCallHandler", call: str) -> None:
        self._handler, self._call = handler, call

    async def play(self, clips: Sequence[Path], *, barge_in: bool) -> int:
        loaded = await self._handler.clips.take(self._call, clips)
        if self._call not in self._handler.lines:
            # Hung up while the first words were looked for: `ended` has been, and nobody would let go of these clips.
            self._handler.clips.release(self._call)
            return NOTHING_PLAYS
        return self._handler.media.play(self._call, loaded, barge_in=barge_in)

    async def wipe(self) -> None:
        if self._call in self._handler.lines:  # a call that is over has been closed, which wipes
            self._handler.media.wipe(self._call)

    async def transfer(self, number: str) -> None:
        self._handler.ring(self._call, number)

    async def hang_up(self) -> None:
        await self._handler.endpoint.hang_up(self._call)


@dataclass
class TrunkCall:
    """A call between its INVITE and its end."""

    invitation: Invitation
    session: LocalSession
    answer: Answer
    media: CallMedia
    conversation: Conversation | None = None
    talking: asyncio.Task[None] | None = None
    early: list[KeyPressed | Silent] = field(default_factory=list, repr=False)  # heard before the ACK: type-ahead


class TrunkCallHandler:
    """SIP's CallHandler. `routes` by called number; `*` answers any other. None: the number's flow cannot be used.
    They may be replaced at any time, as one thing."""

    endpoint: SipEndpoint

    def __init__(
        self, routes: Mapping[str, Route | None], advertised: str, most_calls: int, *, recording: bool = False
    ) -> None:
        self.routes, self._advertised, self._most_calls = routes, advertised, most_calls
        self._recording = recording
        self.lines: dict[str, TrunkCall] = {}
        self.keys: Counter[Method] = Counter()
        self._ringing: set[str] = set()
        self._noting: dict[str, Services] = {}  # whose calls' lines are told of, until the last that is told of them
        self._tasks: set[asyncio.Task[None]] = set()
        self.media: MediaClient
        self.clips: PromptCache
        self.on_stats: Callable[[MediaStats], None] = lambda _stats: None
        self.on_lost: Callable[[str], None] = lambda _reason: None

    # ---- what signalling says

    async def invited(self, invitation: Invitation) -> Answer | Reject:
        route = self._route(invitation.dnis)
        if route is None:
            return Reject(404, "Not Found")
        if len(self.lines) >= self._most_calls:
            return Reject(503, "Service Unavailable")
        media = CallMedia(allowed_hosts=(invitation.source[0],), sending=False)
        try:
            _, port = await self.media.open(invitation.call, media)
        except MediaUnavailable as error:
            log.warning("no media for a call", reason=str(error))
            return Reject(503, "Service Unavailable")
        session = LocalSession(self._advertised, port)
        answer = self._answer(session, invitation)
        if isinstance(answer, Reject):
            self.media.close_call(invitation.call)
            return answer
        line = self.lines[invitation.call] = TrunkCall(invitation, session, answer, media)
        if invitation.offer is not None:
            await self._agree(line, answer, invitation.offer, sending=False)
        return answer

    def _answer(self, session: LocalSession, invitation: Invitation) -> Answer | Reject:
        if invitation.offer is None:
            return session.offer(secure=invitation.srtp_required)
        if invitation.offer.secure and invitation.transport != "tls":
            # RFC 4568 7.1: keys in clear signalling protect nothing.
            return Reject(488, "SRTP keys need TLS")
        return session.answer(invitation.offer)

    async def answered(self, call: str, remote: SessionOffer) -> None:
        line = self.lines[call]
        if line.invitation.offer is None:
            settled = line.session.settle(line.answer, remote)
            if isinstance(settled, Reject):
                await self.endpoint.hang_up(call, NO_MEDIA)
                return
            line.answer = settled
        await self._agree(line, line.answer, remote, sending=True)
        self._begin(line)

    async def media_changed(self, call: str, offer: SessionOffer) -> Answer | Reject:
        line = self.lines[call]
        answer = line.session.answer(offer)
        if not isinstance(answer, Reject):
            line.answer = answer
            await self._agree(line, answer, offer, sending=True)
        return answer

    async def info_key(self, call: str, key: str, duration_ms: int) -> None:
        self.media.still_alive(call)
        self.media.info_key(call, key, time.monotonic() - duration_ms / 1000)

    async def ended(self, call: str, reason: str) -> None:
        line = self.lines.pop(call, None)
        self._ringing.discard(call)
        self.clips.release(call)
        self.media.close_call(call)
        if line is not None and line.conversation is not None:
            line.conversation.tell(CallerGone(reason))

    # ---- what the media worker says

    def heard(self, event: MediaEvent) -> None:
        match event:
            case KeyHeard():
                self._key(event.call, event.key, event.method)
            case Played():
                self._tell(event.call, Silent(event.play))
            case TimedOut() if event.call in self._ringing:
                # A peer that connects its caller elsewhere may send us nothing meanwhile; the referral has its own limit.
                self.media.still_alive(event.call)
            case TimedOut():
                self._spawn(self.endpoint.hang_up(event.call, NO_MEDIA))
            case LineLoss():
                self._note_line(event)
            case MediaStats():
                self.on_stats(event)
            case WorkerLost():
                self._lose_media(event.reason)

    def _note_line(self, told: LineLoss) -> None:
        services = self._noting.pop(told.call, None) if told.is_last else self._noting.get(told.call)
        if services is not None:
            self._spawn(self._keep_line(services, f"{ON_RECORD}{told.call}", LineQuality(told.came, told.lost)))

    async def _keep_line(self, services: Services, call: str, line: LineQuality) -> None:
        """A figure for people: where it cannot be written, the call goes on all the same."""
        try:
            await asyncio.get_running_loop().run_in_executor(services.blocking, services.store.note_line, call, line)
        except Exception as error:
            log.warning("a line's quality was not noted", call=call, kind=fault_name(error))

    def ring(self, call: str, number: str) -> None:
        """A person for the caller, by REFER."""
        self._ringing.add(call)
        self.endpoint.refer(call, number, lambda is_connected: self._rang(call, is_connected))

    def _rang(self, call: str, is_connected: bool) -> None:
        self._ringing.discard(call)
        line = self.lines.get(call)
        if line is not None and line.conversation is not None:
            line.conversation.tell(PersonRang(is_connected))

    def _key(self, call: str, key: str, method: Method) -> None:
        if call in self.lines:
            self.keys[method] += 1
            self._tell(call, KeyPressed(key))

    def _tell(self, call: str, heard: KeyPressed | Silent) -> None:
        line = self.lines.get(call)
        if line is None:
            return
        if line.conversation is not None:
            line.conversation.tell(heard)
        elif len(line.early) < MOST_KEYS:
            line.early.append(heard)

    def _lose_media(self, reason: str) -> None:
        log.error("media worker lost", calls=len(self.lines), reason=reason)
        self._noting.clear()
        for call in list(self.lines):
            self._spawn(self.endpoint.hang_up(call, NO_MEDIA))
        self.on_lost(reason)

    # ---- a conversation

    def _route(self, dnis: str) -> Route | None:
        routes = self.routes
        return routes[dnis] if dnis in routes else routes.get("*")

    def _begin(self, line: TrunkCall) -> None:
        invitation = line.invitation
        route = self._route(invitation.dnis)
        flow = route.services.runner.flows.get(route.flow) if route is not None else None
        if route is None or flow is None:  # withdrawn since the caller was invited
            self._spawn(self.endpoint.hang_up(invitation.call, FAULT))
            return
        call = new_call(on_record(invitation), flow, ani=invitation.ani, dnis=invitation.dnis, channel="sip")
        self._noting[invitation.call] = route.services
        line.conversation = Conversation(route.services, RtpAudioPort(self, invitation.call), call)
        while line.early:
            line.conversation.tell(line.early.pop(0))
        with serving(route.merchant):
            line.talking = asyncio.create_task(self._talk(invitation.call, line.conversation))

    async def _talk(self, call: str, conversation: Conversation) -> None:
        try:
            await conversation.run()
        except Exception as error:
            # The type alone: a message may quote what was given.
            log.error("fault", call=conversation.call.id, kind=fault_name(error))
            await self.endpoint.hang_up(call, FAULT)

    async def _agree(self, line: TrunkCall, answer: Answer, remote: SessionOffer, *, sending: bool) -> None:
        line.media = replace(
            media_of(answer, remote, line.invitation.source[0]),
            sending=sending and answer.direction in ("sendrecv", "sendonly"),
            record=self._recording_of(line.invitation) if self._recording and sending else "",
        )
        await self.media.update(line.invitation.call, line.media)

    def _recording_of(self, invitation: Invitation) -> str:
        """Its name, in its merchant's folder where there are several."""
        route = self._route(invitation.dnis)
        return "/".join(filter(None, (route.merchant if route else "", on_record(invitation))))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def on_record(invitation: Invitation) -> str:
    """A call's name in the database, and its recording's."""
    return f"{ON_RECORD}{invitation.call}"


def media_of(answer: Answer, remote: SessionOffer, signalled_from: str) -> CallMedia:
    """What SDP settled, in the media plane's words."""
    assert answer.codec is not None
    keys = None
    if answer.local_crypto is not None and answer.remote_crypto is not None:
        keys = SrtpKeys(answer.local_crypto.key_and_salt, answer.remote_crypto.key_and_salt)
    return CallMedia(
        law="ulaw" if answer.codec.name == "PCMU" else "alaw",
        payload_type=answer.codec.payload_type,
        telephone_events=tuple((payload_type, 8000) for payload_type in answer.telephone_events),
        remote=(remote.address, remote.port),
        allowed_hosts=(signalled_from,),
        srtp=keys,
    )
