"""What callers, the bank and time do in a walk, in the words of a call file."""

from collections.abc import Sequence
from dataclasses import dataclass

from ivr.channels.simulator import Owed


@dataclass(frozen=True)
class Act:
    """`caller`: 1 for the first to ring, 2 for the second; 0 where nobody's turn is needed (bank, passes)."""

    verb: str
    rest: str = ""
    caller: int = 1

    def __str__(self) -> str:
        return f"{self.verb:<6} {self.rest}".rstrip()


def as_call_file(acts: Sequence[Act], comment: str, endings: Sequence[str], owed: Sequence[Owed] = ()) -> str:
    """`endings`: how each caller's call ended; a file has to say it, and says what was so when it was found. `owed`: bills
    that are not the project's."""
    lines, turn, calls = [f"-- {line}" for line in comment.splitlines()], 0, 0
    for act in acts:
        if act.verb == "call":
            calls += 1
            turn = act.caller
            lines.append(str(act))
            lines += [f"  owes   {one}" for one in owed if calls == 1]
            continue
        if act.caller and act.caller != turn:
            turn = act.caller
            lines.append(f"caller {turn}")
        lines.append(f"  {act}")
    for number in range(1, calls + 1):
        if number != turn or calls > 1:
            lines.append(f"caller {number}")
        lines.append(f"  ends   {endings[number - 1]}")
    return "\n".join(lines) + "\n"
