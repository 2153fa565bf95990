"""The flows that a process serves: for a new call the live version of each, for one that goes on the version it is on.

A version is compiled once and shared by all its calls. New calls read a table in memory, and keys find their version
there too. What was published, by whichever process, is taken up by `look`, which asks the database one small question; a
thread of its own asks it (`watch`), so that no caller waits for a version to be compiled or its prompts to be made:

    published   -> compiled, its prompts made ready by whoever asked to (`prepare`), then live at one stroke
    broken      -> told in the log and on the page; the version that served goes on serving
    not live    -> compiled still, as long as calls ask for it; `MOST_KEPT` are kept, the others compiled again when asked for
    unknown     -> `of` gives None: the call ends with what the ledger says
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog

from ivr.calls.shipped_words import with_shipped
from ivr.core.actions import Action, Phrase, RecordAgreement, SendEmail, SendSms, Speak
from ivr.core.call import Call
from ivr.errors import FlowError, IvrError
from ivr.flow.compiled import Flow
from ivr.flow.compiler import NOTHING_AROUND, Around
from ivr.flow.content import Content, compiled, stored_content
from ivr.flow.moving import why_it_stays
from ivr.flow.prompts import needed_prompts
from ivr.store import WITHDRAWN, FlowVersion, LiveVersion, Store
from ivr.words.phrases import Prompts

log = structlog.get_logger()
AnyAction = TypeVar("AnyAction", bound=Action)
MOST_KEPT = 32  # compiled versions that are not live; the sample takes 35 kB, and 0.14 s to make again
MOST_MOVES = 8  # from version to version, for a call that was not heard of while several were published


@dataclass(frozen=True)
class Compiled:
    """One version, ready for calls."""

    flow: Flow
    prompts: Prompts
    version: FlowVersion


@dataclass(frozen=True)
class _Serving:
    """What new calls are answered with, replaced as one thing. `broken`: why the live version of a flow cannot serve."""

    live: Mapping[str, Compiled] = field(default_factory=dict)
    known: Mapping[str, LiveVersion] = field(default_factory=dict)
    moves: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    prompts: Prompts = field(default_factory=lambda: Prompts({}))


class LiveFlows(Mapping[str, Flow]):
    """By name, the live version of each flow. Thread-safe. `around`: the banks that a version must find to go live here."""

    def __init__(self, store: Store, around: Around = NOTHING_AROUND) -> None:
        self._store, self._around = store, around
        self._serving = _Serving()
        self._kept: OrderedDict[str, Compiled] = OrderedDict()  # by digest
        self._keeping, self._looking = threading.Lock(), threading.Lock()
        self.prepare: Callable[[Flow, Prompts], None] = lambda _flow, _prompts: None
        self.changed: Callable[[], None] = lambda: None

    # ---- for new calls

    def __getitem__(self, name: str) -> Flow:
        return self._serving.live[name].flow

    def __iter__(self) -> Iterator[str]:
        return iter(self._serving.live)

    def __len__(self) -> int:
        return len(self._serving.live)

    @property
    def left_out(self) -> frozenset[str]:
        """Flows that are known and answer no new call: withdrawn, or without any version that can be used."""
        serving = self._serving
        return frozenset({*serving.known, *serving.broken} - serving.live.keys())

    @property
    def broken(self) -> Mapping[str, str]:
        """By flow, what is wrong with the version that should be live."""
        return self._serving.broken

    def served(self, name: str) -> FlowVersion:
        """KeyError for a flow that answers no new call."""
        return self._serving.live[name].version

    @property
    def prompts(self) -> Prompts:
        """Of all live versions together: for words that belong to no call's version."""
        return self._serving.prompts

    # ---- for calls that go on

    def of(self, call: Call) -> Flow | None:
        """The flow that the call goes on with: its own version, or the one it was moved to and can go on with."""
        if not call.flow_version:
            return self.get(call.flow)  # it began before there were versions
        found = self._compiled(call.flow_version)
        if found is None:
            return None
        for _ in range(MOST_MOVES):
            target = self._serving.moves.get(found.flow.version)
            moved = self._compiled(target) if target else None
            if moved is None or why_it_stays(call, found.flow, moved.flow):
                break
            found = moved
        return found.flow

    def prompts_of(self, version: str) -> Prompts:
        """Never raises: where a version cannot be had, the words of today say the same, or plainer ones do."""
        try:
            found = self._compiled(version) if version else None
        except Exception as fault:
            log.error("cannot read a flow's version", version=version[:7], kind=type(fault).__name__)
            found = None
        return found.prompts if found else self.prompts

    def words(self, phrase: Phrase) -> str:
        return self.prompts_of(phrase.version).words(phrase)

    def _compiled(self, digest: str) -> Compiled | None:
        """From the table; the first time, or after a long while, from the store."""
        with self._keeping:
            if digest in self._kept:
                self._kept.move_to_end(digest)
                return self._kept[digest]
        stored = self._store.version_of_digest(digest)
        if stored is None:
            return None
        try:
            return self._keep(_compile(stored))
        except FlowError as error:
            log.error(
                "a version that calls are on cannot be used by this program", **_named(stored), problem=str(error)
            )
            return None

    def _keep(self, one: Compiled) -> Compiled:
        with self._keeping:
            kept = self._kept.setdefault(one.flow.version, one)
            self._kept.move_to_end(one.flow.version)
            pinned = {live.flow.version for live in self._serving.live.values()}
            old = [digest for digest in self._kept if digest not in pinned]
            for digest in old[: max(0, len(old) - MOST_KEPT)]:
                del self._kept[digest]
        return kept

    # ---- taking up what was published

    def look(self) -> None:
        """Takes up whatever has changed. Raises what the driver raises; then all is as it was."""
        known = self._store.live_versions()
        if known == self._serving.known:
            return
        with self._looking:
            self._take_up(known)
        self.changed()

    def _take_up(self, known: Mapping[str, LiveVersion]) -> None:
        before = self._serving
        live = {name: one for name, one in before.live.items() if known.get(name, _GONE).number != WITHDRAWN}
        broken = {name: why for name, why in before.broken.items() if known.get(name) == before.known.get(name)}
        for name, now in known.items():
            if now == before.known.get(name) or now.number == WITHDRAWN:
                continue
            try:
                live[name] = self._ready(name, now.number)
                broken.pop(name, None)
            except IvrError as error:
                broken[name] = str(error)
                self._tell_broken(name, now.number, str(error), live.get(name))
        moves = self._store.flow_moves()
        self._serving = _Serving(live, known, moves, broken, _together(live.values()))
        self._tell(before, self._serving)

    def _ready(self, name: str, number: int) -> Compiled:
        """The version with all that a call needs; IvrError says why it cannot go live here."""
        served = self._serving.live.get(name)
        if served is not None and served.version.number == number:
            return served  # only calls were moved
        stored = self._store.flow_version(name, number)
        if stored is None:
            raise FlowError(f"version {number} of {name} is not in the database")
        one = _compile(stored, self._around)
        self.prepare(one.flow, one.prompts)
        return self._keep(one)

    def _tell(self, before: _Serving, now: _Serving) -> None:
        new = {name: one for name, one in now.live.items() if before.live.get(name) is not one}
        if not before.known and len(new) > 1:  # a process that begins: one line, whatever there is
            log.info(
                "flows serve", flows=", ".join(f"{name} {one.version.number}" for name, one in sorted(new.items()))
            )
            return
        for one in new.values():
            log.info("flow serves", **_named(one.version), published_by=one.version.published_by)
        for name in before.live.keys() - now.live.keys():
            log.warning("flow withdrawn: no new call of it is answered", flow=name)

    def _tell_broken(self, name: str, number: int, problem: str, served: Compiled | None) -> None:
        serves = f"version {served.version.number} goes on serving" if served else "nobody is served by it"
        log.error(f"a flow's live version cannot be used here: {serves}", flow=name, version=number, problem=problem)


