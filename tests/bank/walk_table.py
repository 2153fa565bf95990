"""Which ways of a bank to break an answer are walked with every caller, by protocol: an amount that brings it about, or why there is none.

docs/money.md has it as a table, and a test compares. `tests/bank/walks.py` walks.
"""

from collections.abc import Mapping

from tests.bank_process import IMPATIENT

CALLERS = ("waits", "hangs up", "rings again")
PROTOCOLS = ("tonetill", "adyen", "iso8583", "stripe")
Cell = int | str
PATIENT = "16s"  # the most that Stripe's client may wait
BOOKED_LATE = "booked after everything was over"
CLOSED = "nobody hears it: who gives up closes the connection"
ONE_ANSWER = "a request has one answer"
IN_TURN = "one question at a time on a connection"
# The amounts from 2011 on are the tests' own host's.
TABLE: Mapping[str, tuple[Cell, Cell, Cell, Cell]] = {
    "connection closed, not booked": (1366, 1366, 1366, 1366),
    "connection closed, booked": (1367, 1367, 1367, 1367),
    "connection cut in mid-answer, booked": (1368, 1368, 1368, 1368),
    "no answer, not booked": (1362, 1362, 1362, 1362),
    "no answer, booked": (1363, 1363, 1363, 1363),
    "a fault (500, `96`), not booked": (1364, 1364, 1364, 1364),
    "a fault (500, `96`), booked": (1365, 1365, 1365, 1365),
    "in progress or used before (409, 422, `94`)": (1369, 1369, 1369, 1320),
    "too many requests (429)": ("not in the protocol", "not said by the simulator", "not in the standard", 1329),
    BOOKED_LATE: (1361, 1361, 2011, 1361),
    "answered after it was given up": (CLOSED, CLOSED, 2012, CLOSED),
    "answered twice, and otherwise": (ONE_ANSWER, ONE_ANSWER, 2013, ONE_ANSWER),
    "another's answer first": (IN_TURN, IN_TURN, 2014, IN_TURN),
    "two at once, answered in turned order": (IN_TURN, IN_TURN, 2015, IN_TURN),
    "refused": (1305, 1305, 1305, 1305),
}
UNHEARD = ("no answer", BOOKED_LATE, "answered after")  # what only a time limit ends


def cells(protocol: str) -> list[tuple[str, int]]:
    """Those that are walked: the fault's name and its amount."""
    at = PROTOCOLS.index(protocol)
    return [(fault, cell) for fault, row in TABLE.items() if isinstance(cell := row[at], int)]


def time_limit(fault: str) -> str:
    """For the bank's answer: a busy machine must make none unknown, where silence is not what is walked."""
    return IMPATIENT if fault.startswith(UNHEARD) else PATIENT


def walks_table() -> str:
    """As Markdown."""
    lines = [["how the answer breaks", *(f"`{name}`" for name in PROTOCOLS)], ["---"] * (1 + len(PROTOCOLS))]
    lines += [[fault, *("walked" if isinstance(cell, int) else cell for cell in row)] for fault, row in TABLE.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
