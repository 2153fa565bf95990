"""How long each kind of data is kept, by the settings, and what it is in words; what deletes it is `store.retention`."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from ivr.settings import Settings
from ivr.store import KeptKind

WORDS: Mapping[KeptKind, str] = {
    "turns": "what happened in a call, turn by turn",
    "texts": "texts and receipts by e-mail",
    "numbers": "callers' numbers on calls, charges, texts and guesses",
    "calls": "calls, with what was chosen in them",
    "notices": "what your own systems were told",
    "remembered": "what callers agreed to have remembered, since their last call",
    "sessions": "sessions of the portal, and failed attempts to sign in",
}
# Of these nobody sets a time.
FIXED: Mapping[str, str] = {
    "sealed card fields": "deleted on the final answer, or after an hour",
    "charges, ledger and postings": "kept: they are the books (the caller's number in them is forgotten)",
    "agreements": "kept: they prove what a caller agreed to",
    "audit trail": "kept: nothing of it is ever deleted, so that it can be verified from its first event",
}


def kept_days(settings: Settings) -> dict[KeptKind, int]:
    """0: for ever."""
    return {kind: getattr(settings, f"keep_{kind}_days") for kind in WORDS}


def due_before(days: int, now: datetime) -> datetime | None:
    """What is older has been kept for long enough; None where it is kept for ever."""
    return now - timedelta(days=days) if days else None
