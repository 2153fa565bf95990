"""The incidents that can be practised."""

from collections.abc import Sequence

from ivr.testing.drills.drill_line import BANK, FLOW, DrillLine
from ivr.testing.drills.scenario import DrillMistake, DrillRecord, DrillScenario, DrillTask, Seen

BANK_BACK = 12
DUTY = "You are on duty. Callers pay their bills. Your telephone buzzes when the line sends an alert; it does not say what it is."


def did(*beginnings: str, after: int = 0) -> Seen:
    """Whether a command that begins so was run, and worked."""
    return lambda drill: any(
        one.minute >= after and one.worked and one.text.startswith(beginnings) for one in drill.did
    )


def told(*who: str) -> Seen:
    return lambda drill: any(
        one.text.startswith("tell ") and any(name in one.text for name in who) for one in drill.did
    )


def takes_no_cards(drill: DrillRecord) -> bool:
    return drill.line.store.is_stopped(FLOW, BANK)


def has_attacked(drill: DrillRecord) -> bool:
    return bool(drill.line.attack_payments())


def has_unknown(drill: DrillRecord) -> bool:
    return any(paid.status == "unknown" for call in drill.line.payers for paid in drill.line.store.payments_of(call))


def gave_back(drill: DrillRecord) -> bool:
    """All that was approved of the incident, and something was or nothing had to be."""
    through = drill.line.let_through()
    return all(drill.line.store.modifications_of(paid.intent.reference) for paid in through)


def has(scope: str) -> Seen:
    """Whether this was ever stopped."""
    return lambda drill: any(one.worked and one.text.startswith(f"stop {scope}") for one in drill.did)


EVIDENCE = DrillTask(
    "take evidence",
    did("evidence"),
    "what is on record is asked for weeks later: `evidence --to FILE` packs it while it is whole",
)
TELL_BANK = DrillTask(
    "tell the bank", told("bank", "acquirer"), "the bank blocks cards and watches the line: `tell bank`"
)
LOOK_DECLINED = DrillTask(
    "look at the declined charges",
    did("payments list", "payments show"),
    "they say which flow, since when and how fast: `payments list --status declined`",
)
GIVE_BACK = DrillTask(
    "give back what was approved of it",
    gave_back,
    "a stolen card that was charged comes back as a dispute: `payments refund REFERENCE --yes`",
)
TOO_MUCH = DrillMistake("the entire line was stopped, where the flow or the bank was enough", has("line"), 5)
STARTED_EARLY = DrillMistake(
    "cards were taken again while it still went on",
    lambda drill: any(one.worked and one.text.startswith("start ") for one in drill.did),
)
STOPPED_FOR_NOTHING = DrillMistake(
    "taking cards was stopped, although nobody had got in: callers were turned away for nothing",
    has(""),
)


def one_beginning(line: DrillLine, minute: int) -> None:
    """Two callers a minute with numbers that begin alike, three cards each; the last of every third call is good."""
    for one in range(2):
        number = 2 * minute + one
        line.tester(f"+1212555{number * 37 % 10_000:04d}", 3, hits=number % 3 == 0)


def many_numbers(line: DrillLine, minute: int) -> None:
    """Three callers a minute from all over the country, two cards each."""
    for one in range(3):
        number = 3 * minute + one
        line.tester(
            f"+1{(301 + 7 * number) % 900 + 100:03d}{(211 + 13 * number) % 900 + 100:03d}{number * 53 % 10_000:04d}",
            2,
            hits=number % 5 == 0,
        )


def silent_bank(line: DrillLine, minute: int) -> None:
    if minute < BANK_BACK:
        line.bank.behaviour = "is silent"
        if minute == 2:
            for _ in range(3):
                line.payer()
        line.bank.behaviour = "cannot say"
    else:
        line.bank.settle()
        line.clock.advance(60)  # pauses between inquiries pass
        line.workbench.work()


def forged(line: DrillLine, _minute: int) -> None:
    line.counts["signature"] += 40


def nothing_more(_line: DrillLine, _minute: int) -> None:
    """What is wrong is wrong from the beginning."""


def spoiled(line: DrillLine, minute: int) -> None:
    if minute == 2:
        line.spoil_audit_trail()


