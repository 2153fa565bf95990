"""What to do first, by the alerts that are raised now: a few steps each, the most pressing alert first.

The order is by what is lost in the next minutes: money that leaves, then evidence, then calls that fail. docs/incidents.md is
the same plan for people to learn from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivr.places import COMMAND
from ivr.store import Alert


@dataclass(frozen=True)
class FirstStep:
    """`page`: of the portal, where it is done or seen; empty where that is elsewhere. `command` does the same."""

    words: str
    page: str = ""
    command: str = ""


@dataclass(frozen=True)
class StepsForAlert:
    """`banks`: those that the alerts are about, where a bank is what they are about."""

    kind: str
    meaning: str
    steps: Sequence[FirstStep]
    words: Sequence[str]
    banks: Sequence[str] = ()


ABOUT_BANKS = ("bank_silent", "declines")
_STOP_BANK = FirstStep(
    "Stop the bank that is named: callers are told before they key in a card, and other banks go on.",
    "/stops",
    f"{COMMAND} stop bank NAME --reason '...'",
)
_STOP_FLOW = FirstStep(
    "If charges are still being tried, stop the flow that is rung, or the entire line where it is not clear which.",
    "/stops",
    f"{COMMAND} stop flow NAME --reason '...'",
)
_EVIDENCE = FirstStep(
    "Take evidence before anything is changed or deleted.", "/incident#evidence", f"{COMMAND} evidence --to FILE"
)
_DECLINED = FirstStep(
    "Look at the charges that were declined.", "/payments", f"{COMMAND} payments list --status declined"
)
_TRIED = (
    _STOP_FLOW,
    _DECLINED,
    FirstStep(
        "Tell the bank of the charges that were approved meanwhile, and give them back.",
        "/payments",
        f"{COMMAND} payments refund REFERENCE",
    ),
    _EVIDENCE,
    FirstStep(
        "Lower the limits of the flow (attempts_per_caller, attempts_per_card), publish it, then start again.",
        "/stops",
        f"{COMMAND} start flow NAME",
    ),
)

# In the order in which they press.
FIRST_STEPS: Mapping[str, tuple[str, Sequence[FirstStep]]] = {
    "audit_broken": (
        "Somebody has written to the database past this product. Whatever else is on record there may be untrue too.",
        (
            FirstStep(
                "Stop the line: nothing in the database can be relied on.",
                "/stops",
                f"{COMMAND} stop line --reason '...'",
            ),
            FirstStep(
                "Copy the database and the backups from before the event that is named; change nothing in them.",
                "",
                f"{COMMAND} audit verify",
            ),
            _EVIDENCE,
            FirstStep(
                "Change the password of the database, and rotate the audit key.",
                "/keys?name=DATABASE_URL",
                f"{COMMAND} keys rotate audit",
            ),
            FirstStep(
                "Compare what banks were asked with the ledger.", "", f"{COMMAND} reconcile FILE; {COMMAND} books check"
            ),
        ),
    ),
    "card_testing": ("Somebody tries stolen cards from one number, or for one account.", _TRIED),
    "card_testing_block": ("Somebody tries stolen cards from numbers that begin alike.", _TRIED),
    "card_testing_line": ("Somebody tries stolen cards from many numbers.", _TRIED),
    "card_testing_bin": ("Somebody tries card numbers that begin alike: made up, or stolen from one bank.", _TRIED),
    "declines": (
        "A bank refuses most charges: stolen cards are tried, or the bank has a fault.",
        (_DECLINED, *_TRIED[:1], *_TRIED[2:4]),
    ),
    "bank_silent": (
        "A bank does not answer. Charges that may have reached it are not sent again; the forwarder asks what became of them.",
        (
            _STOP_BANK,
            FirstStep(
                "See whether it is the bank or the way there, and ask the bank.", "", f"{COMMAND} bank check NAME"
            ),
            FirstStep(
                "Settle nothing by hand meanwhile: what has no outcome is asked for until it has one.",
                "/payments",
                f"{COMMAND} payments list --status unknown",
            ),
            FirstStep(
                "When the bank answers again, and nothing is unknown any more, start it.",
                "/stops",
                f"{COMMAND} start bank NAME",
            ),
        ),
    ),
    "unknown_growing": (
        "Charges have no outcome: their callers were told that they will hear of it.",
        (
            FirstStep("See which bank they are at.", "/payments", f"{COMMAND} payments list --status unknown"),
            _STOP_BANK,
            FirstStep("Ask the bank for its file of the day, and compare.", "", f"{COMMAND} reconcile FILE"),
        ),
    ),
    "forged_webhooks": (
        "Requests come that Twilio has not signed. They are refused: nobody has got in by them.",
        (
            FirstStep(
                "Has PUBLIC_URL or the token been changed? Then it is Twilio that is refused: put it right.",
                "",
                f"{COMMAND} check",
            ),
            FirstStep(
                "If not, rotate the token: it may be tried out, or known.",
                "/keys?name=TWILIO_AUTH_TOKEN",
                f"{COMMAND} keys rotate TWILIO_AUTH_TOKEN",
            ),
            FirstStep("Let the proxy refuse the addresses that they come from. The line need not be stopped."),
            _EVIDENCE,
        ),
    ),
    "certificate": (
        "A key or certificate ends soon. From 15 minutes before that moment its bank is closed, and callers are told that no cards are taken.",
        (
            FirstStep("See which, and what follows it.", "/keys", f"{COMMAND} keys list"),
            FirstStep(
                "Rotate it: the page says what happens, and who must be told.", "/keys", f"{COMMAND} keys rotate NAME"
            ),
            FirstStep(
                "Let every process read it, and see that the alert is over.", "/alerts", f"{COMMAND} alerts list"
            ),
        ),
    ),
    "disk": (
        "The disk is nearly full. When it is, no call can be recorded, and none is taken.",
        (
            FirstStep(
                "Free some: recordings that are old, logs, copies. Never files of the database.",
                "",
                "du -xh VAR | sort -h | tail",
            ),
        ),
    ),
    "ticks_late": (
        "The trunk is late: callers hear gaps.",
        (
            FirstStep(
                "Give it fewer calls (TRUNK_MAX_CALLS) or more CPU; look for what else runs on the machine.",
                "/live",
                "top",
            ),
        ),
    ),
}
ANY_INCIDENT: Sequence[FirstStep] = (
    FirstStep(
        "If cards may be at risk, stop taking them first and ask afterwards: starting again is one command.",
        "/stops",
        f"{COMMAND} stop line --reason '...'",
    ),
    FirstStep("Write down the time, and who noticed what."),
    FirstStep("See whether the audit trail is whole.", "/audit", f"{COMMAND} audit verify"),
    FirstStep("Take evidence of the hours before and since.", "/incident#evidence", f"{COMMAND} evidence --to FILE"),
    FirstStep("Rotate the keys that somebody may have.", "/keys", f"{COMMAND} keys list"),
    FirstStep(
        "Tell your bank (acquirer) at once if cards may be at risk: your contract says how soon. Tell the police, and callers, as the law asks for it."
    ),
)


def what_to_do(standing: Sequence[Alert]) -> list[StepsForAlert]:
    """By kind, each once with what all of its alerts say."""
    by_kind: dict[str, list[Alert]] = {}
    for one in standing:
        by_kind.setdefault(one.kind, []).append(one)
    order = list(FIRST_STEPS)
    return [
        StepsForAlert(
            kind,
            *FIRST_STEPS[kind],
            [one.words for one in by_kind[kind]],
            [one.about for one in by_kind[kind]] if kind in ABOUT_BANKS else (),
        )
        for kind in sorted(by_kind.keys() & FIRST_STEPS.keys(), key=order.index)
    ]
