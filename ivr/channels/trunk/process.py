"""The trunk process: puts call handler, SIP endpoint, media worker, voice and AudioSocket together, and drains on SIGTERM."""

import asyncio
import ipaddress
import secrets
import signal
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from ivr import metrics
from ivr.calls import new_call
from ivr.calls.assembly import Engine
from ivr.channels.line import Conversation, Heard
from ivr.channels.trunk.answering import AnsweredFlows
from ivr.channels.trunk.audiosocket import AudioSocketPort, AudioSocketServer
from ivr.channels.trunk.call_handler import Route, TrunkCallHandler
from ivr.channels.trunk.open_files import allow_open_files
from ivr.channels.trunk.prompt_cache import PromptCache
from ivr.core.call import Call
from ivr.errors import ConfigError
from ivr.hangup import on_hangup, reload_or_log
from ivr.merchants.serving import serving
from ivr.phone.rtp import MediaClient, MediaSettings, MediaStats
from ivr.phone.sip import (
    Account,
    Credentials,
    ListenAddress,
    MediaRules,
    Peer,
    Registration,
    SipEndpoint,
    SipSettings,
    SourceLimits,
    Tls,
)
from ivr.settings import Settings

log = structlog.get_logger("trunk")
BLOCKING_THREADS = 8  # a call's database work takes a millisecond; this many callers at once wait for none
WORKER_RESTART_S = 1.0


@dataclass(frozen=True)
class TrunkMerchant:
    """One of several that a trunk answers for: `numbers` are its own, and nobody else's."""

    settings: Settings
    engine: Engine
    numbers: tuple[str, ...]