SCENARIOS: Sequence[DrillScenario] = (
    DrillScenario(
        "card-testing",
        "Stolen cards of one bank are tried, from numbers that begin alike",
        DUTY,
        "Each decline costs you; each approval comes back as a dispute. Stop the flow first, look afterwards.",
        one_beginning,
        takes_no_cards,
        f"stop flow {FLOW}",
        ("alerts list", "payments list"),
        (LOOK_DECLINED, GIVE_BACK, TELL_BANK, EVIDENCE),
        (TOO_MUCH, STARTED_EARLY),
        (
            "wait 4   # until the telephone buzzes",
            "alerts list",
            f"stop flow {FLOW} --reason 'cards are tried'",
            "payments list --status approved",
            "payments refund REFERENCE --yes   # each that was approved of it",
            "tell bank",
            "evidence --to incident.zip",
        ),
        is_seen=has_attacked,
    ),
    DrillScenario(
        "card-testing-spread",
        "Stolen cards are tried from numbers all over the country",
        DUTY,
        "No caller tries often, so that limits of a caller hold nothing back. Only the whole shows it: declines, and the line.",
        many_numbers,
        takes_no_cards,
        f"stop flow {FLOW}",
        ("alerts list", "payments list"),
        (LOOK_DECLINED, GIVE_BACK, TELL_BANK, EVIDENCE),
        (TOO_MUCH, STARTED_EARLY),
        (
            "wait 4   # until the telephone buzzes",
            "alerts list",
            "payments list --status declined",
            f"stop flow {FLOW} --reason 'cards are tried from many numbers'",
            "payments refund REFERENCE --yes   # each that was approved of it",
            "tell bank",
            "evidence --to incident.zip",
        ),
        is_seen=has_attacked,
    ),
    DrillScenario(
        "bank-silent",
        "The bank answers nothing",
        DUTY,
        "Silence is not a refusal: money may have moved. Stop what adds to it, settle nothing by hand, start when all is known.",
        silent_bank,
        takes_no_cards,
        f"stop bank {BANK}",
        ("alerts list", "payments list"),
        (
            DrillTask(
                "look at what has no outcome",
                did("payments list", "payments show"),
                "`payments list --status unknown` says who waits to hear",
            ),
            DrillTask("ask the bank", told("bank", "acquirer"), "only the bank knows how long: `tell bank`"),
            DrillTask(
                "take cards again once the bank answers",
                did("start", after=BANK_BACK),
                "every minute that it is stopped for nothing turns callers away: `start bank acme_bank`",
            ),
        ),
        (
            DrillMistake(
                "cards were taken again before the bank answered",
                lambda drill: any(
                    one.worked and one.text.startswith("start ") and one.minute < BANK_BACK for one in drill.did
                ),
            ),
            DrillMistake("a charge was settled by hand while it could still be asked for", did("payments settle"), 20),
            DrillMistake("the entire line was stopped, where the bank was enough", has("line"), 5),
        ),
        (
            "wait 7   # until the telephone buzzes",
            "alerts list",
            f"stop bank {BANK} --reason 'it does not answer'",
            "payments list --status unknown",
            "tell bank",
            "wait 2   # until it answers again",
            "payments list --status unknown   # nothing is left",
            f"start bank {BANK}",
        ),
        begins=2,
        is_seen=has_unknown,
        news=(BANK_BACK, "The bank rings: it answers again."),
    ),
    DrillScenario(
        "forged-webhooks",
        "Somebody sends webhooks that the network has not signed",
        DUTY,
        "They are refused, all of them: nobody has got in. Find out whether it is a wrong setting, and rotate what may be known.",
        forged,
        did("keys plan TWILIO_AUTH_TOKEN", "keys rotate TWILIO_AUTH_TOKEN"),
        "keys plan TWILIO_AUTH_TOKEN",
        ("alerts list",),
        (
            DrillTask(
                "ask the network",
                told("twilio", "network"),
                "a token that was changed there looks the same from here: `tell twilio`",
            ),
            DrillTask(
                "see that no charge came of it",
                did("payments list"),
                "`payments list` shows that only callers were charged",
            ),
            EVIDENCE,
        ),
        (STOPPED_FOR_NOTHING,),
        (
            "wait 3   # until the telephone buzzes",
            "alerts list",
            "keys plan TWILIO_AUTH_TOKEN",
            "tell twilio",
            "payments list",
            "evidence --to incident.zip",
        ),
    ),
    DrillScenario(
        "key-ends",
        "The bank's sealing key is good for two days more, and none follows",
        DUTY,
        "On that day the bank is closed, and callers are told that no cards are taken. There is time: plan, tell the bank, rotate.",
        nothing_more,
        lambda drill: not any(end.is_alarming(drill.line.clock()) for end in drill.line.key_ends()),
        f"keys rotate {BANK}",
        ("alerts list", "keys list"),
        (
            DrillTask(
                "read what the rotation does",
                did("keys plan"),
                f"it says what goes to the old key still: `keys plan {BANK}`",
            ),
            DrillTask(
                "tell the bank",
                told("bank", "acquirer"),
                "it must open with the new key, from the first day on: `tell bank`",
            ),
            DrillTask(
                "see what is listed afterwards",
                did("keys list"),
                "`keys list` shows which seals now and which from tomorrow on",
            ),
        ),
        (STOPPED_FOR_NOTHING,),
        ("alerts list", f"keys plan {BANK}", f"keys rotate {BANK}", "tell bank", "keys list"),
        begins=0,
        sealing_key_days=2,
    ),
    DrillScenario(
        "audit-broken",
        "Somebody has changed the audit trail, past the product",
        DUTY,
        "Whoever can write to the database can write anything there. Stop, keep a copy, and rotate what they may have.",
        spoiled,
        lambda drill: any(one.scope == "line" for one in drill.line.store.stops()),
        "stop line",
        ("alerts list", "audit verify"),
        (
            DrillTask(
                "see which event it is",
                did("audit verify", "audit show"),
                "`audit verify` names it: backups from before it are whole",
            ),
            EVIDENCE,
            DrillTask("rotate the audit key", did("keys rotate audit"), "they may have it too: `keys rotate audit`"),
            DrillTask(
                "tell whoever must know",
                told("bank", "acquirer", "police", "auditor"),
                "your contract says how soon: `tell bank`",
            ),
        ),
        (STARTED_EARLY,),
        (
            "wait 3   # until the telephone buzzes",
            "alerts list",
            "stop line --reason 'the audit trail is broken'",
            "audit verify",
            "evidence --to incident.zip",
            "keys rotate audit",
            "tell bank",
        ),
        watched_from=3,
    ),
)
