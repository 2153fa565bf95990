"""The trunk process: puts call handler, SIP endpoint, media worker, voice and AudioSocket together, and drains on SIGTERM."""

import asyncio
import ipaddress
import secrets
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from ivr import metrics
from ivr.calls import new_call
from ivr.calls.assembly import Engine
from ivr.calls.live_flows import LiveFlows
from ivr.channels.line import Conversation, Heard, Services
from ivr.channels.trunk.audiosocket import AudioSocketPort, AudioSocketServer
from ivr.channels.trunk.call_handler import Route, TrunkCallHandler
from ivr.channels.trunk.open_files import allow_open_files
from ivr.channels.trunk.prompt_cache import PromptCache
from ivr.core.call import Call
from ivr.errors import ConfigError
from ivr.flow.compiled import Flow
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
    plain_number,
)
from ivr.settings import Settings, trunk_flow_problems
from ivr.voice import Rendered, Renderer
from ivr.words.phrases import Prompts

log = structlog.get_logger("trunk")
BLOCKING_THREADS = 8  # a call's database work takes a millisecond; this many callers at once wait for none
WORKER_RESTART_S = 1.0


class Trunk:
    """One node. `watch` hears of every call's progress: the live view."""

    def __init__(self, settings: Settings, engine: Engine, watch: Callable[[Call], None] = lambda _call: None) -> None:
        self.settings, self.engine, self.watch = settings, engine, watch
        self.stats: MediaStats | None = None
        blocking = ThreadPoolExecutor(BLOCKING_THREADS, thread_name_prefix="trunk")
        # One thread: the synthesizer is one process, and a prompt is rendered once.
        voice = ThreadPoolExecutor(1, thread_name_prefix="voice")
        self._pools = (blocking, voice)
        self.renderers = {"words": self._renderer(settings.trunk_voice), "tones": self._renderer("tones")}
        self._houses = {
            name: Services(
                engine.runner,
                engine.store,
                renderer.clips,
                blocking,
                voice,
                watch=watch,
                tones=self.renderers["tones"].clips,
            )
            for name, renderer in self.renderers.items()
        }
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
        for renderer in self.renderers.values():
            renderer.close()
        for pool in self._pools:
            pool.shutdown()

    def _renderer(self, voice: str) -> Renderer:
        engine, folder = self.engine, self.settings.flows / "prompts" / "audio"
        cache = self.settings.var / "voice"
        return Renderer(engine.prompts, cache, folder, voice, prompts_of=engine.prompts_of)  # type: ignore[arg-type]

    def _prepare_prompts(self) -> None:
        for flow in self.engine.flows.values():
            for _ in self._ready(flow, self.engine.prompts_of(flow.version)):
                if self._stopping:
                    return

    def _ready(self, flow: Flow, prompts: Prompts) -> Iterator[Rendered]:
        for voice in (flow.head.voice, "tones"):  # tones stand in for words that cannot be made
            yield from self.renderers[voice].ready(flow.head.languages, prompts)

    # ---- versions that are published meanwhile

    def _take_up_versions(self) -> None:
        """A version is answered with once its prompts are made: its first caller does not wait for them either."""
        flows = self.engine.flows
        if isinstance(flows, LiveFlows):
            flows.prepare, flows.changed = self._prepare_version, self._change_routes
            self.engine.watch()

    def _prepare_version(self, flow: Flow, prompts: Prompts) -> None:
        """Clip by clip: a caller's amount is spoken in between."""
        making = self._ready(flow, prompts)
        while not self._stopping and self._pools[1].submit(next, making, None).result() is not None:
            pass

    def _change_routes(self) -> None:
        """A flow's voice may be another by now, or nobody may answer for it."""
        self.handler.routes = self._routes()

    def _routes(self) -> Mapping[str, Route | None]:
        flows, left_out = self.engine.flows, self.engine.left_out
        routes = read_routes(self.settings.trunk_flows, flows, left_out)
        if self.settings.trunk_plus == "ignored":
            routes = without_plus(routes) | routes
        return {
            number: Route(name, self._houses[flow.head.voice]) if (flow := flows.get(name)) else None
            for number, name in routes.items()
        }

    async def _start_media(self) -> None:
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
        routes = self._routes()
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


def read_routes(written: str, flows: Mapping[str, object], left_out: frozenset[str] = frozenset()) -> dict[str, str]:
    """`pay=pay-a-bill,*=other` as called number to flow; ConfigError for a flow that is not there. One that is
    `left_out` because of its problems is there all the same: only calls to its own numbers are refused."""
    if problems := trunk_flow_problems(written, {*flows, *left_out}):
        raise ConfigError("\n".join(problems))
    pairs = (pair.strip().partition("=") for pair in written.split(","))
    return {plain_number(number): flow for number, _, flow in pairs}


def without_plus(routes: Mapping[str, str]) -> dict[str, str]:
    """Each telephone number in its other form too: 15551234567 for +15551234567, and the other way round."""
    others = {}
    for number, flow in routes.items():
        if number.lstrip("+").isdecimal():
            others[number[1:] if number.startswith("+") else f"+{number}"] = flow
    return others


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
