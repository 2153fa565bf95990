"""One call from the caller's side: what is heard and chosen, at random but for a patient caller, who only wants to pay."""

import random
from dataclasses import dataclass, field

from ivr.channels.simulator import LineReply, LocalLine
from ivr.core.actions import Phrase
from ivr.core.money import Money
from tests.tills import passing_luhn

FIELDS = {"expiry": "1230", "security_code": "123", "postal_code": "94105"}


@dataclass
class Caller:
    """`agreed`: what was consented to, the bill and the amount under each intent's reference."""

    chance: random.Random
    line: LocalLine
    ani: str
    account: str
    patient: bool = False
    heard: list[Phrase] = field(default_factory=list)
    reply: LineReply | None = None
    turn_began: int = 0
    agreed: dict[str, tuple[str, int]] = field(default_factory=dict)
    hung_up: bool = False

    def hear(self, phrase: Phrase) -> str:
        self.heard.append(phrase)
        return phrase.name

    @property
    def last_said(self) -> list[Phrase]:
        """The last turn."""
        return self.heard[self.turn_began :]

    def hears(self, prompt: str) -> bool:
        return any(phrase.name == prompt for phrase in self.last_said)

    def value(self, prompt: str, name: str) -> Money | None:
        said = next((phrase for phrase in self.last_said if phrase.name == prompt), None)
        found = dict(said.values).get(name) if said else None
        return found if isinstance(found, Money) else None

    def may(self, probability: float) -> bool:
        """Something that only an impatient caller does."""
        return not self.patient and self.chance.random() < probability

    # ---- keys

    def keys_for(self, asks: str, others: list[str]) -> str:
        """`others`: bills that are open, one of which may be paid in the same call."""
        if self.may(0.02):
            return "*"
        match asks:
            case "account_number" | "ticket_number":
                if self.agreed and self.may(0.5):
                    self.account = self.chance.choice(others)
                return f"{self.account}#"
            case "menu":
                return "1" if self.patient else self.chance.choice(self._keys_offered())
            case "money":
                return self._some_money()
            case "card_number":
                return f"{self._a_card()}#"
            case "expiry" | "security_code" | "postal_code":
                return FIELDS[asks]
            case "confirm":
                return "2" if self.may(0.07) else "1"
            case "cancel":
                return "2" if self.patient else self.chance.choice("12")
            case "repeat":
                return self.chance.choice("12#")
        return "1"

    def consents(self, keys: str) -> bool:
        return keys == "1" and self.hears("confirm_card")

    def note_consent(self, reference: str) -> None:
        amount = self.value("confirm_card", "amount")
        assert amount is not None
        self.agreed[reference] = (self.account, amount.minor)

    def _keys_offered(self) -> list[str]:
        keys = [dict(phrase.values).get("key") for phrase in self.last_said]
        return [key for key in keys if isinstance(key, str) and key.isdecimal()]

    def _some_money(self) -> str:
        low, high = (self.value("enter_money", name) for name in ("min", "max"))
        if low is None or high is None or self.may(0.1):
            return f"{self.chance.randrange(1, 60_000)}#"
        return f"{self.chance.randint(low.minor, high.minor)}#"

    def _a_card(self) -> str:
        """Nearly always another one."""
        number = passing_luhn(f"4{self.chance.randrange(10**6):06d}19283746")
        return f"{number[:-1]}{(int(number[-1]) + 1) % 10}" if self.may(0.03) else number