class Trunk:
    """One node, which answers for `engine`, or for `several` merchants, each by its numbers; `settings` say where it listens.
    `watch` hears of every call's progress: the live view."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine | None,
        watch: Callable[[Call], None] = lambda _call: None,
        several: Sequence[TrunkMerchant] = (),
    ) -> None:
        self.settings, self.watch = settings, watch
        self.stats: MediaStats | None = None
        blocking = ThreadPoolExecutor(BLOCKING_THREADS, thread_name_prefix="trunk")
        # One thread: the synthesizer is one process, and a prompt is rendered once.
        voice = ThreadPoolExecutor(1, thread_name_prefix="voice")
        self._pools = (blocking, voice)
        self.answered = [AnsweredFlows(settings, engine, self._pools, watch)] if engine is not None else []
        self.answered += [AnsweredFlows(one.settings, one.engine, self._pools, watch, one.numbers) for one in several]
        advertised = settings.trunk_advertise or settings.trunk_bind
        recording = bool(settings.trunk_record)
        self.handler = TrunkCallHandler(self._routes(), advertised, settings.trunk_max_calls, recording=recording)
        self.endpoint = self.handler.endpoint = SipEndpoint(sip_settings(settings), self.handler)
        self.handler.on_stats, self.handler.on_lost = self._note_stats, self._restart_media
        self._audiosocket = AudioSocketServer(
            settings.trunk_bind, settings.audiosocket_port, self._answer_audiosocket, peer_of(settings)
        )
        self._registrations: list[Registration] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._audiosocket_names: set[str] = set()  # of calls in progress: none is on record before it has been greeted
        self._stopping = False

    @property
    def engine(self) -> Engine:
        """Of the only merchant."""
        return self.answered[0].engine

    async def start(self) -> bool:
        """Prompts first: a caller never waits for one to be made. That may take minutes; False where `leave_off` ended it
        meanwhile: nothing listens then.
        """
        limits = self.endpoint.settings.limits
        allow_open_files(limits.calls, limits.connections)
        await asyncio.get_running_loop().run_in_executor(self._pools[1], self._prepare_prompts)
        if self._stopping:
            self._close_voice()
            return False
        self._take_up_versions()
        await self._start_media()
        await self.endpoint.start()
        if self.settings.audiosocket_port:
            await self._audiosocket.start()
        if self.settings.trunk_register:
            await self._register()
        return True

    def leave_off(self) -> None:
        """Makes no more prompts; a node that has not started yet will not."""
        self._stopping = True

    async def stop(self, drain_s: float) -> None:
        """Calls finish, no new ones come; what is left after `drain_s` is hung up."""
        self.leave_off()
        for registration in self._registrations:
            await registration.stop()
        await self._audiosocket.stop()
        await asyncio.gather(self.endpoint.drain(drain_s), self._audiosocket.drain(drain_s))
        await self.endpoint.stop()
        await self.handler.media.aclose()
        self._close_voice()

    # ---- parts

    def _close_voice(self) -> None:
        for one in self.answered:
            one.close()
        for pool in self._pools:
            pool.shutdown()

    def _prepare_prompts(self) -> None:
        for one in self.answered:
            with serving(one.merchant):
                one.prepare(lambda: self._stopping)

    # ---- versions that are published meanwhile

    def _take_up_versions(self) -> None:
        for one in self.answered:
            one.take_up_versions(self._change_routes, lambda: self._stopping)
        if any(one.engine.bank_keys for one in self.answered):
            on_hangup(self._reload_keys)

    def _reload_keys(self) -> None:
        """Of each by itself: what is wrong with one's new keys is no reason to leave another its old ones."""
        for one in self.answered:
            with serving(one.merchant):
                reload_or_log(one.engine.reload_keys)

    def _change_routes(self) -> None:
        """A flow's voice may be another by now, or nobody may answer for it."""
        self.handler.routes = self._routes()

    def _routes(self) -> Mapping[str, Route | None]:
        """No number is two merchants': `merchants.yaml` was refused otherwise, and here it is not answered by chance."""
        routes: dict[str, Route | None] = {}
        for one in self.answered:
            for number, route in one.routes().items():
                if number in routes:
                    raise ConfigError(f"{number} would be answered by two merchants: name it once in merchants.yaml")
                routes[number] = route
        return routes

    def _make_recording_folders(self) -> None:
        """Of several merchants each has its own below TRUNK_RECORD."""
        for one in self.answered:
            if self.settings.trunk_record and one.merchant:
                (Path(self.settings.trunk_record) / one.merchant).mkdir(parents=True, exist_ok=True, mode=0o700)

    async def _start_media(self) -> None:
        self._make_recording_folders()
        self.handler.media = MediaClient(media_settings(self.settings), self.handler.heard, self._media_fault)
        self.handler.clips = PromptCache(self.handler.media)
        await self.handler.media.start()

    def _media_fault(self, error: Exception) -> None:
        log.warning("media", reason=str(error))

    def _restart_media(self, _reason: str) -> None:
        async def restart() -> None:
            await asyncio.sleep(WORKER_RESTART_S)
            if self._stopping:
                return
            await self._start_media()
            log.info("media worker restarted")

        task = asyncio.create_task(restart())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note_stats(self, stats: MediaStats) -> None:
        if stats.unrecorded and not (self.stats and self.stats.unrecorded):
            log.warning("recordings have gaps: the recorder is held up or gone; /metrics counts on")
        self.stats = stats
        metrics.note_media(stats)
        for name, count in self.endpoint.counters.items():
            metrics.SIP.labels(name).set(count)
        for method, count in self.handler.keys.items():
            metrics.KEYS.labels(method).set(count)

    async def _register(self) -> None:
        user, _, host = self.settings.trunk_register.removeprefix("sip:").partition("@")
        account = Account(f"sip:{host}", f"sip:{user}@{host}", Credentials(user, self.settings.trunk_register_password))
        registration = Registration(self.endpoint, account)
        await registration.start()
        self._registrations.append(registration)

    async def _answer_audiosocket(self, identity: str, audio_port: AudioSocketPort) -> Callable[[Heard], None]:
        routes = self.handler.routes
        route = routes["*"] if "*" in routes else next(iter(routes.values()))
        if route is None:
            await audio_port.hang_up()
            return lambda _heard: None
        flow = self.engine.flows[route.flow]
        call = new_call(await self._audiosocket_name(identity), flow, ani="", dnis="", channel="audiosocket")
        conversation = Conversation(route.services, audio_port, call)
        task = asyncio.create_task(self._talk(conversation, audio_port))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return conversation.tell

    async def _audiosocket_name(self, identity: str) -> str:
        """A dialplan may send one UUID for every call: where it has been used, the call gets a name that goes on."""
        name = f"AS{uuid.UUID(identity).hex}"
        load = self.engine.store.load_call
        known = await asyncio.get_running_loop().run_in_executor(self._pools[0], load, name)
        if known is not None or name in self._audiosocket_names:
            name = f"{name}-{secrets.token_hex(4)}"
            log.info("audiosocket uuid used again", call=name)
        self._audiosocket_names.add(name)
        return name

    async def _talk(self, conversation: Conversation, audio_port: AudioSocketPort) -> None:
        try:
            await conversation.run()
        except Exception as error:
            # The type alone: a message may quote what was given.
            log.error("fault", call=conversation.call.id, kind=type(error).__name__)
            await audio_port.hang_up()
        finally:
            self._audiosocket_names.discard(conversation.call.id)


