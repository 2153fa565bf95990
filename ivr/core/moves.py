"""The steps that a call has left, each with its outcome: what is kept of its way when it is over. Sums over many are in `flow.drawing.traffic`.

A move is two words, a step and how it was left:

    - began               from the choice of a language to the first step
    account found         by an outcome of the flow, also one that asks again
    charge back           to choose the amount once more, because another sum is due by now
    card limit            a limit on attempts was reached
    card error            something of ours broke, or the billing system could not be asked
    card hung_up          the caller left
    receipt end           the call came to its end there
    person connecting     a person is being rung there; the next move says what came of it
    person transferred    the caller was connected to a person there, and the call is over for us

The last move says how the call ended. A line that ends while a person is being rung ends in `connecting` and `hung_up`: whether
the caller left, or was taken to the person by a network that reports no result, nobody can tell. Nothing in it comes from the caller but the choice of a way.
"""

from ivr.core.call import Call

BEGINNING = "-"
BEGAN, BACK, LIMIT, ERROR, HUNG_UP, END = "began", "back", "limit", "error", "hung_up", "end"
CONNECTING, TRANSFERRED = "connecting", "transferred"
MOST_MOVES = 60  # of a longer way the end is kept, and the first ones
# Characters. PostgreSQL takes no index entry above 2,704 bytes, and a name in a flow may have 60 characters.
LONGEST_WAY = 2000

Move = tuple[str, str]  # step and outcome


def left(call: Call, outcome: str) -> tuple[str, ...]:
    """The call's moves once it leaves its present step by this outcome."""
    move = f"{call.step or BEGINNING} {outcome}"
    if outcome == ERROR and call.moves[-1:] == (move,):
        return call.moves  # an apology that broke as well
    return (*call.moves[: MOST_MOVES - 1], move)


def way_of(call: Call) -> str | None:
    """Of a call that is over, as its record keeps it; None where it began before moves were noted."""
    moves = left(call, HUNG_UP) if call.hung_up else call.moves
    is_whole = bool(moves) and moves[0].startswith(f"{BEGINNING} ")
    if not is_whole:
        return None
    first = list(moves)
    while len(" ".join(first)) > LONGEST_WAY and len(first) > 1:
        del first[-2]
    way = " ".join(first)
    return way if len(way) <= LONGEST_WAY else None


def is_way(text: str) -> bool:
    """Whether moves can be read out of it: a row may hold anything."""
    return text.startswith(f"{BEGINNING} ") and text.count(" ") % 2 == 1


def moves_of(way: str) -> list[Move]:
    words = way.split(" ")
    return list(zip(words[::2], words[1::2], strict=True))
