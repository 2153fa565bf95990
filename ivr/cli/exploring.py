"""`simulate --explore`: many random calls to a flow, what they went through, and the shortest way to what they broke."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ivr.calls.assembly import load_flow
from ivr.cli.flow_choice import settings_to_read
from ivr.flow.drawing.coverage import Coverage, per_cent
from ivr.places import SHIPPED, find_project
from ivr.testing.explore import BrokenRule, FlowBills, as_owed, explore
from ivr.testing.project import Project

console = Console(highlight=False)
ENOUGH = 0.7  # of the steps: with fewer reached, rules that held say little of a flow


def explore_flow(file: Path, *, calls: int, seed: int, jobs: int, whole: bool, drawing: Path | None) -> int:
    """1 where a rule was broken."""
    flow, _ = load_flow(file)
    project = Project(file.parent, accounts_for_trying())
    coverage, endings, found, whole_calls = Coverage(flow), Counter[str](), dict[str, BrokenRule](), 0
    with progress_bar() as bar:
        task = bar.add_task(f"exploring {flow.name}", total=calls)
        for part in explore(project, flow.name, calls, seed, jobs, "whole" if whole else "quick"):
            bar.advance(task, part.calls)
            whole_calls += part.whole_calls
            coverage.add(part.taken, part.reached)
            endings += part.endings
            for rule, broken in part.found.items():
                found.setdefault(rule, broken)
    if not whole:
        console.print(f"{whole_calls} of them once more through database and vault (--whole: all calls)")
    for line in made_up(FlowBills(flow, project.bills)):
        console.print(line, markup=False)
    tell(coverage, endings, found)
    if drawing is not None:
        drawing.write_text(coverage.drawing(), encoding="utf-8")
    return 1 if found else 0


def made_up(bills: FlowBills) -> Iterator[str]:
    """The bills that callers found beside the project's, as a call file says them."""
    if bills.made_up:
        yield "made up, because no row of your accounts (ACCOUNTS) fits the flow, or all that fit say the same:"
        yield from (f"  owes {as_owed(bill)}" for bill in bills.made_up)


def accounts_for_trying() -> Path | None:
    """The project's; outside of any project the sample's."""
    return SHIPPED / "config" / "accounts.csv" if find_project() is None else settings_to_read().accounts


def tell(coverage: Coverage, endings: Counter[str], found: dict[str, BrokenRule]) -> None:
    console.print(f"ended: {', '.join(f'{count} {ending}' for ending, count in endings.most_common())}")
    for line in coverage.lines():
        console.print(line, markup=False)
    if not found:
        for line in verdict(coverage):
            console.print(line)
    for broken in found.values():
        console.print(f"\n[red]broken:[/] {escape(broken.what)}; the shortest way to it, as a call file:\n")
        console.print(broken.file, markup=False, soft_wrap=True)


def verdict(coverage: Coverage) -> Iterator[str]:
    """Where no rule was broken: what that is worth, why it is worth little, and what to do then."""
    unseen, steps = coverage.unseen_steps, len(coverage.flow.steps)
    reached = per_cent(steps - len(unseen), steps)
    if steps - len(unseen) >= ENOUGH * steps:
        where = f" in the {reached} of steps that calls reached" if unseen else ""
        yield f"[green]every rule held[/]{where}: docs/testing.md lists them"
        return
    yield f"[yellow]no rule was broken, but calls reached only {reached} of the steps[/]: this says little of the flow"
    never_found = [escape(step) for step, outcome in coverage.unseen_ways if outcome == "found"]
    if never_found:
        yield f"  nothing was ever found at {', '.join(never_found)}: no row of your accounts (ACCOUNTS) fits what this flow looks up"
        yield "  add one with the key's form and length, 'belongs_to' for lists, and 'key.<name>' for each other answer"
    else:
        yield "  see which steps, above: 'simulate' with a call of your own shows what keeps callers from them"


class RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
