"""Where bills come from: the embedded table, or an HTTP endpoint of the merchant's. Both answer with the same event."""

from typing import Any

import httpx
import structlog

from ivr.core.events import Event, LookedUp
from ivr.core.money import Money, parse_money
from ivr.errors import ConfigError
from ivr.store import Store

log = structlog.get_logger()
PATIENCE_S = 5.0  # Twilio waits 15 s for an answer; a caller in silence waits less


class Bills:
    """The embedded table, seeded from `config/accounts.csv`."""

    is_embedded = True

    def __init__(self, store: Store) -> None:
        self._store = store

    def look_up(self, source: str, key: str, event: Event) -> LookedUp:
        bill = self._store.find_bill(key)
        if bill is None:
            return LookedUp(event.at, found=False)
        return LookedUp(event.at, found=True, values={"bill.due": bill.due, "bill.min": bill.minimum})


class HttpBilling:
    """GET `<url>/<account>`: 404 is an unknown account; 200 is `{"due": "42.50 USD", "min": "10.00 USD"}`."""

    is_embedded = False

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError("BILLING_URL: expected http:// or https://")
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False)

    def look_up(self, source: str, key: str, event: Event) -> LookedUp:
        """BillingDown where the endpoint does not answer as agreed: the runner apologises, nothing is charged."""
        try:
            response = self._http.get(f"/{key}")
        except httpx.HTTPError as error:
            raise BillingDown(f"the billing endpoint did not answer: {type(error).__name__}") from None
        if response.status_code == 404:
            return LookedUp(event.at, found=False)
        if response.status_code != 200:
            raise BillingDown(f"the billing endpoint answered {response.status_code}")
        return LookedUp(event.at, found=True, values=_read_bill(response))


class BillingDown(Exception):
    """The merchant's billing endpoint is not there, or answers something else than a bill."""


def _read_bill(response: httpx.Response) -> dict[str, str | int | Money]:
    try:
        body: Any = response.json()
        due = parse_money(str(body["due"]))
        return {"bill.due": due, "bill.min": parse_money(str(body["min"])) if "min" in body else Money(1, due.currency)}
    except (ValueError, KeyError, TypeError):
        raise BillingDown("the billing endpoint's answer is not {'due': '42.50 USD', 'min': '10.00 USD'}") from None
