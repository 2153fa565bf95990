"""What `bank check` asks Adyen: which payment methods the account has. Nothing is charged or changed by it."""

from collections.abc import Iterator, Mapping

from ivr.bank.adyen.client import AdyenBank
from ivr.bank.adyen.notifications import hmac_key
from ivr.bank.https import BROKEN, NOTHING_LEFT, cure_of, describe
from ivr.bank.interface import Examined
from ivr.bank.protocols import Opening
from ivr.bank.secrets import examine_notifications, secret_of, variable

OK, UNAUTHORIZED, FORBIDDEN = 200, 401, 403


def examine(opening: Opening) -> Iterator[Examined]:
    settings = opening.settings
    with AdyenBank(settings, secret_of(opening, "API_KEY")) as bank:
        try:
            status, _ = bank.payment_methods()
            yield from access(opening, status)
            # Asked with a key that may do nothing, each currency would be told as a fault of its own.
            for currency in settings.currencies if status == OK else ():
                yield currency_of(currency, *bank.payment_methods(currency))
        except (*NOTHING_LEFT, *BROKEN) as error:
            words = describe(error)
            yield Examined(False, f"{settings.url} cannot be reached: {words}; {cure_of(words)}")
    # Without them a charge is found by asking again, but a capture that fails is not noticed.
    yield examine_notifications(opening, hmac_key)


def access(opening: Opening, status: int) -> Iterator[Examined]:
    settings = opening.settings
    yield Examined(True, f"{settings.url} answers, under a certificate that is trusted")
    key = variable(opening.name, "API_KEY")
    if status == OK:
        yield Examined(True, f"{key} may act for the merchant account {settings.merchant_account}")
    elif status == UNAUTHORIZED:
        yield Examined(False, f"{key} is not taken: copy it again; test and live have keys of their own")
    elif status == FORBIDDEN:
        account = settings.merchant_account
        yield Examined(
            False, f"{key} may not act for {account}: check merchant_account, and the roles of the credential"
        )
    else:
        yield Examined(False, f"Adyen answers with status {status}: check url, which ends in the version, /v72")


def currency_of(currency: str, status: int, said: Mapping[str, object]) -> Examined:
    methods = said.get("paymentMethods")
    kinds = [one.get("type") for one in methods if isinstance(one, dict)] if isinstance(methods, list) else []
    if status == OK and "scheme" in kinds:
        return Examined(True, f"the account takes cards in {currency}")
    cure = "add the payment method in the Customer Area, or take the currency out of banks.yaml"
    return Examined(False, f"the account takes no cards in {currency}: {cure}")
