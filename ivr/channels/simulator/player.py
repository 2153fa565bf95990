"""Plays a call file on a world of lines, a bank and books, and says where the call went another way."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ivr.channels.simulator.line import CallerLine, LineReply
from ivr.channels.simulator.script import (
    Callers,
    Instruction,
    Owed,
    caller_of,
    owed_of,
    payments_of,
    prompt_of,
    read_script,
    seconds_of,
    time_of,
)

MOST_WAITS = 60  # hold pauses: two minutes of a caller's patience


@dataclass(frozen=True)
class Paid:
    """One payment of a call; `amount` such as "42.50 USD"."""

    status: str
    amount: str


@dataclass(frozen=True)
class Texted:
    """A text by the name of its template, and its words."""

    name: str
    words: str


class World(Protocol):
    """What a call file can do to the world around its calls, and ask of it. `call` is a call's id."""

    @property
    def flows(self) -> Collection[str]: ...

    @property
    def prompts(self) -> Collection[str]: ...

    def dial(self, flow: str, ani: str) -> tuple[str, CallerLine]:
        """The call's id and its line, not yet begun."""

    def bank(self, behaviour: str) -> None:
        """How the bank behaves from now on; jobs that are waiting are done."""

    def person(self, behaviour: str) -> None:
        """What a person does from now on whom a caller is to be connected to."""

    def now(self) -> datetime:
        """The world's time, in UTC."""

    def pass_time(self, seconds: float) -> None: ...

    def owe(self, owed: Owed) -> None:
        """From now on."""

    def elapsed_s(self, call: str) -> float: ...

    def ended(self, call: str) -> str:
        """`paid`, `reserved`, `unpaid`, `pending`, or `open` while it goes on."""

    def transferred_to(self, call: str) -> str:
        """The number of the person that the caller was connected to, or `nobody`."""

    def payments(self, call: str) -> Sequence[Paid]: ...

    def texts(self, call: str) -> Sequence[Texted]: ...

    def agreements(self, call: str) -> Sequence[str]:
        """Kind and amount of each, such as "promise 42.50 USD"."""

    def books(self) -> str:
        """What the bank has charged in all, such as "42.50 USD"; "nothing"."""

    def reserved(self) -> str:
        """The same of what it only holds reserved."""

    def owes(self, account: str) -> str: ...


@dataclass
class Caller:
    """One call under way, and what its caller has heard."""

    call: str
    line: CallerLine
    since_keys: list[str] = field(default_factory=list)
    words: str = ""
    ever: list[str] = field(default_factory=list)
    never: list[tuple[int, str]] = field(default_factory=list)
    state: str = "keys"
    listen: Callable[[LineReply], object] = lambda _reply: None

    def take(self, reply: LineReply) -> None:
        names = [heard.name for heard in reply.heard]
        self.since_keys += names
        self.ever += names
        self.words += " ".join(heard.words for heard in reply.heard) + "\n"
        self.state = reply.state
        self.listen(reply)

    def act(self, reply: Callable[[], LineReply]) -> None:
        """What was heard before a key is over. After the call's end there is nothing to act on."""
        self.since_keys.clear()
        self.words = ""
        if self.state != "over":
            self.take(reply())

    def wait_it_out(self) -> None:
        for _ in range(MOST_WAITS):
            if self.state != "waiting":
                return
            self.take(self.line.wait())


def play(text: str, world: World) -> None:
    """AssertionError says on which line a call went another way, and what happened instead; ScriptError which line
    cannot be read, before anything is played."""
    script = read_script(text, flows=world.flows, prompts=world.prompts)
    player = Player(world)
    for instruction in script:
        player.do(instruction)
    for line, name in player.heard_although_never():
        raise AssertionError(f"line {line}: heard {name}, which must never be heard")


