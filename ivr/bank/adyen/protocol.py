"""What `protocol: adyen` in `banks.yaml` stands for."""

from ivr.bank.adyen.client import PROMISES, AdyenBank
from ivr.bank.adyen.examination import examine
from ivr.bank.adyen.notifications import read_notifications
from ivr.bank.adyen.settings import AdyenSettings
from ivr.bank.interface import Bank
from ivr.bank.protocols import BankProtocol, Opening
from ivr.bank.secrets import secret_of


def open_adyen(opening: Opening) -> Bank:
    return AdyenBank(opening.settings, secret_of(opening, "API_KEY"))


PROTOCOL = BankProtocol("adyen", PROMISES, AdyenSettings, open_adyen, examine, read_notifications)
