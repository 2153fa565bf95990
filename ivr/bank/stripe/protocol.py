"""What `protocol: stripe` in `banks.yaml` stands for."""

from ivr.bank.interface import Bank
from ivr.bank.protocols import BankProtocol, Opening
from ivr.bank.stripe.client import PROMISES, StripeBank
from ivr.bank.stripe.examination import examine
from ivr.bank.stripe.notifications import read_events
from ivr.bank.stripe.settings import StripeSettings, is_live, secret_key


def open_stripe(opening: Opening) -> Bank:
    return StripeBank(opening.settings, secret_key(opening), opening.opener)


PROTOCOL = BankProtocol("stripe", PROMISES, StripeSettings, open_stripe, examine, read_events, is_live)
