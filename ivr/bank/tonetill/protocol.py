"""What `protocol: tonetill` in `banks.yaml` stands for."""

from ivr.bank.protocols import BankProtocol
from ivr.bank.tonetill.client import PROMISES, TonetillBank
from ivr.bank.tonetill.settings import TonetillSettings

PROTOCOL = BankProtocol("tonetill", PROMISES, TonetillSettings, lambda opening: TonetillBank(opening.settings))
