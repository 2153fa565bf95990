"""What goes wrong in one seed, and how often: some kinds are off, so that in some seeds the others meet undisturbed."""

import random
from dataclasses import dataclass, fields

# The most that a kind comes to, where it is on: a share of the occasions, or a number of times in a run.
MOST = {
    # callers and web nodes; a share of the webhooks
    "webhook_lost": 0.04,
    "webhook_doubled": 0.25,
    "webhook_late": 0.05,
    "answer_lost": 0.04,
    # forwarders and the bank; a share of the requests
    "bank_unreachable": 0.2,
    "bank_request_lost": 0.2,
    "bank_request_late": 0.2,
    "bank_request_doubled": 0.25,
    "bank_answer_lost": 0.25,
    "bank_answer_garbled": 0.1,
    "bank_answers_swapped": 0.1,
    "bank_fails": 0.15,
    "bank_declines": 0.25,
    # texts
    "text_fails": 0.3,
    # processes; a share of the moments at which one waits for something
    "death": 0.006,
    "stall": 0.006,
    # the database; a share of the statements and transactions
    "statement_fails": 0.01,
    "disk_full": 0.03,
    "commit_unknown": 0.03,
    # a share of the look-ups at a consent
    "billing_slow": 0.25,
    "billing_away": 0.05,
    # seconds
    "skew_s": 300.0,
    # a number of times
    "database_restarts": 3.0,
    "database_crashes": 3.0,
    "clock_jumps": 4.0,
    "refunds": 4.0,
}


@dataclass(eq=False)
class Faults:
    """Everything at nought: a world in which nothing goes wrong. What each is a share of, or counts, stands in `MOST`.
    All parts of a world look at the same one."""

    webhook_lost: float = 0.0
    webhook_doubled: float = 0.0
    webhook_late: float = 0.0
    answer_lost: float = 0.0
    bank_unreachable: float = 0.0
    bank_request_lost: float = 0.0
    bank_request_late: float = 0.0
    bank_request_doubled: float = 0.0
    bank_answer_lost: float = 0.0
    bank_answer_garbled: float = 0.0
    bank_answers_swapped: float = 0.0
    bank_fails: float = 0.0
    bank_declines: float = 0.0
    text_fails: float = 0.0
    death: float = 0.0
    stall: float = 0.0
    statement_fails: float = 0.0
    disk_full: float = 0.0
    commit_unknown: float = 0.0
    billing_slow: float = 0.0
    billing_away: float = 0.0
    skew_s: float = 0.0
    database_restarts: float = 0.0
    database_crashes: float = 0.0
    clock_jumps: float = 0.0
    refunds: float = 0.0

    def heal(self) -> None:
        for name in MOST:
            setattr(self, name, 0.0)


def drawn(chance: random.Random) -> Faults:
    """Each kind is off in half of the seeds, and between nought and its most in the others."""
    rates = {name: chance.random() * most if chance.random() < 0.5 else 0.0 for name, most in MOST.items()}
    return Faults(**rates)


# What a storm is without: whatever keeps callers from getting as far as a charge.
SPARED = (
    *("webhook_lost", "answer_lost", "billing_away", "billing_slow", "bank_unreachable", "bank_declines"),
    *("statement_fails", "disk_full", "commit_unknown", "database_restarts", "database_crashes", "skew_s"),
)


def stormy(chance: random.Random) -> Faults:
    """Forwarders that are stalled and die, and a bank that hears and answers late or not at all: all at once, and often."""
    often = {name: chance.uniform(0.5, 1.0) * most for name, most in MOST.items()}
    much = {"stall": 0.04, "death": 0.004, "bank_request_late": 0.5, "bank_request_lost": 0.1, "webhook_doubled": 0.5}
    return Faults(**often | dict.fromkeys(SPARED, 0.0) | much)


assert MOST.keys() == {one.name for one in fields(Faults)}
