"""What the simulator does for which test card or amount: the published table. Any other valid card is approved."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, get_args

# before, after: whether the authorization is in the bank's books by then.
LineFault = Literal[
    "slow", "late", "silent_before", "silent_after", "error_before", "error_after",
    "closed_before", "closed_after", "garbled_after", "duplicate",
]  # fmt: skip


PARTIAL, NOT_ENOUGH = "10", "51"


@dataclass(frozen=True)
class Scenario:
    """`amount_minor` has the same effect with any card, so that a merchant can try it with a real one's number."""

    name: str
    pan: str
    amount_minor: int
    what: str
    response_code: str = "00"  # ISO 8583 field 39
    fault: LineFault | None = None
    part: Fraction | None = (
        None  # of the amount that is approved; a charge that may not be approved in part is declined
    )

    def decide(self, minor: int, *, takes_part: bool) -> tuple[str, int | None]:
        """The response code, and what is approved where that is a part."""
        if self.part is None:
            return self.response_code, None
        approved = int(minor * self.part)
        return (PARTIAL, approved) if takes_part and 0 < approved < minor else (NOT_ENOUGH, None)


# The cards are 40000000000, 13xx and a check digit, the amounts 13.xx.
SCENARIOS: tuple[Scenario, ...] = (
    Scenario("do_not_honor", "4000000000013054", 1305, "declined: do not honor", "05"),
    Scenario("insufficient_funds", "4000000000013518", 1351, "declined: not sufficient funds", "51"),
    Scenario("expired_card", "4000000000013542", 1354, "declined: expired card", "54"),
    Scenario("invalid_card", "4000000000013146", 1314, "declined: no such card", "14"),
    Scenario("lost_card", "4000000000013419", 1341, "declined: lost card, pick up", "41"),
    Scenario(
        "partial",
        "4000000000013104",
        1310,
        "approved for two thirds, where that may be; else declined",
        part=Fraction(2, 3),
    ),
    Scenario("slow", "4000000000013609", 1360, "approved, after some seconds", fault="slow"),
    Scenario("late", "4000000000013617", 1361, "reaches the books only after some seconds", fault="late"),
    Scenario("silent_before", "4000000000013625", 1362, "no answer, nothing charged", fault="silent_before"),
    Scenario("silent_after", "4000000000013633", 1363, "no answer, but charged", fault="silent_after"),
    Scenario("error_before", "4000000000013641", 1364, "status 500, nothing charged", fault="error_before"),
    Scenario("error_after", "4000000000013658", 1365, "status 500, but charged", fault="error_after"),
    Scenario("closed_before", "4000000000013666", 1366, "connection closed, nothing charged", fault="closed_before"),
    Scenario("closed_after", "4000000000013674", 1367, "connection closed, but charged", fault="closed_after"),
    Scenario("garbled_after", "4000000000013682", 1368, "half an answer, but charged", fault="garbled_after"),
    Scenario("duplicate", "4000000000013690", 1369, "status 409: key used before, nothing charged", "94", "duplicate"),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
APPROVAL = Scenario("approval", "4111111111111111", 0, "approved")
_BY_PAN = {scenario.pan: scenario for scenario in SCENARIOS} | {
    "4000000000000002": BY_NAME["do_not_honor"]  # the number other sandboxes decline too
}
_BY_AMOUNT = {scenario.amount_minor: scenario for scenario in SCENARIOS}


Choice = Callable[[str, int], Scenario]


def scenario_for(pan: str, amount_minor: int) -> Scenario:
    """The card's scenario, else the amount's, else approval."""
    return _BY_PAN.get(pan) or _BY_AMOUNT.get(amount_minor) or APPROVAL


class Chances:
    """Breaks this share of all charges that nothing else is said of, in any of the ways, and approves a part of `in_part` of
    them; the same for the same seed."""

    def __init__(self, share: float, seed: int, in_part: float = 0.0) -> None:
        self._share, self._in_part, self._random, self._lock = share, in_part, random.Random(seed), threading.Lock()

    def __call__(self, pan: str, amount_minor: int) -> Scenario:
        known = scenario_for(pan, amount_minor)
        with self._lock:
            is_broken, fault = self._random.random() < self._share, self._random.choice(get_args(LineFault))
            is_part, part = self._random.random() < self._in_part, Fraction(self._random.randint(1, 99), 100)
        if known is not APPROVAL:
            return known
        if is_broken:
            return Scenario(fault, "", 0, "by chance", fault=fault)
        return Scenario("partial", "", 0, "by chance", part=part) if is_part else known


@dataclass(frozen=True)
class SimulatorWays:
    """How the simulator behaves, in whatever protocol. `blocks`: a reversal that comes before its charge stops that;
    only where it is spoken to in ISO 8583 may it be otherwise. `twice`: each notification is sent twice, where there are any."""

    slow_s: float = 8.0
    blocks: bool = True
    twice: bool = False
    choose: Choice = field(default=scenario_for)
