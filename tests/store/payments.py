"""Payments to test with: an intent with its sealed fields staged, and begun."""

from dataclasses import replace
from datetime import UTC, datetime

from ivr.core.call import Call
from ivr.core.money import Money
from ivr.store import (
    Accepted,
    AlreadyBegun,
    AttemptLimits,
    BeingPaid,
    DueChanged,
    DueNow,
    OverLimit,
    PaymentIntent,
    SealedField,
    Store,
)

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
NO_LIMITS = AttemptLimits()
ACCOUNT = "12345678"
FIELDS = ("card_number", "expiry", "security_code", "postal_code")


def jwe_of(reference: str, field: str) -> str:
    """As long as a real one and easy to find: no database encodes it."""
    return f"eyJhbGciOiJSU0EtT0FFUC0yNTYifQ.{reference}.{field}." + "Zm9vYmFy" * 60


def intent(
    reference: str = "CA1-1",
    *,
    minor: int = 4250,
    caller: str = "caller",
    block: str = "",
    call: str = "",
    pays: str = "",
    line: str = "",
) -> PaymentIntent:
    """`pays`: the key of what is paid for; empty where nothing was looked up."""
    return PaymentIntent(
        reference=reference,
        merchant="demo-merchant",
        call=call or reference.rpartition("-")[0],
        bank="acme_bank",
        amount=Money(minor),
        account=ACCOUNT,
        card_summary="visa 1111",
        ani_hash=caller,
        ani_block=block,
        payable_source="billing.find_bill" if pays else "",
        payable_key=pays,
        line=line,
    )


def stage(store: Store, reference: str, *, card: str = "card", bin_tag: str = "", now: datetime = NOW) -> None:
    for field in FIELDS:
        marks = (card, bin_tag) if field == "card_number" else (None, None)
        store.stage_sealed(SealedField(reference, field, jwe_of(reference, field), *marks), now)


def begin(
    store: Store,
    reference: str = "CA1-1",
    *,
    minor: int = 4250,
    caller: str = "caller",
    block: str = "",
    card: str = "card",
    bin_tag: str = "",
    limits: AttemptLimits = NO_LIMITS,
    now: datetime = NOW,
    pays: str = "",
    line: str = "",
    due: DueNow | None = None,
    captures_later: bool = False,
) -> Accepted | AlreadyBegun | OverLimit | BeingPaid | DueChanged:
    stage(store, reference, card=card, bin_tag=bin_tag, now=now)
    wanted = intent(reference, minor=minor, caller=caller, block=block, pays=pays, line=line)
    return store.begin_payment(replace(wanted, captures_later=captures_later), limits, now, due)


def a_call(call_id: str = "CA1", **changes: object) -> Call:
    call = Call(call_id, "pay-a-bill", "+15550100", "+15550199", "twilio", "en-US")
    return replace(call, **changes)  # type: ignore[arg-type]
