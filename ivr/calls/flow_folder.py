"""The folder of flows as a source of versions: what is published at start, and with every edit in development.

In production the files are published once, if nothing of the flow ever was; from then on `flows publish` is how a change
goes live, and a restart changes nothing. In development a file that is saved is the next call's flow, and a broken one is
told while the last good version goes on.
"""

import contextvars
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from ivr.calls.live_flows import LiveFlows
from ivr.errors import ConfigError, FlowError
from ivr.flow.compiler import Around
from ivr.flow.content import Content, contents_of
from ivr.flow.files import FlowSet, read_flows
from ivr.flow.part_files import read_parts
from ivr.store import WITHDRAWN, Draft, Store

log = structlog.get_logger()
DEVELOPMENT_LOOK_S, PRODUCTION_LOOK_S = 0.5, 2.0
Stamps = tuple[tuple[str, int, int, int], ...]


def read_folder(folder: Path, around: Around) -> FlowSet:
    """ConfigError for a folder without flows or prompts."""
    around = replace(around, parts=read_parts(_texts(part_files(folder))))
    return read_flows(_texts(flow_files(folder)), _texts(prompt_files(folder / "prompts")), around)


def flow_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"no flows in {folder}: set FLOWS to a folder with *.yaml")
    return files


def part_files(folder: Path) -> list[Path]:
    """Of the parts that flows of this folder may use."""
    return sorted((folder / "parts").glob("*.yaml"))


def prompt_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"no prompts in {folder}: each language is a file there, such as en-US.yaml")
    return files


def _texts(files: list[Path]) -> list[tuple[str, bytes]]:
    return [(str(file), file.read_bytes()) for file in files]


def draft_of(content: Content) -> Draft:
    return Draft(content.flow, content.digest, content.text, content.prompts_json, content.parts_json)


@dataclass
class FlowFolder:
    """`publishes_edits`: development. `problems` are those of the last reading, in words, `left_out` the flows that have some."""

    folder: Path
    around: Around
    publishes_edits: bool
    problems: list[str] = field(default_factory=list)
    left_out: frozenset[str] = frozenset()
    _seen: Stamps = ()
    _published: dict[str, str] = field(default_factory=dict)  # by flow, the digest that this process published last

    def begin(self, store: Store) -> None:
        """What is to be published before the first call. FlowError, with every problem, where then no flow can be used."""
        self._seen = self._stamps()
        live = {name: one for name, one in store.live_versions().items() if one.number != WITHDRAWN}
        try:
            found = read_folder(self.folder, self.around)
        except (ConfigError, OSError):
            if not live:
                raise
            return
        self._note(found)
        if not found.flows and not live:
            raise FlowError("\n".join(map(str, found.problems)))
        contents = contents_of(found)
        if self.publishes_edits:
            self._publish(store, contents, "development")
            for name in live.keys() - contents.keys() - found.left_out:
                store.make_live(name, WITHDRAWN)
            return
        ever = set(store.published_flows())
        self._publish(store, {name: one for name, one in contents.items() if name not in ever}, "start")
        self._tell_differences(store, contents)

    def look(self, store: Store) -> None:
        """In development: publishes what has been edited since the last time. A file that is half written is told as
        broken, and read again when it is whole."""
        if not self.publishes_edits or (stamps := self._stamps()) == self._seen:
            return
        self._seen = stamps
        try:
            found = read_folder(self.folder, self.around)
        except (ConfigError, OSError) as error:
            self.problems = [str(error)]
            log.error("the folder of flows cannot be read: what served goes on serving", problem=str(error))
            return
        self._note(found)
        contents = contents_of(found)
        self._publish(store, contents, "development")
        for name in self._published.keys() - contents.keys() - found.left_out:
            del self._published[name]
            store.make_live(name, WITHDRAWN)

    def _publish(self, store: Store, contents: Mapping[str, Content], by: str) -> None:
        """Only what this process has not published: a version that somebody has gone back to is left alone."""
        for name, content in contents.items():
            if self._published.get(name) != content.digest:
                store.publish_flow(draft_of(content), by, datetime.now(UTC))
                self._published[name] = content.digest

    def _note(self, found: FlowSet) -> None:
        self.problems, self.left_out = list(map(str, found.problems)), found.left_out
        for problem in found.problems:
            log.error("flow problem", problem=str(problem), code=problem.rule.code)
        for name in sorted(found.left_out):
            log.error("this flow's file cannot be used until its problems are mended", flow=name)

    def _tell_differences(self, store: Store, contents: Mapping[str, Content]) -> None:
        """In production nobody should wonder why an edit and a restart changed nothing."""
        for name, live in store.live_versions().items():
            version = store.flow_version(name, live.number) if live.number != WITHDRAWN else None
            if version and name in contents and contents[name].digest != version.digest:
                log.warning(
                    "the file differs from the version that serves: publish it", flow=name, serves=version.number
                )

    def _stamps(self) -> Stamps:
        files = (*self.folder.glob("*.yaml"), *(self.folder / "prompts").glob("*.yaml"), *part_files(self.folder))
        return tuple(sorted(_stamp(file) for file in files))


def _stamp(file: Path) -> tuple[str, int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return str(file), 0, 0, 0  # an editor has just replaced it
    return str(file), found.st_mtime_ns, found.st_size, found.st_ino


def watch(flows: LiveFlows, folder: FlowFolder, store: Store) -> threading.Event:
    """From now on, in a thread of this process: edits in development, publications everywhere. Until the event is set."""
    every_s = DEVELOPMENT_LOOK_S if folder.publishes_edits else PRODUCTION_LOOK_S
    stop = threading.Event()

    def go_on_looking() -> None:
        kind = ""
        while not stop.wait(every_s):
            try:
                folder.look(store)
                flows.look()
                kind = ""
            except Exception as fault:
                # The database is away, say: what served goes on serving. Told once, not every two seconds.
                if kind != type(fault).__name__:
                    kind = type(fault).__name__
                    log.error("cannot look for published flows", kind=kind)

    mine = contextvars.copy_context()  # whose flows these are, for the log: a thread does not know by itself
    threading.Thread(target=mine.run, args=(go_on_looking,), name="flows", daemon=True).start()
    return stop