class Player:
    """Plays instructions one by one; `do` raises AssertionError where a call went another way, and may go on."""

    def __init__(self, world: World, listen: Callable[[LineReply], object] = lambda _reply: None) -> None:
        """`listen` is given everything that any caller hears."""
        self.world, self.listen = world, listen
        self.order = Callers()
        self.callers: list[Caller] = []

    @property
    def caller(self) -> Caller:
        return self.callers[self.order.current - 1]

    def do(self, instruction: Instruction) -> None:
        self.order.follow(instruction)
        getattr(self, f"_{instruction.verb}")(instruction)

    def heard_although_never(self) -> Iterator[tuple[int, str]]:
        """The lines of `never` that were not true, with the prompt."""
        for caller in self.callers:
            for line, name in caller.never:
                if name in caller.ever:
                    yield line, name

    # ---- what callers, the bank and time do

    def _call(self, instruction: Instruction) -> None:
        if (moment := time_of(instruction)) is not None:
            ahead = (moment - self.world.now()).total_seconds()
            assert ahead >= 0, f"line {instruction.line}: it is later already: {self.world.now():%Y-%m-%d %H:%M}"
            self.world.pass_time(ahead)
        call, line = self.world.dial(*caller_of(instruction))
        self.callers.append(Caller(call, line, listen=self.listen))
        self.caller.take(line.begin())

    def _caller(self, _instruction: Instruction) -> None:
        """`Callers` has noted whose turn it is."""

    def _keys(self, instruction: Instruction) -> None:
        self.caller.act(lambda: self.caller.line.press(instruction.rest))

    def _silence(self, _instruction: Instruction) -> None:
        self.caller.act(self.caller.line.stay_silent)

    def _wait(self, _instruction: Instruction) -> None:
        self.caller.take(self.caller.line.wait())

    def _passes(self, instruction: Instruction) -> None:
        self.world.pass_time(seconds_of(instruction))

    def _owes(self, instruction: Instruction) -> None:
        self.world.owe(owed_of(instruction))

    def _hangs(self, _instruction: Instruction) -> None:
        self.caller.line.hang_up()
        self.caller.state = "over"

    def _bank(self, instruction: Instruction) -> None:
        self.world.bank(instruction.rest)
        self.caller.wait_it_out()

    def _person(self, instruction: Instruction) -> None:
        self.world.person(instruction.rest)

    # ---- what must be true

    def _hears(self, instruction: Instruction) -> None:
        heard, name = self.caller.since_keys, instruction.rest
        instead = f"did not hear {name}; heard {', '.join(heard) or 'nothing'}"
        assert name in heard, f"line {instruction.line}: {instead}"
        del heard[: heard.index(name) + 1]

    def _says(self, instruction: Instruction) -> None:
        said = self.caller.words.strip()
        assert instruction.rest in said, f"line {instruction.line}: nobody said '{instruction.rest}', but: {said}"

    def _never(self, instruction: Instruction) -> None:
        self.caller.never.append((instruction.line, prompt_of(instruction)))

    def _ends(self, instruction: Instruction) -> None:
        self.compare(instruction, instruction.rest, self.world.ended(self.caller.call))

    def _transferred(self, instruction: Instruction) -> None:
        self.compare(instruction, instruction.rest, f"to {self.world.transferred_to(self.caller.call)}")

    def _lasts(self, instruction: Instruction) -> None:
        allowed, lasted = seconds_of(instruction), self.world.elapsed_s(self.caller.call)
        within = lasted <= allowed if instruction.rest.startswith("at most") else lasted >= allowed
        assert within, f"line {instruction.line}: lasts {lasted:.0f}s, expected {instruction.rest}"

    def _payment(self, instruction: Instruction) -> None:
        expected, found = payments_of(instruction), self.world.payments(self.caller.call)
        agrees = len(expected) == len(found) and all(
            status == payment.status and amount in ("", payment.amount)
            for (status, amount), payment in zip(expected, found, strict=False)
        )
        shown = ", ".join(f"{payment.status} {payment.amount}" for payment in found) or "none"
        assert agrees, f"line {instruction.line}: payment {shown}, expected {instruction.rest}"

    def _texts(self, instruction: Instruction) -> None:
        names = " ".join(text.name for text in self.world.texts(self.caller.call)) or "none"
        self.compare(instruction, instruction.rest, names)

    def _agreed(self, instruction: Instruction) -> None:
        found = ", ".join(self.world.agreements(self.caller.call)) or "none"
        self.compare(instruction, instruction.rest, found)

    def _text(self, instruction: Instruction) -> None:
        name, _, words = instruction.rest.partition(" says ")
        sent = [text.words for text in self.world.texts(self.caller.call) if text.name == name]
        assert any(words in text for text in sent), f"line {instruction.line}: no text {name} says that, but: {sent}"

    def _books(self, instruction: Instruction) -> None:
        self.compare(instruction, instruction.rest, self.world.books())

    def _reserved(self, instruction: Instruction) -> None:
        self.compare(instruction, instruction.rest, self.world.reserved())

    def _bill(self, instruction: Instruction) -> None:
        account, _, amount = instruction.rest.partition(" owes ")
        self.compare(instruction, amount, self.world.owes(account))

    def compare(self, instruction: Instruction, expected: str, found: str) -> None:
        assert found == expected, f"line {instruction.line}: {instruction.verb} {found}, expected {expected}"
