"""What `protocol: tonetill` in `banks.yaml` stands for."""

from collections.abc import Iterator

from ivr.bank.https import cure_of
from ivr.bank.interface import Examined
from ivr.bank.protocols import BankProtocol, Opening
from ivr.bank.tonetill.client import PROMISES, TonetillBank
from ivr.bank.tonetill.settings import TonetillSettings

NEVER_CHARGED = "bank-check"


def examine(opening: Opening) -> Iterator[Examined]:
    """Asks about a charge that never was: the bank must say that it does not know it."""
    with TonetillBank(opening.settings) as bank:
        yield Examined(True, "our certificate and its key belong together")
        answer = bank.inquire(NEVER_CHARGED)
    if answer.outcome in ("not_found", "reversed"):
        yield Examined(True, f"{opening.settings.url} answers, and takes our certificate")
    elif answer.outcome == "not_sent":
        reason = answer.reason or ""
        yield Examined(False, f"{opening.settings.url} cannot be reached: {reason}; {cure_of(reason)}")
    else:
        yield Examined(False, f"{opening.settings.url} gives no answer that could be believed: {answer.reason}")


PROTOCOL = BankProtocol("tonetill", PROMISES, TonetillSettings, lambda opening: TonetillBank(opening.settings), examine)