def is_usable(stored: FlowVersion | None, around: Around) -> bool:
    """Whether calls can be answered with the version, should it be live."""
    try:
        return stored is not None and bool(_compile(stored, around))
    except IvrError:
        return False


def _compile(stored: FlowVersion, around: Around = NOTHING_AROUND) -> Compiled:
    content = stored_content_of(stored)
    flow, prompts = compiled(content, around)
    words = with_shipped(content.prompts, needed_prompts(flow.steps))
    return Compiled(flow, prompts if words is content.prompts else Prompts(words), stored)


def stored_content_of(stored: FlowVersion) -> Content:
    return stored_content(stored.flow, stored.text, stored.prompts, stored.parts)


def _named(version: FlowVersion) -> dict[str, object]:
    return {"flow": version.flow, "version": version.number, "digest": version.digest[:7]}


_GONE = LiveVersion(WITHDRAWN, 0)


def _together(live: Collection[Compiled]) -> Prompts:
    texts: dict[str, dict[str, str]] = {}
    for one in live:
        for language in one.prompts.languages():
            names = one.prompts.texts([language], one.prompts.names(language))
            texts.setdefault(language, {}).update(names[language])
    return Prompts(texts)


def flow_of(flows: Mapping[str, Flow], call: Call) -> Flow | None:
    """The flow that the call goes on with; a plain mapping has one version of each."""
    if type(flows) is dict:  # known at once: to ask an abstract class about it costs more than all the rest
        return flows.get(call.flow)
    return flows.of(call) if isinstance(flows, LiveFlows) else flows.get(call.flow)


def in_words_of(version: str, action: AnyAction) -> AnyAction:
    """The action with its phrases in the words of the call's version."""
    if not version:
        return action
    match action:
        case Speak():
            phrases = tuple(replace(phrase, version=version) for phrase in action.phrases)
            return replace(action, phrases=phrases)
        case SendSms() | RecordAgreement():
            return replace(action, phrase=replace(action.phrase, version=version))
        case SendEmail(subject, phrase):
            subject, phrase = replace(subject, version=version), replace(phrase, version=version)
            return replace(action, subject=subject, phrase=phrase)
    return action
