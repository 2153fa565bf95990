"""A call file as pytest sees it: one file, one test; a failure is the transcript, not a traceback."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ivr.channels.simulator import CallerLine, ScriptError, read_script
from ivr.errors import IvrError
from ivr.testing.bench import BenchWorld
from ivr.testing.channels import Channel, dial
from ivr.testing.key_methods import KeyMethod
from ivr.testing.quiet import quiet
from ivr.testing.rehearsal import Rehearsal, rehearse
from ivr.testing.stashed import project_of
from ivr.testing.transcript import explain


class WentAnotherWay(Exception):
    def __init__(self, rehearsal: Rehearsal) -> None:
        super().__init__("the call went another way")
        self.rehearsal = rehearsal


class CallFile(pytest.File):
    def collect(self) -> Iterable[pytest.Item]:
        yield CallItem.from_parent(self, name=self.path.stem)


class CallItem(pytest.Item):
    """What it needs is read when it runs: a broken flow fails the calls to it and no others."""

    def runtest(self) -> None:
        text = self.path.read_text(encoding="utf-8")
        flow = read_script(text)[0].rest.partition(" from ")[0]
        with quiet():
            bench = project_of(self.config).bench(flow)
            options = self.config.getoption
            world = ChannelWorld(bench, options("--call-channel"), options("--call-keys"))
            with closing(bench):
                rehearsal = replace(rehearse(text, world), money=bench.disagreement())
        if not rehearsal.passed:
            raise WentAnotherWay(rehearsal)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        error, name = excinfo.value, self._shown_path()
        if isinstance(error, WentAnotherWay):
            return explain(name, error.rehearsal)
        if isinstance(error, ScriptError):
            return f"{name}:{error.line}: {str(error).partition(': ')[2]}"
        if isinstance(error, IvrError):
            return f"{name}: {error}"
        if isinstance(error, UnicodeDecodeError):
            return f"{name}: a call file is UTF-8 text; save it as such"
        return super().repr_failure(excinfo)

    def _shown_path(self) -> str:
        try:
            return str(self.path.relative_to(Path.cwd()))
        except ValueError:
            return str(self.path)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, 0, f"call {self.name}"


@dataclass(frozen=True)
class ChannelWorld(BenchWorld):
    """The same world, rung through the chosen channel."""

    channel: Channel = "core"
    keys: KeyMethod = "events"

    def dial(self, flow: str, ani: str) -> tuple[str, CallerLine]:
        call, line = dial(self.channel, self.bench, flow, ani, self.keys)
        self.bench.begun.setdefault(call, self.bench.workbench.clock())
        return call, line
