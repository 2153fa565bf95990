"""One merchant's flows as the trunk answers them: which called number leads to which flow, in which voice, on whose store.

A trunk has one of these for each merchant that it answers for, and nothing of theirs but these.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor

from ivr.calls.assembly import Engine
from ivr.calls.live_flows import LiveFlows
from ivr.channels.line import Services
from ivr.channels.trunk.call_handler import Route
from ivr.core.call import Call
from ivr.errors import ConfigError
from ivr.flow.compiled import Flow
from ivr.merchants.serving import ServingExecutor, serving
from ivr.phone.sip import plain_number
from ivr.settings import Settings, trunk_flow_problems
from ivr.voice import Rendered, Renderer
from ivr.words.phrases import Prompts

ANY_NUMBER = "*"


class AnsweredFlows:
    """`numbers`: those that are this merchant's, of several; None for a trunk of one merchant, where TRUNK_FLOWS alone says it.
    `blocking` and `voice`: threads, which all merchants of a trunk share."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        pools: tuple[Executor, Executor],
        watch: Callable[[Call], None],
        numbers: tuple[str, ...] | None = None,
    ) -> None:
        self.settings, self.engine, self.numbers = settings, engine, numbers
        self.merchant = settings.place.name
        blocking, self._voice = (ServingExecutor(self.merchant, pool) if self.merchant else pool for pool in pools)
        self.renderers = {"words": self._renderer(settings.trunk_voice), "tones": self._renderer("tones")}
        self._services = {
            name: Services(
                engine.runner,
                engine.store,
                renderer.clips,
                blocking,
                self._voice,
                watch=watch,
                tones=self.renderers["tones"].clips,
            )
            for name, renderer in self.renderers.items()
        }

    def routes(self) -> dict[str, Route | None]:
        """By called number; None where the number's flow cannot be used. ConfigError for a flow that is not there."""
        flows = self.engine.flows
        return {
            number: self._route(name, flow) if (flow := flows.get(name)) else None
            for number, name in self._flow_names().items()
        }

    def close(self) -> None:
        for renderer in self.renderers.values():
            renderer.close()

    # ---- prompts

    def prepare(self, is_stopping: Callable[[], bool]) -> None:
        """Makes those that are not there yet."""
        for flow in self.engine.flows.values():
            for _ in self._ready(flow, self.engine.prompts_of(flow.version)):
                if is_stopping():
                    return

    def take_up_versions(self, changed: Callable[[], None], is_stopping: Callable[[], bool]) -> None:
        """A version is answered with once its prompts are made: its first caller does not wait for them either."""
        flows = self.engine.flows
        if not isinstance(flows, LiveFlows):
            return

        def prepare_version(flow: Flow, prompts: Prompts) -> None:
            """Clip by clip: a caller's amount is spoken in between."""
            making = self._ready(flow, prompts)
            while not is_stopping() and self._voice.submit(next, making, None).result() is not None:
                pass

        flows.prepare, flows.changed = prepare_version, changed
        with serving(self.merchant):
            self.engine.follow()

    def _ready(self, flow: Flow, prompts: Prompts) -> Iterator[Rendered]:
        for voice in (flow.head.voice, "tones"):  # tones stand in for words that cannot be made
            yield from self.renderers[voice].ready(flow.head.languages, prompts)

    def _renderer(self, voice: str) -> Renderer:
        engine, folder = self.engine, self.settings.flows / "prompts" / "audio"
        cache = self.settings.var / "voice"
        return Renderer(engine.prompts, cache, folder, voice, prompts_of=engine.prompts_of)  # type: ignore[arg-type]

    # ---- numbers

    def _route(self, name: str, flow: Flow) -> Route:
        return Route(name, self._services[flow.head.voice], self.merchant)

    def _flow_names(self) -> dict[str, str]:
        """Of several merchants none answers a number that is not its own, so that `*` means all of its own."""
        names = read_routes(self.settings.trunk_flows, self.engine.flows, self.engine.left_out)
        if self.numbers is not None:
            own = {plain_number(number) for number in self.numbers}
            names = {number: flow for number in own if (flow := names.get(number, names.get(ANY_NUMBER)))}
        return without_plus(names) | names if self.settings.trunk_plus == "ignored" else names


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
