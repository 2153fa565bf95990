"""Amounts that are reserved on a card: where each stands, and who is told once its money is taken.

    reserved ──▶ capture_asked ──▶ captured    an operator asked for it, and the bank has done it
        ▲                              │
        └──────────────────────────────┘       what the bank was to take it has not taken after all
        ├──────▶ voided                        an operator let go of it, and the bank has done so
        └──────▶ lapsed                        the bank let go of it by itself

Where it stands is read from the ledger's entries, which are added and never changed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from ivr.store.database import Database
from ivr.store.following import FollowUp, tell_billing
from ivr.store.intents import Payment
from ivr.store.merchant_notices import tell_capture

ReservationState = Literal["reserved", "capture_asked", "captured", "voided", "lapsed"]
# Of the ledger: the bank has let go of the amount, and nobody here had asked for it.
HOLD_LAPSED = "hold_lapsed"


def reservation_state(story: Sequence[str]) -> ReservationState:
    """`story`: the kinds of the ledger's entries of a reserved amount, oldest first; of any other charge that was approved it
    says whether its bank has let go of it (`lapsed`). A bank may take what had lapsed, and a
    capture that failed leaves what was there before it."""
    if _last(story, "void") == "voided":
        return "voided"
    capture = _last(story, "capture")
    if capture == "captured":
        return "captured"
    if HOLD_LAPSED in story:
        return "lapsed"
    return "capture_asked" if capture == "capture_asked" else "reserved"


def follow_capture(
    connection: Connection, database: Database, payment: Payment, now: datetime, follow_up: FollowUp
) -> None:
    """In the transaction that records that the bank has taken the money. Of other charges all was told with the approval."""
    if not payment.intent.captures_later:
        return
    tell_capture(connection, database, payment, now)
    if follow_up.tell_billing:
        tell_billing(connection, payment.intent)


def _last(story: Sequence[str], what: str) -> str:
    return next((kind for kind in reversed(story) if kind.startswith(what)), "")