async def serve(trunk: Trunk, drain_s: float, started: Callable[[], None] = lambda: None) -> None:
    """Until SIGTERM or SIGINT; a second one does not wait for the calls."""
    stopping, hurried = asyncio.Event(), asyncio.Event()

    def be_told() -> None:
        (hurried if stopping.is_set() else stopping).set()
        trunk.leave_off()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, be_told)
    if not await trunk.start():
        return
    started()
    await stopping.wait()
    stop = asyncio.create_task(trunk.stop(drain_s))
    hurry = asyncio.create_task(hurried.wait())
    await asyncio.wait((stop, hurry), return_when=asyncio.FIRST_COMPLETED)
    if not stop.done():
        stop.cancel()
        await trunk.handler.media.aclose()
    hurry.cancel()


def sip_settings(settings: Settings) -> SipSettings:
    host, port = settings.trunk_bind, settings.trunk_port
    listen = [ListenAddress("udp", host, port), ListenAddress("tcp", host, port)]
    tls = None
    if settings.trunk_tls_port:
        if not (settings.trunk_tls_cert and settings.trunk_tls_key):
            raise ConfigError("TRUNK_TLS_PORT needs TRUNK_TLS_CERT and TRUNK_TLS_KEY (PEM files)")
        client_ca = Path(settings.trunk_tls_client_ca) if settings.trunk_tls_client_ca else None
        tls = Tls(Path(settings.trunk_tls_cert), Path(settings.trunk_tls_key), client_ca)
        listen.append(ListenAddress("tls", host, settings.trunk_tls_port))
    return SipSettings(
        listen=tuple(listen),
        peers=(peer_of(settings),),
        advertised_host=settings.trunk_advertise or None,
        tls=tls,
        media=media_rules(settings),
        dnis_from=settings.trunk_called_number,
        max_call_s=settings.trunk_max_minutes * 60,
        limits=SourceLimits(calls=settings.trunk_max_calls, unanswered_per_source=settings.trunk_max_unanswered),
    )


def media_rules(settings: Settings) -> MediaRules:
    name = "TRUNK_ADVERTISE" if settings.trunk_advertise else "TRUNK_BIND"
    text = settings.trunk_advertise or settings.trunk_bind
    try:
        return MediaRules(settings.trunk_srtp, ipaddress.ip_address(text).version)
    except ValueError:
        raise ConfigError(f"{name}: {text!r} is no IP address; SDP has to name one, such as 10.0.0.20") from None


def peer_of(settings: Settings) -> Peer:
    networks = tuple(network.strip() for network in settings.trunk_peers.split(",") if network.strip())
    return Peer("trunk", networks, settings.trunk_user or None, settings.trunk_password)


def media_settings(settings: Settings) -> MediaSettings:
    first, _, last = settings.trunk_rtp_ports.partition("-")
    return MediaSettings(
        host=settings.trunk_bind,
        first_port=int(first),
        ports=(int(last) - int(first) + 1) // 2,
        calls=settings.trunk_max_calls,
        record=settings.trunk_record,
    )
