"""Chooses what happens next in a walk: mostly what a caller might do, now and then anything."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ivr.core.money import Money
from ivr.testing.cards import TEST_CARDS, code_of
from ivr.testing.explore.acts import Act
from ivr.testing.explore.walk import Walk, WalkingCaller

KEYPAD = "0123456789*#"
NUMBERS = ("+15550100", "+15550101", "anonymous")
BANK = {"approves": 50, "declines 51": 12, "is silent": 12, "is silent after charging": 12}
BANK |= {"is unreachable": 7, "cannot say": 7}
IN_PART = BANK | {"approves 0.40": 15, "approves 10.00": 15}  # of a flow that takes partial approvals
UNLUCKY = {"declines 51": 88, "approves": 12}
MOST_ACTS = 45


@dataclass
class Monkey:
    """`accounts`: what can be paid; `tried`: entries by what is asked for, as the flow's steps suggest them;
    `keys`: what else each account is looked up with; `typed`: by what is asked for, the keys that say an account; `nobodys`:
    by what is asked for, keys of numbers that nothing is found for. Each walk has a bill of its own that its callers care for.
    `rings_again`: what one call leaves is another's to use, such as a card that the bank keeps, or a caller who is remembered."""

    chance: random.Random
    flow: str
    accounts: Sequence[str]
    brands: Sequence[str]
    tried: Mapping[str, Sequence[str]]
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    typed: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    nobodys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    takes_part: bool = False  # the bank may approve less than is asked for
    rings_again: bool = False
    account: str = ""
    _last_brand: str = "visa"
    is_clumsy: bool = False  # in this walk: slow, and often wrong
    is_unlucky: bool = False  # in this walk: declined time and again, until a limit is reached

    def walk(self, walk: Walk) -> None:
        self.account = self.chance.choice(self.accounts) if self.accounts else "12345678"
        self.is_clumsy = self.may(0.12)
        self.is_unlucky = self.may(0.05)
        walk.do(self._ring(1))
        may_ring_again = self.chance.random() < (0.7 if self.rings_again else 0.3)
        for _ in range(MOST_ACTS):
            if may_ring_again and self.chance.random() < 0.15:
                may_ring_again = False
                walk.do(self._ring(len(walk.callers) + 1))
            there = [number for number, caller in enumerate(walk.callers, 1) if not caller.is_over]
            if not there and not may_ring_again:
                return
            if there:
                number = self.chance.choice(there)
                for act in self._next(walk, number):
                    walk.do(act)

    def may(self, probability: float) -> bool:
        return self.chance.random() < probability

    def _ring(self, number: int) -> Act:
        ani = NUMBERS[2] if self.may(0.06) else self.chance.choice(NUMBERS[:2])
        return Act("call", f"{self.flow} from {ani}", number)

    def _next(self, walk: Walk, number: int) -> list[Act]:
        caller = walk.callers[number - 1]
        if self.may(0.015):
            return [Act("hangs", "up", number)]
        if caller.reply.state == "waiting":
            return self._on_hold(number, has_begun=walk.acts[-1].verb == "keys")
        if self.may(0.3 if self.is_clumsy else 0.02):
            return [Act("silence", caller=number)]
        return [Act("keys", self._keys(caller), number)]

    def _on_hold(self, number: int, has_begun: bool) -> list[Act]:
        """What the bank does is chosen as the hold begins, and seldom changes."""
        if self.may(0.03):
            return [Act("hangs", "up", number)]
        if self.may(0.03):
            return [Act("keys", self.chance.choice(KEYPAD), number)]
        if self.may(0.8 if has_begun else 0.06):
            moods = UNLUCKY if self.is_unlucky else IN_PART if self.takes_part else BANK
            bank = self.chance.choices(list(moods), list(moods.values()))[0]
            return [Act("bank", bank, 0), Act("wait", caller=number)]
        return [Act("wait", caller=number)]

    # ---- keys

    def _keys(self, caller: WalkingCaller) -> str:
        if self.may(0.3 if self.is_clumsy else 0.04):
            return "".join(self.chance.choices(KEYPAD, k=self.chance.randint(1, 6)))
        if suggested := self.tried.get(caller.reply.asks):
            return self.chance.choice(suggested)
        match caller.reply.asks:
            case "card_number":
                return f"{self._card()}#"
            case "expiry":
                return "0120" if self.may(0.05) else "1230"
            case "security_code":
                return code_of(self._last_brand)
            case "postal_code":
                return "94105"
            case "start_date":
                return "#" if self.may(0.3) else "0120"
            case "issue_number":
                return "#" if self.may(0.3) else f"{self.chance.randrange(1, 30)}#"
            case "money":
                return self._money(caller)
            case "confirm":
                return "2" if self.may(0.12) else "1"
        if key := self.keys.get(self.account, {}).get(caller.reply.asks):
            return key if self.may(0.9) else f"{self.chance.randrange(10**4):04}"
        if not self._offered(caller):
            account = self._account()
            keys = self.typed.get(caller.reply.asks, str)(account)
            return f"{keys or self._number_of_nobody(caller.reply.asks)}#"
        offered: list[str] = [*self._offered(caller), *("#" if self.may(0.2) else "")]
        return self.chance.choice(offered)

    def _card(self) -> str:
        self._last_brand = self.chance.choice(self.brands)
        number = TEST_CARDS[self._last_brand]
        return f"{number[:-1]}{(int(number[-1]) + 1) % 10}" if self.may(0.04) else number

    def _account(self) -> str:
        if self.may(0.08):
            return str(self.chance.randrange(10**8, 10**9))
        return self.chance.choice(self.accounts) if self.accounts and self.may(0.1) else self.account

    def _number_of_nobody(self, asks: str) -> str:
        nobodys = self.nobodys.get(asks)
        return self.chance.choice(nobodys) if nobodys and self.may(0.5) else str(self.chance.randrange(10**9))

    def _money(self, caller: WalkingCaller) -> str:
        low, high = (self._limit(caller, name) for name in ("min", "max"))
        if low > high or self.may(0.1):
            return f"{self.chance.randrange(1, 90_000)}#"
        return f"{self.chance.choice((low, high, self.chance.randint(low, high)))}#"

    def _limit(self, caller: WalkingCaller, name: str) -> int:
        for phrase in reversed(caller.last_said):
            found = dict(phrase.values).get(name)
            if isinstance(found, Money):
                return found.minor
        return 1 if name == "min" else 0

    def _offered(self, caller: WalkingCaller) -> list[str]:
        """Keys that the last words named: of a menu, a language, a question with yes and no."""
        if caller.reply.asks in ("cancel", "repeat"):
            return ["1", "2"]
        keys = [dict(phrase.values).get("key") for phrase in caller.last_said]
        return [key for key in keys if isinstance(key, str) and key.isdecimal()]
