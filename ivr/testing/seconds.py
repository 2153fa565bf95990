"""Where the seconds of a paid call go, for a caller who hears everything out and for one who knows the line.

Nothing is played and nobody waits: a prompt lasts as long as its clips, the keys and the bank as long as is assumed here.
A prompt's length is what the line's own voice takes for it; on Twilio another voice speaks.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal, Self

from ivr.channels.line import LOOK_S
from ivr.channels.simulator import LineReply, LocalLine
from ivr.core.actions import Phrase
from ivr.core.entry import Reading, read_entry
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.testing.cards import TEST_CARDS, code_of

KEY_S = 0.25  # from one key to the next: a tone of 100 ms, and the finger's way
BARGE_IN_S = 0.5  # what a caller who knows the question hears of it
BANK_S = 2.0  # from the consent to the bank's answer
MOST_TURNS = 100
CARD = "visa"
# Values that are the same in every call, or that the caller knows: no reason to hear a prompt out.
FAMILIAR = frozenset({"key", "done", "clear", "count", "min", "max"})
Kind = Literal["prompt", "keys", "silence", "hold"]


@dataclass(frozen=True)
class TimedCaller:
    """`hears_out`: every prompt to its end, then keys at once. Otherwise only those that say something new."""

    name: str
    hears_out: bool


FIRST_TIME, EXPERT = TimedCaller("first time", True), TimedCaller("expert", False)
CALLERS = (FIRST_TIME, EXPERT)


@dataclass(frozen=True)
class CallPart:
    """What took how many seconds. `name`: the prompt; for keys and silences the field; for a hold what was awaited."""

    kind: Kind
    name: str
    seconds: float


@dataclass(frozen=True)
class PhraseLengths:
    """`seconds` is how long a phrase lasts; `until`: up to the end of the last of these values, 0 where it says none."""

    seconds: Callable[[Phrase], float]
    until: Callable[[Phrase, frozenset[str]], float]

    def news(self, phrase: Phrase) -> float:
        """Seconds after which all that is new in the phrase has been said."""
        return self.until(phrase, frozenset(dict(phrase.values)) - FAMILIAR)


class TimedLine(LocalLine):
    """The in-process line, keeping what is said as phrases, and answering questions by their field."""

    def dial(self, call_id: str, flow: str, *, ani: str, dnis: str = "") -> Self:
        self.said: list[Phrase] = []
        words = self.words

        def noted(phrase: Phrase) -> str:
            self.said.append(phrase)
            return words(phrase)

        self.words = noted
        return super().dial(call_id, flow, ani=ani, dnis=dnis)

    def take_said(self) -> list[Phrase]:
        """What was said since the last look."""
        said, self.said = self.said, []
        return said

    def ended(self, keys: str) -> str:
        """With the done key where the entry would otherwise wait for its timer."""
        assert self._collect is not None
        rules = self._collect.rules
        return keys if read_entry(keys.encode(), rules).reading is not Reading.OPEN else f"{keys}{rules.done}"


Answer = Callable[[str, Sequence[Phrase]], str]


def time_call(line: TimedLine, caller: TimedCaller, answer: Answer, voice: PhraseLengths) -> list[CallPart]:
    """The whole call in its order. `answer` gives the keys for a field and what was just said; "" is a silence."""
    parts: list[CallPart] = []
    reply = line.begin()
    for _ in range(MOST_TURNS):
        said = line.take_said()
        parts += heard(said, caller, voice) if reply.state == "keys" else in_full(said, voice)
        if reply.state == "over":
            return parts
        if reply.state == "waiting":
            parts.append(held(sum(voice.seconds(phrase) for phrase in said)))
            reply = line.wait()
        else:
            reply = answered(line, reply, answer(reply.asks, said), parts)
    raise ConfigError(f"--time: the call is not over after {MOST_TURNS} turns: give the keys that pay with --keys")


def in_full(said: Sequence[Phrase], voice: PhraseLengths) -> Iterator[CallPart]:
    for phrase in said:
        yield CallPart("prompt", phrase.name, voice.seconds(phrase))


def heard(said: Sequence[Phrase], caller: TimedCaller, voice: PhraseLengths) -> Iterator[CallPart]:
    """A question with what stands before it. Whoever knows it keys as soon as the last new thing has been said."""
    news = [voice.news(phrase) for phrase in said]
    last = max((number for number, seconds in enumerate(news) if seconds), default=-1)
    if caller.hears_out:
        yield from in_full(said, voice)
    elif last >= 0:
        yield from in_full(said[:last], voice)
        yield CallPart("prompt", said[last].name, news[last])
    elif said:
        yield CallPart("prompt", said[0].name, min(BARGE_IN_S, voice.seconds(said[0])))


def held(said_s: float) -> CallPart:
    """The line looks for the answer when the words are over, and then at fixed intervals."""
    return CallPart("hold", "bank", ceil(max(0.0, BANK_S - said_s) / LOOK_S) * LOOK_S)


def answered(line: TimedLine, reply: LineReply, keys: str, parts: list[CallPart]) -> LineReply:
    began = line.clock()
    if not keys:
        following = line.stay_silent()
        parts.append(CallPart("silence", reply.asks, (line.clock() - began).total_seconds()))
        return following
    keys = line.ended(keys)
    parts.append(CallPart("keys", reply.asks, len(keys) * KEY_S))
    return line.press(keys)


# ---- what a caller keys in


@dataclass(frozen=True)
class Answers:
    """By the field that is asked for. `language` is the number of the caller's among the flow's."""

    language: int
    account: str

    def __call__(self, field: str, said: Sequence[Phrase]) -> str:
        """ConfigError for a question of the flow's own."""
        fixed = {
            **{"language": str(self.language), "confirm": "1", "repeat": "#", "cancel": "2"},
            **{"card_number": TEST_CARDS[CARD], "expiry": "1230", "security_code": code_of(CARD)},
            **{"postal_code": "94105", "start_date": "0120", "issue_number": "3#"},
            **{"account_number": self.account, "menu": offered(said), "money": most(said)},
        }
        if not fixed.get(field):
            raise ConfigError(f"--time: nobody knows what to key in for {field}: give the keys of a call with --keys")
        return fixed[field]


def offered(said: Sequence[Phrase]) -> str:
    """The first key that a menu offers."""
    return next((str(dict(phrase.values)["key"]) for phrase in said if "key" in dict(phrase.values)), "")


def most(said: Sequence[Phrase]) -> str:
    """The largest amount that may be keyed in."""
    amounts = [dict(phrase.values).get("max") for phrase in said]
    return next((str(amount.minor) for amount in amounts if isinstance(amount, Money)), "")


def in_order(keys: str) -> Answer:
    """Entries separated by spaces, '-' is a silence; the caller is silent once they are used up."""
    entries = iter(keys.split())
    return lambda _field, _said: next(entries, "-").replace("-", "")


# ---- put together


def by_name(parts: Sequence[CallPart]) -> dict[tuple[Kind, str], float]:
    """Seconds of each prompt, field and hold, in the order in which each came first."""
    sums: dict[tuple[Kind, str], float] = defaultdict(float)
    for part in parts:
        sums[part.kind, part.name] += part.seconds
    return {name: seconds for name, seconds in sums.items() if seconds > 0}


def by_kind(parts: Sequence[CallPart]) -> dict[Kind, float]:
    sums: dict[Kind, float] = dict.fromkeys(("prompt", "keys", "silence", "hold"), 0.0)
    for part in parts:
        sums[part.kind] += part.seconds
    return sums
