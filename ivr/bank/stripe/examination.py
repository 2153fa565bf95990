"""What `bank check` asks Stripe: the account and its currencies. Nothing is charged or changed by it, and no card is sent."""

from collections.abc import Iterator, Mapping
from typing import Any

from ivr.bank.https import BROKEN, NOTHING_LEFT, cure_of, describe
from ivr.bank.interface import Examined
from ivr.bank.protocols import Opening
from ivr.bank.secrets import examine_notifications, variable
from ivr.bank.stripe.answers import OK
from ivr.bank.stripe.client import StripeBank
from ivr.bank.stripe.notifications import webhook_secret
from ivr.bank.stripe.settings import secret_key

UNAUTHORIZED, FORBIDDEN = 401, 403
ASK = "ask Stripe for raw card data access and for MOTO on this account: without them the first payment is refused"


def examine(opening: Opening) -> Iterator[Examined]:
    settings = opening.settings
    with StripeBank(settings, secret_key(opening), opening.opener) as bank:
        try:
            status, account = bank.get("/account")
            yield Examined(True, f"{settings.url} answers, under a certificate that is trusted")
            yield access(opening, status, account)
            if status == OK:
                yield from currencies(bank, str(account.get("country", "")), settings.currencies)
        except (*NOTHING_LEFT, *BROKEN) as error:
            words = describe(error)
            yield Examined(False, f"{settings.url} cannot be reached: {words}; {cure_of(words)}")
    yield Examined(None, f"whether the account may send card numbers shows with the first payment: {ASK}")
    # Without them a refund made at Stripe, and a hold that lapses, are not noticed.
    yield examine_notifications(opening, webhook_secret)


def access(opening: Opening, status: int, account: Mapping[str, Any]) -> Examined:
    key = variable(opening.name, "API_KEY")
    if status == UNAUTHORIZED:
        return Examined(False, f"{key} is not taken: copy it again; test and live have keys of their own")
    if status == FORBIDDEN:
        return Examined(False, f"{key} is a restricted key without the right to read the account: give it that right")
    if status != OK:
        return Examined(False, f"Stripe answers with status {status}: check url")
    if account.get("charges_enabled") is not True:
        return Examined(False, "the account may not charge yet: complete it in Stripe's dashboard")
    return Examined(True, f"{key} may act for the account {str(account.get('id'))[:40]}, which may charge")


def currencies(bank: StripeBank, country: str, wanted: list[str]) -> Iterator[Examined]:
    if not wanted or not (country.isascii() and country.isalpha()):
        return
    status, said = bank.get(f"/country_specs/{country}")
    taken = said.get("supported_payment_currencies")
    if status != OK or not isinstance(taken, list):
        yield Examined(None, f"which currencies an account in {country} takes cannot be read: status {status}")
        return
    for currency in wanted:
        if currency.lower() in taken:
            yield Examined(True, f"an account in {country} takes cards in {currency}")
        else:
            yield Examined(False, f"an account in {country} takes no cards in {currency}: take it out of banks.yaml")
