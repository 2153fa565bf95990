"""What the phone on the page offers: flows, languages, accounts and test cards, each with the keys that it presses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from babel import Locale, UnknownLocaleError

from ivr.bank.simulator.scenarios import APPROVAL, SCENARIOS, Scenario
from ivr.console.trials import usual_first
from ivr.core.brands import brand_of
from ivr.flow.compiled import Flow
from ivr.settings import Settings
from ivr.store import Store, read_bills

MOST_ACCOUNTS = 24
YEARS_AHEAD = 3
ZIP_CODE = "94105"
# A second brand, whose security code has four digits.
AMEX = Scenario("amex", "378282246310005", 0, "approved, American Express")


@dataclass(frozen=True)
class TestAccount:
    """`answers`: the keys by the name of what is asked for."""

    number: str
    owes: str

    @property
    def answers(self) -> Mapping[str, str]:
        return {"account_number": f"{self.number}#"}


@dataclass(frozen=True)
class TestCard:
    """A published test number of the bank simulator's, and what becomes of it."""

    pan: str
    what: str
    expiry: str

    @property
    def shown(self) -> str:
        return f"{self.pan[:4]} ... {self.pan[-4:]}"

    @property
    def answers(self) -> Mapping[str, str]:
        brand = brand_of(self.pan.encode())
        code = "1234"[: brand.security_code_length if brand else 3]
        fields = {"card_number": f"{self.pan}#", "expiry": self.expiry, "security_code": code}
        return fields | {"postal_code": ZIP_CODE, "start_date": "0120", "issue_number": "3#"}


@dataclass(frozen=True)
class PhonePage:
    """Asked anew for every page: what an account owes changes with each payment."""

    settings: Settings
    flows_by_name: Mapping[str, Flow]
    store: Store

    @property
    def flows(self) -> Sequence[Flow]:
        return [self.flows_by_name[name] for name in usual_first(self.settings, self.flows_by_name)]

    @property
    def languages(self) -> Sequence[tuple[str, str]]:
        """The key that chooses it, and its own name; of the flow that offers the most."""
        longest = max((flow.head.languages for flow in self.flows), key=len)
        return [(str(key), language_name(code)) for key, code in enumerate(longest, 1)] if len(longest) > 1 else []

    @property
    def accounts(self) -> Sequence[TestAccount]:
        """Of the file of test accounts, with what each owes now."""
        if self.settings.accounts is None or self.settings.billing_url:
            return []
        numbers = [bill.account for bill in read_bills(self.settings.accounts)[:MOST_ACCOUNTS]]
        bills = [self.store.find_bill(number) for number in numbers]
        return [TestAccount(bill.account, f"owes {bill.due}") for bill in bills if bill]

    @property
    def cards(self) -> Sequence[TestCard]:
        return cards_to_try()


def cards_to_try() -> Sequence[TestCard]:
    """All that the bank simulator knows, good for some years yet."""
    expiry = f"12{(datetime.now(UTC).year + YEARS_AHEAD) % 100:02d}"
    return [TestCard(one.pan, one.what, expiry) for one in (APPROVAL, AMEX, *SCENARIOS)]


def language_name(code: str) -> str:
    try:
        return Locale.parse(code, sep="-").get_display_name() or code
    except (ValueError, UnknownLocaleError):
        return code
