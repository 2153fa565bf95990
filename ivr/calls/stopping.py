"""What somebody who stops or starts charging may say: the same rules on the command line and in the portal."""

from collections.abc import Collection

from ivr.core.stray_cards import is_card_typed
from ivr.errors import RecordError
from ivr.reading.problems import did_you_mean, without_card_numbers
from ivr.store import LONGEST_REASON, StopScope


def require_stoppable(scope: StopScope, name: str, known: Collection[str]) -> None:
    """RecordError for what there is not: a stop of it would stop nothing."""
    if name not in known:
        raise RecordError(
            f"{scope} {without_card_numbers(name[:60])}: there is no such {scope} ({did_you_mean(name, known) or 'none at all'})"
        )


def reason_in(written: str) -> str:
    """RecordError where it says nothing, or something that has no place in a record."""
    reason = " ".join(written.split())
    if not any(map(str.isalpha, reason)) or not reason.isprintable():
        raise RecordError("reason: say why, in a few words; it is put on record")
    if len(reason) > LONGEST_REASON:
        raise RecordError(f"reason: at most {LONGEST_REASON} characters")
    if without_card_numbers(reason) != reason or is_card_typed(reason):
        raise RecordError("reason: a number in it is as long as a card number")
    return reason
