"""`drill`: practise an incident on a line that is none; what you type is run there, and scored."""

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import structlog
from click.testing import CliRunner

from ivr.errors import ConfigError, RecordError
from ivr.reading.problems import did_you_mean
from ivr.testing.drills import (
    ALLOWED,
    BUILT_IN,
    SCENARIOS,
    Drill,
    DrillLine,
    DrillRecord,
    DrillScenario,
    Ran,
    Score,
    drill_line,
    score_of,
)


@click.command()
@click.argument("name", default="")
@click.option("--list", "is_list", is_flag=True, help="The incidents that can be practised.")
@click.option(
    "--answers", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Commands from a file, a line each."
)
@click.option("--least", type=click.IntRange(0, 100), default=0, help="Exit with 1 for fewer points than this.")
@click.option("--json", "is_json", is_flag=True, help="The score as JSON, and nothing else.")
@click.option("--best", is_flag=True, help="Say what somebody who knows would have typed, and do not play.")
def drill(name: str, is_list: bool, answers: Path | None, least: int, is_json: bool, best: bool) -> None:
    """Play an incident, and score what you do about it.

    \b
    python -m ivr drill --list
    python -m ivr drill card-testing
    python -m ivr drill bank-silent --answers answers.txt --least 70

    You are told that you are on duty, and nothing else. Type the commands that you would type on the day, such as

    \b
      alerts list                  what is wrong
      stop bank acme_bank --reason "it does not answer"
      payments list --status unknown
      tell bank                    you ring them (that you did is all that is noted)
      wait 3                       three minutes pass
      done                         you have finished

    Each takes one minute of the drill's time; yours does not count. The line is one of its own, in a folder that is removed
    afterwards: real flows, ledger, kill switch and alerts, callers who ring, a bank that is made up. Nothing of your own line,
    its database or its keys is read or touched.

    Points of 100: 20 for looking soon after the first sign of it, 40 for ending it soon and with no more than it takes, 40 for what
    must follow. What you do before there is a sign earns nothing, and stopping something then costs 20: callers are turned away
    without a reason. docs/incidents.md is the plan to learn from.
    """
    if is_list or not name:
        for one in SCENARIOS:
            click.echo(f"{one.name:<22}{one.title}")
        return
    scenario = scenario_called(name)
    if best:
        click.echo(scenario.teaches)
        for command in scenario.best:
            click.echo(f"  {command}")
        return
    with silent_log(), drill_line(scenario.sealing_key_days) as line:
        score = play(Drill(scenario, DrillRecord(line), run_on), typed(answers), is_quiet=is_json)
    if is_json:
        click.echo(json.dumps(dataclasses.asdict(score)))
    else:
        show(scenario, score)
    sys.exit(1 if score.points < least else 0)


@contextmanager
def silent_log() -> Iterator[None]:
    """What is wrong is told by alerts: the log would say it before anybody looks. Commands set up their own."""
    before = structlog.get_config()
    structlog.configure(processors=[drop])
    try:
        yield
    finally:
        structlog.configure(**before)


def drop(*_: object) -> str:
    raise structlog.DropEvent


def scenario_called(name: str) -> DrillScenario:
    known = {one.name: one for one in SCENARIOS}
    if name not in known:
        near = did_you_mean(name, known) or f"one of {', '.join(known)}"
        raise ConfigError(f"there is no drill '{name}': {near}")
    return known[name]


def typed(answers: Path | None) -> Iterator[str]:
    """From the file or from whoever sits there, until there is no more."""
    if answers is not None:
        yield from answers.read_text(encoding="utf-8").splitlines()
        return
    while True:
        try:
            yield click.prompt("", prompt_suffix="drill> ", default="", show_default=False)
        except click.Abort:
            return


def play(drill: Drill, lines: Iterator[str], *, is_quiet: bool) -> Score:
    def say(words: str) -> None:
        if not is_quiet:
            click.echo(words)

    say(f"{drill.scenario.story}\nCommands: {', '.join(ALLOWED)}; {', '.join(BUILT_IN)}\n")
    heard = drill.begin()
    while True:
        for words in heard:
            say(words)
        if drill.is_over:
            break
        written = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "done")
        say(f"-- minute {drill.line.minute}: {written}")
        try:
            heard = drill.take(written)
        except RecordError as error:
            heard = [str(error)]
    return score_of(drill)


def run_on(words: Sequence[str], line: DrillLine) -> Ran:
    """In this process, with an environment in which there is no other line."""
    from ivr.cli import cli

    result = CliRunner().invoke(cli, list(words), env=line.environment)
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        return Ran(2, f"{result.output}{type(error).__name__.removesuffix('Error').lower()} error: {error}")
    return Ran(result.exit_code, result.output)


def show(scenario: DrillScenario, score: Score) -> None:
    click.echo(f"\nIt was: {scenario.title}.\n{scenario.teaches}\n")
    for head, points, most, words in (
        ("noticed", score.notice, 20, after(score.minutes_to_notice)),
        ("ended", score.contain, 40, after(score.minutes_to_contain)),
        ("what must follow", score.tasks, 40, ""),
        ("mistakes", -score.mistakes, 0, ""),
    ):
        click.echo(f"{head:<18}{points:>4}{f' of {most}' if most else '':<7} {words}".rstrip())
    click.echo(f"{'points':<18}{score.points:>4} of 100")
    if score.tried:
        click.echo(
            f"{score.tried} charges were tried by whoever it was, {score.let_through} let through ({score.lost})"
        )
    if score.turned_away:
        click.echo(f"callers who wanted to pay and were turned away: {score.turned_away}")
    if score.better:
        click.echo("\nBetter would have been:")
        for words in score.better:
            click.echo(f"- {words}")
    click.echo("\nSomebody who knows types:")
    for command in scenario.best:
        click.echo(f"  {command}")


def after(minutes: int | None) -> str:
    return "never" if minutes is None else f"{minutes} minutes after the first sign of it"
