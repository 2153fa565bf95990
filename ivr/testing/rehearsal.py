"""A call file played to its end, whatever happens: what was heard after each line, and every line that was not true."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ivr.channels.simulator import HeardPrompt, Instruction, Player, World, read_script
from ivr.errors import PeerError


@dataclass(frozen=True)
class PlayedLine:
    """A line of the file. `heard`: what the caller heard because of it; `instead`: what was true in place of it."""

    instruction: Instruction
    heard: Sequence[HeardPrompt] = ()
    instead: str = ""


@dataclass(frozen=True)
class Rehearsal:
    text: str
    played: Sequence[PlayedLine]
    money: str = ""

    @property
    def first_difference(self) -> PlayedLine | None:
        return next((played for played in self.played if played.instead), None)

    @property
    def passed(self) -> bool:
        return self.first_difference is None and not self.money


def rehearse(text: str, world: World) -> Rehearsal:
    """After the first difference the call goes on as written: what a caller would have heard says more than a stop.

    ScriptError names a line that cannot be read, before anything is played.
    """
    heard: list[HeardPrompt] = []
    player = Player(world, lambda reply: heard.extend(reply.heard))
    played: list[PlayedLine] = []
    for instruction in read_script(text, flows=world.flows, prompts=world.prompts):
        heard.clear()
        instead = _attempt(player, instruction)
        played.append(PlayedLine(instruction, tuple(heard), instead))
    untrue = {line: f"heard {name}, which must never be heard" for line, name in player.heard_although_never()}
    return Rehearsal(text, [_with(one, untrue.get(one.instruction.line, "")) for one in played])


def _attempt(player: Player, instruction: Instruction) -> str:
    try:
        player.do(instruction)
    except AssertionError as difference:
        return str(difference).partition(": ")[2]
    except PeerError as error:
        return str(error)
    return ""


def _with(played: PlayedLine, untrue: str) -> PlayedLine:
    return replace(played, instead=untrue) if untrue else played
