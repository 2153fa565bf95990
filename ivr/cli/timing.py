"""`simulate --time`: where the seconds of a call go, by prompt, as a table or as JSON."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ivr.calls.assembly import load_flow
from ivr.channels.simulator import Clock
from ivr.cli.exploring import accounts_for_trying
from ivr.cli.flow_choice import settings_to_read
from ivr.errors import ConfigError
from ivr.flow.compiled import Flow
from ivr.logs import set_up_logging
from ivr.reading.problems import did_you_mean
from ivr.testing.project import Project
from ivr.testing.seconds import (
    CALLERS,
    Answers,
    CallPart,
    Kind,
    PhraseLengths,
    TimedCaller,
    TimedLine,
    by_kind,
    by_name,
    in_order,
    time_call,
)
from ivr.voice import Renderer, VoiceName
from ivr.words.phrases import Prompts

TITLES: Mapping[Kind, str] = {"prompt": "prompts", "keys": "keys", "silence": "silence", "hold": "hold"}
ANI = "+15550100"


@dataclass(frozen=True)
class Timing:
    """`calls`: what each kind of caller spent, by the caller's name; `voice`: whose prompts were measured."""

    flow: str
    language: str
    voice: str
    calls: Mapping[str, list[CallPart]]

    def total_s(self, caller: str) -> float:
        return sum(part.seconds for part in self.calls[caller])

    def as_json(self) -> str:
        callers = {
            name: {
                "total_s": round(self.total_s(name), 1),
                **{f"{TITLES[kind]}_s": round(seconds, 1) for kind, seconds in by_kind(parts).items()},
                "parts": [
                    {"kind": kind, "name": what, "seconds": round(seconds, 1)}
                    for (kind, what), seconds in by_name(parts).items()
                ],
            }
            for name, parts in self.calls.items()
        }
        return json.dumps({"flow": self.flow, "language": self.language, "voice": self.voice, "callers": callers})

    def as_table(self) -> Table:
        """A row for each prompt, field and hold; what only one caller spends seconds on is empty for the other."""
        table = Table("", "", *self.calls, title=f"{self.flow}, {self.language}, voice {self.voice}: seconds")
        for column in table.columns[2:]:
            column.justify = "right"
        spent = {name: by_name(parts) for name, parts in self.calls.items()}
        for kind, what in dict.fromkeys(key for sums in spent.values() for key in sums):
            seconds = [sums.get((kind, what)) for sums in spent.values()]
            table.add_row(kind, what, *("" if one is None else f"{one:.1f}" for one in seconds))
        table.add_section()
        for each, title in TITLES.items():
            sums = [by_kind(parts)[each] for parts in self.calls.values()]
            if any(sums):
                table.add_row("all", title, *(f"{one:.1f}" for one in sums))
        table.add_section()
        table.add_row("total", "answer to goodbye", *(f"{self.total_s(name):.1f}" for name in self.calls))
        return table


def tell_seconds(file: Path, keys: str | None, language: str | None, *, as_json: bool) -> None:
    console = Console(highlight=False)
    set_up_logging("error", "text")
    timing = time_flow(file, keys, language)
    if as_json:
        console.print(timing.as_json(), markup=False, soft_wrap=True)
    else:
        console.print(timing.as_table())


def time_flow(file: Path, keys: str | None = None, language: str | None = None) -> Timing:
    """A call of each kind of caller to the flow in `file`; what the voice says is kept, so the next time is quick."""
    flow, prompts = load_flow(file)
    language = language or flow.head.languages[0]
    if language not in flow.head.languages:
        raise ConfigError(
            f"--language {language}: the flow does not speak it ({did_you_mean(language, flow.head.languages)})"
        )
    project = Project(file.parent, accounts_for_trying())
    with renderer_of(flow, prompts, file.parent) as renderer:
        voice = PhraseLengths(renderer.seconds, renderer.seconds_until)
        calls = {caller.name: time_one(project, flow, language, keys, caller, voice) for caller in CALLERS}
        return Timing(flow.name, language, renderer.voice, calls)


def time_one(
    project: Project, flow: Flow, language: str, keys: str | None, caller: TimedCaller, voice: PhraseLengths
) -> list[CallPart]:
    """On a bench of its own: what another caller has paid is not due any more."""
    bench = project.bench(flow.name).workbench
    call_when_open(flow, bench.clock)
    line = TimedLine(bench.runner, bench.store, bench.prompts.words, bench.clock, bench.work)
    # One id, so one confirmation number: digits differ in length.
    line.dial("SIM-time", flow.name, ani=ANI)
    number = list(flow.head.languages).index(language) + 1
    answers = in_order(keys) if keys is not None else Answers(number, next(iter(project.account_numbers), ""))
    return time_call(line, caller, answers, voice)


def call_when_open(flow: Flow, clock: Clock) -> None:
    """At the next opening where the flow has hours and is closed: otherwise the closed message would be timed."""
    opening = flow.head.hours.opening if flow.head.hours else None
    if opening and not opening.is_open(clock()) and (opens := opening.next_opening(clock())):
        clock.advance((opens.astimezone(UTC) - clock()).total_seconds())


@contextmanager
def renderer_of(flow: Flow, prompts: Prompts, folder: Path) -> Iterator[Renderer]:
    settings = settings_to_read()
    chosen: VoiceName = "tones" if flow.head.voice == "tones" else settings.trunk_voice
    renderer = Renderer(prompts, settings.var / "voice", folder / "prompts" / "audio", chosen)
    try:
        yield renderer
    finally:
        renderer.close()
