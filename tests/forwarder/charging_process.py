"""A forwarder in a process of its own that charges what is queued when it is told to, so that its memory can be read in between.

`python -m tests.forwarder.charging_process <iso8583|stripe> <database> <bank's url> <bank's folder> <var>`, and then by lines:
`charge`, `keep` (the same, keeping each card that it opens, as a fault would), `end`.
"""

import sys
from pathlib import Path

from ivr.bank import AuthorizationRequest, ClearCard
from ivr.bank.iso8583.client import Iso8583Bank
from ivr.bank.stripe import StripeBank
from ivr.forwarder.opening import CardOpener
from ivr.forwarder.process import Forwarder
from ivr.logs import set_up_logging
from ivr.store import open_store
from tests.bank.iso8583.running import RunningHost
from tests.bank.stripe.running import RunningStripe
from tests.bank.stripe.stand_in import SECRET_KEY
from tests.bank_process import BankKeys

CHARGED, KEEP, END = "charged", "keep", "end"


class WatchedOpener(CardOpener):
    """Copies what it opens while it `keeps`."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.keeps, self.kept = False, list[bytes]()

    def __call__(self, request: AuthorizationRequest) -> ClearCard:
        card = super().__call__(request)
        if self.keeps:
            self.kept.append(bytes(card["card_number"]))
        return card


def main() -> None:
    protocol, database, url, folder, var = sys.argv[1:]
    set_up_logging("debug", "json")
    keys = BankKeys(Path(var))
    opener = WatchedOpener(keys.keys / "forwarder-sealing.key")
    bank: Iso8583Bank | StripeBank
    if protocol == "stripe":
        bank = StripeBank(RunningStripe(url, 0, keys).settings(), SECRET_KEY, opener)
    else:
        bank = Iso8583Bank(RunningHost(url, Path(folder), keys).settings(), opener)
    store = open_store(database)
    with bank:
        forwarder = Forwarder(store, {"acme_bank": bank}, lambda message: None)
        while (wanted := sys.stdin.readline().strip()) != END:
            opener.keeps = wanted == KEEP
            while forwarder.run_once():
                pass
            print(CHARGED, flush=True)
    store.close()


if __name__ == "__main__":
    main()
