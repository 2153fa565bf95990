"""Whole calls as plain text: read, played on a line, and compared with what was heard. For tests and for bug reports.

call pay-a-bill from +15550100
  hears  enter_account_number
  keys   12345678
  silence
  bank   approves
  wait
  hangs up
  ends   paid
  payment approved
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ivr.channels.simulator.line import Line, Reply
from ivr.errors import FlowError

VERBS = ("call", "hears", "says", "keys", "silence", "wait", "hangs", "bank", "ends", "payment", "texts")
MOST_WAITS = 60  # hold pauses: two minutes of a caller's patience


@dataclass(frozen=True)
class Instruction:
    line: int
    verb: str
    rest: str


@dataclass(frozen=True)
class World:
    """What a script can do to the world around the call, and ask of it afterwards."""

    dial: Callable[[str, str], Line]  # flow, ani
    bank: Callable[[str], None]  # what the bank will do: "approves", "declines 51", "is silent" ...
    ended: Callable[[], str]  # the call's outcome on record
    payments: Callable[[], Sequence[str]]  # the status of each payment intent of the call, once all is settled
    texts: Callable[[], Sequence[str]]  # the templates of the texts queued


def read_script(text: str) -> list[Instruction]:
    """FlowError names the line that cannot be read."""
    script = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#!")[0].split()
        if not words or words[0].startswith("--"):
            continue
        if words[0] not in VERBS:
            raise FlowError(f"line {number}: '{words[0]}' is not one of {', '.join(VERBS)}")
        script.append(Instruction(number, words[0], " ".join(words[1:])))
    if not script or script[0].verb != "call":
        raise FlowError("a script begins with 'call <flow> from <number>'")
    return script


def play(text: str, world: World) -> None:
    """AssertionError says on which line the call went another way, and what was heard instead."""
    script = read_script(text)
    flow, _, ani = script[0].rest.partition(" from ")
    player = _Player(world, world.dial(flow, ani or "+15550100"))
    player.take(player.line.begin())
    for instruction in script[1:]:
        player.do(instruction)


class _Player:
    def __init__(self, world: World, line: Line) -> None:
        self.world, self.line = world, line
        self.heard: list[str] = []
        self.words = ""
        self.state = "keys"

    def take(self, reply: Reply) -> None:
        self.heard += [heard.name for heard in reply.heard]
        self.words += " ".join(heard.words for heard in reply.heard) + "\n"
        self.state = reply.state

    def do(self, instruction: Instruction) -> None:
        rest = instruction.rest
        match instruction.verb:
            case "hears":
                self.expect(instruction, rest)
            case "says":
                assert rest in self.words, f"line {instruction.line}: nobody said '{rest}', but: {self.words.strip()}"
            case "keys":
                self.forget()
                self.take(self.line.press(rest))
            case "silence":
                self.forget()
                self.take(self.line.stay_silent())
            case "wait":
                self.wait_once()
            case "hangs":
                self.line.hang_up()
                self.state = "over"
            case "bank":
                self.world.bank(rest)
                self.wait_it_out()
            case "ends":
                self.check(instruction, rest, self.world.ended())
            case "payment":
                self.check(instruction, rest, " ".join(self.world.payments()) or "none")
            case "texts":
                self.check(instruction, rest, " ".join(self.world.texts()) or "none")

    def forget(self) -> None:
        self.heard.clear()
        self.words = ""

    def wait_once(self) -> None:
        self.take(self.line.wait())

    def wait_it_out(self) -> None:
        for _ in range(MOST_WAITS):
            if self.state != "waiting":
                return
            self.wait_once()

    def expect(self, instruction: Instruction, name: str) -> None:
        """Prompts are expected in order; others may be heard between them."""
        if name not in self.heard:
            raise AssertionError(
                f"line {instruction.line}: did not hear {name}; heard {', '.join(self.heard) or 'nothing'}"
            )
        del self.heard[: self.heard.index(name) + 1]

    def check(self, instruction: Instruction, expected: str, found: str) -> None:
        if found != expected:
            raise AssertionError(f"line {instruction.line}: {instruction.verb} {found}, expected {expected}")
