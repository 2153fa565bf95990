"""A call in the terminal: what is said is printed, keys are typed; the card's keys are not shown again."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.markup import escape

from ivr.channels.simulator.line import CallerLine, LineReply

HELP = (
    "type keys and press Enter ([bold]#[/] done, [bold]*[/] clear); Enter alone is silence, "
    "[bold]h[/] hangs up, [bold]?[/] shows this again"
)
KEYS = frozenset("0123456789*#")


Ask = Callable[[str, bool], str]  # (prompt, hidden) to what was typed


def converse(line: CallerLine, console: Console, ask: Ask, wait_s: float = 1.0) -> None:
    """Until the call is over or the caller hangs up (Ctrl-C or Ctrl-D does too)."""
    console.print(f"[dim]{HELP}[/]")
    reply = line.begin()
    try:
        while show(console, reply) != "over":
            if reply.state == "waiting":
                time.sleep(min(reply.wait_s, wait_s))
                reply = line.wait()
            else:
                reply = take_turn(line, console, ask, reply.sensitive)
    except (KeyboardInterrupt, EOFError):
        line.hang_up()
        console.print("\n[dim](you hung up)[/]")


def take_turn(line: CallerLine, console: Console, ask: Ask, hidden: bool) -> LineReply:
    while True:
        typed = ask("  keys> ", hidden).strip()
        if typed == "h":
            raise EOFError
        if typed == "?":
            console.print(f"[dim]{HELP}[/]")
        elif not KEYS.issuperset(typed):
            console.print("  [dim]only 0-9, * and # are on the keypad[/]")
        elif not typed:
            console.print("  [dim](silence)[/]")
            return line.stay_silent()
        else:
            return line.press(typed)


def show(console: Console, reply: LineReply) -> str:
    for heard in reply.heard:
        console.print(f"[green]☎[/]  {escape(heard.words)}", highlight=False)
    if reply.state == "over":
        console.print("[dim](the line is closed)[/]")
    return reply.state
